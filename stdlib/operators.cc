// operators.cc implements arithmetic and ordering. Equality, && || ! and ?: are part of the
// language and have no rows here.
#include <cstring>

#include "ordain/time_text.h"
#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool overflow(Eval& eval) { return eval.fail(FaultCode::overflow); }

bool add_int(Eval& eval, const Value* args, Value* result) {
  int64_t out = 0;
  if (__builtin_add_overflow(args[0].i, args[1].i, &out)) return overflow(eval);
  return give(result, Value::integer(out));
}
bool subtract_int(Eval& eval, const Value* args, Value* result) {
  int64_t out = 0;
  if (__builtin_sub_overflow(args[0].i, args[1].i, &out)) return overflow(eval);
  return give(result, Value::integer(out));
}
bool multiply_int(Eval& eval, const Value* args, Value* result) {
  int64_t out = 0;
  if (__builtin_mul_overflow(args[0].i, args[1].i, &out)) return overflow(eval);
  return give(result, Value::integer(out));
}
bool divide_int(Eval& eval, const Value* args, Value* result) {
  if (args[1].i == 0) return eval.fail(FaultCode::division_by_zero);
  if (args[0].i == INT64_MIN && args[1].i == -1) return overflow(eval);
  return give(result, Value::integer(args[0].i / args[1].i));
}
bool modulo_int(Eval& eval, const Value* args, Value* result) {
  if (args[1].i == 0) return eval.fail(FaultCode::modulus_by_zero);
  if (args[0].i == INT64_MIN && args[1].i == -1) return overflow(eval);
  return give(result, Value::integer(args[0].i % args[1].i));
}
bool negate_int(Eval& eval, const Value* args, Value* result) {
  if (args[0].i == INT64_MIN) return overflow(eval);
  return give(result, Value::integer(-args[0].i));
}

bool add_uint(Eval& eval, const Value* args, Value* result) {
  uint64_t out = 0;
  if (__builtin_add_overflow(args[0].u, args[1].u, &out)) return overflow(eval);
  return give(result, Value::unsigned_integer(out));
}
bool subtract_uint(Eval& eval, const Value* args, Value* result) {
  if (args[1].u > args[0].u) return overflow(eval);
  return give(result, Value::unsigned_integer(args[0].u - args[1].u));
}
bool multiply_uint(Eval& eval, const Value* args, Value* result) {
  uint64_t out = 0;
  if (__builtin_mul_overflow(args[0].u, args[1].u, &out)) return overflow(eval);
  return give(result, Value::unsigned_integer(out));
}
bool divide_uint(Eval& eval, const Value* args, Value* result) {
  if (args[1].u == 0) return eval.fail(FaultCode::division_by_zero);
  return give(result, Value::unsigned_integer(args[0].u / args[1].u));
}
bool modulo_uint(Eval& eval, const Value* args, Value* result) {
  if (args[1].u == 0) return eval.fail(FaultCode::modulus_by_zero);
  return give(result, Value::unsigned_integer(args[0].u % args[1].u));
}

bool add_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(args[0].d + args[1].d));
}
bool subtract_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(args[0].d - args[1].d));
}
bool multiply_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(args[0].d * args[1].d));
}
bool divide_double(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(args[0].d / args[1].d));
}
bool negate_double(Eval&, const Value* args, Value* result) { return give(result, Value::floating(-args[0].d)); }

