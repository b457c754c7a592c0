// Functions that expressions may call. The standard library and a host register them as rows in
// the same way.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/eval.h"
#include "ordain/export.h"
#include "ordain/type.h"

namespace ordain {

/// Computes `*result` from `args`. There are as many arguments as the signature has (a receiver is
/// args[0]), and all are present values of its kinds. The function must be pure, thread-safe, and
/// must not throw. Results may view arguments and constants, or memory from `eval.allocate`.
/// @returns false after `eval.fail(...)`.
using FunctionImpl = bool (*)(Eval& eval, const Value* args, Value* result);

/// The steps of one call, beyond a constant cost; a row with nullptr has only the constant cost.
/// Must depend on args alone.
using FunctionCost = uint64_t (*)(const Value* args);

/// Strings of which at least one occurs in the receiver whenever a test is true. An index over many
/// such tests looks for these strings.
struct LiteralNeeds {
  std::vector<std::string> any_of;  ///< ASCII if `ignore_case` is set
  bool at_start = false;            ///< the receiver begins with it
  bool at_end = false;              ///< the receiver ends with it
  bool ignore_case = false;         ///< letters match in either case
};

/// For functions with an argument that is worth preparing once when it is a constant (a regex). `prepare` runs
/// when the program is compiled and again when it is loaded; it returns nullptr and sets `*error` on a bad argument,
/// which is then a diagnostic. The prepared object is shared by all threads.
struct Preparation {
  int arg = -1;  ///< which argument
  std::shared_ptr<const void> (*prepare)(const Value& arg, std::string* error) = nullptr;
  bool (*call)(Eval& eval, const void* prepared, const Value* args, Value* result) = nullptr;
  uint64_t (*cost)(const void* prepared, const Value* args) = nullptr;
  /// For tests `string.(string) -> bool` that may be looked up together: what a true result demands of the receiver,
  /// given the argument. Depends on nothing else. @returns false if it demands nothing.
  bool (*literals)(const Value& arg, LiteralNeeds* needs) = nullptr;
};

enum FunctionFlags : uint32_t {
  kPlain = 0,
  kNeverFaults = 1,    ///< returns true for all arguments of its kinds, short of a budget
  kMayLock = 2,        ///< may take a lock or allocate (RE2): excepted from the deciding path's promise
  kNotFolded = 4,      ///< never evaluated at compile time
  kTypedElements = 8,  ///< demands list elements of the declared kind; dynamic calls use another overload
};

/// What an engine may compute inline instead of calling a row's function. A row that names an
/// intrinsic must have exactly this meaning and this cost (in steps), so that only speed can
/// differ.
enum class Intrinsic : uint8_t {
  none,
  starts_with,     ///< strings: args[0] begins with args[1]; one step for every ten bytes of args[1]
  ends_with,       ///< strings: args[0] ends with args[1]; one step for every ten bytes of args[1]
  contains,        ///< strings: args[1] occurs in args[0]; `contains_cost` steps
  in_list,         ///< an element of the list args[1] equals args[0]; for an int, one step for each element
  int_to_double,   ///< the nearest double; no steps
  uint_to_double,  ///< the nearest double; no steps
  same,            ///< args[0]; no steps
};

/// The cost of searching `text` bytes for `needle` bytes: a single byte is found in one pass, but a
/// longer needle may be compared at every position.
constexpr uint64_t contains_cost(uint64_t text, uint64_t needle) {
  if (needle <= 1) return (text + needle) / 10;
  return (text + needle) / 2 * (1 + (needle < 256 ? needle : 256) / 64);
}

/// One overload of a function: a row of the table in `stdlib/`.
struct Overload {
  std::string name;       ///< as called: "startsWith", "_+_", "math.greatest"
  std::string id;         ///< unique in a table: "starts_with_string"
  std::string signature;  ///< `string.(string) -> bool` for a member function, `(int, int) -> int` for a global one
  FunctionImpl call = nullptr;
  std::string doc;  ///< one line
  FunctionCost cost = nullptr;
  uint32_t flags = kPlain;
  Preparation preparation = {};
  Intrinsic intrinsic = Intrinsic::none;

  // Filled in by FunctionTable::add from `signature`.
  bool member = false;
  std::vector<const Type*> params = {};  ///< the receiver first
  const Type* result = nullptr;
};

/// All overloads of one name, in registration order.
struct Function {
  std::string name;
  std::vector<const Overload*> overloads;
};

/// The functions that a set of policies may call. The table must not change once a compilation or a
/// program uses it. Compilers and programs keep pointers into it, so it must outlive every Program
/// linked with it.
class ORDAIN_API FunctionTable {
 public:
  FunctionTable() = default;
  FunctionTable(const FunctionTable&) = delete;
  FunctionTable& operator=(const FunctionTable&) = delete;

  /// Adds an overload. @throws std::invalid_argument on a malformed signature or a duplicate id,
  /// which are bugs of the caller.
  void add(Overload overload);

  const Function* find(std::string_view name) const&;
  const Function* find(std::string_view name) const&& = delete;
  const Overload* find_overload(std::string_view id) const&;
  const Overload* find_overload(std::string_view id) const&& = delete;

  /// All functions, sorted by name.
  const std::map<std::string, Function, std::less<>>& all() const& { return functions_; }
  const std::map<std::string, Function, std::less<>>& all() const&& = delete;

 private:
  Arena types_;
  std::vector<std::unique_ptr<Overload>> rows_;
  std::map<std::string, Function, std::less<>> functions_;
  std::map<std::string, const Overload*, std::less<>> by_id_;
};

/// True if present values of `args` fit the overload's parameter kinds (type variables and dyn fit all).
ORDAIN_API bool accepts(const Overload& overload, const Value* args, size_t count);

/// Calls the first overload of `function` whose parameter kinds `args` fit and which does not demand typed elements,
/// or fails with no_such_overload. Charges its cost.
ORDAIN_API bool call_dynamic(Eval& eval, const Function& function, const Value* args, size_t count, Value* result);

/// Charges the overload's cost and calls it.
inline bool call_overload(Eval& eval, const Overload& overload, const Value* args, Value* result) {
  if (overload.cost != nullptr && !eval.charge(overload.cost(args))) return false;
  return overload.call(eval, args, result);
}

}  // namespace ordain
