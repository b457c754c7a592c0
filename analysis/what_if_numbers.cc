// Numbers doubles by their bits, whose order is that of the numbers once negative ones are mirrored.
#include "analysis/what_if_numbers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "ordain/json.h"

namespace ordain::detail {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kGreatest = std::numeric_limits<int64_t>::max();

int64_t position_of_double(double number) {
  const auto bits = std::bit_cast<int64_t>(number);
  return bits >= 0 ? bits : kLeast - bits;
}

// Below this, every double is rounded down to an int64.
constexpr double kBeyond = 9223372036854775808.0;

std::optional<int64_t> whole_position(double number) {
  number = std::floor(number);
  if (!(number >= -kBeyond && number < kBeyond)) return std::nullopt;
  return static_cast<int64_t>(number);
}

// Appends the number `distance` away, if the scale has it.
void add_at_distance(Scale scale, int64_t from, int direction, double distance, std::vector<int64_t>& out) {
  if (scale == Scale::doubles) {
    const double number = number_at(scale, from) + direction * distance;
    if (std::isfinite(number)) out.push_back(position_of_double(number));
    return;
  }
  const auto step = static_cast<int64_t>(distance);
  if (direction > 0 ? from <= kGreatest - step : from >= kLeast + step) out.push_back(from + direction * step);
}

}  // namespace

std::optional<int64_t> position_of(Scale scale, const Value& value) {
  if (scale == Scale::integers) {
    if (value.is(Kind::integer)) return value.i;
    if (value.is(Kind::floating)) return whole_position(value.d);
    if (!value.is(Kind::unsigned_integer) || value.u > static_cast<uint64_t>(kGreatest)) return std::nullopt;
    return static_cast<int64_t>(value.u);
  }
  if (value.is(Kind::integer)) return position_of_double(static_cast<double>(value.i));
  if (value.is(Kind::unsigned_integer)) return position_of_double(static_cast<double>(value.u));
  if (!value.is(Kind::floating) || !std::isfinite(value.d)) return std::nullopt;
  return position_of_double(value.d);
}

int64_t first_position(Scale scale) {
  return scale == Scale::integers ? kLeast : position_of_double(-std::numeric_limits<double>::max());
}

int64_t last_position(Scale scale) {
  return scale == Scale::integers ? kGreatest : position_of_double(std::numeric_limits<double>::max());
}

double number_at(Scale scale, int64_t position) {
  if (scale == Scale::integers) return static_cast<double>(position);
  return std::bit_cast<double>(position >= 0 ? position : kLeast - position);
}

std::string number_json(Scale scale, int64_t position) {
  return to_json(scale == Scale::integers ? Value::integer(position) : Value::floating(number_at(scale, position)));
}

std::vector<int64_t> samples_beyond(Scale scale, int64_t from, int direction) {
  constexpr int kNear = 12;
  constexpr double kFar = 4e18;  // a step of integers must fit int64
  const int64_t limit = direction > 0 ? last_position(scale) : first_position(scale);
  std::vector<int64_t> out;
  for (int distance = 1; distance <= kNear; ++distance) add_at_distance(scale, from, direction, distance, out);
  for (double distance = kNear + 1; distance < kFar; distance *= 5) {
    add_at_distance(scale, from, direction, std::floor(distance), out);
  }
  for (const int64_t end : {limit, int64_t{0}}) {
    out.push_back(end);
    out.push_back(std::midpoint(from, end));
    out.push_back(std::midpoint(from, std::midpoint(from, end)));
  }
  std::erase_if(out, [&](int64_t position) { return direction > 0 ? position <= from : position >= from; });
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace ordain::detail
