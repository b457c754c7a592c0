// Inference infers the types of expressions: type variables, assignability and the most general
// type, as CEL's checker defines them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ordain/arena.h"
#include "ordain/function.h"
#include "ordain/type.h"

namespace ordain::checking {

/// The type variables of one expression and their bindings.
///
/// CEL's static types are gradual: an expression of type int may turn out to be a string where a
/// dyn was accepted. Types that evaluators cannot rely on are marked: `unproven(T)` is T to the
/// checker, but dyn to evaluators.
class Inference {
 public:
  explicit Inference(Arena& arena) : arena_(arena) {}

  const Type* fresh();  ///< a new type variable
  const Type* unproven(const Type* type);
  const Type* list_of(const Type* element) { return types::list_of(arena_, element); }
  const Type* map_of(const Type* key, const Type* value) { return types::map_of(arena_, key, value); }
  const Type* optional_of(const Type* value) { return types::optional_of(arena_, value); }

  /// @returns the declared type with each of its parameters replaced by a fresh variable. `names`
  /// maps equal names to the same variable.
  using Names = std::vector<std::pair<std::string_view, const Type*>>;
  const Type* instantiate(const Type* declared, Names& names);

  /// @returns whether `from` may be used where `to` is expected. Variables are bound only if so.
  bool assignable(const Type* from, const Type* to);
  bool assignable(std::span<const Type* const> from, std::span<const Type* const> to);

  /// @returns the more general of two types, one of which is assignable to the other
  const Type* join(const Type* a, const Type* b);

  const Type* shallow(const Type* type) const;  ///< the binding, fully followed; marks removed
  const Type* applied(const Type* type);        ///< with all bindings; open variables and marks stay
  const Type* deduced(const Type* type);        ///< CEL's type: open variables are dyn, marks are removed
  const Type* proven(const Type* type);         ///< for evaluators: unproven parts are dyn

  /// @returns the kind of every value of the type, or Kind::absent if that is not proven to be one
  /// kind
  Kind proven_kind(const Type* type) const;
  /// @returns parameter `i` of a list, map, optional or abstract type; unproven if the type is
  /// unproven
  const Type* param(const Type* type, size_t i);

 private:
  enum class Settle : uint8_t { applied, deduced, proven };
  struct Variable {
    const Type* binding = nullptr;
    bool unproven = false;  ///< a dyn was accepted where this variable stands
  };
  struct Change {
    uint32_t variable;
    Variable before;
  };

  bool unify(const Type* a, const Type* b);
  bool unify_all(std::span<const Type* const> a, std::span<const Type* const> b);
  bool unify_composite(const Type* a, const Type* b);
  std::vector<const Type*> params_of(const Type* type);
  enum class Outcome : uint8_t { yes, no, unknown };
  Outcome unify_variable(const Type* type, const Type* variable);
  bool occurs(const Type* variable, const Type* within) const;
  void weaken(const Type* type);
  void set(uint32_t variable, Variable now);
  const Type* with_params(const Type* type, std::vector<const Type*>&& params);
  const Type* settle(const Type* type, Settle how);

  Arena& arena_;
  std::vector<Variable> variables_;
  std::vector<Change> trail_;
};

/// @returns the type without its mark
const Type* unmarked(const Type* type);
bool is_dyn_or_error(const Type* type);
/// @returns whether a declared type mentions a type parameter
bool has_parameters(const Type* type);

}  // namespace ordain::checking
