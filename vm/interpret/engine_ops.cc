// Implements what both engines share: reading absent slots, and calling prepared functions.
#include "vm/interpret/engine_ops.h"

namespace ordain::ops {

bool load_absent(Eval& eval, const ProgramData& data, SlotId id, Value* out) {
  const Slot& slot = data.schema.slots[id];
  if (slot.builtin) {
    *out = slot.type->kind == TypeKind::list ? Value::list({}) : Value::string("");
    return true;
  }
  const std::string_view path = slot.path;
  if (slot.host) return eval.fail(FaultCode::missing_context, Value::string(path));
  return eval.fail(FaultCode::no_such_field, Value::string(path.substr(path.rfind('.') + 1)));
}

bool call_prepared(Eval& eval, const LinkedPrepared& prepared, const Value* args, Value* out) {
  const Overload& overload = *prepared.overload;
  const Preparation& how = overload.preparation;
  const void* object = prepared.object.get();
  if (how.cost != nullptr) {
    if (!eval.charge(how.cost(object, args))) return false;
  } else if (overload.cost != nullptr && !eval.charge(overload.cost(args))) {
    return false;
  }
  return how.call(eval, object, args, out);
}

}  // namespace ordain::ops
