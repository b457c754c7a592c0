// amount.cc converts between values and exact amounts.
#include "runtime/state/amount.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/audit/value_bytes.h"

namespace ordain::state {
namespace {

constexpr Amount kMillion = 1'000'000;
constexpr Amount kBillion = 1'000'000'000;
constexpr Amount kLargestSum = (static_cast<Amount>(1) << 126) - 1;
constexpr int64_t kLargestDurationSeconds = 315'576'000'000;  // 10,000 years, as CEL has it

/// The integral part is exact in a double, and so is the rest, so only the last step rounds.
std::optional<Amount> millionths(double value) {
  if (!std::isfinite(value) || std::fabs(value) > 1e24) return std::nullopt;
  const double whole = std::trunc(value);
  const double rest = value - whole;
  return static_cast<Amount>(whole) * kMillion + static_cast<Amount>(std::round(rest * 1e6));
}

Value duration_value(Amount amount) {
  const Amount largest = static_cast<Amount>(kLargestDurationSeconds) * kBillion;
  const Amount held = std::clamp(amount, -largest, largest);
  return Value::duration(static_cast<int64_t>(held / kBillion), static_cast<int32_t>(held % kBillion));
}

template <typename T>
T clamp_to(Amount amount) {
  return static_cast<T>(std::clamp(amount, static_cast<Amount>(std::numeric_limits<T>::min()),
                                   static_cast<Amount>(std::numeric_limits<T>::max())));
}

}  // namespace

std::optional<Amount> amount_of(const Value& value, bool negative) {
  std::optional<Amount> out;
  if (value.is(Kind::integer)) out = value.i;
  if (value.is(Kind::unsigned_integer)) out = value.u;
  if (value.is(Kind::floating)) out = millionths(value.d);
  if (value.is(Kind::duration)) out = static_cast<Amount>(value.i) * kBillion + value.nanos();
  if (!out || (*out < 0 && !negative) || *out > kLargestAmount || *out < -kLargestAmount) return std::nullopt;
  return out;
}

Value amount_value(Amount amount, Kind kind) {
  switch (kind) {
    case Kind::unsigned_integer:
      return Value::unsigned_integer(clamp_to<uint64_t>(amount));
    case Kind::floating:
      return Value::floating(static_cast<double>(amount) / 1e6);
    case Kind::duration:
      return duration_value(amount);
    default:
      return Value::integer(clamp_to<int64_t>(amount));
  }
}

Amount add_amounts(Amount a, Amount b) {
  // Both are within 126 bits, so that their sum fits in 128.
  return std::clamp(a + b, -kLargestSum, kLargestSum);
}

bool amount_in_range(Amount amount) { return amount >= -kLargestSum && amount <= kLargestSum; }

void append_amount(std::string& out, Amount amount) {
  detail::append_u64(out, static_cast<uint64_t>(amount));
  detail::append_u64(out, static_cast<uint64_t>(amount >> 64));
}

bool take_amount(std::string_view& in, Amount* out) {
  uint64_t low = 0, high = 0;
  if (!detail::take_u64(in, &low) || !detail::take_u64(in, &high)) return false;
  *out = static_cast<Amount>(static_cast<int64_t>(high)) * (static_cast<Amount>(1) << 64) + static_cast<Amount>(low);
  return amount_in_range(*out);
}

}  // namespace ordain::state
