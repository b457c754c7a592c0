// Compiles what is typed at the prompt beside the policies, and evaluates it against the event.
#include "cli/repl_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "analysis/explain.h"
#include "cli/terminal.h"
#include "compiler/check/policy/check.h"
#include "compiler/data_files.h"
#include "compiler/parse/parse.h"
#include "compiler/parse/token_scan.h"
#include "ordain/evaluate.h"
#include "ordain/event.h"
#include "ordain/json.h"
#include "ordain/stdlib.h"
#include "ordain/time_text.h"
#include "vm/decide/secret_faults.h"
#include "vm/program/linked_program.h"
#include "vm/value/code_point.h"

namespace ordain::cli {
namespace {

constexpr const char* kPrompt = "<prompt>";
constexpr const char* kSession = "<session>";

std::shared_ptr<const Source> make_source(const char* path, std::string text) {
  return std::make_shared<Source>(Source{path, std::move(text)});
}

std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (ScanToken token = next_token(text, 0); token.kind != ScanKind::end; token = next_token(text, token.end)) {
    out.push_back(text.substr(token.begin, token.end - token.begin));
  }
  return out;
}

bool is_word_token(std::string_view token) {
  return next_token(token, 0).kind != ScanKind::punctuation && !token.empty();
}

template <size_t N>
bool is_one_of_words(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array<std::string_view, 5> kRuleWords = {"deny", "require_approval", "allow", "redact", "warn"};
constexpr std::array<std::string_view, 8> kDeclarationWords = {"let",     "capability", "context", "policy",
                                                               "history", "rate",       "budget",  "label"};
constexpr std::array<std::string_view, 17> kWaitingTokens = {"&", "|", "+", "-", "*", "/", "%",  "?", ":",
                                                             ",", "<", ">", "=", "!", ".", "in", "@"};

// The package that the first policy file says it is of, as it must stand in another one.
std::string package_clause(const std::vector<std::shared_ptr<const Source>>& sources) {
  for (const auto& source : sources) {
    const std::string_view text = source->text;
    const ScanToken first = next_token(text, 0);
    if (source->is_data || text.substr(first.begin, first.end - first.begin) != "package") continue;
    const size_t end = text.find(';', first.end);
    if (end != std::string_view::npos) return std::string(text.substr(first.begin, end + 1 - first.begin)) + "\n";
  }
  return "";
}

void move_span(Span* span, uint32_t file, size_t before, size_t size) {
  if (span->file != file) return;
  const auto moved = [&](size_t at) { return static_cast<uint32_t>(std::min(at > before ? at - before : 0, size)); };
  *span = {file, moved(span->begin), moved(span->end)};
}

// What the compiler said of `text`, which stands after `before` bytes of the source at `path`, as if the text stood
// alone. Warnings about what was put around it are left out.
std::string messages_about(const Diagnostics& all, const char* path, size_t before, const std::string& text) {
  Diagnostics out;
  out.sources = all.sources;
  const auto typed =
      std::find_if(out.sources.begin(), out.sources.end(), [&](const auto& source) { return source->path == path; });
  const auto file = static_cast<uint32_t>(typed - out.sources.begin());
  if (typed != out.sources.end()) *typed = make_source(kPrompt, text);
  for (Diagnostic item : all.items) {
    const bool within = item.span.file == file && item.span.begin >= before && item.span.begin < before + text.size();
    if (item.severity != Severity::error && (item.severity != Severity::warning || !within)) continue;
    move_span(&item.span, file, before, text.size());
    for (Diagnostic& note : item.notes) move_span(&note.span, file, before, text.size());
    out.items.push_back(std::move(item));
  }
  return render_for(stdout, out);
}

Error not_compiled(const Diagnostics& diagnostics, const char* path, size_t before, const std::string& text) {
  return {"policy_errors", messages_about(diagnostics, path, before, text)};
}

// The text as a literal of the policy language, which refuses some characters unless they are escaped.
std::string literal_of(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const detail::CodePoint point = detail::code_point_at(text, at);
    const bool plain = point.value >= ' ' && point.value < 0x7F && point.value != '"' && point.value != '\\';
    out += plain ? std::string(1, static_cast<char>(point.value)) : fmt::format("\\U{:08x}", point.value);
    at += std::max<size_t>(point.length, 1);
  }
  return out + "\"";
}

// Whether the text is one expression. @returns the parser's messages
Result<void> check_expression_syntax(const std::string& text) {
  Diagnostics diagnostics;
  diagnostics.sources.push_back(make_source(kPrompt, text));
  Arena arena(1 << 16, Arena::kNoLimit, false);
  if (parse_expression(arena, diagnostics, 0) != nullptr && !diagnostics.has_errors()) return {};
  return not_compiled(diagnostics, kPrompt, 0, text);
}

// The rule of the policy that was put around what was typed.
RuleId rule_of_policy(std::span<const RuleInfo> rules, const std::string& policy) {
  for (RuleId rule = 0; rule < rules.size(); ++rule) {
    if (rules[rule].policy == policy) return rule;
  }
  return kNone;
}

// An input field that a redaction can name, so that any value may stand behind its `with`; "" if there is none.
std::string redactable_field(const Schema& schema, const std::string& capability) {
  const Capability* known = schema.find_capability(capability);
  if (known == nullptr || known->input == kNone) return "prompt";
  const RecordBinding& input = schema.records[known->input];
  if (input.type == nullptr || input.dynamic || input.type->open) return "prompt";
  for (const RecordField& field : input.type->fields) {
    if (tokens_of(field.name).size() == 1 && is_word_token(field.name)) return std::string(field.name);
  }
  return "";
}

// Why the event cannot be decided; "" if it can.
std::string flaw_of(const EventReader& reader) {
  if (!reader.flaw().empty()) return reader.flaw();
  if (reader.call().error().failed) return reader.call().error().message;
  return reader.context().error().failed ? reader.context().error().message : "";
}

void add_fields(const RecordBinding& record, const std::string& root, std::vector<std::string>* words) {
  if (record.type == nullptr) return;
  for (const RecordField& field : record.type->fields) words->push_back(root + "." + std::string(field.name));
}

}  // namespace

