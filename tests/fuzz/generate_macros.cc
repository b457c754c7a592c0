// generate_macros.cc writes macros, which introduce names of their own.
#include "tests/fuzz/generator.h"

namespace ordain::fuzz {

std::string Generator::with(const std::vector<const Type*>& types, const std::vector<std::string>& names,
                            const Type& want, int depth) {
  for (size_t i = 0; i < names.size(); ++i) scope_.push_back({names[i], types[i]});
  std::string out = expression(want, depth);
  scope_.resize(scope_.size() - names.size());
  return out;
}

std::string Generator::bound(const Type& want, int depth) {
  const Type* type = random_type();
  const std::string value = expression(*type, depth);
  const std::string name = fresh();
  return fmt::format("cel.bind({}, {}, {})", name, value, with({type}, {name}, want, depth));
}

// cel.block([a, b], c): b may use a, c may use both.
std::string Generator::block(const Type& want, int depth) {
  in_block_ = true;
  const size_t outside = scope_.size();
  const uint32_t count = 1 + choices_.pick(3);
  std::string steps;
  for (uint32_t i = 0; i < count; ++i) {
    const Type* type = choices_.pick(3) == 0 ? &want : random_type();
    steps += fmt::format("{}{}", i > 0 ? ", " : "", expression(*type, depth - 1));
    scope_.push_back({fmt::format("cel.index({})", i), type});
  }
  std::string out = fmt::format("cel.block([{}], {})", steps, expression(want, depth));
  scope_.resize(outside);
  in_block_ = false;
  return out;
}

// Writes math.greatest of two numbers of any types, or of more numbers than the table has rows for.
std::string Generator::extremum(int depth) {
  static const Type* const kNumbers[] = {&types::kInt, &types::kUint, &types::kDouble};
  const char* name = choices_.pick(2) == 0 ? "math.greatest" : "math.least";
  std::string out = expression(*choices_.of(kNumbers), depth);
  const uint32_t more = 1 + choices_.pick(3);
  for (uint32_t i = 0; i < more; ++i) out += ", " + expression(*choices_.of(kNumbers), depth - 1);
  return fmt::format("dyn({}({}))", name, out);
}

Generator::Range Generator::range(const Type* key, const Type* element, bool map, int depth) {
  if (!map) return {expression(*types::list_of(arena_, element), depth), element, &types::kInt, element};
  return {expression(*types::map_of(arena_, key, element), depth), key, key, element};
}

std::string Generator::quantifier(int depth) {
  static const char* const kMacros[] = {"all", "exists", "exists_one", "existsOne"};
  const Range over = range(depth);
  const char* macro = choices_.of(kMacros);
  const std::string first = fresh();
  if (choices_.pick(2) == 0) {
    const std::string test = with({over.single}, {first}, types::kBool, depth);
    return fmt::format("({}).{}({}, {})", over.text, macro, first, test);
  }
  const std::string second = fresh();
  const std::string test = with({over.first, over.second}, {first, second}, types::kBool, depth);
  return fmt::format("({}).{}({}, {}, {})", over.text, macro, first, second, test);
}

std::string Generator::list_macro(const Type& want, int depth) {
  const Type& element = *want.params[0];
  const uint32_t form = choices_.pick(8);
  const std::string first = fresh();
  if (form == 0) {
    const bool keys = is_key(element) && element.kind != TypeKind::dyn && choices_.one_in(3);
    const Range over = range(&element, keys ? random_type(1) : &element, keys, depth);
    return fmt::format("({}).filter({}, {})", over.text, first, with({over.single}, {first}, types::kBool, depth));
  }
  if (form == 1) {
    static const Type* const kSorted[] = {&types::kInt,    &types::kUint,  &types::kDouble,   &types::kBool,
                                          &types::kString, &types::kBytes, &types::kDuration, &types::kTimestamp};
    const std::string list = expression(want, depth);
    return fmt::format("({}).sortBy({}, {})", list, first, with({&element}, {first}, *choices_.of(kSorted), depth));
  }
  const Range over = range(depth);
  const std::vector<const Type*> one{over.single};
  const std::vector<const Type*> two{over.first, over.second};
  if (form <= 3) {
    return fmt::format("({}).map({}, {})", over.text, first, with(one, {first}, element, depth));
  }
  if (form == 4) {
    const std::string filter = with(one, {first}, types::kBool, depth);
    return fmt::format("({}).map({}, {}, {})", over.text, first, filter, with(one, {first}, element, depth));
  }
  if (form == 5) return call(want, depth);
  const std::string second = fresh();
  const std::string filter = form == 6 ? "" : with(two, {first, second}, types::kBool, depth) + ", ";
  return fmt::format("({}).transformList({}, {}, {}{})", over.text, first, second, filter,
                     with(two, {first, second}, element, depth));
}

std::string Generator::map_macro(const Type& want, int depth) {
  const bool keeps_keys = choices_.pick(2) == 0;
  const bool of_list =
      keeps_keys ? want.params[0]->kind == TypeKind::integer && choices_.pick(2) == 0 : choices_.pick(2) == 0;
  const Range over = range(keeps_keys ? want.params[0] : key_type(), random_type(1), !of_list, depth);
  const std::vector<std::string> names{fresh(), fresh()};
  const std::vector<const Type*> both{over.first, over.second};
  const std::string filter = choices_.pick(2) == 0 ? "" : with(both, names, types::kBool, depth) + ", ";
  return fmt::format("({}).{}({}, {}, {}{})", over.text, keeps_keys ? "transformMap" : "transformMapEntry", names[0],
                     names[1], filter, with(both, names, keeps_keys ? *want.params[1] : want, depth));
}

std::string Generator::optional_form(const Type& want, int depth) {
  const Type& inner = *want.params[0];
  switch (choices_.pick(5)) {
    case 0: {
      const std::string map = expression(*types::map_of(arena_, &types::kString, &inner), depth);
      return fmt::format("({}).?{}", map, choices_.of(kNames));
    }
    case 1: {
      const Type* map = types::optional_of(arena_, types::map_of(arena_, &types::kString, &inner));
      const std::string target = expression(*map, depth);
      return fmt::format("({}).{}{}", target, choices_.pick(2) == 0 ? "" : "?", choices_.of(kNames));
    }
    case 2:
      return call(want, depth);
    default: {
      const Type* from = random_type(1);
      const std::string target = expression(*types::optional_of(arena_, from), depth);
      const std::string name = fresh();
      const bool flat = choices_.pick(2) == 0;
      return fmt::format("({}).{}({}, {})", target, flat ? "optFlatMap" : "optMap", name,
                         with({from}, {name}, flat ? want : inner, depth));
    }
  }
}

}  // namespace ordain::fuzz
