// texts.cc collects every string inside a value, so that a rule can search an output of any shape.
#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

// Walks depth first, a map's keys before their values. It counts the strings and, if `out` is not
// nullptr, writes them. Charges one step for each node.
bool collect(Eval& eval, const Value& value, int depth, Value* out, uint64_t* count) {
  if (depth > kMaxDepth) return fail_with(eval, FaultCode::invalid_argument, "value is nested too deeply");
  if (!eval.charge(1)) return false;
  switch (value.kind) {
    case Kind::string:
      if (out != nullptr) out[*count] = value;
      ++*count;
      return true;
    case Kind::list:
      for (const Value& element : value.as_list()) {
        if (!collect(eval, element, depth + 1, out, count)) return false;
      }
      return true;
    case Kind::map:
      for (const MapEntry& entry : value.map->all()) {
        if (!collect(eval, entry.key, depth + 1, out, count)) return false;
        if (!collect(eval, entry.value, depth + 1, out, count)) return false;
      }
      return true;
    case Kind::optional:
      return value.items == nullptr || collect(eval, *value.items, depth + 1, out, count);
    default:
      return true;
  }
}

bool texts(Eval& eval, const Value* args, Value* result) {
  uint64_t count = 0;
  if (!collect(eval, args[0], 0, nullptr, &count)) return false;
  if (count == 0) return give(result, Value::list({}));
  if (count > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  auto* out = eval.array<Value>(count);
  if (out == nullptr) return false;
  count = 0;
  if (!collect(eval, args[0], 0, out, &count)) return false;
  return give(result, Value::list({out, count}));
}

}  // namespace

void add_texts(FunctionTable& table) {
  table.add({"texts", "texts", "(dyn) -> list(string)", texts,
             "Every string inside a value, depth first, keys of maps included."});
}

}  // namespace ordain::stdlib
