// support.h helps the runtime's tests: policies in memory, a temporary directory, and a clock that
// can be set.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ordain/ordain.h"

namespace ordain::testing {

inline constexpr int64_t kSecond = 1'000'000'000;
/// 2026-01-01T12:00:00Z.
inline constexpr int64_t kNoon = 1767268800 * kSecond;

/// Rules of a bank that take a governed call through each of its paths.
inline constexpr const char* kBank = R"(
package bank;
context { agent { clearance: int } }

capability pay {
  type "tool";  risk high;  effect irreversible, external;
  input { to: string, amount: double, note: optional(string), card: optional(string) }
  output open { message: string, iban: optional(string) }
}
capability look { type "tool"; risk low; input open { n: int } output open { text: string } }
capability rows { type "tool"; risk low; input { items: list(dyn) } }
capability bare { type "tool"; risk low; }

policy payments on before pay {
  deny negative           when input.amount <= 0.0 because "the amount must be positive";
  deny odd                when 100 / (int(input.amount) - 13) > 1000;
  require_approval large  when input.amount > 500.0 from "finance" expires 30m because "a payment above 500";
  require_approval huge   when input.amount > 5000.0 from "risk" because "a payment above 5000";
  redact card input.card  when has(input.card) with "***";
  warn round              when input.amount == 100.0 because "a round sum";
  allow;
}
policy others on before look { allow; }
policy all_rows on before rows { redact input.items[*].secret with "-"; allow; }
policy bares on before bare { allow; }

policy leaks on after pay {
  deny key_leak           when output.message.contains("AKIA") because "a key in the output";
  deny broken             when 10 / (size(output.message) - 13) > 1000;
  redact iban output.iban when has(output.iban) with "***";
  warn slow               when action.elapsed > duration("5s") because "slow";
}
policy row_leaks on after rows { redact output[*].iban with "***"; }
)";

inline std::shared_ptr<const Program> compile_text(const std::string& text) {
  auto compilation = compile({std::make_shared<Source>(Source{"test.policy", text})}, standard_library());
  EXPECT_NE(compilation.program, nullptr) << render(compilation.diagnostics);
  return compilation.program;
}

inline std::shared_ptr<const Program> bank() {
  static const std::shared_ptr<const Program> program = compile_text(kBank);
  return program;
}

/// @returns `text` with the only occurrence of `from` replaced
inline std::string edited(std::string text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "ordain-runtime-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline Document json(const std::string& text) {
  auto document = Document::parse(text);
  EXPECT_TRUE(document.ok()) << document.error().message;
  return document.ok() ? *document : Document();
}

/// A runtime over a program, with a clock that stands still until a test moves it, and a tool that
/// counts its runs.
struct Bench {
  TemporaryDirectory state;
  std::shared_ptr<std::atomic<int64_t>> now = std::make_shared<std::atomic<int64_t>>(kNoon);
  std::shared_ptr<std::atomic<int>> runs = std::make_shared<std::atomic<int>>(0);
  RuntimeOptions options;

  Bench() {
    options.agent = "teller";
    options.environment = "prod";
    options.database = state / "db";
    options.clock = [now = now] { return now->load(); };
  }
  Runtime open(std::shared_ptr<const Program> program = bank()) const {
    auto runtime = Runtime::open(std::move(program), options);
    if (!runtime.ok()) {
      ADD_FAILURE() << runtime.error().message;
      std::abort();
    }
    return *runtime;
  }
  /// A tool that returns `output` and counts.
  auto tool(const std::string& output = R"({"message": "paid"})") const {
    return [runs = runs, document = json(output)](const Value&) -> Result<Document> {
      ++*runs;
      return document;
    };
  }
  Outcome<Document> pay(const Runtime& runtime, double amount, const CallOptions& call = {}) const {
    return runtime.call("pay", json(R"({"to": "bob", "amount": )" + std::to_string(amount) + "}"), tool(), call);
  }
  /// All records, oldest first.
  std::vector<AuditRecord> records(const Runtime& runtime) const {
    EXPECT_TRUE(runtime.flush().ok());
    return read_records();
  }
  std::vector<AuditRecord> read_records() const {
    auto log = AuditLog::open(options.database);
    EXPECT_TRUE(log.ok()) << log.error().message;
    auto all = log->tail(1'000'000);
    EXPECT_TRUE(all.ok()) << all.error().message;
    return *all;
  }
  AuditVerification verify() const {
    auto log = AuditLog::open(options.database);
    EXPECT_TRUE(log.ok()) << log.error().message;
    auto result = log->verify();
    EXPECT_TRUE(result.ok()) << result.error().message;
    return *result;
  }
};

}  // namespace ordain::testing
