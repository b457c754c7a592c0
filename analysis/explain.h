// explain: the outcome of every rule of a call's capability and stage, whether or not it mattered.
#pragma once

#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/event.h"

namespace ordain::detail {

/// A reason why a condition was not true: the condition itself, or one of the parts that `&&` joins in it.
struct FalsePart {
  std::string text;   ///< as written, in one line
  std::string place;  ///< "p.policy:3:18"; where a `let` stands for it, within the `let`
};

/// "`a` and `b` are false", long parts cut; "" if there are none.
std::string in_words(const std::vector<FalsePart>& parts);

struct RuleOutcome {
  enum class Kind : uint8_t { matched, not_matched, fault, other_target };
  RuleId rule = kNone;
  uint32_t code = kNone;  ///< of the rule for this call: index into ProgramData::rule_codes
  Kind kind = Kind::not_matched;
  std::string fault;                   ///< "division by zero at p.policy:3:12"
  std::vector<FalsePart> false_parts;  ///< not_matched only; the others are true, or fault
  std::string skipped_by;  ///< not_matched only: the test of the index that leads away from it; "" if it is tried
};
std::string_view to_string(RuleOutcome::Kind kind);

/// In source order, each rule once, without `false_parts` and `skipped_by`. Empty if the call or the context does not
/// fit its declarations, since no rule runs then.
std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options);

/// Explains events one after another. Not thread-safe.
class Explainer {
 public:
  /// @param compilation must outlive this; for `false_parts` it was made with CompileOptions::parts.
  /// @param reading how events are read
  Explainer(const Compilation& compilation, const DecideOptions& options, EventReaderOptions reading);

  /// Takes the event that is explained from now on. @returns as EventReader::read.
  Result<void> read(std::string_view line) { return reader_.read(line); }

  const EventReader& reader() const { return reader_; }
  /// As `explain` gives them, with `false_parts` and `skipped_by`.
  std::vector<RuleOutcome> outcomes();
  /// As decide_all; valid until the next call of this function or of `outcomes`.
  Decision decision();

 private:
  std::vector<FalsePart> false_parts(uint32_t code);

  const Compilation& compilation_;
  DecideOptions options_;
  EventReader reader_;
  Scratch scratch_;
};

/// "p.policy:3:5" of a rule, or "".
std::string place_of(const Program& program, uint32_t location);

}  // namespace ordain::detail