EntryKind kind_of_entry(std::string_view text) {
  const std::vector<std::string_view> tokens = tokens_of(text);
  if (tokens.empty()) return EntryKind::expression;
  const bool alone = tokens.size() == 1;
  const bool words = !alone && (is_word_token(tokens[1]) || tokens[1] == "{" || tokens[1] == ";") && tokens[1] != "in";
  if (!words) return EntryKind::expression;
  if (is_one_of_words(tokens[0], kRuleWords)) return EntryKind::rule;
  return is_one_of_words(tokens[0], kDeclarationWords) ? EntryKind::declaration : EntryKind::expression;
}

bool entry_goes_on(std::string_view text) {
  const std::vector<std::string_view> tokens = tokens_of(text);
  if (tokens.empty()) return false;
  int depth = 0;
  for (const std::string_view token : tokens) {
    if (token == "(" || token == "[" || token == "{") ++depth;
    if (token == ")" || token == "]" || token == "}") --depth;
  }
  if (depth > 0) return true;
  if (kind_of_entry(text) != EntryKind::expression) return tokens.back() != ";" && tokens.back() != "}";
  return is_one_of_words(tokens.back(), kWaitingTokens);
}

bool ReplSession::load(const std::vector<std::string>& paths, std::string* messages) {
  Diagnostics read;
  if (!paths.empty()) read = read_sources(paths);
  if (read.has_errors()) {
    *messages = render_for(stdout, read);
    return false;
  }
  ReplSession next;
  next.sources_ = read.sources;
  next.package_ = package_clause(read.sources);
  next.compilation_ = compile(next.all_sources(), standard_library(), {.parts = true});
  Diagnostics found = next.compilation_.diagnostics;
  std::erase_if(found.items, [&](const Diagnostic& item) { return item.severity == Severity::note; });
  *messages = render_for(stdout, found);
  if (next.compilation_.program == nullptr) return false;
  // The event stays, if the new policies can read it.
  if (!next.set_event(event_)) return false;
  *this = std::move(next);
  return true;
}

ReplSession::Sources ReplSession::all_sources() const {
  Sources out = sources_;
  out.push_back(make_source(kSession, package_ + declared_));
  return out;
}

Compilation ReplSession::compile_plainly() const { return compile(all_sources(), standard_library()); }

