// generate.cc writes well-typed expressions: literals, names, operators and functions.
#include "tests/fuzz/generate.h"

#include "tests/fuzz/generator.h"

namespace ordain::fuzz {

uint32_t Choices::pick(size_t count) {
  if (count <= 1) return 0;
  const uint32_t number = count <= 256 ? byte() : (static_cast<uint32_t>(byte()) << 8) | byte();
  return number % static_cast<uint32_t>(count);
}

uint64_t Choices::word() {
  uint64_t out = 0;
  for (int i = 0; i < 8; ++i) out = (out << 8) | byte();
  return out;
}

namespace {

// @returns whether a value of type `pattern`, with `variables` for its type variables, can be used
// as a `want`
bool unify(const Type& pattern, const Type& want, Variables& variables) {
  if (pattern.kind == TypeKind::param) {
    auto [at, added] = variables.emplace(pattern.name, &want);
    return added || same_type(*at->second, want);
  }
  if (want.kind == TypeKind::dyn) return true;
  if (pattern.kind != want.kind) return false;
  if (pattern.kind == TypeKind::type) return true;
  for (size_t i = 0; i < pattern.params.size(); ++i) {
    if (!unify(*pattern.params[i], *want.params[i], variables)) return false;
  }
  return true;
}

}  // namespace

const Type* Generator::random_type(int depth) {
  static const Type* const kScalars[] = {&types::kInt,  &types::kString, &types::kBool,     &types::kDouble,
                                         &types::kUint, &types::kBytes,  &types::kDuration, &types::kTimestamp,
                                         &types::kDyn,  &types::kNull,   &types::kType,     &types::kIp,
                                         &types::kCidr};
  const uint32_t shape = depth <= 0 ? 0 : choices_.pick(16);
  if (shape == 13) return types::list_of(arena_, random_type(depth - 1));
  if (shape == 14) return types::map_of(arena_, key_type(), random_type(depth - 1));
  if (shape == 15) return types::optional_of(arena_, random_type(depth - 1));
  return choices_.of(kScalars);
}

std::string Generator::expression(const Type& want, int depth) {
  if (depth <= 0 || ++nodes_ > kMaxNodes || choices_.done()) return leaf(want);
  switch (choices_.pick(16)) {
    case 0:
    case 1:
      return leaf(want);
    case 2:
      return literal(want, depth - 1);
    case 3: {
      const std::string condition = expression(types::kBool, depth - 1);
      const std::string yes = expression(want, depth - 1);
      return fmt::format("({}{}? {} : {})", condition, gap(), yes, expression(want, depth - 1));
    }
    case 4:
      return !in_block_ && choices_.one_in(3) ? block(want, depth - 1) : bound(want, depth - 1);
    case 5:
      return through_dyn(want, depth - 1);
    case 6:
      return field(want, depth - 1);
    case 7:
    case 8:
    case 9:
    case 10:
      return by_kind(want, depth - 1);
    default:
      return call(want, depth - 1);
  }
}

std::string Generator::leaf(const Type& want) {
  if (choices_.pick(3) != 0) {
    if (auto name = variable(want)) return *name;
  }
  return literal(want, 0);
}

std::optional<std::string> Generator::variable(const Type& want) {
  std::vector<const VariableDecl*> fitting;
  for (const VariableDecl& each : scope_) {
    if (same_type(*each.type, want) || want.kind == TypeKind::dyn) fitting.push_back(&each);
  }
  if (fitting.empty()) return std::nullopt;
  return qualified(fitting[choices_.pick(fitting.size())]->name);
}

// Writes a name in one of its forms: in full, from the root with a leading dot, or relative to the
// container.
std::string Generator::qualified(const std::string& name) {
  if (name.starts_with("cel.") || name[0] == 'v') return name;
  if (!container_.empty() && name.starts_with(container_ + ".") && choices_.pick(2) == 0) {
    return name.substr(container_.size() + 1);
  }
  return choices_.one_in(8) ? "." + name : name;
}

std::string Generator::literal(const Type& want, int depth) {
  switch (want.kind) {
    case TypeKind::list:
      return list_literal(want, depth);
    case TypeKind::map:
      return map_literal(want, depth);
    case TypeKind::optional:
      if (choices_.pick(3) == 0) return "optional.none()";
      return fmt::format("optional.of({})", expression(*want.params[0], depth - 1));
    case TypeKind::dyn: {
      const Type* type = random_type(1);
      return fmt::format("dyn({})", type->kind == TypeKind::dyn ? "null" : literal(*type, depth - 1));
    }
    default:
      return scalar_literal(choices_, want.kind);
  }
}

std::string Generator::list_literal(const Type& want, int depth) {
  const Type& element = *want.params[0];
  std::string out = "[";
  const uint32_t count = choices_.pick(4);
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    if (choices_.one_in(10)) {
      out += "?" + expression(*types::optional_of(arena_, &element), depth - 1);
    } else {
      out += expression(element, depth - 1);
    }
  }
  return out + "]";
}

