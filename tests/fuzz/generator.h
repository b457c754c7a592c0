// Generator has one function for each sort of expression. generate.cc implements literals, names,
// operators and functions; generate_macros.cc implements macros.
#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>

#include "ordain/stdlib.h"
#include "tests/fuzz/generate.h"
#include "tests/fuzz/generate_values.h"

namespace ordain::fuzz {

/// The types that the type variables of a signature stand for.
using Variables = std::map<std::string_view, const Type*>;

/// @returns whether maps may have keys of the type
inline bool is_key(const Type& type) {
  return type.kind == TypeKind::string || type.kind == TypeKind::integer || type.kind == TypeKind::boolean ||
         type.kind == TypeKind::unsigned_integer || type.kind == TypeKind::dyn;
}

/// Writes expressions of a wanted type, choosing one rule of the language at each step.
class Generator {
 public:
  Generator(Arena& arena, Choices& choices, const ExpressionEnv& env)
      : arena_(arena), choices_(choices), container_(env.container), scope_(env.variables) {}

  const Type* random_type(int depth = 2);
  std::string expression(const Type& want, int depth);

 private:
  std::string leaf(const Type& want);
  std::string literal(const Type& want, int depth);
  std::string list_literal(const Type& want, int depth);
  std::string map_literal(const Type& want, int depth);
  std::optional<std::string> variable(const Type& want);
  std::string qualified(const std::string& name);
  std::string call(const Type& want, int depth);
  std::string call_text(const Overload& row, const std::vector<std::string>& args);
  std::string format_call(int depth);
  const Type* substitute(const Type& pattern, Variables& variables);
  std::string through_dyn(const Type& want, int depth);
  std::string field(const Type& want, int depth);
  std::string by_kind(const Type& want, int depth);
  std::string boolean(int depth);
  std::string logic(int depth);
  std::string comparison(int depth);
  // White space, including line ends, so that places have lines and columns.
  const char* gap() { return choices_.one_in(12) ? "\n " : " "; }
  const Type* key_type() {
    static const Type* const kKeys[] = {&types::kString, &types::kInt, &types::kUint, &types::kBool};
    return choices_.of(kKeys);
  }

  // --- macros

  /// The range of a loop, as text, and the types of its variables.
  struct Range {
    std::string text;
    const Type* single = nullptr;  ///< of the variable, if there is one
    const Type* first = nullptr;   ///< of the first variable, if there are two
    const Type* second = nullptr;
  };
  Range range(const Type* key, const Type* element, bool map, int depth);
  Range range(int depth) { return range(key_type(), random_type(1), choices_.one_in(3), depth); }
  std::string bound(const Type& want, int depth);
  std::string block(const Type& want, int depth);
  std::string extremum(int depth);
  std::string quantifier(int depth);
  std::string list_macro(const Type& want, int depth);
  std::string map_macro(const Type& want, int depth);
  std::string optional_form(const Type& want, int depth);
  std::string with(const std::vector<const Type*>& types, const std::vector<std::string>& names, const Type& want,
                   int depth);
  /// @returns a variable's name, sometimes one that only optimisers write
  std::string fresh() {
    const int number = names_++;
    return choices_.one_in(16) ? fmt::format("cel.iterVar({}, 0)", number) : fmt::format("v{}", number);
  }

  static constexpr int kMaxNodes = 48;

  Arena& arena_;
  Choices& choices_;
  std::string container_;
  std::vector<VariableDecl> scope_;
  int nodes_ = 0;
  int names_ = 0;
  bool in_block_ = false;  ///< an inner block's indexes would hide the outer block's
};

}  // namespace ordain::fuzz
