// math.cc implements operations on numbers: greatest and least, rounding, signs, bits.
#include <cmath>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool is_number(const Value& value) {
  return value.is(Kind::integer) || value.is(Kind::unsigned_integer) || value.is(Kind::floating);
}

// Finds the best of some numbers; of equal numbers it returns the first.
template <Ordering wanted>
bool first_best(Eval&, const Value* args, Value* result) {
  return give(result, compare(args[1], args[0]) == wanted ? args[1] : args[0]);
}
bool itself(Eval&, const Value* args, Value* result) { return give(result, args[0]); }

// The kind that a list declares binds no program from elsewhere: its lists may hold anything. So the
// elements are checked for the kind that the result must have; Kind::absent: any number.
template <Ordering wanted, Kind kind>
bool best_of(Eval& eval, const Value* args, Value* result) {
  constexpr std::string_view kName = wanted == Ordering::greater ? "math.greatest" : "math.least";
  std::span<const Value> list = args[0].as_list();
  if (list.empty()) return fail_with(eval, FaultCode::invalid_argument, "the list of numbers is empty");
  Value best = list[0];
  for (const Value& number : list) {
    if (kind == Kind::absent ? !is_number(number) : !number.is(kind)) return no_overload(eval, kName);
    if (compare(number, best) == wanted) best = number;
  }
  return give(result, best);
}

template <Ordering wanted>
void add_best(FunctionTable& table, const std::string& name, const std::string& id, const std::string& word) {
  constexpr const char* kTypes[] = {"int", "uint", "double"};
  constexpr const char* kIds[] = {"int", "uint", "double"};
  for (int a = 0; a < 3; ++a) {
    table.add({name, id + "_" + kIds[a], std::string("(") + kTypes[a] + ") -> " + kTypes[a], itself,
               "The number itself.", nullptr, kNeverFaults});
  }
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      std::string types = std::string("(") + kTypes[a] + ", " + kTypes[b] + ") -> " + (a == b ? kTypes[a] : "dyn");
      table.add({name, id + "_" + kIds[a] + "_" + kIds[b], types, first_best<wanted>,
                 "The " + word + " of the numbers; the first of equal ones.", nullptr, kNeverFaults});
    }
  }
  constexpr bool (*kBestOf[])(Eval&, const Value*, Value*) = {
      best_of<wanted, Kind::integer>, best_of<wanted, Kind::unsigned_integer>, best_of<wanted, Kind::floating>};
  for (int a = 0; a < 3; ++a) {
    table.add({name, id + "_list_" + kIds[a], std::string("(list(") + kTypes[a] + ")) -> " + kTypes[a], kBestOf[a],
               "The " + word + " number of the list; a fault if it is empty.", first_list_cost, kTypedElements});
  }
  table.add({name, id + "_list_dyn", "(list(dyn)) -> dyn", best_of<wanted, Kind::absent>,
             "The " + word + " number of the list; a fault if it is empty.", first_list_cost});
}

template <double (*function)(double)>
bool apply(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(function(args[0].d)));
}
double ceil_of(double value) { return std::ceil(value); }
double floor_of(double value) { return std::floor(value); }
double round_of(double value) { return std::round(value); }
double trunc_of(double value) { return std::trunc(value); }
double abs_of(double value) { return std::fabs(value); }
double sqrt_of(double value) { return std::sqrt(value); }
double sign_of(double value) { return std::isnan(value) ? value : static_cast<double>((value > 0) - (value < 0)); }

bool abs_int(Eval& eval, const Value* args, Value* result) {
  if (args[0].i == INT64_MIN) return eval.fail(FaultCode::overflow);
  return give(result, Value::integer(args[0].i < 0 ? -args[0].i : args[0].i));
}
bool sign_int(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer((args[0].i > 0) - (args[0].i < 0)));
}
bool sign_uint(Eval&, const Value* args, Value* result) {
  return give(result, Value::unsigned_integer(args[0].u > 0 ? 1 : 0));
}
bool sqrt_int(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(std::sqrt(static_cast<double>(args[0].i))));
}
bool sqrt_uint(Eval&, const Value* args, Value* result) {
  return give(result, Value::floating(std::sqrt(static_cast<double>(args[0].u))));
}

bool is_nan(Eval&, const Value* args, Value* result) { return give(result, Value::boolean(std::isnan(args[0].d))); }
bool is_inf(Eval&, const Value* args, Value* result) { return give(result, Value::boolean(std::isinf(args[0].d))); }
bool is_finite(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(std::isfinite(args[0].d)));
}

// Replaces the bits of a number, signed or unsigned; its kind is kept.
Value with_bits(const Value& like, uint64_t bits) {
  Value out = like;
  out.u = bits;
  return out;
}
bool bit_and(Eval&, const Value* args, Value* result) {
  return give(result, with_bits(args[0], args[0].u & args[1].u));
}
bool bit_or(Eval&, const Value* args, Value* result) { return give(result, with_bits(args[0], args[0].u | args[1].u)); }
bool bit_xor(Eval&, const Value* args, Value* result) {
  return give(result, with_bits(args[0], args[0].u ^ args[1].u));
}
bool bit_not(Eval&, const Value* args, Value* result) { return give(result, with_bits(args[0], ~args[0].u)); }

