// states.cc checks what expressions read of state: members of histories, rates and budgets, `said` and `carries`, and
// the labels of the session. Each read is a slot, which the runtime fills before it decides.
#include <algorithm>
#include <set>

#include "compiler/check/expression/checker.h"
#include "ordain/json.h"

namespace ordain::checking {
namespace {

// Slots for state are the runtime's to fill. Without it a rule that reads one faults.
const RootName& state_root() {
  static const RootName root = [] {
    RootName out;
    out.type = &types::kBool;
    out.bank = Bank::call;
    out.host = true;
    return out;
  }();
  return root;
}

struct MemberRow {
  StateMember member;
  StateKind kind;
  const Type* type;  ///< nullptr: the type of the state's amounts
  bool optional;
};
constexpr MemberRow kMembers[] = {
    {StateMember::seen, StateKind::history, &types::kBool, false},
    {StateMember::count, StateKind::history, &types::kInt, false},
    {StateMember::running, StateKind::history, &types::kInt, false},
    {StateMember::sum, StateKind::history, nullptr, false},
    {StateMember::last, StateKind::history, &types::kTimestamp, true},
    {StateMember::first, StateKind::history, &types::kTimestamp, true},
    {StateMember::ok, StateKind::rate, &types::kBool, false},
    {StateMember::wait, StateKind::rate, &types::kDuration, false},
    {StateMember::left, StateKind::budget, nullptr, false},
    {StateMember::used, StateKind::budget, nullptr, false},
};

constexpr std::string_view kLabelSlot = "state.session.labels";

// @returns "a.b" for the selections a.b; empty if the expression is not a plain name
std::string dotted_name(const Expr& e) {
  if (e.kind == ExprKind::ident) return std::string(e.name);
  if (e.kind != ExprKind::select || e.optional) return "";
  std::string head = dotted_name(*e.args[0]);
  return head.empty() ? head : head + "." + std::string(e.name);
}

const Expr& head_of(const Expr& e) {
  const Expr* at = &e;
  while (at->kind == ExprKind::select && !at->args.empty()) at = at->args[0];
  return *at;
}

bool is_index_call(const Expr& e) {
  return e.kind == ExprKind::call && !e.member && e.name == "_[_]" && e.args.size() == 2;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "`" : ", `") + name + "`";
  return out;
}

// Whether the tree reads a variable that it does not declare itself.
bool has_free_local(const Node& node, std::set<uint32_t>& declared) {
  if (node.kind == NodeKind::local) return !declared.contains(node.local);
  if (node.kind == NodeKind::loop || node.kind == NodeKind::let) {
    declared.insert(node.local);
    if (node.local2 != kNone) declared.insert(node.local2);
  }
  return std::any_of(node.args.begin(), node.args.end(),
                     [&](const Node* child) { return has_free_local(*child, declared); });
}

bool is_slot_kind(const Node& node) {
  return node.kind == NodeKind::slot || node.kind == NodeKind::has_slot || node.kind == NodeKind::optional_slot;
}

bool reads_state(const Node& node) {
  if (is_slot_kind(node) && static_cast<const SlotNode&>(node).path.starts_with(kStatePrefix)) return true;
  return std::any_of(node.args.begin(), node.args.end(), [](const Node* child) { return reads_state(*child); });
}

// Appends the numbers of the slots that a settled tree reads: with its text, they say what it means.
void append_slots(const Node& node, std::string& out) {
  if (is_slot_kind(node)) out += " " + std::to_string(node.slot);
  for (const Node* child : node.args) append_slots(*child, out);
}

typed::StateKey key_of_index(const SlotNode& part) {
  typed::StateKey out;
  out.source = part.kind == NodeKind::constant ? KeySource::literal : KeySource::path;
  out.slot = part.kind == NodeKind::constant ? kNone : part.slot;
  out.literal = part.value;
  return out;
}

}  // namespace

SlotNode* ExprChecker::state_slot(const Expr& e, std::string_view path, const Type* type) {
  SlotNode* node = arena_.make<SlotNode>();
  node->kind = NodeKind::slot;
  node->type = node->slot_type = type;
  node->span = e.span;
  node->at = e.at;
  node->root = &state_root();
  node->path = path;
  return node;
}

