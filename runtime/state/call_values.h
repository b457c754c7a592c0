// These functions read what metering needs of a call's facts: predicates, keys and amounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state/metering.h"

namespace ordain::state {

/// Evaluates a predicate. @returns nothing if it faults; `*why` then says how
std::optional<Value> evaluate_predicate(const CallFacts& facts, uint32_t predicate, std::string* why = nullptr);

/// @returns whether a condition holds; true for kNone; nothing if it faults
std::optional<bool> test_condition(const CallFacts& facts, uint32_t predicate, std::string* why = nullptr);

/// @returns the texts that the principal said, as the host supplied them; none if `slot` is kNone
std::vector<std::string_view> prompts_in(const CallFacts& facts, SlotId slot);

/// @returns true if `value`, or each text of a list of them, stands in one of the prompts. A text that is shorter than
/// kShortestText, or not a text, was not said.
bool was_said(const Value& value, const std::vector<std::string_view>& prompts);

/// @returns true if the host's own list of the session's labels has the name
bool host_has_label(const CallFacts& facts, SlotId slot, const Value& name);

/// @returns the hashes of words, each once
std::vector<uint64_t> hash_words(const std::vector<std::string>& words);

/// Evaluates an amount of a state. @returns error "evaluation_error" if it faults or is not a possible amount
Result<Amount> evaluate_amount(const CallFacts& facts, uint32_t predicate, const StateDecl& declared);

/// @returns true if a part of the key is a field of the output
bool key_reads_output(const Program& program, TableRange parts);

/// Makes the key of a state. @param skip_output whether fields of the output are left out, as they are not known
/// yet. @returns the first part that is unknown, or nullptr
const KeyPart* build_key(const CallFacts& facts, const StateDecl& declared, TableRange parts, bool skip_output,
                         std::string* key);

/// @returns error "missing_context", which names the part
Error unknown_key_part(const Program& program, const StateDecl& declared, const KeyPart& part);

}  // namespace ordain::state
