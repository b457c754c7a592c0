// event_fuzz reads any text as an event and as the input of a call. The oracle, the interpreter and
// native code must decide an accepted text alike, a refused text must name the place and the
// reason, and neither may affect the event that follows.
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "ordain/decide.h"
#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/json.h"
#include "ordain/utf8.h"
#include "tests/support/evaluators.h"

namespace {

using namespace ordain;

// One capability for each way in which facts are bound: closed, open, every type, undeclared; and
// rules that read parts of the input, all of it, and none of it.
constexpr const char* kPolicy = R"(
package p;
context {
  agent { level: int, until: optional(timestamp) }
  tenant { plan: optional(string) }
  resource { owner: optional(string) }
  metadata { ticket: optional(string), urgent: optional(bool) }
}
capability typed {
  input {
    i: optional(int), u: optional(uint), d: optional(double), s: optional(string), b: optional(bool),
    t: optional(timestamp), dur: optional(duration), raw: optional(bytes), l: optional(list(int)), m: optional(map(string, double)),
    r: optional({ name: string, tags: list(string) }), any: optional(dyn), none: optional(null_type)
  }
}
capability opened { input open { id: int, inner: optional({ x: double }) } output open { message: string, rows: optional(list({ iban: optional(string) })) } }
capability bare { risk high; scopes "pay"; }
policy t on before typed {
  deny int_      when has(input.i) && input.i == 13;
  deny unsigned_ when has(input.u) && input.u > 18446744073709551614u;
  deny ratio     when has(input.d) && has(input.i) && input.d / double(input.i) > 2.5;
  deny exact     when has(input.i) && 100 / input.i > 50;
  deny word      when has(input.s) && (input.s in ["rm", "dd"] || input.s.contains("sudo") || input.s.matches("^a+b$"));
  deny later     when has(input.t) && input.t > timestamp("2024-01-01T00:00:00Z") && input.t < now;
  deny long      when has(input.dur) && input.dur > duration("1h");
  deny raw       when has(input.raw) && input.raw == b"hi";
  deny nested    when has(input.r) && "x" in input.r.tags && input.r.name == "n";
  deny listed    when has(input.l) && input.l.exists(i, i > 5);
  deny mapped    when has(input.m) && "k" in input.m && input.m["k"] > 1.5;
  require_approval any from "ops" when has(input.any) && input.any == 5;
  redact name input.r.name when has(input.r) with "***";
  warn true_     when has(input.b) && input.b because "true";
  allow;
}
policy o on before opened {
  deny extra    when has(input.more) && input.more == 5;
  deny deep     when has(input.deep) && input.deep.a.b == "x";
  deny whole    when texts(input).exists(t, t == "two");
  deny level    when agent.level > 3;
  deny until    when has(agent.until) && agent.until < now;
  deny ticket   when has(metadata.ticket) && metadata.ticket == "none";
  deny plan     when has(tenant.plan) && tenant.plan == "free" && environment == "prod";
  deny owner    when has(resource.owner) && resource.owner != agent.id;
  require_approval risky from "ops" when action.risk >= 3.0 expires 5m;
  allow mine    when "admin" in agent.roles || session.id.startsWith("s");
}
policy l on after opened {
  deny leak     when output.message.contains("AKIA");
  redact iban output.rows[*].iban when has(output.rows) with "***";
  warn slow     when action.elapsed > duration("5s") because "slow";
}
policy b on before bare { deny urgent when has(metadata.urgent) && metadata.urgent; allow; }
policy n on before other.* { deny a when has(input.a) && input.a == 1; allow; }
)";

constexpr std::string_view kCapabilities[] = {"typed", "opened", "bare", "other.one", "unheard_of"};
// This event's decision must not depend on the text that was read before it.
constexpr std::string_view kValid =
    R"({"capability": "opened", "stage": "before", "agent": {"id": "a", "level": 2, "roles": ["admin"]}, "tenant": {"plan": "paid"}, "resource": {"owner": "a"}, "risk": 1, "input": {"id": 7, "inner": {"x": 2}}})";

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "\n{}\n", what);
  std::fflush(stderr);
  std::abort();
}

void demand(bool holds, const char* what, const std::string& detail = "") {
  if (!holds) fail(fmt::format("{}: {}", what, detail));
}

Compiled& program() {
  static const std::unique_ptr<Compiled> compiled = [] {
    auto out = compile_everywhere({std::make_shared<Source>(Source{"fuzz.policy", kPolicy})});
    if (out->interpreted == nullptr) fail(render(out->diagnostics));
    return out;
  }();
  return *compiled;
}