const StateName* ExprChecker::find_state(const Expr& e) const {
  if (scope_.states == nullptr) return nullptr;
  const std::string name = dotted_name(e);
  if (name.empty() || is_local(head_of(e))) return nullptr;
  const std::vector<std::string> wanted = head_of(e).leading_dot ? std::vector{name} : candidates(name);
  for (const std::string& candidate : wanted) {
    if (scope_.roots.contains(candidate) || scope_.lets.contains(candidate)) return nullptr;
    auto found = scope_.states->names.find(candidate);
    if (found != scope_.states->names.end()) return &found->second;
  }
  return nullptr;
}

bool ExprChecker::names_state(const Expr& e) const {
  const Expr* at = &e;
  while (is_index_call(*at)) at = at->args[0];
  return find_state(*at) != nullptr;
}

Node* ExprChecker::state_node(const Expr& e, const StateName& state) {
  SlotNode* node = state_slot(e, arena_.copy(std::string(kStatePrefix) + std::string(state.name)), &types::kBool);
  node->whole_root = true;
  node->state = &state;
  return node;
}

Node* ExprChecker::state_member(const Expr& e, SlotNode& operand, std::string_view field, Access access) {
  const StateName& state = *operand.state;
  const MemberRow* row = nullptr;
  std::vector<std::string> names;
  for (const MemberRow& candidate : kMembers) {
    const bool sums = candidate.member == StateMember::sum;
    if (candidate.kind != state.kind || (sums && state.amount == nullptr)) continue;
    names.emplace_back(to_string(candidate.member));
    if (to_string(candidate.member) == field) row = &candidate;
  }
  if (row == nullptr) {
    std::string help = "it has " + listed(names);
    if (std::string near = nearest(field, names); !near.empty()) help = "did you mean `" + near + "`?";
    if (field == "after") help = "`after` takes another history: `a.after(b)`";
    if (field == "sum") help = "this history sums nothing: write `sum EXPRESSION` in its declaration";
    error("unknown-member", e.at,
          "a " + std::string(to_string(state.kind)) + " has no member `" + std::string(field) + "`", std::move(help));
    return error_node(e);
  }
  if (!operand.index.empty() && operand.index.size() != state.paths) {
    error("state-index", operand.span,
          "`" + std::string(state.name) + "` has " + std::to_string(state.paths) +
              " fields in its key, and this gives " + std::to_string(operand.index.size()));
    return error_node(e);
  }
  const Type* type = row->type != nullptr ? row->type : state.amount;
  SlotNode* node = state_slot(e, arena_.copy(std::string(operand.path) + "." + std::string(field)), type);
  const bool as_optional = access == Access::optional;
  node->kind = access == Access::test ? NodeKind::has_slot : as_optional ? NodeKind::optional_slot : NodeKind::slot;
  node->type = access == Access::test ? &types::kBool : as_optional ? infer_.optional_of(type) : type;
  node->state = &state;
  node->member = row->member;
  node->index = operand.index;
  node->optional = row->optional;
  if (row->optional && access == Access::read && !is_present(node->path)) {
    node->unguarded = node->path.substr(kStatePrefix.size());
    node->unguarded_at = e.span;
  }
  return node;
}

Node* ExprChecker::check_state_call(const Expr& e) {
  if (is_index_call(e) && names_state(*e.args[0])) return state_index(e);
  if (e.member && e.name == "after" && e.args.size() == 2 && names_state(*e.args[0])) return state_after(e);
  const bool tests_text = !e.member && (e.name == "said" || e.name == "carries");
  return tests_text && !find_function(e.name, e.leading_dot).found() ? text_test(e) : nullptr;
}

