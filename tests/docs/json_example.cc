// This program is the example of docs/embedding.md: a service that decides events given as JSON,
// and a client that knows only the format.
#include <ordain/decision_json.h>
#include <ordain/event.h>
#include <ordain/ordain.h>

#include <filesystem>
#include <fstream>
#include <iostream>

int main() {
  std::filesystem::create_directories("json");
  std::ofstream("json/pay.policy")
      << "capability pay { input { amount: double } }\n"
         "policy p on before pay {\n"
         "  require_approval large when input.amount > 500.0 from \"finance\" expires 30m;\n"
         "  allow small when \"teller\" in agent.roles;\n"
         "}\n";
  auto policies = ordain::load_policies("json");
  std::cerr << policies.messages;
  if (!policies) return 1;

  // clang-format off
  ordain::EventReader reader(*policies);  // one for each thread
  ordain::Scratch scratch;
  auto answer = [&](std::string_view json) {
    if (auto read = reader.read(json); !read) return ordain::error_json(read.error());
    return ordain::decision_json(reader.call(), ordain::decide_all(reader.call(), reader.context(), scratch));
  };
  // clang-format on

  auto facts = ordain::Document::parse(R"({"agent": {"roles": ["teller"]}, "input": {"amount": 700.0}})");
  const ordain::Value agent = *ordain::map_find(*facts->root().map, "agent");
  const ordain::Value input = *ordain::map_find(*facts->root().map, "input");
  // clang-format off
  ordain::Event event{.capability = "pay", .agent = &agent, .input = &input};
  auto decision = ordain::parse_decision(answer(ordain::to_json(event)));
  if (!decision) return 1;  // bad_json, bad_decision, or refused: the event could not be read
  bool must_wait = decision->effect == ordain::Effect::require_approval && decision->expires_seconds == 1800;
  // clang-format on
  const auto refused = ordain::parse_decision(answer(R"({"input": {}})"));
  std::cout << must_wait << refused.error().code << "\n";
  return must_wait && refused.error().code == "refused" ? 0 : 1;
}
