// explain: what every rule of a call's capability and stage came to, whether or not it mattered.
#pragma once

#include <string>
#include <vector>

#include "ordain/compile.h"
#include "ordain/decide.h"
#include "ordain/event.h"

namespace ordain::detail {

/// What kept a condition from being true: it, or one of the parts that `&&` joins in it.
struct FalsePart {
  std::string text;   ///< as written, in one line
  std::string place;  ///< "p.policy:3:18"; where a `let` stands for it, within the `let`
};

/// "`a` and `b` are false", long parts cut; "" if there are none.
std::string in_words(const std::vector<FalsePart>& parts);

struct RuleOutcome {
  enum class Kind : uint8_t { matched, not_matched, fault, other_target };
  RuleId rule = kNone;
  Kind kind = Kind::not_matched;
  std::string fault;                   ///< "division by zero at p.policy:3:12"
  std::vector<FalsePart> false_parts;  ///< not_matched only; the others are true, or fault
  std::string skipped_by;  ///< not_matched only: the test of the index that leads away from it; "" if it is tried
};
std::string_view to_string(RuleOutcome::Kind kind);

/// In source order; each rule once; no `false_parts`, no `skipped_by`. Nothing if the call or the context does not fit
/// its declarations: then no rule runs.
std::vector<RuleOutcome> explain(const Call& call, const Context& context, Scratch& scratch,
                                 const DecideOptions& options);

/// Explains events one after another. Not thread-safe.
class Explainer {
 public:
  /// @param compilation of a program and, for `false_parts`, of its parts (CompileOptions::parts); must outlive this.
  /// @param reading how events are read; one time for all, so that both programs see the same.
  Explainer(const Compilation& compilation, const DecideOptions& options, EventReaderOptions reading);

  /// Takes the event that is explained from now on. @returns as EventReader::read.
  Result<void> read(std::string_view line);

  const EventReader& reader() const { return reader_; }
  /// As `explain` gives them, with `false_parts` and `skipped_by`.
  std::vector<RuleOutcome> outcomes();
  /// As decide_all; valid until the next call of this function or of `outcomes`.
  Decision decision();

 private:
  const Compilation& compilation_;
  DecideOptions options_;
  EventReader reader_;
  std::optional<EventReader> parts_;  ///< the same event for the program of the parts
  Scratch scratch_;
};

/// "p.policy:3:5" of a rule, or "".
std::string place_of(const Program& program, uint32_t location);

}  // namespace ordain::detail
