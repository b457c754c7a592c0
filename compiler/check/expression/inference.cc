// inference.cc infers the types of expressions by unification, as CEL's checker defines it.
#include "compiler/check/expression/inference.h"

#include <algorithm>

namespace ordain::checking {
namespace {

constexpr std::string_view kUnproven = "$unproven";

struct VariableType : Type {
  uint32_t index = 0;
};

bool is_marked(const Type* type) { return type->kind == TypeKind::abstract && type->name.data() == kUnproven.data(); }

// Parameters of declared signatures are named A, B, ...; inference variables are named $0, $1, ...
bool is_variable(const Type* type) {
  return type->kind == TypeKind::param && !type->name.empty() && type->name[0] == '$';
}
uint32_t index_of(const Type* variable) { return static_cast<const VariableType*>(variable)->index; }

// @returns whether null can stand for an absent value of this type
bool is_nullable(const Type* type) {
  switch (type->kind) {
    case TypeKind::null_type:
    case TypeKind::optional:
    case TypeKind::abstract:
    case TypeKind::timestamp:
    case TypeKind::duration:
    case TypeKind::ip:
    case TypeKind::cidr:
      return true;
    default:
      return false;
  }
}

bool exactly(const Type* a, const Type* b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->params.size() != b->params.size()) return false;
  if (a->kind == TypeKind::param || a->kind == TypeKind::abstract) {
    if (a->name != b->name) return false;
  }
  if (a->kind == TypeKind::record) return same_type(*a, *b);
  for (size_t i = 0; i < a->params.size(); ++i) {
    if (!exactly(a->params[i], b->params[i])) return false;
  }
  return true;
}

// At run time a record is a map from strings to any values.
const Type* const kRecordAsMap[] = {&types::kString, &types::kDyn};

}  // namespace

const Type* unmarked(const Type* type) {
  while (is_marked(type)) type = type->params[0];
  return type;
}

bool is_dyn_or_error(const Type* type) { return type->kind == TypeKind::dyn || type->kind == TypeKind::error; }

bool has_parameters(const Type* type) {
  if (type->kind == TypeKind::param) return true;
  return std::any_of(type->params.begin(), type->params.end(), has_parameters);
}

const Type* Inference::fresh() {
  VariableType* out = arena_.make<VariableType>();
  out->kind = TypeKind::param;
  out->index = static_cast<uint32_t>(variables_.size());
  out->name = arena_.copy("$" + std::to_string(out->index));
  variables_.emplace_back();
  return out;
}

const Type* Inference::unproven(const Type* type) {
  if (is_marked(type) || is_dyn_or_error(type)) return type;
  Type* out = arena_.make<Type>();
  out->kind = TypeKind::abstract;
  out->name = kUnproven;
  out->params = arena_.copy(std::vector<const Type*>{type});
  return out;
}

const Type* Inference::with_params(const Type* type, std::vector<const Type*>&& params) {
  if (std::equal(params.begin(), params.end(), type->params.begin(), type->params.end())) return type;
  Type* out = arena_.make<Type>(*type);
  out->params = arena_.copy(params);
  return out;
}

const Type* Inference::instantiate(const Type* declared, Names& names) {
  if (!has_parameters(declared)) return declared;
  if (declared->kind == TypeKind::param) {
    for (const auto& [name, type] : names) {
      if (name == declared->name) return type;
    }
    names.emplace_back(declared->name, fresh());
    return names.back().second;
  }
  std::vector<const Type*> params;
  for (const Type* param : declared->params) params.push_back(instantiate(param, names));
  return with_params(declared, std::move(params));
}

bool Inference::assignable(const Type* from, const Type* to) {
  return assignable(std::span(&from, 1), std::span(&to, 1));
}

bool Inference::assignable(std::span<const Type* const> from, std::span<const Type* const> to) {
  trail_.clear();
  if (unify_all(from, to)) return true;
  for (auto change = trail_.rbegin(); change != trail_.rend(); ++change) {
    variables_[change->variable] = change->before;
  }
  return false;
}

void Inference::set(uint32_t variable, Variable now) {
  trail_.push_back({variable, variables_[variable]});
  variables_[variable] = now;
}

bool Inference::unify_all(std::span<const Type* const> a, std::span<const Type* const> b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!unify(a[i], b[i])) return false;
  }
  return true;
}

bool Inference::unify(const Type* a, const Type* b) {
  const Type* plain_a = unmarked(a);
  const Type* plain_b = unmarked(b);
  if (is_variable(plain_b)) {
    Outcome outcome = unify_variable(a, plain_b);
    if (outcome != Outcome::unknown) return outcome == Outcome::yes;
  }
  if (is_variable(plain_a)) return unify_variable(b, plain_a) == Outcome::yes;
  if (is_dyn_or_error(plain_a) || is_dyn_or_error(plain_b)) {
    // The dyn's actual type need not agree with the types that the other side's variables stand
    // for.
    weaken(plain_a);
    weaken(plain_b);
    return true;
  }
  if (plain_a->kind == TypeKind::null_type) return is_nullable(plain_b);
  if (plain_b->kind == TypeKind::null_type) return is_nullable(plain_a);
  return unify_composite(a, b);
}

std::vector<const Type*> Inference::params_of(const Type* type) {
  const Type* plain = unmarked(type);
  std::span<const Type* const> params = plain->params;
  if (plain->kind == TypeKind::record) params = kRecordAsMap;
  std::vector<const Type*> out(params.begin(), params.end());
  if (plain != type) {
    for (const Type*& param : out) param = unproven(param);
  }
  return out;
}

