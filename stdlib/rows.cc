// rows.cc weighs values, which bounds the cost of a deep walk or comparison.
#include "stdlib/rows.h"

namespace ordain::stdlib {

bool weigh(Eval& eval, const Value& value, uint64_t* weight, int depth) {
  if (depth > kMaxDepth) return fail_with(eval, FaultCode::invalid_argument, "value is nested too deeply");
  if (!eval.charge(1)) return false;
  *weight += 1;
  switch (value.kind) {
    case Kind::string:
    case Kind::bytes:
      *weight += bytes_cost(value.aux);
      return true;
    case Kind::list:
      for (const Value& element : value.as_list()) {
        if (!weigh(eval, element, weight, depth + 1)) return false;
      }
      return true;
    case Kind::map:
      for (const MapEntry& entry : value.map->all()) {
        if (!weigh(eval, entry.key, weight, depth + 1) || !weigh(eval, entry.value, weight, depth + 1)) return false;
      }
      return true;
    case Kind::optional:
      return value.items == nullptr || weigh(eval, *value.items, weight, depth + 1);
    default:
      return true;
  }
}

}  // namespace ordain::stdlib
