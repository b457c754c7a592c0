// sets.cc treats lists as sets: order and repetition do not matter, and elements are compared by
// equality.
#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool is_in(const Value& value, std::span<const Value> list) {
  for (const Value& element : list) {
    if (equal(value, element)) return true;
  }
  return false;
}

bool all_in(std::span<const Value> part, std::span<const Value> list) {
  for (const Value& value : part) {
    if (!is_in(value, list)) return false;
  }
  return true;
}

// Charges for comparing every element of one list with every element of the other. Each comparison
// costs at most as much as walking the former element.
bool charge_pairs(Eval& eval, const Value& a, const Value& b) {
  uint64_t weight = 0;
  return weigh(eval, a, &weight) && eval.charge(weight * b.aux);
}

bool contains(Eval& eval, const Value* args, Value* result) {
  if (!charge_pairs(eval, args[1], args[0])) return false;
  return give(result, Value::boolean(all_in(args[1].as_list(), args[0].as_list())));
}

bool equivalent(Eval& eval, const Value* args, Value* result) {
  if (!charge_pairs(eval, args[0], args[1]) || !charge_pairs(eval, args[1], args[0])) return false;
  return give(result, Value::boolean(all_in(args[0].as_list(), args[1].as_list()) &&
                                     all_in(args[1].as_list(), args[0].as_list())));
}

bool intersects(Eval& eval, const Value* args, Value* result) {
  if (!charge_pairs(eval, args[0], args[1])) return false;
  for (const Value& value : args[0].as_list()) {
    if (is_in(value, args[1].as_list())) return give(result, Value::boolean(true));
  }
  return give(result, Value::boolean(false));
}

}  // namespace

void add_sets(FunctionTable& table) {
  const Overload rows[] = {
      {"sets.contains", "list_sets_contains_list", "(list(A), list(A)) -> bool", contains,
       "Whether the first list has every element of the second."},
      {"sets.equivalent", "list_sets_equivalent_list", "(list(A), list(A)) -> bool", equivalent,
       "Whether each list has every element of the other."},
      {"sets.intersects", "list_sets_intersects_list", "(list(A), list(A)) -> bool", intersects,
       "Whether the lists have an element in common."},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
