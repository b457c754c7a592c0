// What Eval offers to functions beyond inline bookkeeping.
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

}  // namespace

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
