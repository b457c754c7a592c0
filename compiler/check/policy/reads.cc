// reads.cc derives from an expression's syntax what it refers to: roots with their paths, and lets.
// This determines for how many capabilities a rule must be checked, so it may list too much but
// never too little.
#include <algorithm>
#include <array>
#include <utility>

#include "compiler/check/policy/checker.h"

namespace ordain::policy {
namespace {

// The variables that macros bind around an expression.
struct Bound {
  std::string_view name;
  const Bound* outer = nullptr;
};

bool is_bound(const Bound* bound, std::string_view name) {
  for (; bound != nullptr; bound = bound->outer) {
    if (bound->name == name) return true;
  }
  return false;
}

bool is_macro(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kMacros{"all",           "exists",       "exists_one",
                                                           "existsOne",     "map",          "filter",
                                                           "transformList", "transformMap", "transformMapEntry"};
  return std::find(kMacros.begin(), kMacros.end(), name) != kMacros.end();
}

class Reader {
 public:
  Reader(const State& state, PackageId package, Reads& out)
      : state_(state), package_(state.packages[package]), out_(out) {}

  // Uses a stack of its own: chains of operators make trees deeper than the machine's stack.
  void read(const syntax::Expr& expression) {
    push(&expression, nullptr);
    while (!todo_.empty()) {
      auto [next, bound] = todo_.back();
      todo_.pop_back();
      ++out_.nodes;
      if (next->kind == syntax::ExprKind::ident || next->kind == syntax::ExprKind::select) {
        read_chain(*next, bound);
      } else if (next->kind == syntax::ExprKind::call) {
        read_call(*next, bound);
      } else {
        for (const syntax::Expr* arg : next->args) push(arg, bound);
      }
    }
  }

 private:
  void push(const syntax::Expr* expression, const Bound* bound) {
    if (expression != nullptr) todo_.emplace_back(expression, bound);
  }

  void read_chain(const syntax::Expr& expression, const Bound* bound) {
    std::vector<std::string_view> names;
    const syntax::Expr* at = &expression;
    while (at->kind == syntax::ExprKind::select && !at->args.empty() && at->args[0] != nullptr) {
      names.push_back(at->name);
      at = at->args[0];
    }
    out_.nodes += names.size();
    if (at->kind != syntax::ExprKind::ident) {
      push(at, bound);
      return;
    }
    names.push_back(at->name);
    std::reverse(names.begin(), names.end());
    if (!at->leading_dot && is_bound(bound, names[0])) return;
    if (read_let(names) || read_state(names)) return;
    for (const Root& root : state_.roots) {
      if (root.name == names[0]) return add(names);
    }
    if (is_input_or_output(names[0])) add(names);
  }

  void add(const std::vector<std::string_view>& names) {
    out_.accesses.push_back({names[0], {names.begin() + 1, names.end()}});
  }

  bool read_let(const std::vector<std::string_view>& names) {
    if (!package_.first_words.contains(std::string(names[0]))) return false;
    std::string name;
    LetId found = kNone;
    for (std::string_view part : names) {
      name += name.empty() ? "" : ".";
      name += part;
      auto let = package_.visible_lets.find(name);
      if (let != package_.visible_lets.end()) found = let->second;
    }
    if (found == kNone) return false;
    out_.lets.push_back(found);
    return true;
  }

  bool read_state(const std::vector<std::string_view>& names) {
    if (package_.visible_states.empty()) return false;
    std::string name;
    for (std::string_view part : names) {
      name += name.empty() ? "" : ".";
      name += part;
      for (const std::string& candidate : {name, package_.name + "." + name}) {
        auto state = package_.visible_states.find(candidate);
        if (state == package_.visible_states.end()) continue;
        out_.states.push_back(state->second);
        out_.reads_state = true;
        return true;
      }
    }
    return false;
  }

  void read_call(const syntax::Expr& call, const Bound* bound) {
    if (!call.member && (call.name == "said" || call.name == "carries")) out_.reads_state = true;
    if (read_whole(call, bound)) return;
    size_t first = 0;
    if (call.member && !call.args.empty()) {
      // A qualified function (math.greatest) looks like a member of a name; unknown names are
      // skipped.
      push(call.args[0], bound);
      first = 1;
    }
    size_t arguments = call.args.size() - first;
    bool bind = call.name == "bind" && arguments == 3;
    bool macro = call.member && is_macro(call.name) && arguments >= 2;
    size_t variables = bind ? 1 : macro ? (arguments >= 3 && binds_two(call, first) ? 2 : 1) : 0;
    const Bound* inner = bound;
    for (size_t i = 0; i < variables; ++i) {
      const syntax::Expr* variable = call.args[first + i];
      if (variable == nullptr || variable->kind != syntax::ExprKind::ident) continue;
      bounds_.push_back(std::make_unique<Bound>(Bound{variable->name, inner}));
      inner = bounds_.back().get();
    }
    for (size_t i = first + variables; i < call.args.size(); ++i) {
      push(call.args[i], bind && i == first + 1 ? bound : inner);
    }
  }