const Type* Inference::param(const Type* type, size_t i) {
  bool marked = is_marked(type);
  const Type* plain = unmarked(type);
  while (is_variable(plain)) {
    const Type* binding = variables_[index_of(plain)].binding;
    if (binding == nullptr) return &types::kDyn;
    marked = marked || is_marked(binding);
    plain = unmarked(binding);
  }
  const Type* out = plain->kind == TypeKind::record ? kRecordAsMap[i] : plain->params[i];
  return marked ? unproven(out) : out;
}

bool Inference::unify_composite(const Type* a, const Type* b) {
  const Type* x = unmarked(a);
  const Type* y = unmarked(b);
  bool map_like = (x->kind == TypeKind::record && y->kind == TypeKind::map) ||
                  (x->kind == TypeKind::map && y->kind == TypeKind::record);
  if (map_like) return unify_all(params_of(a), params_of(b));
  if (x->kind != y->kind) return false;
  switch (x->kind) {
    case TypeKind::type:
      return true;
    case TypeKind::record:
      return same_type(*x, *y);
    case TypeKind::abstract:
      if (x->name != y->name) return false;
      [[fallthrough]];
    case TypeKind::list:
    case TypeKind::map:
    case TypeKind::optional:
      return x->params.size() == y->params.size() && unify_all(params_of(a), params_of(b));
    case TypeKind::param:
      return x->name == y->name;
    default:
      return true;
  }
}

Inference::Outcome Inference::unify_variable(const Type* type, const Type* variable) {
  if (unmarked(type) == variable) return Outcome::yes;
  uint32_t index = index_of(variable);
  const Type* known = variables_[index].binding;
  if (known != nullptr) {
    if (exactly(type, known)) return Outcome::yes;
    if (!unify(type, known)) return Outcome::no;
    const Type* general = join(type, variables_[index].binding);
    if (variables_[index].unproven) general = unproven(general);
    if (!occurs(variable, general)) set(index, {general, variables_[index].unproven});
    return Outcome::yes;
  }
  if (occurs(variable, type)) return Outcome::unknown;
  set(index, {variables_[index].unproven ? unproven(type) : type, variables_[index].unproven});
  return Outcome::yes;
}

bool Inference::occurs(const Type* variable, const Type* within) const {
  within = unmarked(within);
  if (within == variable) return true;
  if (is_variable(within)) {
    const Type* binding = variables_[index_of(within)].binding;
    return binding != nullptr && occurs(variable, binding);
  }
  return std::any_of(within->params.begin(), within->params.end(),
                     [&](const Type* param) { return occurs(variable, param); });
}

void Inference::weaken(const Type* type) {
  type = unmarked(type);
  if (is_variable(type)) {
    uint32_t index = index_of(type);
    Variable now = variables_[index];
    if (now.unproven) return;
    now.unproven = true;
    if (now.binding != nullptr) now.binding = unproven(now.binding);
    set(index, now);
    return;
  }
  for (const Type* param : type->params) weaken(param);
}

const Type* Inference::join(const Type* a, const Type* b) {
  bool marked = is_marked(a) || is_marked(b);
  const Type* x = unmarked(a);
  const Type* y = unmarked(b);
  const Type* out = x;
  if (is_dyn_or_error(x) || is_dyn_or_error(y)) {
    return &types::kDyn;
  } else if (is_variable(x) || is_variable(y)) {
    out = is_variable(x) ? x : y;
  } else if (x->kind == TypeKind::null_type || y->kind == TypeKind::null_type) {
    marked = marked || x->kind != y->kind;
    out = x->kind == TypeKind::null_type ? y : x;
  } else if (x->kind == TypeKind::record && y->kind == TypeKind::record) {
    out = x;
  } else if (x->kind != TypeKind::type) {
    if (x->kind == TypeKind::record) std::swap(x, y);
    std::vector<const Type*> left = params_of(x);
    std::vector<const Type*> right = params_of(y);
    std::vector<const Type*> params;
    for (size_t i = 0; i < left.size() && i < right.size(); ++i) params.push_back(join(left[i], right[i]));
    out = with_params(x, std::move(params));
  }
  return marked ? unproven(out) : out;
}

const Type* Inference::shallow(const Type* type) const {
  type = unmarked(type);
  while (is_variable(type)) {
    const Type* binding = variables_[index_of(type)].binding;
    if (binding == nullptr) break;
    type = unmarked(binding);
  }
  return type;
}

const Type* Inference::settle(const Type* type, Settle how) {
  if (is_marked(type)) {
    if (how == Settle::proven) return &types::kDyn;
    const Type* inner = settle(type->params[0], how);
    return how == Settle::applied ? unproven(inner) : inner;
  }
  if (is_variable(type)) {
    const Type* binding = variables_[index_of(type)].binding;
    if (binding != nullptr) return settle(binding, how);
    return how == Settle::applied ? type : &types::kDyn;
  }
  if (type->params.empty()) return type;
  std::vector<const Type*> params;
  params.reserve(type->params.size());
  for (const Type* param : type->params) params.push_back(settle(param, how));
  return with_params(type, std::move(params));
}

const Type* Inference::applied(const Type* type) { return settle(type, Settle::applied); }
const Type* Inference::deduced(const Type* type) { return settle(type, Settle::deduced); }
const Type* Inference::proven(const Type* type) { return settle(type, Settle::proven); }

Kind Inference::proven_kind(const Type* type) const {
  for (;;) {
    if (is_marked(type)) return Kind::absent;
    if (!is_variable(type)) return kind_of(*type);
    type = variables_[index_of(type)].binding;
    if (type == nullptr) return Kind::absent;
  }
}

}  // namespace ordain::checking
