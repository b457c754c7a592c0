// rows.h holds the helpers that all groups of functions share: adding rows to the table, failing,
// and costs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ordain/eval.h"
#include "ordain/function.h"
#include "ordain/value.h"

namespace ordain::stdlib {

// Each group is one file. The order of rows within a name is the order in which overloads are tried
// on dyn arguments.
void add_operators(FunctionTable& table);
void add_containers(FunctionTable& table);
void add_conversions(FunctionTable& table);
void add_types(FunctionTable& table);
void add_strings(FunctionTable& table);
void add_strings_edit(FunctionTable& table);
void add_strings_format(FunctionTable& table);
void add_regex(FunctionTable& table);
void add_time(FunctionTable& table);
void add_math(FunctionTable& table);
void add_lists(FunctionTable& table);
void add_sets(FunctionTable& table);
void add_encoders(FunctionTable& table);
void add_optionals(FunctionTable& table);
void add_network(FunctionTable& table);
void add_texts(FunctionTable& table);
void add_paths(FunctionTable& table);
void add_shell(FunctionTable& table);
void add_json(FunctionTable& table);

inline void add_rows(FunctionTable& table, std::span<const Overload> rows) {
  for (const Overload& row : rows) table.add(row);
}

/// Sets the result of a row that cannot fail.
inline bool give(Value* result, Value value) {
  *result = value;
  return true;
}

/// Fails with a message that is never destroyed (a literal), so nothing is copied.
inline bool fail_with(Eval& eval, FaultCode code, std::string_view literal) {
  return eval.fail(code, Value::string(literal));
}

/// Fails for arguments that fit a row's kinds but not its types, such as a list(string) that
/// contains an int.
inline bool no_overload(Eval& eval, std::string_view function) {
  return eval.fail(FaultCode::no_such_overload, Value::string(function));
}

/// Makes a string of the first `size` bytes at `data`, which must be memory of `eval` or live
/// longer.
inline Value text_at(const char* data, size_t size) { return Value::string({data, size}); }

// Costs. One step covers about ten bytes read or copied, or one element.
inline uint64_t bytes_cost(size_t bytes) { return bytes / 10; }
inline uint64_t first_text_cost(const Value* args) { return bytes_cost(args[0].aux); }
inline uint64_t two_texts_cost(const Value* args) { return bytes_cost(size_t{args[0].aux} + args[1].aux); }
/// The cost of searching args[0] for args[1].
inline uint64_t search_cost(const Value* args) { return contains_cost(args[0].aux, args[1].aux); }
inline uint64_t first_list_cost(const Value* args) { return args[0].aux; }

/// The functions that walk values refuse values nested deeper than this.
inline constexpr int kMaxDepth = 256;

/// Counts the nodes of `value`, a string counting one more for every ten bytes, and charges one step for each node:
/// what a deep comparison or walk of it costs. @returns false on exhaustion, or on a nesting deeper than kMaxDepth.
bool weigh(Eval& eval, const Value& value, uint64_t* weight, int depth = 0);

}  // namespace ordain::stdlib
