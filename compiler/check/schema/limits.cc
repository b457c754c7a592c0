// limits.cc reads what a declaration demands of values besides their kind: `int(1, 100)`, `string(max 64)`,
// `"open" | "closed"`, `string | int`.
#include "compiler/check/schema/limits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ordain::policy {
namespace {

void bad_limit(SchemaState& state, Span span, std::string message, std::string help = "") {
  state.diagnostics.error("bad-limit", span, std::move(message), std::move(help));
}

bool is_number_type(const Type& type) {
  return type.kind == TypeKind::integer || type.kind == TypeKind::unsigned_integer || type.kind == TypeKind::floating;
}

// The number as a value of the type; nullopt if it is not exactly one.
std::optional<Value> number_of_type(const Type& type, const Value& number) {
  switch (type.kind) {
    case TypeKind::integer:
      if (number.is(Kind::integer)) return number;
      break;
    case TypeKind::unsigned_integer:
      if (number.is(Kind::unsigned_integer)) return number;
      if (number.is(Kind::integer) && number.i >= 0) {
        return Value::unsigned_integer(static_cast<uint64_t>(number.i));
      }
      break;
    default:
      if (number.is(Kind::floating) && std::isfinite(number.d)) return number;
      if (number.is(Kind::integer) && std::abs(static_cast<double>(number.i)) <= 9007199254740992.0) {
        return Value::floating(static_cast<double>(number.i));
      }
      break;
  }
  return std::nullopt;
}

// The two ends as they are written: both numbers alone, or each after `min` or `max`.
struct Ends {
  const Value* least = nullptr;
  const Value* most = nullptr;
};

bool read_named_ends(SchemaState& state, const syntax::TypeSyntax& syntax, Ends* out) {
  for (const syntax::TypeBound& bound : syntax.bounds) {
    if (!bound.value.present()) return false;  // reported by the parser
    if (bound.name.text != "min" && bound.name.text != "max") {
      bad_limit(state, bound.name.span, "no bound is called " + quoted(bound.name.text), "write `min` or `max`");
      return false;
    }
    const Value*& end = bound.name.text == "min" ? out->least : out->most;
    if (end != nullptr) {
      bad_limit(state, bound.name.span, quoted(bound.name.text) + " stands twice");
      return false;
    }
    end = &bound.value;
  }
  return true;
}

const Type* with_limits(SchemaState& state, const Type* base, const TypeLimits& limits) {
  Type out = *base;
  out.limits = state.arena.make<TypeLimits>(limits);
  return state.arena.make<Type>(out);
}

const Type* bounded_number(SchemaState& state, const syntax::TypeSyntax& syntax, const Type* base) {
  const std::string name = to_string(*base);
  const bool fraction = base->kind == TypeKind::floating;
  const std::string form = fraction ? "write `double(0.0, 1.0)`, `double(min 0.0)` or `double(max 1.0)`"
                                    : "write `" + name + "(1, 100)`, `" + name + "(min 1)` or `" + name + "(max 100)`";
  Ends ends;
  if (!syntax.params.empty()) {
    const auto is_value = [](const syntax::TypeSyntax* param) { return param->is_value; };
    if (syntax.params.size() != 2 || !syntax.bounds.empty() ||
        !std::all_of(syntax.params.begin(), syntax.params.end(), is_value)) {
      bad_limit(state, syntax.span, quoted(name) + " takes two bounds, or a `min` or a `max`", form);
      return &types::kError;
    }
    if (!syntax.params[0]->value.present() || !syntax.params[1]->value.present()) return &types::kError;
    ends = {&syntax.params[0]->value, &syntax.params[1]->value};
  } else if (!read_named_ends(state, syntax, &ends)) {
    return &types::kError;
  }
  TypeLimits limits;
  for (const auto& [written, bound] : {std::pair(ends.least, &limits.least), std::pair(ends.most, &limits.most)}) {
    if (written == nullptr) continue;
    const std::optional<Value> value = number_of_type(*base, *written);
    if (!value) {
      bad_limit(state, syntax.span, "a bound of " + quoted(name) + " must be a number of that type", form);
      return &types::kError;
    }
    *bound = *value;
  }
  if (limits.least.present() && limits.most.present() && compare(limits.least, limits.most) == Ordering::greater) {
    bad_limit(state, syntax.span, "no number is within these bounds", "the smaller bound comes first");
    return &types::kError;
  }
  return with_limits(state, base, limits);
}

const Type* bounded_size(SchemaState& state, const syntax::TypeSyntax& syntax, const Type* base) {
  Ends ends;
  if (!read_named_ends(state, syntax, &ends)) return &types::kError;
  TypeLimits limits;
  for (const auto& [written, bound] :
       {std::pair(ends.least, &limits.min_size), std::pair(ends.most, &limits.max_size)}) {
    if (written == nullptr) continue;
    const std::optional<Value> value = number_of_type(types::kUint, *written);
    if (!value) {
      bad_limit(state, syntax.span, "a size must be a whole number from 0", "write `max 64`");
      return &types::kError;
    }
    *bound = value->u;
  }
  if (limits.min_size > limits.max_size) {
    bad_limit(state, syntax.span, "no size is within these bounds", "`min` must not be above `max`");
    return &types::kError;
  }
  const bool none = limits.min_size == 0 && limits.max_size == UINT64_MAX;
  return none ? base : with_limits(state, base, limits);
}

// One of the options of a union: a type, or the values of one kind.
struct UnionPart {
  const Type* type = nullptr;
  std::vector<Value> values = {};
};

const Type* type_of_value(const Value& value) {
  switch (value.kind) {
    case Kind::string:
      return &types::kString;
    case Kind::integer:
      return &types::kInt;
    case Kind::unsigned_integer:
      return &types::kUint;
    case Kind::boolean:
      return &types::kBool;
    default:
      return nullptr;
  }
}

bool may_be_option(const Type& type) {
  return (is_scalar(type.kind) && type.name.empty()) || type.kind == TypeKind::string || type.kind == TypeKind::bytes ||
         type.kind == TypeKind::null_type;
}

class Options {
 public:
  explicit Options(SchemaState& state) : state_(state) {}

