// Operations on values that take more than an instruction: access, building and iteration of
// containers. The interpreter, native code and the standard library share this one definition.
#pragma once

#include "ordain/eval.h"
#include "vm/value/private_api.h"

namespace ordain::ops {

// Each returns false after setting eval.fault. Native code calls them by address.
ORDAIN_PRIVATE_API bool select(Eval& eval, const Value& operand, const Value& field, Value* out);
ORDAIN_PRIVATE_API bool has_field(Eval& eval, const Value& operand, const Value& field, Value* out);
ORDAIN_PRIVATE_API bool select_optional(Eval& eval, const Value& operand, const Value& field, Value* out);
ORDAIN_PRIVATE_API bool index(Eval& eval, const Value& operand, const Value& key, Value* out);
ORDAIN_PRIVATE_API bool index_optional(Eval& eval, const Value& operand, const Value& key, Value* out);
/// Makes an optional that holds a copy of `value`.
ORDAIN_PRIVATE_API bool make_optional(Eval& eval, const Value& value, Value* out);

ORDAIN_PRIVATE_API bool list_new(Eval& eval, uint32_t room, Value* builder);
ORDAIN_PRIVATE_API bool list_push(Eval& eval, Value& builder, const Value& element);
ORDAIN_PRIVATE_API bool list_push_optional(Eval& eval, Value& builder, const Value& element);
ORDAIN_PRIVATE_API bool list_done(Eval& eval, const Value& builder, Value* out);
ORDAIN_PRIVATE_API bool map_new(Eval& eval, uint32_t room, Value* builder);
ORDAIN_PRIVATE_API bool map_put(Eval& eval, Value& builder, const Value& key, const Value& value);
ORDAIN_PRIVATE_API bool map_put_optional(Eval& eval, Value& builder, const Value& key, const Value& value);
ORDAIN_PRIVATE_API bool map_merge(Eval& eval, Value& builder, const Value& map);
ORDAIN_PRIVATE_API bool map_done(Eval& eval, const Value& builder, Value* out);

ORDAIN_PRIVATE_API bool iter_size(Eval& eval, const Value& container, Value* out);
// Give null if `at` is out of range or `container` is neither a list nor a map: bytecode cannot
// make them read out of bounds.
ORDAIN_PRIVATE_API Value iter_item(const Value& container, int64_t at);
ORDAIN_PRIVATE_API Value iter_key(const Value& container, int64_t at);
ORDAIN_PRIVATE_API Value iter_value(const Value& container, int64_t at);

}  // namespace ordain::ops
