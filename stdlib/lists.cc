// lists.cc implements slicing, sorting and flattening of lists.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool slice(Eval& eval, const Value* args, Value* result) {
  int64_t begin = args[1].i;
  int64_t end = args[2].i;
  if (begin < 0) return eval.fail(FaultCode::index_out_of_bounds, args[1]);
  if (end < 0 || end > int64_t{args[0].aux}) return eval.fail(FaultCode::index_out_of_bounds, args[2]);
  if (begin > end) return fail_with(eval, FaultCode::invalid_argument, "slice ends before it starts");
  return give(result, Value::list({args[0].items + begin, static_cast<size_t>(end - begin)}));
}

bool first(Eval&, const Value* args, Value* result) {
  return give(result, Value::optional(args[0].aux == 0 ? nullptr : args[0].items));
}
bool last(Eval&, const Value* args, Value* result) {
  return give(result, Value::optional(args[0].aux == 0 ? nullptr : args[0].items + (args[0].aux - 1)));
}

bool reverse(Eval& eval, const Value* args, Value* result) {
  std::span<const Value> list = args[0].as_list();
  if (list.size() < 2) return give(result, args[0]);
  auto* out = eval.array<Value>(list.size());
  if (out == nullptr) return false;
  std::reverse_copy(list.begin(), list.end(), out);
  return give(result, Value::list({out, list.size()}));
}