// Concatenates two values; if one of them is empty, no memory is taken.
bool concatenate(Eval& eval, const Value& a, const Value& b, Value* result) {
  if (b.aux == 0) return give(result, a);
  if (a.aux == 0) return give(result, b);
  size_t size = size_t{a.aux} + b.aux;
  if (size > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<char>(size);
  if (out == nullptr) return false;
  std::memcpy(out, a.text, a.aux);
  std::memcpy(out + a.aux, b.text, b.aux);
  return give(result, a.is(Kind::string) ? Value::string({out, size}) : Value::bytes({out, size}));
}
bool add_text(Eval& eval, const Value* args, Value* result) { return concatenate(eval, args[0], args[1], result); }

bool add_list(Eval& eval, const Value* args, Value* result) {
  if (args[1].aux == 0) return give(result, args[0]);
  if (args[0].aux == 0) return give(result, args[1]);
  size_t count = size_t{args[0].aux} + args[1].aux;
  if (count > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<Value>(count);
  if (out == nullptr) return false;
  std::memcpy(static_cast<void*>(out), args[0].items, args[0].aux * sizeof(Value));
  std::memcpy(static_cast<void*>(out + args[0].aux), args[1].items, args[1].aux * sizeof(Value));
  return give(result, Value::list({out, count}));
}

// Time. 128 bits hold any sum of the parts that values can have, so one range check at the end
// suffices.
__extension__ typedef __int128 Nanos;
Nanos nanos_of(const Value& value) { return Nanos{value.i} * 1'000'000'000 + value.nanos(); }

bool give_duration(Eval& eval, Nanos nanos, Value* result) {
  if (nanos < INT64_MIN || nanos > INT64_MAX) return overflow(eval);
  TimeParts parts = duration_of_nanos(static_cast<int64_t>(nanos));
  return give(result, Value::duration(parts.seconds, parts.nanos));
}
bool give_timestamp(Eval& eval, Nanos nanos, Value* result) {
  Nanos seconds = nanos / 1'000'000'000;
  auto rest = static_cast<int32_t>(nanos % 1'000'000'000);
  if (rest < 0) {
    rest += 1'000'000'000;
    seconds -= 1;
  }
  if (seconds < kMinTimestampSeconds || seconds > kMaxTimestampSeconds) return overflow(eval);
  return give(result, Value::timestamp(static_cast<int64_t>(seconds), rest));
}

bool add_timestamp(Eval& eval, const Value* args, Value* result) {
  return give_timestamp(eval, nanos_of(args[0]) + nanos_of(args[1]), result);
}
bool add_duration(Eval& eval, const Value* args, Value* result) {
  return give_duration(eval, nanos_of(args[0]) + nanos_of(args[1]), result);
}
bool subtract_from_timestamp(Eval& eval, const Value* args, Value* result) {
  return give_timestamp(eval, nanos_of(args[0]) - nanos_of(args[1]), result);
}
bool subtract_to_duration(Eval& eval, const Value* args, Value* result) {
  return give_duration(eval, nanos_of(args[0]) - nanos_of(args[1]), result);
}

bool less(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(compare(args[0], args[1]) == Ordering::less));
}
bool less_equals(Eval&, const Value* args, Value* result) {
  Ordering order = compare(args[0], args[1]);
  return give(result, Value::boolean(order == Ordering::less || order == Ordering::equal));
}
bool greater(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(compare(args[0], args[1]) == Ordering::greater));
}
bool greater_equals(Eval&, const Value* args, Value* result) {
  Ordering order = compare(args[0], args[1]);
  return give(result, Value::boolean(order == Ordering::greater || order == Ordering::equal));
}
uint64_t compare_text_cost(const Value* args) {
  return bytes_cost(args[0].aux < args[1].aux ? args[0].aux : args[1].aux);
}

uint64_t add_list_cost(const Value* args) { return (uint64_t{args[0].aux} + args[1].aux) / 10; }

struct Order {
  const char* name;
  const char* id;
  const char* doc;
  FunctionImpl call;
};
constexpr Order kOrders[] = {
    {"_<_", "less", "Less than", less},
    {"_<=_", "less_equals", "At most", less_equals},
    {"_>_", "greater", "Greater than", greater},
    {"_>=_", "greater_equals", "At least", greater_equals},
};

void add_order(FunctionTable& table, const Order& order) {
  const auto row = [&](const char* suffix, const char* signature, const char* of, bool text = false) {
    table.add({order.name, std::string(order.id) + suffix, signature, order.call, std::string(order.doc) + of,
               text ? compare_text_cost : nullptr, text ? kPlain : kNeverFaults});
  };
  row("_int64", "(int, int) -> bool", ".");
  row("_uint64", "(uint, uint) -> bool", ".");
  row("_double", "(double, double) -> bool", "; false where either is NaN.");
  row("_string", "(string, string) -> bool", ", by code points.", true);
  row("_bool", "(bool, bool) -> bool", "; false is before true.");
  row("_bytes", "(bytes, bytes) -> bool", ", by bytes.", true);
  row("_timestamp", "(timestamp, timestamp) -> bool", "; earlier is less.");
  row("_duration", "(duration, duration) -> bool", "; shorter is less.");
  row("_int64_uint64", "(int, uint) -> bool", ", by mathematical value.");
  row("_int64_double", "(int, double) -> bool", ", compared as doubles where both are in range.");
  row("_uint64_int64", "(uint, int) -> bool", ", by mathematical value.");
  row("_uint64_double", "(uint, double) -> bool", ", compared as doubles where both are in range.");
  row("_double_int64", "(double, int) -> bool", ", compared as doubles where both are in range.");
  row("_double_uint64", "(double, uint) -> bool", ", compared as doubles where both are in range.");
}

}  // namespace

void add_operators(FunctionTable& table) {
  const Overload rows[] = {
      {"_+_", "add_int64", "(int, int) -> int", add_int, "Sum; a fault past the range of int."},
      {"_+_", "add_uint64", "(uint, uint) -> uint", add_uint, "Sum; a fault past the range of uint."},
      {"_+_", "add_double", "(double, double) -> double", add_double, "Sum, by IEEE 754.", nullptr, kNeverFaults},
      {"_+_", "add_string", "(string, string) -> string", add_text, "One string after the other.", two_texts_cost},
      {"_+_", "add_bytes", "(bytes, bytes) -> bytes", add_text, "One byte string after the other.", two_texts_cost},
      {"_+_", "add_list", "(list(A), list(A)) -> list(A)", add_list, "The elements of both lists.", add_list_cost},
      {"_+_", "add_timestamp_duration", "(timestamp, duration) -> timestamp", add_timestamp,
       "The time later by the duration; a fault outside years 1 to 9999."},
      {"_+_", "add_duration_timestamp", "(duration, timestamp) -> timestamp", add_timestamp,
       "The time later by the duration; a fault outside years 1 to 9999."},
      {"_+_", "add_duration_duration", "(duration, duration) -> duration", add_duration,
       "Sum; a fault past the range of duration."},

      {"_-_", "subtract_int64", "(int, int) -> int", subtract_int, "Difference; a fault past the range of int."},
      {"_-_", "subtract_uint64", "(uint, uint) -> uint", subtract_uint, "Difference; a fault below zero."},
      {"_-_", "subtract_double", "(double, double) -> double", subtract_double, "Difference, by IEEE 754.", nullptr,
       kNeverFaults},
      {"_-_", "subtract_timestamp_timestamp", "(timestamp, timestamp) -> duration", subtract_to_duration,
       "The time between; a fault past the range of duration."},
      {"_-_", "subtract_timestamp_duration", "(timestamp, duration) -> timestamp", subtract_from_timestamp,
       "The time earlier by the duration; a fault outside years 1 to 9999."},
      {"_-_", "subtract_duration_duration", "(duration, duration) -> duration", subtract_to_duration,
       "Difference; a fault past the range of duration."},

      {"_*_", "multiply_int64", "(int, int) -> int", multiply_int, "Product; a fault past the range of int."},
      {"_*_", "multiply_uint64", "(uint, uint) -> uint", multiply_uint, "Product; a fault past the range of uint."},
      {"_*_", "multiply_double", "(double, double) -> double", multiply_double, "Product, by IEEE 754.", nullptr,
       kNeverFaults},

      {"_/_", "divide_int64", "(int, int) -> int", divide_int,
       "Quotient, truncated towards zero; a fault if the divisor is zero."},
      {"_/_", "divide_uint64", "(uint, uint) -> uint", divide_uint,
       "Quotient, truncated; a fault if the divisor is zero."},
      {"_/_", "divide_double", "(double, double) -> double", divide_double, "Quotient, by IEEE 754.", nullptr,
       kNeverFaults},

      {"_%_", "modulo_int64", "(int, int) -> int", modulo_int,
       "Remainder, with the sign of the dividend; a fault if the divisor is zero."},
      {"_%_", "modulo_uint64", "(uint, uint) -> uint", modulo_uint, "Remainder; a fault if the divisor is zero."},

      {"-_", "negate_int64", "(int) -> int", negate_int,
       "The number with its sign inverted; a fault for the least int."},
      {"-_", "negate_double", "(double) -> double", negate_double, "The number with its sign inverted.", nullptr,
       kNeverFaults},
  };
  add_rows(table, rows);
  for (const Order& order : kOrders) add_order(table, order);
}

}  // namespace ordain::stdlib
