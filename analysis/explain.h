// explain: the outcome of every rule of a call's capability and stage, whether or not it mattered.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/event.h"
#include "vm/program/program_data.h"

namespace ordain::detail {

/// A reason why a condition was not true: the condition itself, or one of the parts that `&&` joins in it.
struct FalsePart {
  std::string text;   ///< as written, in one line; if it reads a secret, only which one
  std::string place;  ///< "p.policy:3:18"; within the `let`, if the condition uses one
};

/// Writes "`a` and `b` are false", with long parts cut; "" if there are none.
std::string in_words(const std::vector<FalsePart>& parts);

struct RuleOutcome {
  enum class Kind : uint8_t { matched, not_matched, fault, other_target };
  RuleId rule = kNone;
  uint32_t code = kNone;  ///< the rule for this call: index into ProgramData::rule_codes
  Kind kind = Kind::not_matched;
  std::string fault;                   ///< "division by zero at p.policy:3:12"
  std::vector<FalsePart> false_parts;  ///< only for not_matched; the other parts are true, or fault
  std::string skipped_by;              ///< only for not_matched: the test of the index that skips it; "" if it is tried
};
std::string_view to_string(RuleOutcome::Kind kind);

/// Says why the rule did not match, or which fault it met; "" if there is nothing to say.
std::string reason_of(const RuleOutcome& outcome);

/// In source order, each rule once, without `false_parts` and `skipped_by`. Empty if the call or the context does not
/// fit its declarations, since no rule runs then.
std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options);

/// Explains events one after another. Not thread-safe.
class Explainer {
 public:
  /// @param compilation must outlive this; to get `false_parts`, compile with
  /// CompileOptions::parts.
  /// @param reading how events are read.
  Explainer(const Compilation& compilation, const DecideOptions& options, EventReaderOptions reading);

  /// Takes the event to explain. @returns what EventReader::read returns.
  Result<void> read(std::string_view line) { return reader_.read(line); }

  const EventReader& reader() const { return reader_; }
  EventReader& reader() { return reader_; }
  /// Returns what `explain` gives, with `false_parts` and `skipped_by`.
  std::vector<RuleOutcome> outcomes();
  /// Returns what decide_all gives. It is valid until the next call of this function or of
  /// `outcomes`.
  Decision decision();

 private:
  std::vector<FalsePart> false_parts(uint32_t code);

  const Compilation& compilation_;
  DecideOptions options_;
  EventReader reader_;
  Scratch scratch_;
};

/// Returns the parts of the rule's condition; none if the program was compiled without
/// CompileOptions::parts, or there is no condition.
std::span<const ConditionPart> condition_parts(const ProgramData& data, uint32_t code);

/// Returns the part as it is written in its source, in one line.
std::string text_of(const Source& source, const ConditionPart& part);

/// Writes the place of a rule, "p.policy:3:5", or "".
std::string place_of(const Program& program, uint32_t location);

}  // namespace ordain::detail
