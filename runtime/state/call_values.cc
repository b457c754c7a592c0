// call_values.cc evaluates predicates and reads slots for metering.
#include "runtime/state/call_values.h"

#include <algorithm>
#include <limits>
#include <span>

#include "runtime/state/key.h"
#include "runtime/state/words.h"
#include "vm/program/linked_program.h"

namespace ordain::state {
namespace {

const Value& slot_value(const CallFacts& facts, SlotId slot) {
  const Slot& declared = facts.call.program().schema().slots[slot];
  const SlotValues& bank = declared.bank == Bank::call ? facts.call.slots() : facts.context.slots();
  return bank.values[declared.index];
}

bool is_output_path(std::string_view path) {
  return path == "output" || path.starts_with("output.") || path.starts_with("output[");
}

bool is_output_part(const Program& program, const KeyPart& part) {
  return part.source == KeySource::path && is_output_path(program.schema().slots[part.slot].path);
}

/// Fields of undeclared capabilities have the number kinds that JSON gave them. The same number must be the same key
/// and the same amount whatever its kind. @returns an absent value if it cannot be of the kind
Value convert_number(const Value& value, Kind kind) {
  if (kind == Kind::absent || value.is(kind)) return value;
  if (kind == Kind::unsigned_integer && value.is(Kind::integer) && value.i >= 0)
    return Value::unsigned_integer(static_cast<uint64_t>(value.i));
  constexpr auto kLargest = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (kind == Kind::integer && value.is(Kind::unsigned_integer) && value.u <= kLargest)
    return Value::integer(static_cast<int64_t>(value.u));
  if (kind == Kind::floating && value.is(Kind::integer)) return Value::floating(static_cast<double>(value.i));
  if (kind == Kind::floating && value.is(Kind::unsigned_integer)) return Value::floating(static_cast<double>(value.u));
  return Value();
}

}  // namespace

std::optional<Value> evaluate_predicate(const CallFacts& facts, uint32_t predicate, std::string* why) {
  Value out;
  Fault fault;
  if (evaluate(facts.call.program(), predicate, facts.call, facts.context, facts.scratch, facts.options, &out, &fault))
    return out;
  if (why != nullptr) *why = fault_message(fault);
  return std::nullopt;
}

std::optional<bool> test_condition(const CallFacts& facts, uint32_t predicate, std::string* why) {
  if (predicate == kNone) return true;
  const auto value = evaluate_predicate(facts, predicate, why);
  if (!value) return std::nullopt;
  return value->is(Kind::boolean) && value->as_bool();
}

std::vector<std::string_view> prompts_in(const CallFacts& facts, SlotId slot) {
  if (slot == kNone) return {};
  return texts_in(slot_value(facts, slot));
}

bool was_said(const Value& value, const std::vector<std::string_view>& prompts) {
  const std::span<const Value> texts = value.is(Kind::list) ? value.as_list() : std::span(&value, 1);
  std::vector<std::vector<std::string>> said;
  said.reserve(prompts.size());
  for (std::string_view prompt : prompts) said.push_back(split_words(prompt));
  return std::all_of(texts.begin(), texts.end(), [&](const Value& text) {
    if (!text.is(Kind::string)) return false;
    const std::vector<std::string> words = split_words(text.as_text());
    if (count_characters(words) < kShortestText) return false;
    return std::any_of(said.begin(), said.end(), [&](const auto& prompt) { return occur_in(words, prompt); });
  });
}

bool host_has_label(const CallFacts& facts, SlotId slot, const Value& name) {
  if (slot == kNone) return false;
  const Value& labels = slot_value(facts, slot);
  if (!labels.is(Kind::list)) return false;
  const auto listed = labels.as_list();
  return std::any_of(listed.begin(), listed.end(), [&](const Value& label) { return equal(label, name); });
}

std::vector<uint64_t> hash_words(const std::vector<std::string>& words) {
  std::vector<uint64_t> out;
  out.reserve(words.size());
  for (const std::string& word : words) out.push_back(hash_word(word));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Result<Amount> evaluate_amount(const CallFacts& facts, uint32_t predicate, const StateDecl& declared) {
  std::string why;
  const auto value = evaluate_predicate(facts, predicate, &why);
  if (!value) return Error{"evaluation_error", declared.name + ": its amount faults: " + why};
  const auto amount = amount_of(convert_number(*value, declared.amount), declared.negative);
  if (!amount) return Error{"evaluation_error", declared.name + ": the amount of this call cannot be added"};
  return *amount;
}

bool key_reads_output(const Program& program, TableRange parts) {
  const HistoryTables& tables = history_tables(program);
  for (uint32_t i = 0; i < parts.count; ++i) {
    if (is_output_part(program, tables.key_parts[parts.first + i])) return true;
  }
  return false;
}

const KeyPart* build_key(const CallFacts& facts, const StateDecl& declared, TableRange parts, bool skip_output,
                         std::string* key) {
  const Program& program = facts.call.program();
  const HistoryTables& tables = history_tables(program);
  key->clear();
  for (uint32_t i = 0; i < parts.count; ++i) {
    const KeyPart& part = tables.key_parts[parts.first + i];
    if (skip_output && is_output_part(program, part)) continue;
    const bool literal = part.source == KeySource::literal;
    const Value& value = literal ? vm::data_of(program).constants[part.constant] : slot_value(facts, part.slot);
    if (!append_key_part(*key, convert_number(value, declared.key_kinds[i]))) return &part;
  }
  return nullptr;
}

Error unknown_key_part(const Program& program, const StateDecl& declared, const KeyPart& part) {
  std::string name(to_string(part.source));
  if (part.source == KeySource::path) name = program.schema().slots[part.slot].path;
  return Error{"missing_context", declared.name + " is kept by " + name + ", which is missing or empty"};
}

}  // namespace ordain::state
