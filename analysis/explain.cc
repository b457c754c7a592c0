// Explains decisions: runs every rule of a call, and names the parts of conditions that were false.
#include "analysis/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "analysis/explain_index.h"
#include "analysis/secret_reads.h"
#include "vm/decide/decide_run.h"
#include "vm/decide/secret_faults.h"
#include "vm/program/linked_program.h"

namespace ordain::detail {
namespace {

// The rule codes for the call's capability and stage, in source order, each rule once.
std::vector<uint32_t> codes_of(const Call& call) {
  const ProgramData& data = data_of(call.program());
  std::vector<uint32_t> out;
  for (const RuleRange& range : rule_ranges(call)) {
    for (uint32_t i = 0; i < range.entries.count; ++i) out.push_back(data.rule_list[range.entries.first + i]);
  }
  const auto rule = [&](uint32_t code) { return data.rule_codes[code].rule; };
  std::sort(out.begin(), out.end(), [&](uint32_t a, uint32_t b) { return rule(a) < rule(b); });
  out.erase(std::unique(out.begin(), out.end(), [&](uint32_t a, uint32_t b) { return rule(a) == rule(b); }), out.end());
  return out;
}

RuleOutcome outcome_of(uint32_t code, const Call& call, const Context& context, Scratch& scratch,
                       const DecideOptions& options) {
  const Program& program = call.program();
  const ProgramData& data = data_of(program);
  const RuleCode& rule = data.rule_codes[code];
  RuleOutcome out{.rule = rule.rule, .code = code, .kind = RuleOutcome::Kind::matched};
  if (!applies_to(data, rule, call.capability().globs)) {
    out.kind = RuleOutcome::Kind::other_target;
    return out;
  }
  if (rule.condition == kNone) return out;
  Value result;
  Fault fault;
  if (evaluate(program, rule.condition, call, context, scratch, options_of_rule(program, rule.rule, options), &result,
               &fault)) {
    if (!result.as_bool()) out.kind = RuleOutcome::Kind::not_matched;
    return out;
  }
  out.kind = RuleOutcome::Kind::fault;
  conceal_values(data.schema, call.capability().id, &fault);
  out.fault = fault_message(fault);
  if (fault.location != kNone) out.fault += " at " + place_of(program, fault.location);
  return out;
}

std::string_view cut(std::string_view text) {
  constexpr size_t kMost = 100;  // bytes
  if (text.size() <= kMost) return text;
  size_t end = kMost;
  while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // do not cut within a character
  return text.substr(0, end);
}

}  // namespace

std::string_view to_string(RuleOutcome::Kind kind) {
  switch (kind) {
    case RuleOutcome::Kind::matched:
      return "matches";
    case RuleOutcome::Kind::not_matched:
      return "does not match";
    case RuleOutcome::Kind::fault:
      return "faults";
    case RuleOutcome::Kind::other_target:
      return "other target";
  }
  return "?";
}

std::string in_words(const std::vector<FalsePart>& parts) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += i + 1 == parts.size() ? " and " : ", ";
    const std::string_view text = cut(parts[i].text);
    out += fmt::format("`{}{}`", text, text.size() < parts[i].text.size() ? "..." : "");
  }
  return parts.empty() ? "" : out + (parts.size() == 1 ? " is false" : " are false");
}

std::string reason_of(const RuleOutcome& outcome) {
  return outcome.fault.empty() ? in_words(outcome.false_parts) : outcome.fault;
}

std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options) {
  std::vector<RuleOutcome> out;
  if (call.error().failed || context.error().failed) return out;
  for (const uint32_t code : codes_of(call)) out.push_back(outcome_of(code, call, context, scratch, options));
  return out;
}

Explainer::Explainer(const Compilation& compilation, const DecideOptions& options, EventReaderOptions reading)
    : compilation_(compilation), options_(options), reader_(compilation.program, std::move(reading)) {}

std::vector<RuleOutcome> Explainer::outcomes() {
  std::vector<RuleOutcome> out = explain(reader_.call(), reader_.context(), scratch_, options_);
  if (out.empty()) return out;
  const auto skipped = skipped_rules(reader_.call(), reader_.context(), scratch_);
  for (RuleOutcome& outcome : out) {
    if (outcome.kind != RuleOutcome::Kind::not_matched) continue;
    if (const auto by = skipped.find(outcome.rule); by != skipped.end()) outcome.skipped_by = by->second;
    outcome.false_parts = false_parts(outcome.code);
  }
  return out;
}

std::vector<FalsePart> Explainer::false_parts(uint32_t code) {
  const Program& program = *compilation_.program;
  const ProgramData& data = data_of(program);
  std::vector<FalsePart> out;
  for (const ConditionPart& part : condition_parts(data, code)) {
    Value result;
    Fault fault;
    const EvaluateOptions how = options_of_rule(program, data.rule_codes[code].rule, options_);
    const bool known =
        evaluate(program, part.predicate, reader_.call(), reader_.context(), scratch_, how, &result, &fault);
    if (!known || result.as_bool()) continue;
    const Source& source = *compilation_.diagnostics.sources[data.locations[part.location].file];
    // The text may hold the very value: `!(input.token == "hunter2")` is false for one token only.
    const std::string secret = secret_read(data, reader_.call().capability().id, part.predicate);
    out.push_back({secret.empty() ? text_of(source, part) : "a condition on " + secret + ", which is secret",
                   place_of(program, part.location)});
  }
  return out;
}

Decision Explainer::decision() { return decide_all(reader_.call(), reader_.context(), scratch_, options_); }

std::span<const ConditionPart> condition_parts(const ProgramData& data, uint32_t code) {
  const auto [first, last] = std::ranges::equal_range(data.condition_parts, code, {}, &ConditionPart::code);
  return {first, last};
}

std::string text_of(const Source& source, const ConditionPart& part) {
  std::string out;
  for (const char c : std::string_view(source.text).substr(part.begin, part.end - part.begin)) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  return out;
}

std::string place_of(const Program& program, uint32_t location) {
  if (location >= program.locations().size()) return "";
  const Location& at = program.locations()[location];
  return fmt::format("{}:{}:{}", program.files()[at.file], at.line, at.column);
}

}  // namespace ordain::detail
