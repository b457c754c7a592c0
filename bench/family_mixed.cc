// family_mixed makes random rules over everything that rules can test: every kind of test that an
// index may know, joined by and, or and not, among tests that fault. It reveals mistakes in an
// index.
#include <fmt/format.h>

#include <algorithm>

#include "bench/families.h"

namespace ordain::bench {
namespace {

constexpr const char* kDeclarations = R"(
context { agent { department: string, clearance: int, team: optional(string) } tenant { plan: string } }
capability files.read {
  risk low;
  input { s: string, t: optional(string), n: int, x: double, y: optional(double), flag: bool, tags: list(string) }
  output open { text: string, n: int }
}
capability files.write {
  risk high; effect irreversible;
  input { s: string, t: optional(string), n: int, x: double, y: optional(double), flag: bool, tags: list(string) }
  output open { text: string, n: int }
}
capability mail {
  input { s: string, n: int, x: double, flag: bool, to: string }
  output open { text: string, n: int }
}
)";

constexpr uint64_t kWords = 60;
constexpr size_t kRulesOfPolicy = 12;

std::string word(Random& random) { return fmt::format("w{}", random.below(kWords)); }
std::string words(Random& random, size_t count) {
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", word(random));
  return out + "]";
}
std::string moment(Random& random) {
  return fmt::format("2024-05-{:02}T{:02}:00:00Z", 1 + random.below(9), random.below(24));
}
const char* comparison(Random& random) {
  static constexpr const char* kOperators[] = {"<", "<=", ">", ">=", "==", "!="};
  return random.pick(kOperators);
}

// Makes one test. `rich`: for a capability that has every field.
std::string test_of_text(Random& random, bool rich) {
  static constexpr const char* kHost[] = {"agent.department", "agent.id",    "resource.type",
                                          "tenant.plan",      "environment", "session.id"};
  const std::string field = random.one_in(2) ? "input.s" : random.pick(kHost);
  switch (random.below(rich ? 11 : 7)) {
    case 0:
    case 1:
      return fmt::format("{} == \"{}\"", field == "session.id" ? "session.id" : field, word(random));
    case 2:
      return fmt::format("{} != \"{}\"", field, word(random));
    case 3:
      return fmt::format("{} in {}", field == "environment" ? "environment.id" : field,
                         words(random, 1 + random.below(6)));
    case 4:
      return fmt::format("input.s.{}(\"{}\")", random.one_in(2) ? "startsWith" : "endsWith",
                         random.one_in(2) ? "w1" : word(random));
    case 5:
      return random.one_in(2) ? fmt::format("input.s.contains(\"{}\")", random.below(100))
                              : fmt::format("input.s.matches(\"^w[{}-9]+$\")", random.below(9));
    case 6:
      return fmt::format("\"{}\" == {}", word(random), field);
    case 7:
      return fmt::format("(has(input.t) && input.t == \"{}\")", word(random));
    case 8:
      return fmt::format("input.?t.orValue(\"{}\") == \"{}\"", word(random), word(random));
    case 9:
      return fmt::format("(has(agent.team) && agent.team in {})", words(random, 3));
    default:
      return random.one_in(2) ? "has(input.t)" : "!has(input.y)";
  }
}

std::string test_of_lists(Random& random, bool rich) {
  static constexpr const char* kLists[] = {"agent.roles", "agent.scopes", "session.labels"};
  const std::string list = rich && random.one_in(3) ? "input.tags" : random.pick(kLists);
  if (random.one_in(6)) return fmt::format("{}.exists(e, e == \"{}\")", list, word(random));
  return fmt::format("\"{}\" in {}", word(random), list);
}

std::string test_of_numbers(Random& random, bool rich) {
  const int64_t k = random.between(-5, 60);
  switch (random.below(rich ? 10 : 9)) {
    case 0:
      return fmt::format("input.n {} {}", comparison(random), k);
    case 1:
      return fmt::format("(input.n >= {} && input.n < {})", k, k + random.between(-2, 15));
    case 2:
      return fmt::format("input.n in [{}, {}, {}]", k, random.between(0, 60), random.between(0, 60));
    case 3:
      return fmt::format("input.x {} {}.5", comparison(random), random.between(0, 60));
    case 4:
      return fmt::format("agent.clearance {} {}", comparison(random), random.between(0, 5));
    case 5:
      return fmt::format("input.n % {} == {}", random.between(2, 9), random.between(0, 3));
    case 6:
      return fmt::format("input.n * {} + input.n > {}", random.between(2, 9), k * 5);  // may overflow
    case 7:
      return fmt::format("now {} timestamp(\"{}\")", random.one_in(2) ? "<" : ">=", moment(random));
    case 8:
      return fmt::format("action.risk >= \"{}\"", random.one_in(2) ? "high" : "medium");
    default:
      return fmt::format("(has(input.y) && input.y {} {}.0)", comparison(random), random.between(0, 60));
  }
}

std::string test(Random& random, bool rich) {
  switch (random.below(9)) {
    case 0:
      return random.one_in(2) ? "input.flag" : "!input.flag";
    case 8:  // faults at 0
      return fmt::format("{} / input.n {} {}", random.between(1, 100), comparison(random), random.between(0, 20));
    case 1:
    case 2:
      return test_of_lists(random, rich);
    case 3:
    case 4:
      return test_of_numbers(random, rich);
    default:
      return test_of_text(random, rich);
  }
}

std::string formula(Random& random, bool rich, int depth) {
  if (depth == 0 || random.one_in(5)) return test(random, rich);
  const auto part = [&] { return formula(random, rich, depth - 1); };
  switch (random.below(9)) {
    case 0:
    case 1: {
      std::string left = part();
      return fmt::format("({} || {})", left, part());
    }
    case 2:
      return fmt::format("!({})", part());
    case 3: {
      std::string condition = part(), yes = part();
      return fmt::format("({} ? {} : {})", condition, yes, part());
    }
    default: {
      std::string left = part();
      return fmt::format("({} && {})", left, part());
    }
  }
}

std::string output_test(Random& random) {
  switch (random.below(4)) {
    case 0:
      return fmt::format("output.text == \"{}\"", word(random));
    case 1:
      return fmt::format("output.n {} {}", comparison(random), random.between(0, 60));
    case 2:
      return fmt::format("output.text.startsWith(\"{}\")", word(random));
    default:
      return fmt::format("has(output.extra) && output.extra == \"{}\"", word(random));
  }
}

struct Place {
  const char* target;
  bool rich;
};
constexpr Place kPlaces[] = {{"files.read", true}, {"files.write", true},
                             {"files.*", true},    {"files.read, files.write", true},
                             {"mail", false},      {"*", false}};

std::string rule(size_t i, Random& random, bool after, bool rich) {
  std::string condition = formula(random, rich, 3);
  if (after && random.one_in(2)) condition = fmt::format("{} && {}", output_test(random), condition);
  std::string kind = "allow", clauses;
  const uint64_t dice = random.below(20);
  if (dice < 8) kind = "deny";
  if (dice == 8 || dice == 9) kind = "warn";
  if (dice >= 10 && dice < 13 && !after) {
    kind = "require_approval";
    clauses = fmt::format(" from \"group{}\"", random.below(5));
    if (random.one_in(3)) clauses += fmt::format(" expires {}m", 1 + random.below(60));
  }
  if (dice == 13 || dice == 14) {
    kind = "redact";
    clauses = random.one_in(2) ? " with \"***\"" : "";
  }
  if (kind != "redact" && random.one_in(4)) {
    clauses +=
        random.one_in(2) ? fmt::format(" because \"reason {}\"", random.below(9)) : " because \"for \" + input.s";
  }
  const std::string path = kind == "redact" ? (after ? " output.text" : " input.s") : "";
  return fmt::format("  {} r{}{} when {}{};\n", kind, i, path, condition, clauses);
}

std::string policies(size_t count, uint64_t seed, const char* prefix) {
  std::string out;
  for (size_t i = 0; i < count;) {
    Random random(seed, i);
    const Place& place = random.pick(kPlaces);
    const bool after = random.one_in(4);
    out += fmt::format("policy {}{} on {} {} {{\n", prefix, i, after ? "after" : "before", place.target);
    for (const size_t end = std::min(count, i + kRulesOfPolicy); i < end; ++i) {
      Random own(seed + 1, i);
      out += rule(i, own, after, place.rich);
    }
    out += "}\n";
  }
  return out;
}

}  // namespace

