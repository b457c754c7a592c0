// This is the program of docs/tutorial.md. walkthrough_test.py runs it on the policies of the page.
#include <ordain/ordain.h>

#include <iostream>

static std::string send_mail(const std::string& to, const std::string&, int64_t) { return "sent to " + to; }

int main() {
  auto policies = ordain::load_policies("policies/");
  auto runtime = ordain::Runtime::open(*policies, {.agent = "a-1", .database = "state/"});
  auto send = runtime->wrap("send_mail", {"to", "subject", "attachments"}, send_mail);

  std::cout << send("ann@example.com", "Lunch?", 0).describe() << "\n";
  std::cout << send("eve@evil.example", "Lunch?", 0).describe() << "\n";
  std::cout << send("bob@example.com", "Photos", 9).describe() << "\n";
}