  // Reads `texts(input)`, `dyn(output)` and the like: whatever the declaration of the root, the call
  // means the same.
  bool read_whole(const syntax::Expr& call, const Bound* bound) {
    if (call.args.size() != (call.member ? 2 : 1) || call.args.back() == nullptr) return false;
    const syntax::Expr& root = *call.args.back();
    if (root.kind != syntax::ExprKind::ident || !is_input_or_output(root.name) || is_taken(root.name, bound))
      return false;
    if (!takes_any_value(called_function(call, bound))) return false;
    out_.nodes += call.args.size();
    out_.accesses.push_back({root.name, {}, true});
    return true;
  }

  // @returns whether a variable or a let has the name
  bool is_taken(std::string_view name, const Bound* bound) const {
    return is_bound(bound, name) || package_.first_words.contains(std::string(name));
  }

  // @returns nullptr if the call is not one of a function by its name, qualified or not
  const Function* called_function(const syntax::Expr& call, const Bound* bound) const {
    std::string name(call.name);
    if (call.member) {
      const syntax::Expr* qualifier = call.args[0];
      if (qualifier == nullptr || qualifier->kind != syntax::ExprKind::ident) return nullptr;
      const auto is_qualifier = [&](const Root& known) { return known.name == qualifier->name; };
      if (is_taken(qualifier->name, bound) || is_input_or_output(qualifier->name) ||
          std::any_of(state_.roots.begin(), state_.roots.end(), is_qualifier)) {
        return nullptr;
      }
      name = std::string(qualifier->name) + "." + name;
    }
    for (std::string container = package_.name; !container.empty();) {
      if (const Function* found = state_.functions.find(container + "." + name)) return found;
      const size_t dot = container.rfind('.');
      container = dot == std::string::npos ? "" : container.substr(0, dot);
    }
    return state_.functions.find(name);
  }

  // @returns whether the function's one argument may be of any type, and neither the choice of the
  // overload nor the type of the result depends on it
  static bool takes_any_value(const Function* function) {
    if (function == nullptr || function->overloads.size() != 1) return false;
    const Overload& overload = *function->overloads[0];
    if (overload.member || overload.params.size() != 1) return false;
    const TypeKind param = overload.params[0]->kind;
    return param == TypeKind::dyn || (param == TypeKind::param && overload.result->kind == TypeKind::dyn);
  }

  // list.all(i, x, p) has two variables; list.map(x, filter, transform) has one, though it has three arguments.
  static bool binds_two(const syntax::Expr& call, size_t first) {
    const syntax::Expr* second = call.args[first + 1];
    return call.name != "map" && second != nullptr && second->kind == syntax::ExprKind::ident;
  }

  const State& state_;
  const Package& package_;
  Reads& out_;
  std::vector<std::pair<const syntax::Expr*, const Bound*>> todo_;
  std::vector<std::unique_ptr<Bound>> bounds_;
};

}  // namespace

void collect_reads(const State& state, const syntax::Expr& expression, PackageId package, Reads& out) {
  Reader(state, package, out).read(expression);
}

std::vector<LetId> let_closure(const State& state, const Reads& reads) {
  std::vector<LetId> out;
  std::set<LetId> seen;
  std::vector<LetId> todo = reads.lets;
  while (!todo.empty()) {
    LetId id = todo.back();
    todo.pop_back();
    if (!seen.insert(id).second) continue;
    out.push_back(id);
    const Let& let = state.lets[id];
    todo.insert(todo.end(), let.reads.lets.begin(), let.reads.lets.end());
  }
  std::sort(out.begin(), out.end(), [&](LetId a, LetId b) { return state.lets[a].order < state.lets[b].order; });
  return out;
}

std::string access_key(State& state, const Access& access, const Type* root, bool* missing) {
  if (access.whole) return "whole";
  if (root == nullptr) return "dyn";
  std::string guards;
  const Type* type = root;
  for (std::string_view name : access.path) {
    if (type->kind != TypeKind::record || type->record == nullptr) break;
    const RecordField* field = type->record->find(name);
    if (field == nullptr) {
      if (!type->record->open) *missing = true;
      return guards + (type->record->open ? "undeclared" : "missing");
    }
    guards += field->optional ? '?' : '.';
    type = field->type;
  }
  return guards + type_key(state, *type);
}

AccessSet& access_set(State& state, std::vector<Access> accesses) {
  std::map<std::string, Access> by_path;
  for (Access& access : accesses) {
    std::string path(access.root);
    for (std::string_view name : access.path) {
      path += '.';
      path += name;
    }
    if (access.whole) path += " whole";
    by_path.emplace(std::move(path), std::move(access));
  }
  std::string key;
  for (const auto& [path, access] : by_path) key += path + "|";
  AccessSet& set = state.access_sets[key];
  if (set.accesses.empty()) {
    for (auto& [path, access] : by_path) set.accesses.push_back(std::move(access));
  }
  return set;
}

MeaningGroup group_of(State& state, AccessSet& set, CapabilityId capability) {
  auto [known, added] = set.groups.try_emplace(capability);
  if (!added) return known->second;
  const CapabilityShape& shape = state.shapes[capability];
  std::string key;
  for (const Access& access : set.accesses) {
    key += access_key(state, access, access.root == "input" ? shape.input : shape.output, &known->second.lacking);
    key += '|';
  }
  known->second.id = set.ids.emplace(std::move(key), static_cast<uint32_t>(set.ids.size())).first->second;
  return known->second;
}

}  // namespace ordain::policy
