// approval_bench measures the steps of an approval: request, approve, consume, finish. Each step is
// a transaction of approvals.db that is on disk before it returns.
//   build/release/bin/approval_bench [--quick] [--json]
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include "bench/report.h"
#include "ordain/approvals.h"
#include "ordain/identity.h"
#include "runtime/sqlite/sqlite_faults.h"

namespace ordain::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Claim = ApprovalStore::Claim;

[[noreturn]] void fail(const std::string& message) {
  fmt::print(stderr, "approval_bench: {}\n", message);
  std::exit(1);
}

ApprovalRequest request_of(size_t number) {
  ApprovalRequest out;
  for (size_t i = 0; i < sizeof(number); ++i) out.binding[i] = static_cast<uint8_t>(number >> 8 * i);
  out.capability = "pay";
  out.input = fmt::format(R"({{"amount":{}.0,"to":"bob"}})", number);
  out.resource = "null";
  out.agent = "bench";
  out.rule = out.reason = "payments.large";
  out.rules = {"payments.large"};
  out.asking = {{.rule = "payments.large", .from = {"finance"}}};
  out.action = Id128::random().hex();
  out.now_ns = system_time_ns();
  out.expires_ns = out.now_ns + 3'600'000'000'000;
  return out;
}

/// Claims, and requires the expected result. @returns the approval's id.
std::string claim(ApprovalStore& store, const ApprovalRequest& request, Claim expected) {
  auto claimed = store.claim(request);
  if (!claimed) fail(claimed.error().message);
  if (claimed->claim != expected) fail("not what was to be found");
  return claimed->approval.id;
}

void measure(const std::string& section, ApprovalStore& store, size_t calls, const sqlite::Faults& layer) {
  std::vector<ApprovalRequest> requests;
  std::vector<std::string> ids(calls);
  for (size_t i = 0; i < calls; ++i) requests.push_back(request_of(i));
  const auto step = [&](const char* name, const std::function<void(size_t)>& run) {
    const uint64_t before = layer.syncs;
    const auto start = Clock::now();
    for (size_t i = 0; i < calls; ++i) run(i);
    const double nanos = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    const double each = static_cast<double>(layer.syncs - before) / static_cast<double>(calls);
    add(section, fmt::format("{}, {:.2f} syncs each", name, each), nanos / static_cast<double>(calls), "ns");
  };
  step("create", [&](size_t i) { ids[i] = claim(store, requests[i], Claim::pending); });
  step("approve", [&](size_t i) {
    if (auto voted = store.approve(ids[i], "ann", "finance", "fine", system_time_ns()); !voted)
      fail(voted.error().message);
  });
  step("consume", [&](size_t i) { (void)claim(store, requests[i], Claim::consumed); });
  step("close", [&](size_t i) {
    if (auto closed = store.finish(ids[i], "released"); !closed) fail(closed.error().message);
  });
}

void run(const Options& options) {
  const sqlite::Faults& layer = sqlite::install_faults();
  const size_t calls = options.quick ? 50 : 500;
  std::string directory = (std::filesystem::temp_directory_path() / "ordain-bench-XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) fail("no temporary directory");
  {
    auto durable = ApprovalStore::open(directory), memory = ApprovalStore::open("");
    if (!durable || !memory) fail("the approvals could not be opened");
    measure("approvals, on disk", *durable, calls, layer);
    measure("approvals, in memory", *memory, calls, layer);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace ordain::bench

int main(int argc, char** argv) {
  const auto options = ordain::bench::parse_options(argc, argv, "approval_bench", "What an approval costs");
  ordain::bench::run(options);
  ordain::bench::print_report(options);
}
