// family_numbers makes rules about numbers: limits by capability, many thresholds on one field, and
// arithmetic, which an index cannot use.
#include <fmt/format.h>

#include <algorithm>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr size_t kRulesOfCapability = 5;

double cents(uint64_t value) { return static_cast<double>(value) / 4; }

std::string limit_policy(size_t capability, size_t rules, uint64_t seed) {
  Random random(seed, capability);
  const double most = cents(2000 + random.below(40000)), ask = most / 2, small = most / 8;
  const uint64_t count = 5 + random.below(50);
  std::string out = fmt::format(
      "capability tool{0} {{ input {{ amount: double, count: int, region: optional(string) }} }}\n"
      "policy tool{0}_limits on before tool{0} {{\n",
      capability);
  const std::string texts[kRulesOfCapability] = {
      fmt::format("  deny over when input.amount > {:.3f};\n", most),
      fmt::format("  deny often when input.count >= {};\n", count),
      fmt::format("  require_approval large when input.amount > {:.3f} from \"team{}\";\n", ask, capability % 7),
      fmt::format("  allow small when input.amount >= 0.0 && input.amount < {:.3f} && input.count > 0;\n", small),
      fmt::format("  allow home when has(input.region) && input.region == \"region{}\" && input.amount > 0.0;\n",
                  random.below(9)),
  };
  for (size_t i = 0; i < rules; ++i) out += texts[i];
  return out + "}\n";
}

}  // namespace

std::string limit_rules(size_t count, uint64_t seed) {
  std::string out = "package bench;\n";
  for (size_t i = 0; i * kRulesOfCapability < count; ++i) {
    out += limit_policy(i, std::min(kRulesOfCapability, count - i * kRulesOfCapability), seed);
  }
  return out;
}

Request limit_request(size_t count, uint64_t, Random& random) {
  Request out;
  const uint64_t capabilities = (count + kRulesOfCapability - 1) / kRulesOfCapability;
  out.capability = fmt::format("tool{}", random.below(capabilities));
  const uint64_t scale = random.one_in(3) ? 1000 : 30000;
  out.facts.push_back({"input.amount", cents(random.below(scale))});
  out.facts.push_back({"input.count", random.between(0, 20)});
  out.facts.push_back({"input.region", fmt::format("region{}", random.below(9)), true});
  return out;
}

std::string threshold_rules(size_t count, uint64_t seed) {
  std::string out =
      "package bench;\n"
      "context { agent { level: int } }\n"
      "capability transfer { input { amount: double, count: int, fee: optional(double) } }\n"
      "policy thresholds on before transfer {\n";
  for (size_t i = 0; i < count; ++i) {
    Random random(seed, i);
    const double low = static_cast<double>(i) * 10, high = low + 10 + cents(random.below(80));
    switch (random.below(6)) {
      case 0:
        out += fmt::format("  deny d{} when input.amount >= {:.2f} && input.amount < {:.2f} && input.count > {};\n", i,
                           low, high, 60 + random.below(40));
        break;
      case 1:
        out += fmt::format(
            "  require_approval a{} when input.amount > {:.2f} && input.amount <= {:.2f} && agent.level < {};\n", i,
            low, high, 1 + random.below(4));
        break;
      case 2:
        out += fmt::format("  deny f{} when has(input.fee) && input.fee > {:.2f} && input.fee <= {:.2f};\n", i,
                           1000 + low, 1000 + high);
        break;
      case 3:
        out += fmt::format("  allow e{} when input.count == {} && input.amount < {:.2f};\n", i,
                           i % 2 == 0 ? i : random.below(100), high);
        break;
      default:
        out += fmt::format("  allow b{} when {:.2f} <= input.amount && {:.2f} > input.amount;\n", i, low, high);
        break;
    }
  }
  return out + "}\n";
}

Request threshold_request(size_t count, uint64_t, Random& random) {
  Request out;
  out.capability = "transfer";
  const uint64_t most = count * 10 * 4 + 80;
  // Half of the amounts are on a bound.
  const double amount =
      random.one_in(2) ? static_cast<double>(random.below(count + 1)) * 10 : cents(random.below(most));
  out.facts.push_back({"input.amount", amount});
  out.facts.push_back({"input.count", random.between(0, 100)});
  if (random.one_in(3)) out.facts.push_back({"input.fee", cents(random.below(most)), true});
  out.facts.push_back({"agent.level", random.between(0, 5)});
  return out;
}

std::string arithmetic_rules(size_t count, uint64_t seed) {
  std::string out =
      "package bench;\n"
      "capability compute { input { a: int, b: int } }\n"
      "policy arithmetic on before compute {\n";
  for (size_t i = 0; i + 1 < count; ++i) {
    Random random(seed, i);
    const uint64_t k = 2 + random.below(97), m = 1 + random.below(31);
    if (i % 2 == 0) {
      out += fmt::format("  deny s{} when input.a * {} + input.b * {} > {};\n", i, k, m, 1'000'000'000 + i);
    } else {
      out += fmt::format("  deny m{} when (input.a + input.b * {}) % {} == {};\n", i, k, 1'000'003 + 2 * i,
                         random.below(1'000'000));
    }
  }
  return out + "  allow rest;\n}\n";
}

Request arithmetic_request(size_t, uint64_t, Random& random) {
  Request out;
  out.capability = "compute";
  out.facts.push_back({"input.a", random.between(0, 100'000)});
  out.facts.push_back({"input.b", random.between(0, 100'000)});
  return out;
}

}  // namespace ordain::bench