std::string Generator::map_literal(const Type& want, int depth) {
  const Type& key = *want.params[0];
  const Type& value = *want.params[1];
  std::string out = "{";
  const uint32_t count = choices_.pick(4);
  for (uint32_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    const bool optional = choices_.one_in(10);
    if (optional) out += "?";
    out += key.kind == TypeKind::string && choices_.pick(3) != 0 ? fmt::format("'{}'", choices_.of(kNames))
                                                                 : expression(key, depth - 2);
    out += ": ";
    out += optional ? expression(*types::optional_of(arena_, &value), depth - 1) : expression(value, depth - 1);
  }
  return out + "}";
}

// @returns the type that a parameter requires; nullptr if there is no such type
const Type* Generator::substitute(const Type& pattern, Variables& variables) {
  if (pattern.kind == TypeKind::param) {
    auto at = variables.find(pattern.name);
    if (at == variables.end()) at = variables.emplace(pattern.name, random_type(1)).first;
    return at->second;
  }
  if (pattern.params.empty() || pattern.kind == TypeKind::type) return &pattern;
  const Type* first = nullptr;
  if (pattern.kind == TypeKind::map && pattern.params[0]->kind == TypeKind::param) {
    first = variables.emplace(pattern.params[0]->name, key_type()).first->second;
  } else {
    first = substitute(*pattern.params[0], variables);
  }
  if (first == nullptr || (pattern.kind == TypeKind::map && !is_key(*first))) return nullptr;
  if (pattern.kind == TypeKind::list) return types::list_of(arena_, first);
  if (pattern.kind == TypeKind::optional) return types::optional_of(arena_, first);
  if (pattern.kind != TypeKind::map) return nullptr;
  const Type* second = substitute(*pattern.params[1], variables);
  return second == nullptr ? nullptr : types::map_of(arena_, first, second);
}

// Writes a call of a function or operator of the table whose result has the wanted type.
std::string Generator::call(const Type& want, int depth) {
  std::vector<std::pair<const Overload*, Variables>> fitting;
  for (const auto& [name, function] : standard_library().all()) {
    if (name[0] == '@' && name != "@in") continue;  // only macros use these
    for (const Overload* row : function.overloads) {
      Variables variables;
      if (unify(*row->result, want, variables)) fitting.emplace_back(row, std::move(variables));
    }
  }
  if (fitting.empty()) return leaf(want);
  auto& [row, variables] = fitting[choices_.pick(fitting.size())];
  std::vector<std::string> args(row->params.size());
  // Go from the last argument to the first: a map determines the type of its key.
  std::vector<const Type*> types(args.size());
  for (size_t i = args.size(); i-- > 0;) {
    types[i] = substitute(*row->params[i], variables);
    if (types[i] == nullptr) return leaf(want);
  }
  for (size_t i = 0; i < args.size(); ++i) args[i] = expression(*types[i], depth - 1);
  return call_text(*row, args);
}

