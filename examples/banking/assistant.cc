// The governed tools of a banking assistant. Each run makes one call:
//   banking_assistant POLICIES STATE_DIR CAPABILITY INPUT_JSON
// POLICIES is a directory of .policy files; STATE_DIR keeps approvals and the audit log. The exit
// code is 0 if the call was executed, 1 if the program could not run, 3 if the call waits for
// approval, 4 if it was denied, and 5 if it was executed but its output is withheld.
#include <ordain/ordain.h>

#include <iostream>
#include <string>

namespace {

// The bank: what the tools would do if they were real. The code below does not know the
// policies.
ordain::Result<ordain::Document> run_tool(const std::string& capability, const ordain::Value& input) {
  std::cout << "  [tool] " << capability << " runs with " << ordain::to_json(input) << "\n";
  if (capability == "get_balance") return ordain::Document::parse(R"({"balance": 1810.0})");
  if (capability == "get_iban") return ordain::Document::parse(R"({"iban": "DE89370400440532013000"})");
  if (capability == "get_most_recent_transactions") {
    return ordain::Document::parse(R"({"transactions": [
      {"sender": "me", "recipient": "GB29NWBK60161331926819", "amount": 42.5, "subject": "Dinner", "date": "2024-05-02"},
      {"sender": "me", "recipient": "UK12345678901234567890", "amount": 750.0, "subject": "Rent", "date": "2024-05-01"}]})");
  }
  if (capability == "read_file") return ordain::Document::parse(R"({"content": "deploy key: AKIAIOSFODNN7EXAMPLE"})");
  return ordain::Document::parse(R"({"message": "done"})");
}

int report(const ordain::Outcome<ordain::Document>& outcome) {
  for (const std::string& warning : outcome.warnings())
    std::cout << "  warning: " << ordain::terminal_text(warning) << "\n";
  if (outcome) {
    std::cout << "  returned " << ordain::terminal_text(outcome->json()) << "\n";
    return 0;
  }
  std::cout << "  " << outcome.describe() << "\n";
  if (outcome.pending() != nullptr) return 3;
  if (outcome.denied() != nullptr) return 4;
  return outcome.withheld() != nullptr ? 5 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: banking_assistant POLICIES STATE_DIR CAPABILITY INPUT_JSON\n";
    return 1;
  }
  auto policies = ordain::load_policies(std::string(argv[1]));
  std::cerr << policies.messages;
  if (!policies) return 1;

  auto runtime = ordain::Runtime::open(*policies, {.agent = "assistant-1", .environment = "prod", .database = argv[2]});
  auto input = ordain::Document::parse(argv[4]);
  if (!runtime || !input) {
    std::cerr << (runtime ? input.error() : runtime.error()).message << "\n";
    return 1;
  }
  const std::string capability = argv[3];
  return report(runtime->call(capability, *input,
                              [&](const ordain::Value& effective) { return run_tool(capability, effective); }));
}