// history[input.id]: the key's fields are given, in the order of the declaration.
Node* ExprChecker::state_index(const Expr& e) {
  Node* base = is_index_call(*e.args[0]) ? state_index(*e.args[0]) : state_node(*e.args[0], *find_state(*e.args[0]));
  if (is_error(*base)) return base;
  SlotNode& whole = static_cast<SlotNode&>(*base);
  Node* part = check(*e.args[1]);
  if (is_error(*part)) return error_node(e);
  const Type& type = *infer_.shallow(part->type);
  const bool key_type = type.kind == TypeKind::string || type.kind == TypeKind::integer ||
                        type.kind == TypeKind::unsigned_integer || type.kind == TypeKind::boolean ||
                        type.kind == TypeKind::dyn;
  const bool is_path = part->kind == NodeKind::slot && !reads_state(*part);
  if (!key_type || (!is_path && part->kind != NodeKind::constant)) {
    error("state-index", e.args[1]->span, "this must be a field or a literal, of type string, int, uint or bool",
          "what is read of a history is fetched before the decision, so it cannot be computed here");
    return error_node(e);
  }
  if (whole.index.size() == whole.state->paths) {
    error("state-index", e.args[1]->span,
          whole.state->paths == 0 ? "the key of `" + std::string(whole.state->name) + "` has no field of a call"
                                  : "`" + std::string(whole.state->name) + "` has no further field in its key");
    return error_node(e);
  }
  SlotNode* kept = nullptr;
  std::string step;
  if (is_path) {
    kept = static_cast<SlotNode*>(part);
    step = std::string(kept->path);
    if (type.kind != TypeKind::string) step += ": " + to_string(type);
  } else {
    kept = arena_.make<SlotNode>();
    static_cast<Node&>(*kept) = *part;
    step = to_json(part->value) + (part->value.is(Kind::unsigned_integer) ? "u" : "");
  }
  std::vector<SlotNode*> index(whole.index.begin(), whole.index.end());
  index.push_back(kept);
  SlotNode* out = static_cast<SlotNode*>(state_node(e, *whole.state));
  out->path = arena_.copy(std::string(whole.path) + "[" + step + "]");
  const std::span<SlotNode*> copied = arena_.copy(index);
  out->index = {copied.data(), copied.size()};
  return out;
}

Node* ExprChecker::state_after(const Expr& e) {
  const Expr& receiver = *e.args[0];
  Node* base = is_index_call(receiver) ? state_index(receiver) : state_node(receiver, *find_state(receiver));
  if (is_error(*base)) return error_node(e);
  SlotNode& whole = static_cast<SlotNode&>(*base);
  const StateName* other = find_state(*e.args[1]);
  const bool histories =
      other != nullptr && other->kind == StateKind::history && whole.state->kind == StateKind::history;
  if (!histories) {
    error("state-after", e.args[1]->span, "`after` compares two histories", "write `a.after(b)`, each by its name");
    return error_node(e);
  }
  if (other->keys != whole.state->keys) {
    error("state-after", e.args[1]->span,
          "`" + std::string(other->name) + "` is kept by " + std::string(other->keys) + ", and `" +
              std::string(whole.state->name) + "` by " + std::string(whole.state->keys),
          "only histories with the same keys can be compared");
    return error_node(e);
  }
  if (!whole.index.empty() && whole.index.size() != whole.state->paths) {
    error("state-index", receiver.span, "this index does not give the whole key");
    return error_node(e);
  }
  SlotNode* node =
      state_slot(e, arena_.copy(std::string(whole.path) + ".after(" + std::string(other->name) + ")"), &types::kBool);
  node->state = whole.state;
  node->other = other;
  node->member = StateMember::after;
  node->index = whole.index;
  return node;
}

// said(TEXT) and carries(VALUE, "label")
Node* ExprChecker::text_test(const Expr& e) {
  const bool is_said = e.name == "said";
  if (e.args.size() != (is_said ? 1 : 2)) {
    error("no-matching-overload", e.at, is_said ? "`said` takes one text" : "`carries` takes a value and a label");
    return error_node(e);
  }
  Node* text = check(*e.args[0]);
  if (is_error(*text)) return error_node(e);
  const Type& type = *infer_.shallow(text->type);
  const bool texts = type.kind == TypeKind::list && infer_.shallow(type.params[0])->kind == TypeKind::string;
  if (is_said && type.kind != TypeKind::string && type.kind != TypeKind::dyn && !texts) {
    error("type-mismatch", e.args[0]->span,
          "`said` takes a string or a list of strings, this is " + describe(text->type));
    return error_node(e);
  }
  std::set<uint32_t> declared;
  if (has_free_local(*text, declared) || reads_state(*text)) {
    error(
        "state-text", e.args[0]->span,
        "`" + std::string(e.name) + "` is answered before the decision, so it cannot depend on a variable or on state",
        is_said ? "give it the whole list: it is true if each of its texts was said"
                : "give it the whole value: it looks at every text in it");
    return error_node(e);
  }
  if (!is_said && !is_label(*e.args[1])) return error_node(e);
  SlotNode* node = state_slot(e, {}, &types::kBool);
  node->text = e.args[0];
  node->text_node = text;
  if (is_said) return node;
  const std::vector<std::string>& labels = scope_.states->histories->labels;
  node->label = static_cast<uint32_t>(std::find(labels.begin(), labels.end(), std::string(e.args[1]->value.as_text())) -
                                      labels.begin());
  return node;
}

