// database_fuzz reads the files of a database directory after somebody changed them: bytes of the
// file, values in its rows, lines of an export. Whatever the change, reading must end in a typed
// error or a correct answer; a log with records that were not written must never verify, and a call
// that was not approved must never count as approved.
//
// An input is a list of edits to a small valid database, which each process makes once.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/replay.h"
#include "tests/fuzz/database_base.h"
#include "tests/fuzz/database_edits.h"

namespace {

using namespace ordain;
using namespace ordain::fuzz;
namespace fs = std::filesystem;

void demand(bool holds, const char* what, const std::string& detail = "") {
  if (!holds) fail(fmt::format("{}: {}", what, detail));
}

void check_error(const Error& error) {
  static constexpr std::array<std::string_view, 17> kCodes = {
      "no_database",    "database_busy", "database_full", "database_readonly", "database_corrupt", "bad_record",
      "database_error", "no_record",     "no_checkpoint", "bad_line",          "unknown_approval", "ambiguous_approval",
      "bad_signature",  "bad_note",      "bad_proof",     "not_signed",        "approval_altered"};
  demand(std::find(kCodes.begin(), kCodes.end(), error.code) != kCodes.end(), "an error of another kind",
         error.code + ": " + error.message);
  demand(!error.message.empty(), "an error without a cause", error.code);
}

void check_json(const std::string& json) {
  auto parsed = Document::parse(json);
  demand(parsed.ok(), "no JSON", parsed.ok() ? "" : parsed.error().message + ": " + json);
}

Result<uint64_t> import_text(const std::string& directory, std::string_view text) {
  return import_audit(directory, [&](std::string* line) {
    if (text.empty()) return false;
    const size_t end = std::min(text.find('\n'), text.size());
    *line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return true;
  });
}

void check_exported(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) check_json(line);
}

bool is_beginning(const std::vector<std::string>& part, const std::vector<std::string>& all) {
  return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
}

void check_verdict(const Result<AuditVerification>& verdict) {
  if (!verdict.ok()) return check_error(verdict.error());
  demand(verdict->ok == verdict->problem.empty(), "a verdict without a cause", verdict->problem);
}

void check_imported(const std::string& text) {
  const std::string directory = (base().root / "imported").string();
  fs::remove_all(directory);
  const auto imported = import_text(directory, text);
  auto log = AuditLog::open(directory);
  if (!imported.ok()) {
    check_error(imported.error());
    demand(!log.ok() && fs::is_empty(directory), "a refused import left something", imported.error().message);
    return;
  }
  demand(log.ok(), "what was imported cannot be opened");
  const auto verified = log->verify();
  demand(verified.ok() && verified->ok, "what was imported does not verify");
  const auto lines = export_of(*log);
  demand(lines.ok() && is_beginning(records_of(*lines), base().records), "an import of other records", text);
}

/// A proof that checks must prove a record that was written.
void check_proof(const std::string& text) {
  const auto proven = check_audit_proof(text, {base().key.public_key()});
  if (!proven.ok()) return check_error(proven.error());
  const uint64_t id = proven->record.id;
  demand(id >= 1 && id <= base().records.size() &&
             base().records[id - 1].starts_with(to_json(proven->record).substr(0, 200)),
         "a false proof", text);
}

void check_reading(const AuditLog& log) {
  const auto visit = [](const AuditRecord& record) {
    check_json(to_json(record));
    return true;
  };
  if (auto done = log.for_each(1, visit); !done.ok()) check_error(done.error());
  AuditFilter filter;
  filter.agent = "teller";
  if (auto done = log.query(filter, visit); !done.ok()) check_error(done.error());
  if (auto count = log.count(filter); !count.ok()) check_error(count.error());
  if (auto count = log.count(); !count.ok()) check_error(count.error());
  if (auto last = log.tail(3); !last.ok()) check_error(last.error());
  for (const uint64_t id : {1, 8}) {
    auto proof = log.prove(id);
    proof.ok() ? check_proof(*proof) : check_error(proof.error());
  }
  ReplayOptions options;
  options.threads = 1;
  options.decide.interpret_only = true;
  if (auto report = replay(log, base().program, nullptr, options); !report.ok()) check_error(report.error());
}

void check_log(const std::string& directory) {
  auto log = AuditLog::open(directory);
  if (!log.ok()) return check_error(log.error());
  const auto plain = log->verify();
  const auto keyed = log->verify({.keys = {base().key.public_key()}, .checkpoints = {base().checkpoint}});
  check_verdict(plain);
  check_verdict(keyed);
  const auto lines = export_of(*log);
  if (!lines.ok()) check_error(lines.error());
  if (lines.ok()) check_exported(*lines);
  const std::vector<std::string> now = lines.ok() ? records_of(*lines) : std::vector<std::string>();
  if (keyed.ok() && keyed->ok) demand(lines.ok() && now == base().records, "other records verify with the key");
  if (plain.ok() && plain->ok) demand(lines.ok() && is_beginning(now, base().records), "other records verify");
  check_reading(*log);
  if (lines.ok()) check_imported(joined(*lines));
}

void check_approvals(const std::string& directory) {
  auto reader = ApprovalStore::open(directory, OpenMode::read_only, base().keys());
  if (!reader.ok()) return check_error(reader.error());
  const auto check_all = [](const auto& all) {
    if (!all.ok()) return check_error(all.error());
    for (const auto& one : *all) check_json(to_json(one));
  };
  check_all(reader->list(std::nullopt, kNoon));
  check_all(reader->unfinished());
  check_all(reader->grants(kNoon));
  for (const std::string& id : base().approvals) {
    const auto shown = reader->show(id, kNoon);
    shown.ok() ? check_json(to_json(*shown)) : check_error(shown.error());
  }
  auto store = ApprovalStore::open(directory, OpenMode::read_write, base().keys());
  if (!store.ok()) return check_error(store.error());
  const auto served = [&](const ApprovalRequest& request) {
    const auto claimed = store->claim(request);
    if (!claimed.ok()) check_error(claimed.error());
    return claimed.ok() &&
           (claimed->claim == ApprovalStore::Claim::consumed || claimed->claim == ApprovalStore::Claim::granted);
  };
  demand(!served(base().unapproved), "what nobody approved is approved");
  if (served(base().approved)) demand(!served(base().approved), "an approval serves twice");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script(data, size);
  const uint8_t target = script.byte() % 8;
  if (target == 0) {
    const bool proof = script.byte() % 2 == 0;
    std::string text = proof ? base().proof : base().exported;
    while (!script.done()) splice(script, text);
    proof ? check_proof(text) : check_imported(text);
    return 0;
  }
  const std::string directory = (base().root / "now").string();
  fs::remove_all(directory);
  fs::create_directory(directory);
  for (const auto& [name, bytes] : base().files) write_file(fs::path(directory) / name, bytes);
  const bool approvals = target >= 5;
  const std::string path = directory + "/" + base().files[approvals ? 0 : target % 2 == 0 ? 1 : 2].first;
  while (!script.done()) {
    if (script.byte() < 160) {
      edit_rows(script, path, approvals ? Tables::approvals : Tables::audit);
    } else {
      edit_bytes(script, path);
    }
  }
  approvals ? check_approvals(directory) : check_log(directory);
  return 0;
}