bool range(Eval& eval, const Value* args, Value* result) {
  if (args[0].i < 0) return fail_with(eval, FaultCode::invalid_argument, "lists.range: the number is negative");
  if (args[0].i == 0) return give(result, Value::list({}));
  if (args[0].i > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  if (!eval.charge(args[0].u)) return false;
  auto* out = eval.array<Value>(args[0].u);
  if (out == nullptr) return false;
  for (int64_t i = 0; i < args[0].i; ++i) out[i] = Value::integer(i);
  return give(result, Value::list({out, args[0].u}));
}

// Flattens in two passes, so that memory is taken only once: it counts while `out` is nullptr, and
// fills `out` otherwise.
bool flatten_into(Eval& eval, std::span<const Value> list, int64_t levels, int depth, Value* out, uint64_t* count) {
  if (depth > kMaxDepth) return fail_with(eval, FaultCode::invalid_argument, "value is nested too deeply");
  for (const Value& element : list) {
    if (!eval.charge(1)) return false;
    if (element.is(Kind::list) && levels > 0) {
      if (!flatten_into(eval, element.as_list(), levels - 1, depth + 1, out, count)) return false;
    } else {
      if (out != nullptr) out[*count] = element;
      ++*count;
    }
  }
  return true;
}
bool flatten_levels(Eval& eval, const Value& list, int64_t levels, Value* result) {
  uint64_t count = 0;
  if (!flatten_into(eval, list.as_list(), levels, 0, nullptr, &count)) return false;
  if (count == 0) return give(result, Value::list({}));
  if (count > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<Value>(count);
  if (out == nullptr) return false;
  count = 0;
  if (!flatten_into(eval, list.as_list(), levels, 0, out, &count)) return false;
  return give(result, Value::list({out, count}));
}
bool flatten(Eval& eval, const Value* args, Value* result) { return flatten_levels(eval, args[0], 1, result); }
bool flatten_some(Eval& eval, const Value* args, Value* result) {
  if (args[1].i < 0) return fail_with(eval, FaultCode::invalid_argument, "flatten to a negative depth");
  return flatten_levels(eval, args[0], args[1].i, result);
}

bool has_order(Kind kind) {
  switch (kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::string:
    case Kind::bytes:
    case Kind::timestamp:
    case Kind::duration:
      return true;
    default:
      return false;
  }
}

// @returns whether all keys are of one kind that has an order. Charges for about n log n
// comparisons, of the longest text if the keys are texts.
bool sortable(Eval& eval, std::span<const Value> keys) {
  uint64_t longest = 0;
  for (const Value& key : keys) {
    if (!has_order(key.kind)) return fail_with(eval, FaultCode::invalid_argument, "elements cannot be sorted");
    if (key.kind != keys[0].kind) {
      return fail_with(eval, FaultCode::invalid_argument, "elements to sort are of different types");
    }
    if (key.is(Kind::string) || key.is(Kind::bytes)) longest = std::max<uint64_t>(longest, bytes_cost(key.aux));
  }
  return eval.charge(keys.size() * std::bit_width(keys.size()) * (2 + longest));
}

// A total order of values of one kind, with NaN before all numbers.
bool before(const Value& a, const Value& b) {
  if (a.is(Kind::floating) && (std::isnan(a.d) || std::isnan(b.d))) return std::isnan(a.d) && !std::isnan(b.d);
  return compare(a, b) == Ordering::less;
}

// Puts the elements in the order of their keys; elements with equal keys keep their order.
bool sort_by_keys(Eval& eval, std::span<const Value> list, std::span<const Value> keys, Value* result) {
  if (list.size() != keys.size()) {
    return fail_with(eval, FaultCode::invalid_argument, "there are not as many keys as elements");
  }
  if (list.empty()) return give(result, Value::list({}));
  if (!sortable(eval, keys)) return false;
  auto* order = eval.array<uint32_t>(list.size());
  auto* out = order == nullptr ? nullptr : eval.array<Value>(list.size());
  if (out == nullptr) return false;
  for (uint32_t i = 0; i < list.size(); ++i) order[i] = i;
  std::sort(order, order + list.size(), [&](uint32_t a, uint32_t b) {
    if (before(keys[a], keys[b])) return true;
    return a < b && !before(keys[b], keys[a]);
  });
  for (size_t i = 0; i < list.size(); ++i) out[i] = list[order[i]];
  return give(result, Value::list({out, list.size()}));
}
bool sort(Eval& eval, const Value* args, Value* result) {
  return sort_by_keys(eval, args[0].as_list(), args[0].as_list(), result);
}
bool sort_by(Eval& eval, const Value* args, Value* result) {
  return sort_by_keys(eval, args[0].as_list(), args[1].as_list(), result);
}

// Keeps the first of equal elements, using an open hash table of positions in the result.
bool distinct(Eval& eval, const Value* args, Value* result) {
  std::span<const Value> list = args[0].as_list();
  if (list.size() < 2) return give(result, args[0]);
  uint64_t weight = 0;
  if (!weigh(eval, args[0], &weight) || !eval.charge(weight)) return false;
  size_t slots = std::bit_ceil(list.size() * 2);
  auto* table = eval.array<uint32_t>(slots);
  auto* out = table == nullptr ? nullptr : eval.array<Value>(list.size());
  if (out == nullptr) return false;
  std::memset(table, 0, slots * sizeof *table);
  uint32_t count = 0;
  for (const Value& element : list) {
    size_t at = hash(element) & (slots - 1);
    while (table[at] != 0 && !equal(out[table[at] - 1], element)) {
      if (!eval.charge(1)) return false;
      at = (at + 1) & (slots - 1);
    }
    if (table[at] != 0) continue;
    out[count] = element;
    table[at] = ++count;
  }
  return give(result, Value::list({out, count}));
}

}  // namespace

void add_lists(FunctionTable& table) {
  const Overload rows[] = {
      {"slice", "list_slice", "list(A).(int, int) -> list(A)", slice, "The elements from one place to before another."},
      {"first", "list_first", "list(A).() -> optional_type(A)", first, "The first element, if there is one.", nullptr,
       kNeverFaults},
      {"last", "list_last", "list(A).() -> optional_type(A)", last, "The last element, if there is one.", nullptr,
       kNeverFaults},
      {"reverse", "list_reverse", "list(A).() -> list(A)", reverse, "The elements in reverse order.", first_list_cost},
      {"lists.range", "lists_range", "(int) -> list(int)", range,
       "The ints from 0 to before the number; a fault if it is negative."},
      {"flatten", "list_flatten", "list(list(A)).() -> list(A)", flatten,
       "The elements of the inner lists; elements that are not lists stay."},
      {"flatten", "list_flatten_int", "list(dyn).(int) -> list(dyn)", flatten_some,
       "The same, as many levels deep as the number says."},
      {"sort", "list_sort", "list(A).() -> list(A)", sort,
       "The elements in order; a fault if they are of several types or have no order."},
      {"@sortByAssociatedKeys", "list_@sortByAssociatedKeys", "list(A).(list(B)) -> list(A)", sort_by,
       "The elements in the order of the keys in the other list; what sortBy(x, key) means."},
      {"distinct", "list_distinct", "list(A).() -> list(A)", distinct,
       "The list without elements equal to an earlier one.", first_list_cost},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
