// The operations that Eval offers to functions, apart from its inline bookkeeping.
#include "ordain/eval.h"

#include <cstring>

namespace ordain {
namespace {

bool make_text(Eval& eval, std::string_view text, Kind kind, Value* out) {
  if (text.size() > UINT32_MAX) return eval.fail(FaultCode::memory_budget);
  Value made = kind == Kind::string ? Value::string({}) : Value::bytes({});
  if (!text.empty()) {
    char* copy = static_cast<char*>(eval.allocate(text.size()));
    if (copy == nullptr) return false;
    std::memcpy(copy, text.data(), text.size());
    made.text = copy;
    made.aux = static_cast<uint32_t>(text.size());
  }
  *out = made;
  return true;
}

constexpr uint64_t kEntryCost = 8;  // for looking up the key

bool compare_deep(Eval& eval, const Value& a, const Value& b, int depth, bool* out);

bool is_whole(Kind kind) { return kind == Kind::integer || kind == Kind::unsigned_integer || kind == Kind::boolean; }

bool compare_lists(Eval& eval, const Value& a, const Value& b, int depth, bool* out) {
  *out = a.aux == b.aux;
  for (uint32_t n = 0; *out && n < a.aux; ++n) {
    if (!eval.charge(1)) return false;
    const Value &x = a.items[n], &y = b.items[n];
    if (x.kind == y.kind && is_whole(x.kind)) {
      *out = x.i == y.i;
    } else if (!compare_deep(eval, x, y, depth, out)) {
      return false;
    }
  }
  return true;
}

bool compare_maps(Eval& eval, const MapRep& a, const MapRep& b, int depth, bool* out) {
  *out = a.count == b.count;
  for (uint32_t n = 0; *out && n < a.count; ++n) {
    const MapEntry& entry = a.entries[n];
    if (!eval.charge(kEntryCost) || !eval.charge_text(entry.key)) return false;
    const Value* other = map_find(b, entry.key);
    *out = other != nullptr;
    if (*out && !compare_deep(eval, entry.value, *other, depth, out)) return false;
  }
  return true;
}

bool compare_deep(Eval& eval, const Value& a, const Value& b, int depth, bool* out) {
  if (a.kind == b.kind && depth < kMaxValueDepth) {
    switch (a.kind) {
      case Kind::string:
      case Kind::bytes:
        if (a.aux == b.aux && !eval.charge_text(a)) return false;
        break;
      case Kind::list:
        return compare_lists(eval, a, b, depth + 1, out);
      case Kind::map:
        return compare_maps(eval, *a.map, *b.map, depth + 1, out);
      case Kind::optional:
        if (a.items == nullptr || b.items == nullptr) break;
        return eval.charge(1) && compare_deep(eval, *a.items, *b.items, depth + 1, out);
      default:
        break;
    }
  }
  *out = depth < kMaxValueDepth && equal(a, b);
  return true;
}

}  // namespace

bool equal(Eval& eval, const Value& a, const Value& b, bool* out) { return compare_deep(eval, a, b, 0, out); }

bool Eval::make_string(std::string_view text, Value* out) { return make_text(*this, text, Kind::string, out); }

bool Eval::make_bytes(std::string_view data, Value* out) { return make_text(*this, data, Kind::bytes, out); }

bool Eval::fail(FaultCode code, std::string_view message) {
  Value detail;
  char* copy = message.size() > UINT32_MAX ? nullptr : static_cast<char*>(arena->allocate(message.size(), 1));
  if (copy != nullptr) {
    if (!message.empty()) std::memcpy(copy, message.data(), message.size());
    detail = Value::string({copy, message.size()});
  }
  return fail(code, detail);
}

}  // namespace ordain
