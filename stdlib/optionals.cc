// optionals.cc implements optional values. The language itself implements a.?b, a[?b] and [?a];
// b[?c] is in containers.cc with the other indexing.
#include <algorithm>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool of(Eval& eval, const Value* args, Value* result) {
  auto* value = eval.array<Value>(1);
  if (value == nullptr) return false;
  *value = args[0];
  return give(result, Value::optional(value));
}

bool is_zero(const Value& value) {
  switch (value.kind) {
    case Kind::null:
      return true;
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
      return value.i == 0;
    case Kind::floating:
      return value.d == 0;
    case Kind::string:
    case Kind::bytes:
    case Kind::list:
      return value.aux == 0;
    case Kind::map:
      return value.map->count == 0;
    case Kind::timestamp:
    case Kind::duration:
      return value.i == 0 && value.aux == 0;
    default:
      return false;
  }
}
bool of_non_zero(Eval& eval, const Value* args, Value* result) {
  if (is_zero(args[0])) return give(result, Value::optional(nullptr));
  return of(eval, args, result);
}
bool none(Eval&, const Value*, Value* result) { return give(result, Value::optional(nullptr)); }

bool has_value(Eval&, const Value* args, Value* result) {
  return give(result, Value::boolean(args[0].items != nullptr));
}
bool value(Eval& eval, const Value* args, Value* result) {
  if (args[0].items == nullptr) return eval.fail(FaultCode::empty_optional);
  return give(result, *args[0].items);
}
bool or_other(Eval&, const Value* args, Value* result) {
  return give(result, args[0].items != nullptr ? args[0] : args[1]);
}
bool or_value(Eval&, const Value* args, Value* result) {
  return give(result, args[0].items != nullptr ? *args[0].items : args[1]);
}

bool unwrap(Eval& eval, const Value* args, Value* result) {
  size_t count = 0;
  for (const Value& element : args[0].as_list()) {
    if (!element.is(Kind::optional)) return no_overload(eval, "optional.unwrap");
    count += element.items != nullptr ? 1 : 0;
  }
  if (count == 0) return give(result, Value::list({}));
  auto* out = eval.array<Value>(count);
  if (out == nullptr) return false;
  Value* put = out;
  for (const Value& element : args[0].as_list()) {
    if (element.items != nullptr) *put++ = *element.items;
  }
  return give(result, Value::list({out, count}));
}

}  // namespace

void add_optionals(FunctionTable& table) {
  const Overload rows[] = {
      {"optional.of", "optional_of", "(A) -> optional_type(A)", of, "An optional that has the value."},
      {"optional.ofNonZeroValue", "optional_ofNonZeroValue", "(A) -> optional_type(A)", of_non_zero,
       "An optional that has the value, unless it is null, false, zero or empty."},
      {"optional.none", "optional_none", "() -> optional_type(A)", none, "An optional without a value.", nullptr,
       kNeverFaults},
      {"optional.unwrap", "optional_unwrap", "(list(optional_type(A))) -> list(A)", unwrap,
       "The values of those optionals that have one.", first_list_cost},
      {"unwrapOpt", "optional_unwrapOpt", "list(optional_type(A)).() -> list(A)", unwrap,
       "The values of those optionals that have one.", first_list_cost},
      {"hasValue", "optional_hasValue", "optional_type(A).() -> bool", has_value, "Whether there is a value.", nullptr,
       kNeverFaults},
      {"value", "optional_value", "optional_type(A).() -> A", value, "The value; a fault if there is none."},
      {"or", "optional_or_optional", "optional_type(A).(optional_type(A)) -> optional_type(A)", or_other,
       "The first optional if it has a value, else the second.", nullptr, kNeverFaults},
      {"orValue", "optional_orValue_value", "optional_type(A).(A) -> A", or_value, "The value, or else the other.",
       nullptr, kNeverFaults},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
