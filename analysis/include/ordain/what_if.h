// find_changes says which small change of an event would change its decision: "would be allowed if
// `input.amount` were at most 500".
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/decide.h"
#include "ordain/export.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/time_text.h"

namespace ordain {

/// How a field would have to differ from what the event says.
enum class FieldRelation : uint8_t {
  equals = 0,
  other_than = 1,
  at_most = 2,
  less_than = 3,
  at_least = 4,
  more_than = 5,
  contains = 6,  ///< a list
  lacks = 7,     ///< a list
  absent = 8,
  changed = 9,  ///< what it would have to be is not shown, since it is a secret or tells about one
};
ORDAIN_API std::string_view to_string(FieldRelation relation);  ///< "equals", "at_most", ...

struct FieldChange {
  std::string path;  ///< "input.amount"
  FieldRelation relation = FieldRelation::equals;
  std::string value;  ///< JSON of what the relation is to; "" if absent or changed
  std::string set;    ///< JSON of the whole value that was tried; "" if absent or changed
};

/// Changes which, all together, give another effect. The event was decided with them.
struct DecisionChange {
  Stage stage = Stage::before;
  Effect effect = Effect::deny;
  std::string rule;  ///< that gives the reason; "" if none does
  std::vector<FieldChange> fields;
};
/// In words: "would be allowed if `input.amount` were at most 500".
ORDAIN_API std::string to_string(const DecisionChange& change);

struct ChangeOptions {
  DecideOptions decide;
  std::optional<TimeParts> now = {};  ///< of an event without `now`; empty: the system time
  size_t most = 3;                    ///< changes to return
  size_t decisions = 1000;            ///< to make at most; fewer for an event of many kilobytes
};

/// Finds changes of the fewest fields, of one field or of two, that give the event another effect
/// without a fault. Values to try come from the constants in the rules' conditions: first of the
/// deciding rule, then of the others that matched, then of the rest. A bound such as `at_most` says
/// that the effect changes exactly there, and that it was the same for all of some fifty numbers
/// beyond it: those next to it, 0, the limits of the type, the policies' constants and others. Where
/// one of them differed, the number itself is suggested. Of a field that is declared `secret`, or
/// that a condition reads together with one, no value is shown. Empty if nothing was found, or if the
/// event is invalid. If the program was compiled with CompileOptions::parts, fewer values have
/// to be tried. Thread-safe.
/// @returns error "bad_json" or "bad_event" as EventReader::read does
ORDAIN_API Result<std::vector<DecisionChange>> find_changes(const std::shared_ptr<const Program>& program,
                                                            std::string_view event, const ChangeOptions& options = {});

}  // namespace ordain
