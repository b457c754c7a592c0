// This program builds and runs the three lines of README.md.
#include <ordain/ordain.h>

#include <filesystem>
#include <fstream>
#include <iostream>

static std::string do_refund(const std::string& customer_id, double) { return "refunded " + customer_id; }

int main() {
  std::filesystem::remove_all("state");  // of an earlier run, perhaps of an earlier format
  std::filesystem::create_directories("policies");
  std::ofstream("policies/refunds.policy")
      << "capability refund_customer { input { customer_id: string, amount_usd: double } }\n"
         "policy refunds on before refund_customer { allow; }\n";

  // clang-format off
  auto policies = ordain::load_policies("policies/");
  auto runtime  = ordain::Runtime::open(*policies, {.agent = "support", .database = "state/"});
  auto refund   = runtime->wrap("refund_customer", {"customer_id", "amount_usd"}, do_refund);

  auto result   = refund("c-17", 250.0);
  // clang-format on
  std::cout << result.describe() << "\n";
  return result && *result == "refunded c-17" ? 0 : 1;
}
