// Runs CEL's conformance cases on one engine:
//   cel_conformance [--engine oracle|interpreter|jit] [--verbose] FILE.jsonl...
// Prints each failing case, a table by file and, last, `N passed, N failed`. Exit 0 only if none failed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>

#include "compiler/check/expression/check_expression.h"
#include "compiler/emit/emit.h"
#include "compiler/fold/fold.h"
#include "compiler/parse/parse.h"
#include "ordain/decide.h"
#include "ordain/stdlib.h"
#include "tests/conformance/case.h"
#include "tests/support/oracle.h"
#include "vm/program/linked_program.h"
#ifdef ORDAIN_HAS_JIT
#include "ordain/jit.h"
#endif

namespace ordain::conformance {
namespace {

/// The result of a case: a value, a type, or an error at some stage.
struct Got {
  bool error = false;
  std::string message;  ///< of the error
  Value value;
  const Type* type = nullptr;
};

Got error(std::string message) { return {.error = true, .message = std::move(message), .value = {}, .type = nullptr}; }

std::string first_message(const Diagnostics& diagnostics) {
  for (const Diagnostic& item : diagnostics.items) {
    if (item.severity == Severity::error) return item.code + ": " + item.message;
  }
  return "";
}

void bind(Call& call, const Case& test) {
  for (const auto& [name, value] : test.bindings) {
    const auto& slots = call.program().schema().slots;
    for (SlotId slot = 0; slot < slots.size(); ++slot) {
      if (slots[slot].path == name) call.set(call.program().slot(slot), value);
    }
  }
}

Got run_engine(Arena& arena, const Case& test, const std::string& engine, const CheckedExpression& checked,
               const Diagnostics& diagnostics) {
  auto program = link_program(emit(checked.expression, checked.schema, diagnostics), standard_library());
  if (!program) return error("link: " + program.error().message);
  Call call(*program);
  Context context(*program);
  call.begin((*program)->resolve(""), Stage::before);
  bind(call, test);
  if (engine == "oracle") {
    oracle::Outcome outcome = oracle::evaluate(arena, checked.expression, checked.schema, call, context);
    if (!outcome.ok) return error("fault: " + fault_message(outcome.fault));
    return {.error = false, .message = "", .value = copy_value(arena, outcome.value), .type = checked.type};
  }
  DecideOptions options;
  options.interpret_only = engine == "interpreter";
#ifdef ORDAIN_HAS_JIT
  if (engine == "jit") {
    auto report = compile_native(**program, {.standalone = true});
    if (!report) return error("native: " + report.error().message);
    if (!(*program)->fully_native()) return error("native: not every predicate is native");
  }
#endif
  Scratch scratch;
  Value value;
  Fault fault;
  if (!evaluate(**program, 0, call, context, scratch, options, &value, &fault)) {
    return error("fault: " + fault_message(fault));
  }
  return {.error = false, .message = "", .value = copy_value(arena, value), .type = checked.type};
}

Got run(Arena& arena, const Case& test, const std::string& engine) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(std::make_shared<Source>(Source{test.name, test.expression}));
  const syntax::Expr* syntax = parse_expression(arena, diagnostics, 0);
  if (syntax == nullptr || diagnostics.has_errors()) return error("parse: " + first_message(diagnostics));
  CheckedExpression checked = check_expression(arena, diagnostics, *syntax, test.env, standard_library());
  if (diagnostics.has_errors()) return error("check: " + first_message(diagnostics));
  if (test.check_only) return {.error = false, .message = "", .value = {}, .type = checked.type};
  fold(arena, checked.expression);
  return run_engine(arena, test, engine, checked, diagnostics);
}

/// @returns "" if the case passed, otherwise the expected and the actual result
std::string judge(const Case& test, const Got& got) {
  if (test.expects_error) return got.error ? "" : fmt::format("expected an error, got {}", show(got.value));
  if (got.error) {
    return fmt::format("expected {}, got {}", test.expects_value ? show(test.value) : "a type", got.message);
  }
  if (test.deduced_type != nullptr && !same_type(*test.deduced_type, *got.type)) {
    return fmt::format("expected type {}, got {}", to_string(*test.deduced_type), to_string(*got.type));
  }
  if (test.expects_value && !test.check_only && !identical(test.value, got.value)) {
    return fmt::format("expected {}, got {}", show(test.value), show(got.value));
  }
  return "";
}

struct Tally {
  int passed = 0;
  int failed = 0;
};

void run_file(const std::string& path, const std::string& engine, bool verbose, std::map<std::string, Tally>& tallies) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty()) continue;
    Arena arena(1 << 16);
    const Case test = read_case(arena, nlohmann::json::parse(line));
    const std::string wrong = judge(test, run(arena, test, engine));
    Tally& tally = tallies[test.file];
    (wrong.empty() ? tally.passed : tally.failed)++;
    if (!wrong.empty() || verbose) {
      fmt::print("{} {}/{}/{}: {}{}{}\n", wrong.empty() ? "pass" : "FAIL", test.file, test.section, test.name,
                 test.expression, wrong.empty() ? "" : "\n     ", wrong);
    }
  }
}

int report(const std::map<std::string, Tally>& tallies) {
  Tally all;
  fmt::print("\n{:<16} {:>6} {:>6}\n", "file", "passed", "failed");
  for (const auto& [file, tally] : tallies) {
    fmt::print("{:<16} {:>6} {:>6}\n", file, tally.passed, tally.failed);
    all.passed += tally.passed;
    all.failed += tally.failed;
  }
  fmt::print("\n{} passed, {} failed\n", all.passed, all.failed);
  return all.failed == 0 && all.passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ordain::conformance

int main(int argc, char** argv) {
  CLI::App app{"Runs CEL conformance cases (one JSON object a line) on one engine."};
  std::string engine = "interpreter";
  bool verbose = false;
  std::vector<std::string> files;
  app.add_option("--engine", engine, "which evaluator runs the cases")
      ->check(CLI::IsMember({"oracle", "interpreter", "jit"}))
      ->capture_default_str();
  app.add_flag("--verbose", verbose, "list passing cases too");
  app.add_option("FILE", files, "case files")->required();
  CLI11_PARSE(app, argc, argv);
#ifndef ORDAIN_HAS_JIT
  if (engine == "jit") {
    std::cerr << "cel_conformance: built without native code\n";
    return 2;
  }
#endif
  std::map<std::string, ordain::conformance::Tally> tallies;
  try {
    for (const std::string& file : files) ordain::conformance::run_file(file, engine, verbose, tallies);
  } catch (const std::exception& e) {
    std::cerr << "cel_conformance: " << e.what() << "\n";
    return 2;
  }
  return ordain::conformance::report(tallies);
}