Result<void> ReplSession::set_event(std::string json) {
  EventReader reader(compilation_.program);
  if (auto read = reader.read(json); !read) return read.error();
  event_ = std::move(json);
  capability_ = reader.event().capability;
  stage_ = reader.call().stage();
  words_ = {"input",   "metadata", "agent",      "principal", "tenant", "environment",
            "session", "resource", "capability", "action",    "now"};
  if (stage_ == Stage::after) words_.emplace_back("output");
  const Schema& schema = compilation_.program->schema();
  if (const Capability* known = schema.find_capability(capability_)) {
    if (known->input != kNone) add_fields(schema.records[known->input], "input", &words_);
    if (known->output != kNone && stage_ == Stage::after) add_fields(schema.records[known->output], "output", &words_);
  }
  for (const auto& [root, record] : schema.roots) add_fields(schema.records[record], root, &words_);
  for (const auto& source : all_sources()) {
    const std::vector<std::string_view> tokens = tokens_of(source->is_data ? std::string_view() : source->text);
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      if (tokens[i] == "let") words_.emplace_back(tokens[i + 1]);
    }
  }
  for (const auto& [name, function] : standard_library().all()) {
    if (name[0] != '_' && name[0] != '@' && name[0] != '-' && name[0] != '!') words_.emplace_back(name);
  }
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
  return {};
}

Result<std::string> ReplSession::declare(const std::string& text) {
  const size_t before = package_.size() + declared_.size();
  std::string with_text = declared_ + text + "\n";
  std::swap(declared_, with_text);
  Compilation compiled = compile(all_sources(), standard_library(), {.parts = true});
  if (compiled.program == nullptr) {
    declared_ = std::move(with_text);
    return not_compiled(compiled.diagnostics, kSession, before, text);
  }
  std::string messages = messages_about(compiled.diagnostics, kSession, before, text);
  compilation_ = std::move(compiled);
  (void)set_event(event_);  // which may have become invalid input, but not unreadable
  return messages + "declared\n";
}

// A name that no policy has yet.
std::string ReplSession::prompt_policy() const {
  std::string out = "prompt";
  while (rule_of_policy(compilation_.program->rules(), out) != kNone) out += "_";
  return out;
}

std::string ReplSession::wrap_rule() const {
  return fmt::format("{}policy {} on {} {} {{ ", package_, prompt_policy(), to_string(stage_), literal_of(capability_));
}

// What must stand around an expression so that a rule has its value. @returns false if only a condition can stand
// there
bool ReplSession::wrap_expression(std::string* before, std::string* after) const {
  const std::string field = redactable_field(compilation_.program->schema(), capability_);
  const bool any = stage_ == Stage::after || !field.empty();
  const std::string path = stage_ == Stage::after ? "output" : "input." + field;
  *before = wrap_rule() + (any ? fmt::format("redact shown {} with (", path) : "warn shown when (");
  *after = "\n); }\n";
  return any;
}

Result<std::string> ReplSession::evaluate_expression(const std::string& text) const {
  if (auto good = check_expression_syntax(text); !good) return good.error();
  std::string before, after;
  const bool any = wrap_expression(&before, &after);
  Sources sources = all_sources();
  sources.push_back(make_source(kPrompt, before + text + after));
  const Compilation compiled = compile(std::move(sources), standard_library());
  if (compiled.program == nullptr) return not_compiled(compiled.diagnostics, kPrompt, before.size(), text);
  const Program& program = *compiled.program;
  EventReader reader(compiled.program, {.now = timestamp_of_nanos(system_time_ns())});
  if (auto read = reader.read(event_); !read) return read.error();
  if (const std::string flaw = flaw_of(reader); !flaw.empty()) {
    return Error{"invalid_input", format_for_terminal("the event is invalid: {}\n", flaw)};
  }
  const RuleId rule = rule_of_policy(program.rules(), prompt_policy());
  const auto& codes = vm::data_of(program).rule_codes;
  const auto code = std::find_if(codes.begin(), codes.end(), [&](const auto& each) { return each.rule == rule; });
  // A rule whose condition is the constant false is left out.
  if (code == codes.end() && !any) return std::string("false\n");
  if (code == codes.end()) return Error{"unfit", "the expression does not fit the event's capability\n"};
  const uint32_t predicate = any ? code->with : code->condition;
  if (predicate == kNone) return std::string("true\n");
  Scratch scratch(Scratch::kUsualBytes, false);
  Value value;
  Fault fault;
  if (!evaluate(program, predicate, reader.call(), reader.context(), scratch, {}, &value, &fault)) {
    vm::conceal_values(program.schema(), reader.call().capability().id, &fault);
    return Error{"fault", format_for_terminal("fault: {}\n", fault_message(fault))};
  }
  return format_for_terminal("{}\n", to_json(value));
}

