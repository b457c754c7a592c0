// containers.cc implements membership, indexing and size of lists, maps, strings and bytes.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "stdlib/rows.h"
#include "stdlib/utf8.h"
#include "vm/value/ops.h"

namespace ordain::stdlib {
namespace {

// Comparing the needle with one element costs at most as much as walking the needle. Charging for
// that per element keeps nests of shared lists bounded.
bool charge_needle(Eval& eval, const Value* args) {
  uint64_t weight = 0;
  return weigh(eval, args[0], &weight) && eval.charge((weight - 1) * args[1].aux);
}

bool in_list(Eval& eval, const Value* args, Value* result) {
  if (args[0].kind >= Kind::list || args[0].is(Kind::string) || args[0].is(Kind::bytes)) {
    if (!charge_needle(eval, args)) return false;
  }
  if (args[0].is(Kind::integer)) {  // the common case of an int, inline
    for (const Value& element : args[1].as_list()) {
      const bool same = element.is(Kind::integer) ? element.i == args[0].i : equal(args[0], element);
      if (same) return give(result, Value::boolean(true));
    }
    return give(result, Value::boolean(false));
  }
  for (const Value& element : args[1].as_list()) {
    if (equal(args[0], element)) return give(result, Value::boolean(true));
  }
  return give(result, Value::boolean(false));
}
uint64_t in_list_cost(const Value* args) { return args[1].aux; }

// The elements of a constant list, sorted once so that an int or a string is not compared with
// every element.
struct Members {
  std::vector<int64_t> ints;              // all elements, if they are ints
  std::vector<std::string_view> strings;  // all elements, if they are strings; views
};

bool all_of_kind(const Value& list, Kind kind) {
  return std::ranges::all_of(list.as_list(), [kind](const Value& element) { return element.is(kind); });
}

std::shared_ptr<const void> prepare_members(const Value& list, std::string*) {
  auto members = std::make_shared<Members>();
  const bool ints = all_of_kind(list, Kind::integer), strings = all_of_kind(list, Kind::string);
  for (const Value& element : list.as_list()) {
    if (ints) members->ints.push_back(element.i);
    if (strings) members->strings.push_back(element.as_text());
  }
  std::ranges::sort(members->ints);
  std::ranges::sort(members->strings);
  return members;
}

bool in_members(Eval& eval, const void* prepared, const Value* args, Value* result) {
  const auto& members = *static_cast<const Members*>(prepared);
  if (args[0].is(Kind::integer) && !members.ints.empty()) {
    return give(result, Value::boolean(std::ranges::binary_search(members.ints, args[0].i)));
  }
  if (args[0].is(Kind::string) && !members.strings.empty()) {
    if (!charge_needle(eval, args)) return false;
    return give(result, Value::boolean(std::ranges::binary_search(members.strings, args[0].as_text())));
  }
  return in_list(eval, args, result);
}

bool in_map(Eval& eval, const Value* args, Value* result) {
  if (!eval.charge_text(args[0])) return false;
  return give(result, Value::boolean(map_find(*args[1].map, args[0]) != nullptr));
}

bool index(Eval& eval, const Value* args, Value* result) { return ops::index(eval, args[0], args[1], result); }

bool index_optional(Eval& eval, const Value* args, Value* result) {
  return ops::index_optional(eval, args[0], args[1], result);
}

bool size_of_text(Eval&, const Value* args, Value* result) {
  return give(result, Value::integer(static_cast<int64_t>(count_code_points(args[0].as_text()))));
}
bool size_by_aux(Eval&, const Value* args, Value* result) { return give(result, Value::integer(args[0].aux)); }
bool size_of_map(Eval&, const Value* args, Value* result) { return give(result, Value::integer(args[0].map->count)); }

}  // namespace

void add_containers(FunctionTable& table) {
  const Overload rows[] = {
      {"@in",
       "in_list",
       "(A, list(A)) -> bool",
       in_list,
       "Whether an element of the list equals the value.",
       in_list_cost,
       kPlain,
       {1, prepare_members, in_members, nullptr},
       Intrinsic::in_list},
      {"@in", "in_map", "(A, map(A, B)) -> bool", in_map, "Whether the map has the key."},

      {"_[_]", "index_list", "(list(A), int) -> A", index, "The element at an index from 0; a fault past the end."},
      {"_[_]", "index_map", "(map(A, B), A) -> B", index, "The value of a key; a fault if there is none."},
      {"_[_]", "optional_list_index_int", "(optional_type(list(A)), int) -> optional_type(A)", index,
       "The element at an index from 0, if there is a list and it is that long."},
      {"_[_]", "optional_map_index_value", "(optional_type(map(A, B)), A) -> optional_type(B)", index,
       "The value of a key, if there is a map and it has the key."},

      {"_[?_]", "list_optindex_optional_int", "(list(A), int) -> optional_type(A)", index_optional,
       "The element at an index from 0, if the list is that long."},
      {"_[?_]", "map_optindex_optional_value", "(map(A, B), A) -> optional_type(B)", index_optional,
       "The value of a key, if the map has it."},
      {"_[?_]", "optional_list_optindex_optional_int", "(optional_type(list(A)), int) -> optional_type(A)",
       index_optional, "The element at an index from 0, if there is a list and it is that long."},
      {"_[?_]", "optional_map_optindex_optional_value", "(optional_type(map(A, B)), A) -> optional_type(B)",
       index_optional, "The value of a key, if there is a map and it has the key."},

      {"size", "size_string", "(string) -> int", size_of_text, "The number of code points.", first_text_cost},
      {"size", "size_bytes", "(bytes) -> int", size_by_aux, "The number of bytes.", nullptr, kNeverFaults},
      {"size", "size_list", "(list(A)) -> int", size_by_aux, "The number of elements.", nullptr, kNeverFaults},
      {"size", "size_map", "(map(A, B)) -> int", size_of_map, "The number of entries.", nullptr, kNeverFaults},
      {"size", "string_size", "string.() -> int", size_of_text, "The number of code points.", first_text_cost},
      {"size", "bytes_size", "bytes.() -> int", size_by_aux, "The number of bytes.", nullptr, kNeverFaults},
      {"size", "list_size", "list(A).() -> int", size_by_aux, "The number of elements.", nullptr, kNeverFaults},
      {"size", "map_size", "map(A, B).() -> int", size_of_map, "The number of entries.", nullptr, kNeverFaults},
  };
  add_rows(table, rows);
}

}  // namespace ordain::stdlib