std::string interpret(const std::shared_ptr<const Program>& of, const Call& call, const Context& context) {
  static Scratch scratch;
  return oracle::to_string(oracle::describe(*of, decide_all(call, context, scratch, {.interpret_only = true})));
}

/// Decides the bound call on every evaluator, which must agree. @returns the decision in one line.
std::string decide_alike(const Call& call, const Context& context) {
  static Arena arena(1 << 16);
  static Scratch scratch;
  Compiled& compiled = program();
  arena.reset();
  const oracle::Verdict expected = oracle::decide(arena, compiled.set, compiled.diagnostics.sources, call, context);
  const std::string said = oracle::to_string(expected);
  const std::string interpreted = interpret(compiled.interpreted, call, context);
  demand(said == interpreted, "oracle and interpreter differ", said + " / " + interpreted);
  demand(interpreted == interpret(compiled.interpreted, call, context), "decided twice, differently", interpreted);
  const Decision quick = decide(call, context, scratch, {.interpret_only = true});
  demand(quick.effect == expected.effect && quick.code == expected.code, "decide and decide_all differ", said);
  demand(!quick.reason.empty(), "a decision without a reason", said);
  if (call.error().failed) {
    demand(quick.effect == Effect::deny && quick.code == DecisionCode::invalid_input, "a misfit is not denied", said);
    demand(!call.error().message.empty(), "a misfit without a cause");
  }
  const std::string line = decision_json(call, quick);
  const auto parsed = parse_decision(line);
  demand(parsed.ok(), "the decision cannot be read", line);
  demand(parsed->effect == quick.effect && parsed->reason == quick.reason, "the decision is read as another", line);
  return said;
}

void check_refusal(const Error& wrong) {
  const std::string& why = wrong.message;
  const bool placed = why.starts_with("at offset ") || why.starts_with("duplicate key ") ||
                      why.starts_with("nested deeper than ") || why.starts_with("too large");
  const bool named =
      why.starts_with("`") || why == "an event is a JSON object" || why.starts_with("a line of an audit log");
  demand(wrong.code == "bad_json" ? placed : wrong.code == "bad_event" && named, "a refusal without a place", why);
  demand(valid_utf8(why), "a refusal that is not UTF-8");
  demand(parse_decision(error_json(wrong)).error().code == "refused", "a refusal that cannot be read", why);
}

void read_as_event(std::string_view text) {
  static const TimeParts kNow{1714564800, 0};
  static const std::string expected = [] {
    EventReader fresh(program().interpreted, {.now = kNow});
    if (!fresh.read(kValid)) fail("the valid event is none");
    return decide_alike(fresh.call(), fresh.context());
  }();
  static EventReader reader(program().interpreted, {.now = kNow, .warn = [](const std::string&) {}});
  static EventReader native(program().native, {.now = kNow});
  static Scratch scratch;
  const Result<void> read = reader.read(text);
  demand(read.ok() == native.read(text).ok(), "one reader takes it, the other does not");
  if (!read) {
    check_refusal(read.error());
    demand(reader.event().capability.empty(), "a refused event has a capability");
    const Decision refused = decide(reader.call(), reader.context(), scratch);
    demand(refused.code == DecisionCode::invalid_input, "a refused event is decided");
  } else {
    const std::string said = decide_alike(reader.call(), reader.context());
    const Decision decision = decide_all(native.call(), native.context(), scratch);
    const std::string natively = oracle::to_string(oracle::describe(*program().native, decision));
    demand(said == natively, "oracle and native code differ", said + " / " + natively);
  }
  demand(reader.read(kValid).ok(), "the valid event is refused now");
  const std::string after = decide_alike(reader.call(), reader.context());
  demand(after == expected, "the valid event is decided differently now", expected + " / " + after);
}

void read_as_input(std::string_view text) {
  const std::shared_ptr<const Program>& of = program().interpreted;
  static const Context context(of);
  static Call tree(of), direct(of);
  for (const std::string_view name : kCapabilities) {
    tree.begin(of->resolve(name), Stage::before);
    const Result<Value> value = parse_json(tree.arena(), text);
    if (value) {
      tree.bind_input(*value);
    } else {
      tree.reject("input: " + value.error().message);
    }
    direct.begin(of->resolve(name), Stage::before);
    direct.bind_json(text);
    demand(tree.error().failed == direct.error().failed && tree.error().message == direct.error().message,
           "bind_json and bind_input differ", tree.error().message + " / " + direct.error().message);
    const std::string said = decide_alike(tree, context), directly = decide_alike(direct, context);
    demand(said == directly, "bind_json and bind_input decide differently", said + " / " + directly);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read_as_event(text);
  read_as_input(text);
  return 0;
}