Result<std::string> ReplSession::type_of_expression(const std::string& text) const {
  if (auto good = check_expression_syntax(text); !good) return good.error();
  std::string before, after;
  const bool any = wrap_expression(&before, &after);
  Diagnostics diagnostics;
  diagnostics.sources = all_sources();
  diagnostics.sources.push_back(make_source(kPrompt, before + text + after));
  std::stable_partition(diagnostics.sources.begin(), diagnostics.sources.end(),
                        [](const auto& source) { return !source->is_data; });
  Arena arena(1 << 20, Arena::kNoLimit, false);
  std::vector<syntax::File> files;
  for (uint32_t file = 0; file < diagnostics.sources.size() && !diagnostics.sources[file]->is_data; ++file) {
    files.push_back(parse(arena, diagnostics, file));
    files.back().file = file;
  }
  read_data_files(arena, diagnostics, files);
  const typed::PolicySet set = check(arena, diagnostics, files, standard_library());
  if (diagnostics.has_errors()) return not_compiled(diagnostics, kPrompt, before.size(), text);
  const RuleId rule = rule_of_policy(set.rules, prompt_policy());
  for (const typed::RuleList& list : set.lists[static_cast<size_t>(stage_)]) {
    for (const typed::RuleBody* body : list.rules) {
      const typed::Expression& clause = any ? body->with : body->when;
      if (body->rule == rule && clause.root != nullptr) {
        return format_for_terminal("{}\n", ordain::to_string(*clause.root->type));
      }
    }
  }
  return Error{"unfit", "the expression does not fit the event's capability\n"};
}

Result<void> ReplSession::print_rule(const std::string& text) const {
  const std::string before = wrap_rule();
  Sources sources = all_sources();
  sources.push_back(make_source(kPrompt, before + text + "\n}\n"));
  const Compilation compiled = compile(std::move(sources), standard_library(), {.parts = true});
  if (compiled.program == nullptr) return not_compiled(compiled.diagnostics, kPrompt, before.size(), text);
  write_out(messages_about(compiled.diagnostics, kPrompt, before.size(), text));
  const TimeParts now = timestamp_of_nanos(system_time_ns());
  detail::Explainer explainer(compiled, {}, {.now = now});
  if (auto read = explainer.read(event_); !read) return read.error();
  const Program& program = *compiled.program;
  const std::string policy = prompt_policy();
  for (const detail::RuleOutcome& outcome : explainer.outcomes()) {
    const RuleInfo& rule = program.rules()[outcome.rule];
    if (rule.policy != policy) continue;
    std::string why = detail::reason_of(outcome);
    why.resize(std::min(why.size(), why.rfind(" at <prompt>")));  // a place in what was put around the rule
    print_out("{} {}{}{}\n", rule.name, to_string(outcome.kind), why.empty() ? "" : ": ", why);
  }
  const Decision decision = explainer.decision();
  const std::string by =
      decision.rule != kNone ? program.rules()[decision.rule].name : fmt::format("({})", to_string(decision.code));
  print_out("{} by {}: {}\n", to_string(decision.effect), by, decision.reason);
  for (const Obligation& obligation : decision.obligations) {
    if (obligation.kind == RuleKind::redact) {
      print_out("  redact {} with {}\n", obligation.path, to_json(obligation.with));
    } else {
      print_out("  warn: {}\n", obligation.reason);
    }
  }
  return {};
}

std::vector<std::string> ReplSession::complete(const std::string& word) const {
  std::vector<std::string> out;
  for (const std::string& each : words_) {
    if (each.starts_with(word)) out.push_back(each);
  }
  // A function that is called on a value: what comes behind the last dot.
  const size_t dot = word.rfind('.');
  if (!out.empty() || dot == std::string::npos) return out;
  for (const std::string& each : words_) {
    if (each.find('.') == std::string::npos && each.starts_with(word.substr(dot + 1))) {
      out.push_back(word.substr(0, dot + 1) + each);
    }
  }
  return out;
}

}  // namespace ordain::cli
