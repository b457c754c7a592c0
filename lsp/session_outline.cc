// session_outline.cc answers what is asked about a whole document, and runs its tests.
#include <algorithm>
#include <utility>

#include "lsp/explanation.h"
#include "lsp/json.h"
#include "lsp/outline.h"
#include "lsp/session.h"
#include "ordain/compile.h"
#include "ordain/run_tests.h"

namespace ordain::lsp {
namespace {

enum TestMessage : int { kTestFailed = 1, kTestPassed = 3 };
constexpr int64_t kTypeHint = 1;  // the protocol's number

// What a test came to, in words; "" if every expectation was met.
std::string failures_of(const TestReport& report) {
  std::string out;
  for (const TestVerdict& verdict : report.verdicts) {
    if (verdict.met) continue;
    const std::string& rule = verdict.expectation->rule;
    out +=
        "\nexpected " + verdict.expectation->effect + (rule.empty() ? "" : " by " + rule) + ", but: " + verdict.decided;
    if (!verdict.why.empty()) out += " (" + verdict.why + ")";
  }
  return out;
}

}  // namespace

Session::Answer Session::document_symbols(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {"[]"};
  const std::string& text = cursor->document->source->text;
  return {document_symbols_json(cursor->model->files()[cursor->file], text, TextLines(text, encoding_))};
}

Session::Answer Session::folding_ranges(const Value& params) {
  const OpenDocument* document = document_of(params);
  if (document == nullptr) return {"[]"};
  const std::string& text = document->source->text;
  return {folding_ranges_json(text, TextLines(text, encoding_))};
}

Session::Answer Session::semantic_tokens(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {};
  const std::string& text = cursor->document->source->text;
  return {semantic_tokens_json(text, cursor->model->symbols(), cursor->file, TextLines(text, encoding_))};
}

Session::Answer Session::code_lenses(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {"[]"};
  const TextLines lines(cursor->document->source->text, encoding_);
  return {code_lenses_json(cursor->model->files()[cursor->file], cursor->document->uri, lines)};
}

// The types of lets, where a rule or a test uses them.
Session::Answer Session::inlay_hints(const Value& params) {
  const auto cursor = cursor_of(params);
  if (!cursor) return {"[]"};
  const TextLines lines(cursor->document->source->text, encoding_);
  const int64_t first = find_integer(params, {"range", "start", "line"}).value_or(0);
  const int64_t last = find_integer(params, {"range", "end", "line"}).value_or(INT64_MAX);
  std::vector<std::string> out;
  const syntax::File& file = cursor->model->files()[cursor->file];
  for (const syntax::LetDecl& let : file.lets) {
    const int64_t line = lines.position(let.name.span.begin).line;
    if (line < first || line > last) continue;
    const std::string package(file.package.text);
    const std::string type =
        cursor->model->type_of_let((package.empty() ? "" : package + ".") + std::string(let.name.text));
    if (type.empty()) continue;
    out.push_back(JsonObject()
                      .add_json("position", lines.position_json(let.name.span.end))
                      .add_text("label", ": " + type)
                      .add_number("kind", kTypeHint)
                      .json());
  }
  return {json_array(out)};
}

Session::Answer Session::execute_command(const Value& params) {
  const std::string_view command = find_text(params, {"command"});
  if (command != kRunTest && command != kExplainLast) return failed(kInvalidParams, "this server has no such command");
  const Value* arguments = find_value(params, {"arguments"});
  const bool two = arguments != nullptr && arguments->is(Kind::list) && arguments->as_list().size() == 2 &&
                   arguments->as_list()[0].is(Kind::string) && arguments->as_list()[1].is(Kind::string);
  if (!two) return failed(kInvalidParams, "the arguments are a document and the name of a test");
  const OpenDocument* document = workspace_.find(arguments->as_list()[0].as_text());
  if (document == nullptr) return failed(kInvalidParams, "the document is not open");
  return run_test(*document, std::string(arguments->as_list()[1].as_text()), command == kExplainLast);
}

Session::Answer Session::run_test(const OpenDocument& document, const std::string& name, bool explains) {
  const Compilation compilation =
      compile(workspace_.sources_of(workspace_.set_of(document)), *options_.functions, {.parts = true});
  if (compilation.program == nullptr) return failed(kRequestFailed, "the policies have errors, so no test can run");
  std::vector<const PolicyTest*> chosen;
  for (const PolicyTest& test : compilation.tests) {
    const bool here = test.span.file < compilation.diagnostics.sources.size() &&
                      compilation.diagnostics.sources[test.span.file] == document.source;
    if (here && test.name == name) chosen.push_back(&test);
  }
  if (chosen.empty()) return failed(kRequestFailed, "the document has no test `" + name + "`");
  if (explains) {
    const std::string explanation = explain_last_call(compilation, *chosen.front());
    show_message(kTestPassed, explanation);
    return {JsonObject().add_text("explanation", explanation).json()};
  }
  std::string failures;
  for (const TestReport& report : run_tests(compilation, chosen)) failures += failures_of(report);
  const bool passed = failures.empty();
  show_message(passed ? kTestPassed : kTestFailed, passed ? "passed: " + name : "failed: " + name + failures);
  return {JsonObject().add_flag("passed", passed).add_text("failures", failures).json()};
}

}  // namespace ordain::lsp