std::string Generator::call_text(const Overload& row, const std::vector<std::string>& args) {
  const std::string& name = row.name;
  if (name == "-_") return fmt::format("(-({}))", args[0]);
  if (name == "@in") return fmt::format("({}{}in {})", args[0], gap(), args[1]);
  if (name == "_[_]") return fmt::format("({})[{}]", args[0], args[1]);
  if (name == "_[?_]") return fmt::format("({})[?{}]", args[0], args[1]);
  if (name.size() >= 3 && name.front() == '_' && name.back() == '_') {
    return fmt::format("({}{}{} {})", args[0], gap(), name.substr(1, name.size() - 2), args[1]);
  }
  std::string out = row.member ? fmt::format("({}).{}(", args[0], name) : qualified(name) + "(";
  for (size_t i = row.member ? 1 : 0; i < args.size(); ++i) {
    if (i > (row.member ? 1U : 0U)) out += ", ";
    out += args[i];
  }
  return out + ")";
}

// Writes a format whose clauses mostly fit its arguments.
std::string Generator::format_call(int depth) {
  static const std::pair<const char*, const Type*> kClauses[] = {
      {"%s", &types::kDyn},       {"%d", &types::kInt},     {"%.3f", &types::kDouble}, {"%e", &types::kDouble},
      {"%x", &types::kString},    {"%X", &types::kBytes},   {"%b", &types::kInt},      {"%o", &types::kUint},
      {"%s", &types::kTimestamp}, {"%s", &types::kListDyn}, {"%s", &types::kMapDyn},   {"%.0e", &types::kDouble},
      {"%f", &types::kInt},       {"%d", &types::kDouble},  {"%s", &types::kType}};
  std::string clauses;
  std::string args;
  const uint32_t count = 1 + choices_.pick(3);
  for (uint32_t i = 0; i < count; ++i) {
    const auto& [clause, type] = choices_.of(kClauses);
    clauses += fmt::format("{}é", clause);
    args += fmt::format("{}dyn({})", i > 0 ? ", " : "", expression(*type, depth - 1));
  }
  return fmt::format("'{}%%'.format([{}])", clauses, args);
}

// Writes an expression of type dyn. Mostly its type is right; sometimes it is wrong, which is a
// fault that all evaluators must agree on.
std::string Generator::through_dyn(const Type& want, int depth) {
  const Type* type = choices_.one_in(3) ? random_type() : &want;
  return fmt::format("dyn({})", expression(*type, depth));
}

// Writes a selection from a map, or a form that can replace it.
std::string Generator::field(const Type& want, int depth) {
  const Type* map = types::map_of(arena_, &types::kString, &want);
  const std::string target = expression(*map, depth);
  const char* name = choices_.of(kNames);
  if (choices_.pick(2) == 0) return fmt::format("({}).{}", target, name);
  return fmt::format("({}).?{}.orValue({})", target, name, expression(want, depth));
}

std::string Generator::by_kind(const Type& want, int depth) {
  switch (want.kind) {
    case TypeKind::boolean:
      return boolean(depth);
    case TypeKind::list:
      return list_macro(want, depth);
    case TypeKind::map:
      return map_macro(want, depth);
    case TypeKind::optional:
      return optional_form(want, depth);
    case TypeKind::dyn:
      return choices_.pick(2) == 0 ? extremum(depth) : call(want, depth);
    case TypeKind::string:
      return choices_.pick(3) == 0 ? format_call(depth) : call(want, depth);
    default:
      return call(want, depth);
  }
}