std::string mixed_rules(size_t count, uint64_t seed) {
  return std::string("package bench;\n") + kDeclarations + policies(count, seed, "p");
}

std::string mixed_first_match_rules(size_t count, uint64_t seed) {
  return std::string("package bench;\noption order = first_match;\n") + kDeclarations + policies(count, seed, "p");
}

std::string mixed_second_package(size_t count, uint64_t seed) {
  return "package second;\n" + policies(count, seed + 99, "q");
}

Request mixed_request(size_t, uint64_t, Random& random) {
  static constexpr const char* kCapabilities[] = {"files.read", "files.read", "files.write", "files.write",
                                                  "mail",       "mail",       "files.copy",  "unknown"};
  Request out;
  out.capability = random.pick(kCapabilities);
  out.after = random.one_in(4);
  const auto some_words = [&] {
    std::vector<std::string> list;
    for (uint64_t left = random.below(5); left != 0; --left) list.push_back(word(random));
    return list;
  };
  const auto add = [&](const char* path, FactValue value, bool optional = false) {
    out.facts.push_back({path, std::move(value), optional});
  };
  add("agent.id", word(random));
  add("agent.department", word(random));
  add("agent.clearance", random.between(0, 5));
  add("agent.team", word(random), true);
  add("agent.roles", some_words());
  add("agent.scopes", some_words());
  add("session.id", word(random));
  add("session.labels", some_words());
  add("tenant.plan", word(random));
  add("environment.id", word(random));
  add("resource.type", word(random));
  if (random.one_in(3)) add("risk", random.between(0, 4), true);
  if (random.one_in(2)) add("now", moment(random), true);
  add("input.s", word(random));
  add("input.n", random.one_in(6) ? int64_t{0} : random.between(-5, 60));
  add("input.x", static_cast<double>(random.between(0, 120)) / 2);
  add("input.flag", random.one_in(2));
  if (out.capability == "mail") {
    add("input.to", word(random));
  } else {
    add("input.t", word(random), true);
    add("input.y", static_cast<double>(random.between(0, 60)), true);
    add("input.tags", some_words());
  }
  if (out.after) {
    add("output.text", word(random));
    add("output.n", random.between(0, 60));
    add("output.extra", word(random), true);
  }
  return out;
}

}  // namespace ordain::bench
