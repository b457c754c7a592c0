// NumberLine finds which numbers of one field give another effect, and whether a bound describes them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/what_if_numbers.h"
#include "ordain/decide.h"
#include "ordain/what_if.h"

namespace ordain::detail {

/// What the event comes to if it has one other value.
struct TriedValue {
  enum class Kind : uint8_t {
    decided,
    faulted,
    invalid,  ///< the declaration excludes the value
    untried,  ///< no more decisions may be made
  };
  Kind kind = Kind::untried;
  Effect effect = Effect::deny;
  RuleId rule = kNone;
};

/// A number that gives another effect, and how other numbers relate to it.
struct NumberChange {
  Effect effect = Effect::deny;
  RuleId rule = kNone;
  FieldRelation relation = FieldRelation::equals;
  std::string value;  ///< JSON
  std::string set;    ///< JSON
};

class NumberLine {
 public:
  using Decide = std::function<TriedValue(int64_t position)>;

  /// @param now what the event says; empty if that is not such a number
  NumberLine(Scale scale, std::optional<int64_t> now, Effect old_effect, Decide decide);

  /// Decides the event with this number, and keeps the result.
  void try_number(int64_t position);

  /// Returns for each other effect that was met the nearest number that gives it.
  /// @param bounds false: neither looks for nearer numbers nor for bounds
  std::vector<NumberChange> changes(bool bounds);

 private:
  // Where the effect changes on one side of `now`.
  struct Edge {
    int64_t position = 0;  ///< the nearest known number with the effect
    int64_t before = 0;    ///< the nearest known number before it, towards `now`, that has another effect
    bool exact = false;    ///< the two are neighbours, and the event is valid with both
    bool bound = false;    ///< exact, and the samples beyond have the effect as well
  };
  const TriedValue& at(int64_t position);
  bool gives(int64_t position, Effect effect);
  std::optional<Edge> find_edge(Effect effect, int direction);
  bool agrees_beyond(int64_t position, int direction, Effect effect);
  double distance(const Edge& edge) const;
  NumberChange describe(const Edge& edge, Effect effect);
  NumberChange change_to(int64_t position, Effect effect);

  Scale scale_;
  std::optional<int64_t> now_;
  Effect old_effect_;
  Decide decide_;
  std::map<int64_t, TriedValue> tried_;
  std::vector<int64_t> order_;  ///< what try_number was called with
};

}  // namespace ordain::detail
