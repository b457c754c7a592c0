// compile runs the front end as a pipeline.
#include "ordain/compile.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include "compiler/acknowledge.h"
#include "compiler/check/policy/check.h"
#include "compiler/compiled_file.h"
#include "compiler/data_files.h"
#include "compiler/emit/condition_parts.h"
#include "compiler/emit/emit.h"
#include "compiler/evaluate_tests.h"
#include "compiler/fold/fold.h"
#include "compiler/index/index.h"
#include "compiler/lint/lint.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/token_scan.h"
#include "compiler/passes.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

// Finds the word that begins the statement containing byte `offset`: "capability", "policy", ...
std::string_view statement_at(std::string_view text, uint32_t offset) {
  std::string_view word;
  int depth = 0;
  bool start = true;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end && token.begin <= offset;
       token = next_token(text, token.end)) {
    std::string_view piece = text.substr(token.begin, token.end - token.begin);
    if (token.kind != ScanKind::punctuation) {
      if (start) word = piece;
      start = false;
      continue;
    }
    if (piece == "{" || piece == "(" || piece == "[") ++depth;
    if (piece == "}" || piece == ")" || piece == "]") depth = std::max(0, depth - 1);
    if (depth == 0 && (piece == ";" || piece == "}") && token.end <= offset) start = true;
  }
  return word;
}

// What the checker may wrongly report because a syntax error hid a declaration.
constexpr std::string_view kNeedsAllRules[] = {"test-unknown-rule", "test-without-call", "rule-fits-nowhere",
                                               "bad-rows"};
constexpr std::string_view kNeedsAllDeclarations[] = {
    "undeclared-reference", "unknown-field",        "unknown-function",    "import-not-found",
    "import-package",       "no-matching-overload", "test-missing-field",  "test-unknown-capability",
    "unguarded-optional",   "type-mismatch",        "unknown-label",       "unknown-member",
    "state-after",          "state-index",          "story-without-state",
};

