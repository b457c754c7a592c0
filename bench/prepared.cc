// prepared.cc compiles rule sets for benches, and checks their answers against the oracle.
#include "bench/prepared.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "compiler/check/policy/check.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/stdlib.h"
#include "tests/support/oracle.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::bench {
namespace {

constexpr double kOracleMs = 1500;

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << "\n";
  std::exit(1);
}

// The typed tree, which the oracle walks. Its slots have the same numbers as in the program,
// because the same passes numbered them.
struct OracleSet {
  Arena arena{1 << 20};
  Diagnostics diagnostics;
  typed::PolicySet set;

  explicit OracleSet(const std::string& text) {
    diagnostics.sources.push_back(std::make_shared<Source>(Source{"bench.policy", text}));
    std::vector<syntax::File> files;
    files.push_back(parse(arena, diagnostics, 0));
    set = check(arena, diagnostics, files, standard_library());
    if (diagnostics.has_errors()) fail(render(diagnostics));
    fold(arena, set);
  }
};

void demand(const oracle::Verdict& expected, const oracle::Verdict& got, const char* engine, size_t request) {
  if (expected == got) return;
  fail(fmt::format("request {}: the oracle says\n  {}\nand {}\n  {}", request, oracle::to_string(expected), engine,
                   oracle::to_string(got)));
}

}  // namespace

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Prepared prepare_text(std::string text) {
  Prepared out;
  out.text = std::move(text);
  Compilation compilation = compile({std::make_shared<Source>(Source{"bench.policy", out.text})}, standard_library());
  if (compilation.program == nullptr) fail(render(compilation.diagnostics));
  out.program = compilation.program;
  out.times = compilation.times;
  return out;
}

Prepared prepare(const Family& family, size_t rules, uint64_t seed) { return prepare_text(family.rules(rules, seed)); }

bool make_native(Prepared& prepared, bool quick) {
#ifdef ORDAIN_HAS_JIT
  const double start = now_ms();
  NativeOptions options;
  if (quick) options.optimisation = 0;
  auto report = compile_native(*prepared.program, options);
  if (!report) fail(report.error().message);
  if (!prepared.program->fully_native()) fail("not everything became native");
  prepared.native_ms = now_ms() - start;
  prepared.code_bytes = report->code_bytes;
  return true;
#else
  (void)prepared, (void)quick;
  return false;
#endif
}

Requests requests_for(const Prepared& prepared, const Family& family, size_t from, size_t count, uint64_t seed) {
  auto out = std::make_unique<PreparedEvents>(prepared.program, EventReaderOptions{.now = TimeParts{1714564800, 0}});
  for (const Request& request : draw_requests(family, from, seed, count, seed + 77)) {
    if (auto added = out->add(event_json(request)); !added) fail(added.error().message);
  }
  return out;
}

void check_against_oracle(const Prepared& prepared, const PreparedEvents& requests) {
  const OracleSet oracle(prepared.text);
  Call call(prepared.program);
  Scratch scratch, other;
  Arena arena(1 << 20);
  const double start = now_ms();
  const DecideOptions interpret{.interpret_only = true};
  for (size_t i = 0; i < requests.calls().size(); ++i) {
    const PreparedCall& request = requests.calls()[i];
    request.fill(call);
    const Decision native = decide(call, *request.context, scratch);
    const Decision interpreted = decide(call, *request.context, other, interpret);
    demand(oracle::describe(*prepared.program, interpreted), oracle::describe(*prepared.program, native),
           "native code, where that is the interpreter's,", i);
    if (now_ms() - start > kOracleMs && i > 2) continue;
    arena.reset();
    const oracle::Verdict expected =
        oracle::decide(arena, oracle.set, oracle.diagnostics.sources, call, *request.context);
    demand(expected, oracle::describe(*prepared.program, decide_all(call, *request.context, scratch)), "decide_all", i);
    oracle::Verdict brief = oracle::describe(*prepared.program, decide(call, *request.context, scratch));
    brief.matched = expected.matched;  // `decide` lists only rules that ask
    demand(expected, brief, "decide", i);
  }
}

double time_decisions(const PreparedEvents& requests, bool interpret_only, double seconds) {
  Scratch scratch;
  const DecideOptions options{.interpret_only = interpret_only};
  return time_requests(requests, seconds, [&](const Call& call, const Context& context) {
    return decide(call, context, scratch, options);
  });
}

}  // namespace ordain::bench