bool negative_shift(Eval& eval) {
  return fail_with(eval, FaultCode::invalid_argument, "bit shift by a negative number");
}
bool shift_left(Eval& eval, const Value* args, Value* result) {
  if (args[1].i < 0) return negative_shift(eval);
  return give(result, with_bits(args[0], args[1].i > 63 ? 0 : args[0].u << args[1].i));
}
bool shift_right(Eval& eval, const Value* args, Value* result) {
  if (args[1].i < 0) return negative_shift(eval);
  return give(result, with_bits(args[0], args[1].i > 63 ? 0 : args[0].u >> args[1].i));
}

}  // namespace

void add_math(FunctionTable& table) {
  add_best<Ordering::greater>(table, "math.greatest", "math_@max", "greatest");
  add_best<Ordering::less>(table, "math.least", "math_@min", "least");
  const Overload rows[] = {
      {"math.ceil", "math_ceil_double", "(double) -> double", apply<ceil_of>, "The next whole number up.", nullptr,
       kNeverFaults},
      {"math.floor", "math_floor_double", "(double) -> double", apply<floor_of>, "The next whole number down.", nullptr,
       kNeverFaults},
      {"math.round", "math_round_double", "(double) -> double", apply<round_of>,
       "The nearest whole number; halves go away from zero.", nullptr, kNeverFaults},
      {"math.trunc", "math_trunc_double", "(double) -> double", apply<trunc_of>, "The number without its fraction.",
       nullptr, kNeverFaults},
      {"math.abs", "math_abs_int", "(int) -> int", abs_int, "The number without its sign; a fault for the least int."},
      {"math.abs", "math_abs_uint", "(uint) -> uint", itself, "The number itself.", nullptr, kNeverFaults},
      {"math.abs", "math_abs_double", "(double) -> double", apply<abs_of>, "The number without its sign.", nullptr,
       kNeverFaults},
      {"math.sign", "math_sign_int", "(int) -> int", sign_int, "-1, 0 or 1.", nullptr, kNeverFaults},
      {"math.sign", "math_sign_uint", "(uint) -> uint", sign_uint, "0u or 1u.", nullptr, kNeverFaults},
      {"math.sign", "math_sign_double", "(double) -> double", apply<sign_of>, "-1.0, 0.0, 1.0 or NaN.", nullptr,
       kNeverFaults},
      {"math.sqrt", "math_sqrt_int", "(int) -> double", sqrt_int, "The square root; NaN below zero.", nullptr,
       kNeverFaults},
      {"math.sqrt", "math_sqrt_uint", "(uint) -> double", sqrt_uint, "The square root.", nullptr, kNeverFaults},
      {"math.sqrt", "math_sqrt_double", "(double) -> double", apply<sqrt_of>, "The square root; NaN below zero.",
       nullptr, kNeverFaults},
      {"math.isNaN", "math_isNaN_double", "(double) -> bool", is_nan, "Whether it is not a number.", nullptr,
       kNeverFaults},
      {"math.isInf", "math_isInf_double", "(double) -> bool", is_inf, "Whether it is infinite.", nullptr, kNeverFaults},
      {"math.isFinite", "math_isFinite_double", "(double) -> bool", is_finite,
       "Whether it is neither infinite nor NaN.", nullptr, kNeverFaults},
      {"math.bitAnd", "math_bitAnd_int_int", "(int, int) -> int", bit_and, "The bits that both have.", nullptr,
       kNeverFaults},
      {"math.bitAnd", "math_bitAnd_uint_uint", "(uint, uint) -> uint", bit_and, "The bits that both have.", nullptr,
       kNeverFaults},
      {"math.bitOr", "math_bitOr_int_int", "(int, int) -> int", bit_or, "The bits that either has.", nullptr,
       kNeverFaults},
      {"math.bitOr", "math_bitOr_uint_uint", "(uint, uint) -> uint", bit_or, "The bits that either has.", nullptr,
       kNeverFaults},
      {"math.bitXor", "math_bitXor_int_int", "(int, int) -> int", bit_xor, "The bits that exactly one of them has.",
       nullptr, kNeverFaults},
      {"math.bitXor", "math_bitXor_uint_uint", "(uint, uint) -> uint", bit_xor,
       "The bits that exactly one of them has.", nullptr, kNeverFaults},
      {"math.bitNot", "math_bitNot_int_int", "(int) -> int", bit_not, "The number with every bit inverted.", nullptr,
       kNeverFaults},
      {"math.bitNot", "math_bitNot_uint_uint", "(uint) -> uint", bit_not, "The number with every bit inverted.",
       nullptr, kNeverFaults},
      {"math.bitShiftLeft", "math_bitShiftLeft_int_int", "(int, int) -> int", shift_left,
       "The bits moved up; 0 from 64 places on, a fault for less than 0."},
      {"math.bitShiftLeft", "math_bitShiftLeft_uint_int", "(uint, int) -> uint", shift_left,
       "The bits moved up; 0 from 64 places on, a fault for less than 0."},
      {"math.bitShiftRight", "math_bitShiftRight_int_int", "(int, int) -> int", shift_right,
       "The bits moved down, zeros entering; 0 from 64 places on, a fault for less than 0."},
      {"math.bitShiftRight", "math_bitShiftRight_uint_int", "(uint, int) -> uint", shift_right,
       "The bits moved down, zeros entering; 0 from 64 places on, a fault for less than 0."},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
