// This program is the example of docs/embedding.md: a host that decides by itself, from structs and
// from JSON, while policies change.
#include <ordain/live_program.h>
#include <ordain/struct_binding.h>
#include <ordain/watch.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

// clang-format off
struct Payment { double amount; std::string recipient; std::optional<std::string> note; };

auto bind_payment(const std::shared_ptr<const ordain::Program>& program) {
  return ordain::StructBinder<Payment>(program, "pay")
      .bind("input.amount", &Payment::amount)
      .bind("input.recipient", &Payment::recipient)
      .bind("input.note", &Payment::note)
      .finish();
}
// clang-format on

static void write_policy(const char* limit) {
  std::ofstream("live/next")
      << "capability pay { input { amount: double, recipient: string, note: optional(string) } }\n"
         "policy p on before pay { deny large when input.amount > "
      << limit << "; allow small when \"teller\" in agent.roles; }\n";
  std::filesystem::rename("live/next", "live/pay.policy");
}

int main() {
  std::filesystem::create_directories("live");
  write_policy("500.0");
  auto policies = ordain::load_policies("live");
  if (!policies) return 1;

  // clang-format off
  ordain::LiveProgram live(*policies);
  ordain::LiveContext teller([](ordain::Context& context) {
    const ordain::Value roles[] = {ordain::Value::string("teller")};
    context.set("agent.roles", ordain::Value::list(roles));
  });
  ordain::PolicyWatcher watcher({"live"}, *policies, [&](const ordain::PolicyChange& change) {
    if (change.program != nullptr) live.publish(change.program);
    std::cerr << change.messages;
  });

  // On each thread that decides:
  ordain::LiveCall now(live, teller);
  ordain::Scratch scratch;
  auto binding = bind_payment(now.call().shared_program());
  auto decide_payment = [&](const Payment& payment) {
    if (now.refresh()) binding = bind_payment(now.call().shared_program());
    if (!binding) return ordain::Effect::deny;  // the new policies declare `pay` otherwise
    now.call().begin(binding->capability(), ordain::Stage::before);
    binding->fill(now.call(), payment);
    return ordain::decide(now.call(), now.context(), scratch).effect;
  };
  // clang-format on

  const Payment payment{700, "carol", std::nullopt};
  const bool refused = decide_payment(payment) == ordain::Effect::deny;
  write_policy("1000.0");
  bool allowed = false;
  for (int n = 0; n < 3000 && !allowed; ++n) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    allowed = decide_payment(payment) == ordain::Effect::allow;
  }
  // clang-format off
  now.call().begin(now.program().resolve("pay"), ordain::Stage::before);
  now.call().bind_json(R"({"amount": 12.5, "recipient": "dave"})");
  // clang-format on
  const bool small = ordain::decide(now.call(), now.context(), scratch).effect == ordain::Effect::allow;
  std::cout << refused << allowed << small << "\n";
  return refused && allowed && small ? 0 : 1;
}