bool is_one_of(std::string_view code, const auto& codes) {
  return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

// After syntax errors, declarations and rules may be missing from the tree. Of the checker's
// findings (from `parsed` on), this keeps the errors that hold anyway. If only rules and tests are
// damaged, most errors do.
void drop_consequences(Diagnostics& diagnostics, size_t parsed) {
  bool rules_only = true, tests_whole = true;
  for (size_t i = 0; i < parsed; ++i) {
    const Diagnostic& item = diagnostics.items[i];
    if (item.severity != Severity::error || item.span.file >= diagnostics.sources.size()) continue;
    if (diagnostics.sources[item.span.file]->is_data) continue;  // its let has a value all the same
    std::string_view word = statement_at(diagnostics.sources[item.span.file]->text, item.span.begin);
    rules_only = rules_only && (word == "policy" || word == "test");
    tests_whole = tests_whole && word != "test";
  }
  auto in_test = [&](const Diagnostic& item) {
    return item.span.file < diagnostics.sources.size() &&
           statement_at(diagnostics.sources[item.span.file]->text, item.span.begin) == "test";
  };
  auto doubtful = [&](const Diagnostic& item) {
    if (item.severity != Severity::error || is_one_of(item.code, kNeedsAllRules)) return true;
    if (!tests_whole && item.code == "undeclared-reference" && in_test(item)) return true;  // of a broken `let`
    return !rules_only && is_one_of(item.code, kNeedsAllDeclarations);
  };
  auto first = diagnostics.items.begin() + static_cast<std::ptrdiff_t>(parsed);
  diagnostics.items.erase(std::remove_if(first, diagnostics.items.end(), doubtful), diagnostics.items.end());
}

std::vector<syntax::File> parse_all(Arena& arena, Diagnostics& diagnostics) {
  std::vector<syntax::File> files;
  // Data files come last, unless reading failed.
  const auto last = std::find_if(diagnostics.sources.rbegin(), diagnostics.sources.rend(),
                                 [](const auto& source) { return !source->is_data; });
  const auto count = static_cast<uint32_t>(diagnostics.sources.rend() - last);
  for (uint32_t file = 0; file < count; ++file) {
    files.push_back(diagnostics.sources[file]->is_data ? syntax::File() : parse(arena, diagnostics, file));
    files.back().file = file;
  }
  return files;
}

// Adds a note for each file that says nothing: it may have been saved too early, or be the wrong file.
void note_empty_files(Diagnostics& diagnostics, const std::vector<syntax::File>& files) {
  for (uint32_t file = 0; file < files.size(); ++file) {
    const syntax::File& parsed = files[file];
    bool empty = parsed.capabilities.empty() && parsed.policies.empty() && parsed.lets.empty() &&
                 parsed.contexts.empty() && parsed.tests.empty() && parsed.imports.empty() && parsed.options.empty() &&
                 parsed.states.empty() && parsed.labels.empty();
    if (diagnostics.sources[file]->is_data) continue;
    bool reported = std::any_of(diagnostics.items.begin(), diagnostics.items.end(),
                                [&](const Diagnostic& item) { return item.span.file == file; });
    if (empty && !reported)
      diagnostics.add(Severity::note, "empty-file", {file, 0, 0}, "this file has no declarations");
  }
}

typed::PolicySet check_all(Arena& arena, Diagnostics& diagnostics, const std::vector<syntax::File>& files,
                           const FunctionTable& functions) {
  bool whole = !diagnostics.has_errors();
  size_t parsed = diagnostics.items.size();
  typed::PolicySet set = check(arena, diagnostics, files, functions);
  if (!whole) drop_consequences(diagnostics, parsed);
  return set;
}

std::shared_ptr<const Program> link(ProgramData data, Diagnostics& diagnostics, const FunctionTable& functions) {
  Result<std::shared_ptr<const Program>> program = link_program(std::move(data), functions);
  if (program) return *program;
  diagnostics.error("internal", {},
                    "the compiled program is not valid (" + program.error().code + "): " + program.error().message,
                    "this is a defect of the compiler, please report it");
  return nullptr;
}

// Milliseconds since the last reading.
class Stopwatch {
 public:
  double lap() {
    const auto before = std::exchange(last_, std::chrono::steady_clock::now());
    return std::chrono::duration<double, std::milli>(last_ - before).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

Compilation compile(Diagnostics read, const FunctionTable& functions, const CompileOptions& options) {
  Compilation out = detail::run_passes(std::move(read), functions, options, false);
  acknowledge(out.diagnostics, false);
  return out;
}

}  // namespace

Compilation detail::run_passes(Diagnostics read, const FunctionTable& functions, const CompileOptions& options,
                               bool style) {
  Stopwatch watch;
  Compilation out;
  out.diagnostics = std::move(read);
  Diagnostics& diagnostics = out.diagnostics;
  Arena arena(1 << 20, Arena::kNoLimit, false);

  std::vector<syntax::File> files = parse_all(arena, diagnostics);
  read_data_files(arena, diagnostics, files);
  note_empty_files(diagnostics, files);
  out.times.parse = watch.lap();
  typed::PolicySet set = check_all(arena, diagnostics, files, functions);
  if (diagnostics.has_errors()) return out;
  fold(arena, set);
  check_folded(diagnostics, set);
  warn_mistakes(diagnostics, files, set);
  if (style) warn_style(diagnostics, files, set);
  check_history_use(diagnostics, set);
  std::vector<PolicyTest> tests = evaluate_tests(arena, set, diagnostics, functions);
  out.times.check = watch.lap();
  if (diagnostics.has_errors()) return out;
  out.tests = std::move(tests);
  const indexing::Index index = indexing::index_rules(set);
  out.times.index = watch.lap();
  ProgramData data = emit(set, index, diagnostics, options.parts ? take_apart(arena, set) : ConditionParts());
  out.times.emit = watch.lap();
  out.program = link(std::move(data), diagnostics, functions);
  out.times.link = watch.lap();
  return out;
}

Compilation compile(const std::vector<std::string>& paths, const FunctionTable& functions,
                    const CompileOptions& options) {
  Stopwatch watch;
  if (const auto bytes = options.parts ? std::nullopt : detail::read_compiled_file(paths)) {
    const double read = watch.lap();
    Compilation out = detail::load_compiled(paths.front(), *bytes, functions);
    out.times.read = read;
    out.times.link = watch.lap();
    return out;
  }
  Diagnostics sources = read_sources(paths);
  const double read = watch.lap();
  Compilation out = compile(std::move(sources), functions, options);
  out.times.read = read;
  return out;
}

Compilation compile(std::vector<std::shared_ptr<const Source>> sources, const FunctionTable& functions,
                    const CompileOptions& options) {
  Diagnostics diagnostics;
  std::stable_partition(sources.begin(), sources.end(), [](const auto& source) { return !source->is_data; });
  diagnostics.sources = std::move(sources);
  return compile(std::move(diagnostics), functions, options);
}

}  // namespace ordain
