// Operations that take more work than a simple instruction. They write `*out` only when they
// succeed: a faulting instruction leaves its destination unchanged.
#include "vm/value/ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace ordain::ops {
namespace {

bool give(Value* out, Value value) {
  *out = value;
  return true;
}

}  // namespace

bool make_optional(Eval& eval, const Value& value, Value* out) {
  Value* copy = eval.array<Value>(1);
  if (copy == nullptr) return false;
  *copy = value;
  return give(out, Value::optional(copy));
}

// --- records and maps

namespace {

// @returns the value inside nested optionals; nullptr if there is none
const Value* inside(const Value& operand) {
  const Value* from = &operand;
  while (from != nullptr && from->is(Kind::optional)) from = from->items;
  return from;
}

bool field_optional(Eval& eval, const Value& map, const Value& field, Value* out) {
  if (!map.is(Kind::map)) return eval.fail(FaultCode::no_such_overload);
  const Value* found = map_find(*map.map, field.as_text());
  return found == nullptr ? give(out, Value::optional(nullptr)) : make_optional(eval, *found, out);
}

}  // namespace

bool select(Eval& eval, const Value& operand, const Value& field, Value* out) {
  if (operand.is(Kind::map)) {
    const Value* found = map_find(*operand.map, field.as_text());
    return found != nullptr ? give(out, *found) : eval.fail(FaultCode::no_such_key, field);
  }
  if (!operand.is(Kind::optional)) return eval.fail(FaultCode::no_such_overload);
  // Unlike a test, a plain selection does not go through null.
  const Value* from = inside(operand);
  return from == nullptr ? give(out, Value::optional(nullptr)) : field_optional(eval, *from, field, out);
}

bool has_field(Eval& eval, const Value& operand, const Value& field, Value* out) {
  const Value* from = inside(operand);
  // A test may go through null: JSON writes null for an object that is absent.
  if (from == nullptr || from->is(Kind::null)) return give(out, Value::boolean(false));
  if (!from->is(Kind::map)) return eval.fail(FaultCode::no_such_overload);
  return give(out, Value::boolean(map_find(*from->map, field.as_text()) != nullptr));
}

bool select_optional(Eval& eval, const Value& operand, const Value& field, Value* out) {
  const Value* from = inside(operand);
  if (from == nullptr || from->is(Kind::null)) return give(out, Value::optional(nullptr));
  return field_optional(eval, *from, field, out);
}

namespace {

// Finds the list position that a key names, if the key is a whole number: 1, 1u and 1.0 name the
// same position. -1 is beyond any list.
bool list_place(const Value& key, int64_t* at) {
  switch (key.kind) {
    case Kind::integer:
      *at = key.i;
      return true;
    case Kind::unsigned_integer:
      *at = key.u > UINT32_MAX ? -1 : key.i;
      return true;
    case Kind::floating:
      if (std::trunc(key.d) != key.d) return false;
      *at = key.d >= 0 && key.d <= UINT32_MAX ? static_cast<int64_t>(key.d) : -1;
      return true;
    default:
      return false;
  }
}

enum class Found { yes, no, untyped };

Found find(const Value& container, const Value& key, const Value** found) {
  if (container.is(Kind::list)) {
    int64_t at = 0;
    if (!list_place(key, &at)) return Found::untyped;
    if (at < 0 || at >= int64_t{container.aux}) return Found::no;
    *found = &container.items[at];
    return Found::yes;
  }
  if (!container.is(Kind::map)) return Found::untyped;
  *found = map_find(*container.map, key);
  return *found == nullptr ? Found::no : Found::yes;
}

// Gives optional.none() if there is nothing to find. Otherwise the optional views the container's
// element.
bool find_optional(Eval& eval, const Value& operand, const Value& key, std::string_view name, Value* out) {
  if (!eval.charge_text(key)) return false;
  const Value* container = &operand;
  if (operand.is(Kind::optional)) {
    if (operand.items == nullptr) return give(out, Value::optional(nullptr));
    container = operand.items;
  }
  const Value* found = nullptr;
  if (find(*container, key, &found) == Found::untyped) {
    return eval.fail(FaultCode::no_such_overload, Value::string(name));
  }
  return give(out, Value::optional(found));
}

}  // namespace

bool index(Eval& eval, const Value& operand, const Value& key, Value* out) {
  if (operand.is(Kind::optional)) return find_optional(eval, operand, key, "_[_]", out);
  if (!eval.charge_text(key)) return false;
  const Value* found = nullptr;
  switch (find(operand, key, &found)) {
    case Found::yes:
      return give(out, *found);
    case Found::no:
      return eval.fail(operand.is(Kind::list) ? FaultCode::index_out_of_bounds : FaultCode::no_such_key, key);
    case Found::untyped:
      break;
  }
  return eval.fail(FaultCode::no_such_overload, Value::string("_[_]"));
}

bool index_optional(Eval& eval, const Value& operand, const Value& key, Value* out) {
  const Value* container = operand.is(Kind::optional) && operand.items != nullptr ? operand.items : &operand;
  if (container->is(Kind::null)) return eval.charge_text(key) && give(out, Value::optional(nullptr));
  return find_optional(eval, operand, key, "_[?_]", out);
}

// --- iteration

bool iter_size(Eval& eval, const Value& container, Value* out) {
  if (container.is(Kind::list)) return give(out, Value::integer(container.aux));
  if (container.is(Kind::map)) return give(out, Value::integer(container.map->count));
  return eval.fail(FaultCode::no_such_overload);
}

namespace {

bool in_list(const Value& container, int64_t at) {
  return container.is(Kind::list) && static_cast<uint64_t>(at) < container.aux;
}
bool in_map(const Value& container, int64_t at) {
  return container.is(Kind::map) && static_cast<uint64_t>(at) < container.map->count;
}

}  // namespace

Value iter_item(const Value& container, int64_t at) {
  if (in_list(container, at)) return container.items[at];
  return in_map(container, at) ? container.map->entries[at].key : Value::null();
}

Value iter_key(const Value& container, int64_t at) {
  return in_map(container, at) ? container.map->entries[at].key : Value::integer(at);
}

Value iter_value(const Value& container, int64_t at) {
  if (in_list(container, at)) return container.items[at];
  return in_map(container, at) ? container.map->entries[at].value : Value::null();
}

}  // namespace ordain::ops
