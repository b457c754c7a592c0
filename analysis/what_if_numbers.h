// The numbers that a field can have, as positions on a line: neighbours differ by 1, so that the place where a
// decision changes can be found by bisection among integers and among doubles alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ordain/value.h"

namespace ordain::detail {

enum class Scale : uint8_t { integers, doubles };

/// The position of a number; a fraction is rounded down among integers. Empty if it is not a finite number, or is
/// beyond int64 among integers.
std::optional<int64_t> position_of(Scale scale, const Value& value);

/// The first and the last number of the scale.
int64_t first_position(Scale scale);
int64_t last_position(Scale scale);

double number_at(Scale scale, int64_t position);
std::string number_json(Scale scale, int64_t position);

/// Numbers on one side of `from` that stand for all numbers there: those next to it, others at growing distances, the
/// limit of the scale, what lies in the middle between, and 0 if it is on that side. @param direction 1 or -1
std::vector<int64_t> samples_beyond(Scale scale, int64_t from, int direction);

}  // namespace ordain::detail