  bool add_value(const syntax::TypeSyntax& option) {
    if (!option.value.present()) return false;  // reported by the parser
    const Type* type = type_of_value(option.value);
    if (type == nullptr) {
      bad_limit(state_, option.span, "an enumeration holds texts, whole numbers and truth values",
                "bound a double instead, such as `double(0.0, 1.0)`");
      return false;
    }
    UnionPart* part = find_values(type);
    if (part == nullptr) part = &parts_.emplace_back(UnionPart{type});
    const bool is_new = seen_.emplace(static_cast<int>(type->kind), key_of_value(option.value)).second;
    if (is_new) part->values.push_back(option.value);
    if (!is_new) bad_limit(state_, option.span, "this value stands twice");
    return is_new;
  }

  bool add_type(const syntax::TypeSyntax& option, const Type* type) {
    if (type->kind == TypeKind::error) return false;
    if (!may_be_option(*type)) {
      bad_limit(state_, option.span,
                "a union joins types of single values, such as `string | int`, not " + to_string(*type),
                "declare the field as `dyn`, and test it in rules");
      return false;
    }
    parts_.push_back({type});
    return true;
  }

  // An option that another one includes is a slip.
  bool are_apart(Span span) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      for (size_t j = 0; j < parts_.size(); ++j) {
        const bool wide = parts_[i].type->limits == nullptr && parts_[i].values.empty();
        if (i == j || !wide || parts_[i].type->kind != parts_[j].type->kind) continue;
        bad_limit(state_, span, quoted(to_string(*parts_[i].type)) + " includes another option of this union",
                  "leave one of them out");
        return false;
      }
    }
    return true;
  }

  const Type* take() {
    std::vector<const Type*> types;
    for (const UnionPart& part : parts_) {
      TypeLimits limits;
      limits.values = state_.arena.copy(part.values);
      types.push_back(part.values.empty() ? part.type : with_limits(state_, part.type, limits));
    }
    if (types.size() == 1) return types[0];
    Type out;
    out.kind = TypeKind::dyn;
    out.params = state_.arena.copy(types);
    return state_.arena.make<Type>(out);
  }

 private:
  static std::string key_of_value(const Value& value) {
    return value.is(Kind::string) ? std::string(value.as_text()) : std::to_string(value.i);
  }

  UnionPart* find_values(const Type* type) {
    const auto found = std::find_if(parts_.begin(), parts_.end(), [type](const UnionPart& part) {
      return part.type == type && !part.values.empty();
    });
    return found == parts_.end() ? nullptr : &*found;
  }

  SchemaState& state_;
  std::vector<UnionPart> parts_;
  std::set<std::pair<int, std::string>> seen_;  ///< the values, by kind
};

}  // namespace

bool can_be_bounded(const Type& type) {
  return is_number_type(type) || type.kind == TypeKind::string || type.kind == TypeKind::bytes ||
         type.kind == TypeKind::list || type.kind == TypeKind::map;
}

const Type* bounded_type(SchemaState& state, const syntax::TypeSyntax& syntax, const Type* base) {
  if (base->kind == TypeKind::error) return base;
  return is_number_type(*base) ? bounded_number(state, syntax, base) : bounded_size(state, syntax, base);
}

const Type* type_of_options(SchemaState& state, std::span<const syntax::TypeSyntax* const> options,
                            const std::string& name) {
  Options all(state);
  bool good = true;
  for (const syntax::TypeSyntax* option : options) {
    good = (option->is_value ? all.add_value(*option) : all.add_type(*option, type_of_syntax(state, *option, name))) &&
           good;
  }
  return good && all.are_apart(options.front()->span) ? all.take() : &types::kError;
}

}  // namespace ordain::policy
