// database_base.cc makes the database: governed calls with every outcome, a rotation, and one
// request in each state.
#include "tests/fuzz/database_base.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace ordain::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPolicy = R"(
package bank;
context { agent { clearance: int } }
capability pay {
  type "tool"; risk high; effect irreversible;
  input { to: string, amount: double, card: optional(string) }
  output open { message: string, iban: optional(string) }
}
capability look { type "tool"; input open { n: int } output open { text: string } }
policy payments on before pay {
  deny negative          when input.amount <= 0.0 because "the amount must be positive";
  require_approval large when input.amount > 500.0 from "finance" because "a payment above 500";
  redact card input.card when has(input.card) with "***";
  warn round             when input.amount == 100.0 because "a round sum";
  allow;
}
policy others on before look { deny odd when 100 / (input.n - 13) > 1000; require_approval all when input.n > 99 from "ops"; allow; }
policy leaks on after pay { deny leak when output.message.contains("AKIA"); redact iban output.iban when has(output.iban) with "***"; }
)";

bool is_record(std::string_view line) { return line.find("\"body\":") != std::string_view::npos; }

}  // namespace

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "\n{}\n", what);
  std::fflush(stderr);
  std::abort();
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<std::string> records_of(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  for (const std::string& line : lines) {
    if (is_record(line)) out.push_back(line);
  }
  return out;
}

Result<std::vector<std::string>> export_of(const AuditLog& log) {
  std::vector<std::string> out;
  auto written = log.export_jsonl([&](std::string_view line) {
    out.emplace_back(line);
    return true;
  });
  if (!written.ok()) return written.error();
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

void Base::run(const std::string& directory) {
  RuntimeOptions options;
  options.agent = "teller";
  options.environment = "prod";
  options.session = "s";
  options.database = directory;
  options.attributes = *Document::parse(R"({"agent": {"clearance": 3}})");
  options.clock = [] { return kNoon; };
  options.audit.key = key;
  options.operator_keys = {.sign = key};
  auto runtime = Runtime::open(program, options);
  if (!runtime.ok()) fail(runtime.error().message);
  const auto pay = [&](const char* input, const char* output) {
    (void)runtime->call("pay", *Document::parse(input),
                        [&](const Value&) -> Result<Document> { return *Document::parse(output); },
                        {.trace = "t", .risk = 2.0, .resource = Value::string("account")});
  };
  pay(R"({"to": "bob", "amount": 20.5, "card": "4111"})", R"({"message": "paid", "iban": "DE1", "more": [1, null]})");
  pay(R"({"to": "bob", "amount": -1})", "{}");
  pay(R"({"to": "bob", "amount": 600})", "{}");
  pay(R"({"to": "bob", "amount": 100})", R"({"message": "AKIA"})");
  (void)runtime->call("look", *Document::parse(R"({"n": 13})"),
                      [](const Value&) { return Result<Document>(Document()); });
  (void)runtime->call("look", *Document::parse(R"({"n": 1})"),
                      [](const Value&) -> Result<Document> { return Error{"broken", "the tool failed"}; });
}

// Makes one request in each state, an active grant, and one that was revoked.
void Base::ask(const std::string& directory) {
  auto store = ApprovalStore::open(directory, OpenMode::read_write, {.sign = key});
  if (!store.ok()) fail(store.error().message);
  const auto request = [&](uint8_t binding, const std::string& input) {
    ApprovalRequest out;
    out.binding.fill(binding);
    out.capability = "pay";
    out.input = input;
    out.resource = "null";
    out.agent = "teller";
    out.environment = "prod";
    out.rule = "payments.large";
    out.reason = "a payment above 500";
    out.rules = {"payments.large"};
    out.asking = {{.rule = "payments.large", .from = {"finance"}}};
    out.action = "00112233445566778899aabbccddeeff";
    out.now_ns = kNoon;
    out.expires_ns = kNoon + 3600 * kSecond;
    return out;
  };
  const auto made = [&](uint8_t binding, const std::string& input) {
    return store->claim(request(binding, input))->approval.id;
  };
  const auto approve = [&](const std::string& id) { (void)store->approve(id, "ann", "finance", "fine", kNoon); };
  approved = request(1, R"({"amount":600.0,"to":"bob"})");
  unapproved = request(9, R"({"amount":900000.0,"to":"eve"})");
  approvals = {made(1, approved.input), made(2, R"({"amount":700.0,"to":"bob"})"), made(3, R"({"amount":800.0})"),
               made(4, R"({"amount":900.0})")};
  approve(approvals[0]);
  (void)store->reject(approvals[2], "ann", "", "no", kNoon);
  approve(approvals[3]);
  (void)store->claim(request(4, R"({"amount":900.0})"));
  Grant grant{.capability = "look", .agent = "teller", .until_ns = kNoon + 3600 * kSecond, .granted_by = "ann"};
  (void)store->create_grant(grant, kNoon);
  grant.agent = "robot";
  (void)store->revoke_grant(store->create_grant(grant, kNoon)->id, "ann", "", kNoon);
}

Base::Base() {
  const fs::path memory = "/dev/shm";
  std::error_code ignored;
  std::string name = ((fs::is_directory(memory, ignored) ? memory : fs::temp_directory_path()) / "ordain-fuzz-XXXXXX");
  if (mkdtemp(name.data()) == nullptr) fail("no temporary directory");
  root = name;
  program = compile({std::make_shared<Source>(Source{"bank.policy", kPolicy})}, standard_library()).program;
  if (program == nullptr) fail("the policies have errors");
  const std::string directory = (root / "base").string();
  run(directory);
  if (auto rotated = rotate_audit(directory, key); !rotated.ok()) fail(rotated.error().message);
  run(directory);
  ask(directory);
  auto log = AuditLog::open(directory);
  if (!log.ok()) fail(log.error().message);
  const std::vector<std::string> lines = *export_of(*log);
  exported = joined(lines);
  records = records_of(lines);
  for (const std::string& line : lines) {
    const auto document = Document::parse(line);
    const Value* note = map_find(*document->root().map, "checkpoint");
    if (!is_record(line) && note != nullptr && !note->as_text().empty()) checkpoint = note->as_text();
  }
  proof = *log->prove(3);
  const auto verified = log->verify({.keys = {key.public_key()}, .checkpoints = {checkpoint}});
  if (!verified.ok() || !verified->ok) fail(verified.ok() ? verified->problem : verified.error().message);
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".db") files.emplace_back(entry.path().filename(), read_file(entry.path()));
  }
  std::sort(files.begin(), files.end());  // approvals.db, audit-000002.db, audit.db
  fs::remove_all(directory);
}

Base::~Base() {
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

const Base& base() {
  static const Base made;
  return made;
}

}  // namespace ordain::fuzz
