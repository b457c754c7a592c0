// types.cc implements types as values, and dyn(), which escapes static typing.
#include "stdlib/rows.h"

namespace ordain::stdlib {
namespace {

bool type_of(Eval&, const Value* args, Value* result) { return give(result, Value::type(type_name(args[0].kind))); }
bool dyn(Eval&, const Value* args, Value* result) { return give(result, args[0]); }

}  // namespace

void add_types(FunctionTable& table) {
  const Overload rows[] = {
      {"type", "type", "(A) -> type(A)", type_of, "The type of a value, which compares with int, string, list ...",
       nullptr, kNeverFaults},
      {"dyn", "to_dyn", "(A) -> dyn", dyn, "The value, its type checked only when it is used.", nullptr, kNeverFaults},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