// @returns whether the expression is the text of a declared label; reports if it is not
bool ExprChecker::is_label(const Expr& e) {
  const std::vector<std::string>& labels = scope_.states->histories->labels;
  if (e.kind != ExprKind::literal || !e.value.is(Kind::string)) {
    error("unknown-label", e.span, "this must be the name of a label, in quotes",
          labels.empty() ? "" : "write it as in \"" + labels.front() + "\"");
    return false;
  }
  const std::string name(e.value.as_text());
  if (std::find(labels.begin(), labels.end(), name) != labels.end()) return true;
  std::string near = nearest(name, labels);
  error("unknown-label", e.span, "no label is called `" + name + "`",
        !near.empty()    ? "did you mean `" + near + "`?"
        : labels.empty() ? "declare it: `label " + name + ";`"
                         : "");
  return false;
}

// Where labels are declared, `session.labels` is the host's labels and those that the runtime raised.
Node* ExprChecker::join_labels(const Expr& e, Node* node) {
  const bool labels = scope_.states != nullptr && !scope_.states->histories->labels.empty();
  if (!labels || node->kind != NodeKind::slot) return node;
  const SlotNode& slot = static_cast<const SlotNode&>(*node);
  if (slot.path != "session.labels") return node;
  SlotNode* raised = state_slot(e, kLabelSlot, &types::kListString);
  raised->builtin = true;
  return call(e, find_function("_+_", true), false, {node, raised});
}

// `"x" in session.labels` is a test of two slots, which costs nothing; of the joined list it would not.
Node* ExprChecker::label_membership(const Expr& e, const std::vector<Node*>& args) {
  const Node& list = *args[1];
  if (scope_.states == nullptr || list.kind != NodeKind::call || list.args.size() != 2) return nullptr;
  const bool joined =
      list.args[1]->kind == NodeKind::slot && static_cast<const SlotNode&>(*list.args[1]).path == kLabelSlot;
  if (!joined) return nullptr;
  const Expr& label = *e.args[0];
  if (label.kind == ExprKind::literal && label.value.is(Kind::string) && !is_label(label)) return error_node(e);
  Node* own = call(e, find_function(e.name, true), false, {args[0], list.args[0]});
  Node* raised = call(e, find_function(e.name, true), false, {check(label), list.args[1]});
  if (is_error(*own) || is_error(*raised)) return error_node(e);
  return make(NodeKind::or_, e, &types::kBool, {own, raised});
}

// Settles what a slot of state depends on; the text that `said` looks for is a part of the slot's name.
void ExprChecker::settle_state(SlotNode& node) {
  for (SlotNode* part : node.index) {
    if (part->kind == NodeKind::slot) settle(*part);
  }
  if (node.text_node == nullptr) return;
  settle(*node.text_node);
  std::string path = std::string(kStatePrefix) + (node.label == kNone ? "said(" : "carries(");
  path += text_of(node.text->span, "text");
  if (node.label != kNone) path += ", " + scope_.states->histories->labels[node.label];
  path += ")";
  std::string slots;
  append_slots(*node.text_node, slots);
  path += " of" + (slots.empty() ? " constants" : slots);
  if (!scope_.container.empty()) path += " in " + scope_.container;
  node.path = arena_.copy(path);
}

void ExprChecker::register_state(const SlotNode& node) {
  if (scope_.states == nullptr) return;
  typed::Histories& histories = *scope_.states->histories;
  if (node.path == kLabelSlot) histories.session_labels = node.slot;
  if (node.text_node != nullptr) {
    typed::TextSlot slot;
    slot.what = node.label == kNone ? TextRead::said : TextRead::carries;
    slot.label = node.label;
    slot.text = {node.text_node, local_count_};
    slot.span = node.span;
    histories.texts.try_emplace(node.slot, slot);
  }
  if (node.state == nullptr) return;
  typed::StateSlot slot;
  slot.state = node.state->id;
  slot.member = node.member;
  if (node.other != nullptr) slot.other = node.other->id;
  slot.indexed = !node.index.empty();
  for (const SlotNode* part : node.index) slot.index.push_back(key_of_index(*part));
  slot.span = node.span;
  histories.slots.try_emplace(node.slot, std::move(slot));
}

}  // namespace ordain::checking
