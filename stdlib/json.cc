// json.cc implements json.encode, which writes a value as JSON text for rules whose patterns expect
// JSON.
#include <cstring>

#include "ordain/json.h"
#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool encode(Eval& eval, const Value* args, Value* result) {
  uint64_t weight = 0;
  if (!weigh(eval, args[0], &weight)) return false;
  const std::string text = to_json(args[0]);
  if (!eval.charge(bytes_cost(text.size()))) return false;
  auto* out = eval.array<char>(text.size() + 1);
  if (out == nullptr) return false;
  std::memcpy(out, text.data(), text.size());
  return give(result, text_at(out, text.size()));
}

}  // namespace

void add_json(FunctionTable& table) {
  table.add({"json.encode", "json_encode", "(dyn) -> string", encode,
             "The value as JSON: keys sorted, no white space, times and durations as strings, bytes as base64.",
             nullptr, kMayLock});
}

}  // namespace ordain::stdlib