std::string Generator::boolean(int depth) {
  switch (choices_.pick(8)) {
    case 0:
    case 1:
    case 2:
      return logic(depth);
    case 3:
    case 4:
      return comparison(depth);
    case 5: {
      const Type* map = choices_.pick(3) == 0 ? &types::kDyn : types::map_of(arena_, &types::kString, random_type(1));
      const std::string target = expression(*map, depth);
      return fmt::format("has(({}).{})", target, choices_.of(kNames));
    }
    default:
      return quantifier(depth);
  }
}

std::string Generator::logic(int depth) {
  if (choices_.one_in(4)) return fmt::format("!({})", expression(types::kBool, depth));
  const char* word = choices_.pick(2) == 0 ? "&&" : "||";
  std::string out = "(" + expression(types::kBool, depth);
  const uint32_t more = 1 + choices_.pick(3);
  for (uint32_t i = 0; i < more; ++i) out += fmt::format("{}{} {}", gap(), word, expression(types::kBool, depth));
  return out + ")";
}

std::string Generator::comparison(int depth) {
  const Type* type = random_type();
  const std::string left = expression(*type, depth);
  const char* word = choices_.pick(2) == 0 ? "==" : "!=";
  return fmt::format("({}{}{} {})", left, gap(), word, expression(*type, depth));
}

namespace {

// Declares the variables of every expression, one for each sort of type.
void declare(Arena& arena, Choices& choices, Generated& out) {
  static const std::pair<const char*, const char*> kVariables[] = {{"b", "bool"},
                                                                   {"i", "int"},
                                                                   {"u", "uint"},
                                                                   {"d", "double"},
                                                                   {"s", "string"},
                                                                   {"y", "bytes"},
                                                                   {"t", "google.protobuf.Timestamp"},
                                                                   {"r", "google.protobuf.Duration"},
                                                                   {"li", "list(int)"},
                                                                   {"ls", "list(string)"},
                                                                   {"ld", "list(dyn)"},
                                                                   {"lli", "list(list(int))"},
                                                                   {"msi", "map(string, int)"},
                                                                   {"mid", "map(int, dyn)"},
                                                                   {"msd", "map(string, dyn)"},
                                                                   {"x", "dyn"},
                                                                   {"oi", "optional_type(int)"},
                                                                   {"p.q.i", "int"},
                                                                   {"p.q.s", "string"},
                                                                   {"lm", "list(map(string, string))"},
                                                                   {"missing", "int"}};
  static Arena types;
  static const std::map<std::string, const Type*> kTypes = [] {
    std::map<std::string, const Type*> read{{"t", &types::kTimestamp}, {"r", &types::kDuration}};
    for (const auto& [name, type] : kVariables) {
      if (!read.contains(name)) read.emplace(name, parse_type(types, type));
    }
    return read;
  }();
  for (const auto& [name, text] : kVariables) {
    const Type* type = kTypes.at(name);
    out.env.variables.push_back({name, type});
    if (out.env.variables.back().name != "missing") {
      out.bindings.emplace_back(name, any_value(arena, choices, *type));
    }
  }
}

}  // namespace

Generated generate(Arena& arena, const uint8_t* data, size_t size) {
  // The later part of the bytes determines the values of variables and the budget, so that changing
  // it keeps the expression.
  const size_t half = size / 2;
  Choices shape(data, half);
  Choices values(data + half, size - half);
  Generated out;
  static constexpr uint64_t kCosts[] = {0, 1, 2, 3, 5, 8, 13, 20, 40, 100, 1000};
  static constexpr uint64_t kMemories[] = {0, 8, 16, 24, 31, 32, 48, 64, 100, 200, 1000, 4096};
  out.small = {.cost = values.of(kCosts), .memory = values.of(kMemories)};
  declare(arena, values, out);
  static constexpr const char* kContainers[] = {"", "", "p", "p.q", "p.q.none", "math", "strings", "optional"};
  out.env.container = values.of(kContainers);
  Generator generator(arena, shape, out.env);
  const Type* want = generator.random_type();
  out.text = generator.expression(*want, 5);
  return out;
}

}  // namespace ordain::fuzz
