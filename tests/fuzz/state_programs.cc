// state_programs.cc draws states and rules, and writes them as policies.
#include "tests/fuzz/state_programs.h"

#include <fmt/format.h>

#include <algorithm>

namespace ordain::fuzz {
namespace {

using test::OracleState;

constexpr size_t kMostStates = 5, kMostRules = 8;
constexpr const char* kEveryCapability = "c0, c1, c2";
constexpr const char* kIdentities[] = {"principal", "session", "tenant"};

void draw_history(Draws& draws, FuzzedState& out) {
  constexpr OracleState::Verb kVerbs[] = {OracleState::begun, OracleState::done, OracleState::failed,
                                          OracleState::denied};
  constexpr int64_t kWindows[] = {10, 5, 12, 0};
  out.oracle.verb = kVerbs[draws.below(4)];
  out.oracle.window = kWindows[draws.below(4)] * kOneSecond;
  out.sums = draws.one_in(2);
  if (draws.one_in(3)) out.more_than = static_cast<int>(draws.below(5));
}

void draw_keys(Draws& draws, FuzzedState& out) {
  out.identities = {static_cast<IdentityPart>(draws.below(3))};
  // What has no window is kept by the session.
  if (out.is_history() && out.oracle.window == 0) out.identities = {IdentityPart::session};
  if (!draws.one_in(2)) return;
  out.path = out.is_done() && draws.one_in(2) ? PathPart::output : PathPart::input;
}

FuzzedState draw_state(Draws& draws) {
  FuzzedState out;
  switch (draws.below(6)) {
    case 4:
      out.oracle = {.kind = OracleState::rate, .window = (1 + int64_t{draws.below(9)}) * kOneSecond};
      out.oracle.limit = 1 + draws.below(5);
      out.oracle.burst = 1 + draws.below(static_cast<uint32_t>(out.oracle.limit));
      break;
    case 5:
      out.oracle = {.kind = OracleState::budget, .at_once = draws.one_in(2)};
      if (!out.oracle.at_once) out.oracle.refilled = 3600 * kOneSecond;
      out.settles = !out.oracle.at_once && draws.one_in(2);
      out.amount = 1 + draws.below(30);
      break;
    default:
      draw_history(draws, out);
  }
  draw_keys(draws, out);
  const uint32_t targets = 1 + draws.below(7);
  for (size_t i = 0; i < kCapabilities; ++i) out.targets[i] = (targets >> i & 1u) != 0;
  return out;
}

std::string targets_of(const FuzzedState& state) {
  std::string out;
  for (size_t i = 0; i < kCapabilities; ++i) {
    if (state.targets[i]) out += fmt::format("{}c{}", out.empty() ? "" : ", ", i);
  }
  return out;
}

std::string keys_of(const FuzzedState& state) {
  std::string out;
  for (IdentityPart part : state.identities)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", kIdentities[static_cast<size_t>(part)]);
  if (state.path != PathPart::none) out += state.path == PathPart::input ? ", input.who" : ", output.who";
  return out;
}

std::string write_state(const FuzzedState& state, size_t number) {
  const OracleState& is = state.oracle;
  const std::string keys = keys_of(state), targets = targets_of(state);
  if (is.kind == OracleState::rate)
    return fmt::format("rate s{} = {} in {}s burst {} on {} by {};\n", number, is.limit, is.window / kOneSecond,
                       is.burst, targets, keys);
  if (is.kind == OracleState::budget)
    return fmt::format("budget s{} = {} by {} {} {{ take input.n on {}; {}}}\n", number, state.amount, keys,
                       is.at_once ? "at once" : "each hour", targets, state.settles ? "settle output.n; " : "");
  constexpr const char* kVerbs[] = {"begun", "done", "failed", "denied"};
  const char* const from = state.is_done() ? "output" : "input";
  std::string out = fmt::format("history s{} = {} {}", number, kVerbs[is.verb], targets);
  if (state.sums) out += fmt::format(" sum {}.n", from);
  if (state.more_than >= 0) out += fmt::format(" when {}.n > {}", from, state.more_than);
  out += " by " + keys;
  if (is.window != 0) out += fmt::format(" within {}s up to 1000", is.window / kOneSecond);
  return out + ";\n";
}

/// The state as a rule names it. What is kept by an output needs an index.
std::string name_state(const FuzzedState& state, size_t number, ReadKey key) {
  if (state.path == PathPart::none || key == ReadKey::own) return fmt::format("s{}", number);
  return key == ReadKey::literal ? fmt::format("s{}[\"{}\"]", number, kLiteral) : fmt::format("s{}[input.who]", number);
}

std::string write_condition(const FuzzedRule& rule, const FuzzedSet& set) {
  if (rule.asked == Asked::labelled) return "\"secret\" in session.labels";
  if (rule.asked == Asked::carries) return "carries(input.who, \"secret\")";
  const std::string name = name_state(set.states[rule.state], rule.state, rule.key);
  switch (rule.asked) {
    case Asked::seen:
      return name + ".seen";
    case Asked::unseen:
      return "!" + name + ".seen";
    case Asked::count:
      return fmt::format("{}.count > {}", name, rule.threshold);
    case Asked::running:
      return fmt::format("{}.running > {}", name, rule.threshold);
    case Asked::sum:
      return fmt::format("{}.sum > {}", name, rule.threshold);
    case Asked::old:
      return fmt::format("{0}.seen && now - {0}.last > duration(\"{1}s\")", name, rule.threshold);
    case Asked::first:
      return fmt::format("{0}.seen && now - {0}.first > duration(\"{1}s\")", name, rule.threshold);
    case Asked::after:
      return fmt::format("s{}.after(s{})", rule.state, rule.other);
    case Asked::blocked:
      return "!" + name + ".ok";
    case Asked::wait:
      return fmt::format("{}.wait > duration(\"{}s\")", name, rule.threshold);
    case Asked::over:
      return name + ".left < 0";
    default:
      return fmt::format("{}.used > {}", name, rule.threshold);
  }
}

/// A rule that never matches and reads every member.
std::string write_reader(const FuzzedState& state, size_t number) {
  const std::string name = name_state(state, number, state.path == PathPart::output ? ReadKey::given : ReadKey::own);
  if (state.oracle.kind == OracleState::rate)
    return fmt::format("  warn every{1} when !{0}.ok && {0}.wait > duration(\"9000h\");\n", name, number);
  if (state.oracle.kind == OracleState::budget)
    return fmt::format("  warn every{1} when {0}.left > 100000 && {0}.used > 100000;\n", name, number);
  return fmt::format(
      "  warn every{1} when {0}.count > 999 && {0}.running > 999 && {0}.seen && {0}.first > {0}.last{2};\n", name,
      number, state.sums ? fmt::format(" && {}.sum > 100000", name) : "");
}

std::vector<Asked> questions_about(const FuzzedState& state) {
  if (state.oracle.kind == OracleState::rate) return {Asked::blocked, Asked::wait};
  if (state.oracle.kind == OracleState::budget) return {Asked::over, Asked::used};
  std::vector<Asked> out = {Asked::count, Asked::seen,  Asked::unseen, Asked::running,
                            Asked::old,   Asked::first, Asked::after};
  if (state.sums) out.push_back(Asked::sum);
  return out;
}

bool comparable(const FuzzedState& a, const FuzzedState& b) {
  return a.is_history() && b.is_history() && a.path == PathPart::none && b.path == PathPart::none &&
         a.identities == b.identities;
}

}  // namespace

std::vector<FuzzedState> draw_states(Draws& draws) {
  std::vector<FuzzedState> out(1 + draws.below(kMostStates));
  for (FuzzedState& state : out) state = draw_state(draws);
  return out;
}

std::vector<FuzzedRule> draw_rules(Draws& draws, const std::vector<FuzzedState>& states, bool labels) {
  std::vector<FuzzedRule> out(1 + draws.below(kMostRules));
  for (FuzzedRule& rule : out) {
    rule.denies = draws.one_in(3);
    rule.threshold = draws.below(8);
    if (labels && draws.one_in(4)) {
      rule.asked = draws.one_in(2) ? Asked::labelled : Asked::carries;
      continue;
    }
    rule.state = draws.below(static_cast<uint32_t>(states.size()));
    const FuzzedState& state = states[rule.state];
    const std::vector<Asked> questions = questions_about(state);
    rule.asked = questions[draws.below(static_cast<uint32_t>(questions.size()))];
    if (state.path != PathPart::none) rule.key = static_cast<ReadKey>(draws.below(3));
    if (state.path == PathPart::output && rule.key == ReadKey::own) rule.key = ReadKey::given;
    if (rule.asked != Asked::after) continue;
    rule.other = draws.below(static_cast<uint32_t>(states.size()));
    if (rule.other == rule.state || !comparable(state, states[rule.other])) rule.asked = Asked::count;
  }
  return out;
}

std::string write_policies(const FuzzedSet& set) {
  std::string out = set.labels ? "label secret;\n" : "";
  for (size_t i = 0; i < kCapabilities; ++i) {
    out += fmt::format("capability c{} {{ {}input {{ who: string, n: int }} output {{ who: string, n: int }}{} }}\n", i,
                       i == 2 ? "effect irreversible; " : "", set.labels && i == 1 ? " labels secret;" : "");
  }
  for (size_t i = 0; i < set.states.size(); ++i) out += write_state(set.states[i], i);
  out += fmt::format("policy p on before {} {{\n", kEveryCapability);
  for (size_t i = 0; i < set.rules.size(); ++i) {
    const FuzzedRule& rule = set.rules[i];
    out += fmt::format("  {} r{} when {};\n", rule.denies ? "deny" : "warn", i, write_condition(rule, set));
  }
  for (size_t i = 0; i < set.states.size(); ++i) out += write_reader(set.states[i], i);
  // These words are kept whether or not a rule of today asks for them.
  if (set.labels) out += "  warn carried when carries(input.who, \"secret\") && \"secret\" in session.labels;\n";
  return out + "  allow rest;\n}\n";
}

}  // namespace ordain::fuzz
