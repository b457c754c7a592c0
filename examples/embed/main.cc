// Shows Ordain in a host program, in a few lines. Usage: embed POLICIES STATE_DIR
#include <ordain/ordain.h>

#include <iostream>

std::string do_refund(const std::string& customer_id, double amount_usd) {
  return "refunded " + std::to_string(static_cast<int>(amount_usd)) + " to " + customer_id;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed POLICIES STATE_DIR\n";
    return 2;
  }
  auto policies = ordain::load_policies(std::string(argv[1]));
  std::cerr << policies.messages;  // errors and warnings, with place and help
  if (!policies) return 1;

  auto runtime = ordain::Runtime::open(*policies, {.agent = "support", .environment = "prod", .database = argv[2]});
  if (!runtime) {
    std::cerr << runtime.error().message << "\n";
    return 1;
  }
  auto refund = runtime->wrap("refund_customer", {"customer_id", "amount_usd"}, do_refund);

  for (double amount : {25.0, 250.0, 2500.0}) {
    auto result = refund("c-17", amount);
    if (result) {
      std::cout << *result << "\n";
    } else if (const ordain::Pending* pending = result.pending()) {
      std::cout << "waits for " << pending->groups.front() << ": " << pending->rule << "\n";
    } else if (const ordain::Denied* denied = result.denied()) {
      std::cout << "denied by " << denied->rule << ": " << denied->reason << "\n";
    }
  }
}
