// Reads the code of a predicate for the slots that it loads and the constants that it holds. Any of
// the constants may matter to any of the slots: whoever tries them decides that.
#include "analysis/what_if_candidates.h"

#include <algorithm>
#include <array>
#include <span>

#include "ordain/json.h"

namespace ordain::detail {
namespace {

constexpr size_t kMostConstants = 16;  // of one predicate, and elements of one list

// What a predicate reads and holds.
struct Ingredients {
  std::vector<SlotId> slots;
  std::vector<Value> constants;
};

template <typename T>
void add_once(std::vector<T>& list, const T& item, const auto& same) {
  if (list.size() >= kMostConstants) return;
  if (std::none_of(list.begin(), list.end(), [&](const T& other) { return same(other, item); })) list.push_back(item);
}

void add_slot(Ingredients& out, SlotId slot) {
  add_once(out.slots, slot, [](SlotId a, SlotId b) { return a == b; });
}

void add_constant(Ingredients& out, const Value& value) {
  if (value.is(Kind::list)) {
    const std::span<const Value> list = value.as_list();
    for (const Value& element : list.first(std::min(list.size(), kMostConstants))) {
      if (!element.is(Kind::list)) add_constant(out, element);
    }
    return;
  }
  add_once(out.constants, value,
           [](const Value& a, const Value& b) { return a.kind == b.kind && to_json(a) == to_json(b); });
}

void add_symbol(const ProgramData& data, Ingredients& out, SymbolId symbol) {
  if (symbol != 0 && symbol <= data.symbols.size()) add_constant(out, Value::string(data.symbols[symbol - 1]));
}

Ingredients ingredients_of(const ProgramData& data, const Predicate& predicate) {
  Ingredients out;
  for (const Insn& insn : std::span(data.code).subspan(predicate.code.first, predicate.code.count)) {
    switch (insn.op) {
      case Op::load:
      case Op::load_optional:
      case Op::has_slot:
        add_slot(out, insn.b);
        break;
      case Op::slot_eq:
        add_slot(out, insn.b);
        add_symbol(data, out, insn.c);
        break;
      case Op::slot_in: {
        add_slot(out, insn.b);
        const std::vector<SymbolId>& symbols = data.symbol_sets[insn.c];
        for (size_t i = 0; i < std::min(symbols.size(), kMostConstants); ++i) add_symbol(data, out, symbols[i]);
        break;
      }
      case Op::slot_has: {
        add_slot(out, insn.b);
        const Slot& slot = data.schema.slots[insn.b];
        const uint32_t member = insn.c - slot.first_bit;
        if (member < slot.member_symbols.size()) add_symbol(data, out, slot.member_symbols[member]);
        break;
      }
      case Op::const_:
        add_constant(out, data.constants[insn.b]);
        break;
      case Op::call_prepared:
        add_constant(out, data.constants[data.prepared[insn.b].constant]);
        break;
      default:
        break;
    }
  }
  return out;
}

// The parts of an event that a change may name. What a call is of, and when, is not among them.
bool may_change(std::string_view path) {
  static constexpr std::array<std::string_view, 10> kRoots = {
      "input", "output", "metadata", "agent", "principal", "tenant", "environment", "session", "resource", "action"};
  const size_t dot = path.find('.');
  return dot != std::string_view::npos && std::find(kRoots.begin(), kRoots.end(), path.substr(0, dot)) != kRoots.end();
}

bool is_number(const Value& value) {
  return value.is(Kind::integer) || value.is(Kind::unsigned_integer) || value.is(Kind::floating);
}

void add_candidate(std::vector<Candidate>& out, Candidate candidate) {
  const auto same = [&](const Candidate& other) {
    return other.change.path == candidate.change.path && other.change.set == candidate.change.set;
  };
  if (std::none_of(out.begin(), out.end(), same)) out.push_back(std::move(candidate));
}

// The constant and its neighbours on both sides.
void add_numbers(const std::string& path, const Value& constant, Scale scale, std::vector<Candidate>& out) {
  const std::optional<int64_t> position = position_of(scale, constant);
  if (!position) return;
  const auto add = [&](int64_t number) {
    const std::string json = number_json(scale, number);
    add_candidate(
        out,
        {.change = {path, FieldRelation::equals, json, json}, .numeric = true, .scale = scale, .position = number});
  };
  add(*position);
  if (*position > first_position(scale)) add(*position - 1);
  if (*position < last_position(scale)) add(*position + 1);
}

void add_texts(const std::string& path, const Value& constant, const Value* now, std::vector<Candidate>& out) {
  const std::string json = to_json(constant);
  if (now != nullptr && now->is(Kind::string) && now->as_text() == constant.as_text()) {
    add_candidate(out, {.change = {path, FieldRelation::other_than, json, R"("another")"}});
  } else {
    add_candidate(out, {.change = {path, FieldRelation::equals, json, json}});
  }
}

void add_lists(const std::string& path, const Value& constant, const Value* now, std::vector<Candidate>& out) {
  std::string with = "[", without = "[";
  bool held = false;
  const std::span<const Value> list = now != nullptr && now->is(Kind::list) ? now->as_list() : std::span<const Value>();
  const std::string json = to_json(constant);
  for (const Value& element : list) {
    const std::string text = to_json(element);
    with += text + ", ";
    held = held || text == json;
    if (text != json) without += (without.size() > 1 ? ", " : "") + text;
  }
  if (held) {
    add_candidate(out, {.change = {path, FieldRelation::lacks, json, without + "]"}});
  } else {
    add_candidate(out, {.change = {path, FieldRelation::contains, json, with + json + "]"}});
  }
}

void add_for_constant(const std::string& path, TypeKind type, const Value& constant, const Value* now,
                      std::vector<Candidate>& out) {
  const bool dynamic = type == TypeKind::dyn;
  if (is_number(constant) &&
      (dynamic || type == TypeKind::integer || type == TypeKind::unsigned_integer || type == TypeKind::floating)) {
    const bool doubles = dynamic ? constant.is(Kind::floating) : type == TypeKind::floating;
    add_numbers(path, constant, doubles ? Scale::doubles : Scale::integers, out);
  }
  if (constant.is(Kind::string) && (dynamic || type == TypeKind::string)) add_texts(path, constant, now, out);
  if (constant.is(Kind::string) && type == TypeKind::list) add_lists(path, constant, now, out);
  const bool time = (constant.is(Kind::timestamp) && type == TypeKind::timestamp) ||
                    (constant.is(Kind::duration) && type == TypeKind::duration);
  if (time) add_candidate(out, {.change = {path, FieldRelation::equals, to_json(constant), to_json(constant)}});
}

}  // namespace

void add_candidates(const ProgramData& data, uint32_t predicate, const Value& event, std::vector<Candidate>& out) {
  const Ingredients found = ingredients_of(data, data.predicates[predicate]);
  for (const SlotId id : found.slots) {
    const Slot& slot = data.schema.slots[id];
    if (!may_change(slot.path)) continue;
    const Value* now = find_value(event, slot.path);
    for (const Value& constant : found.constants) add_for_constant(slot.path, slot.type->kind, constant, now, out);
    if (slot.type->kind == TypeKind::boolean) {
      const bool is_true = now != nullptr && now->is(Kind::boolean) && now->as_bool();
      const std::string other = is_true ? "false" : "true";
      add_candidate(out, {.change = {slot.path, FieldRelation::equals, other, other}});
    }
    if (slot.optional && now != nullptr) add_candidate(out, {.change = {slot.path, FieldRelation::absent, "", ""}});
  }
}

const Value* find_value(const Value& event, std::string_view path) {
  const Value* at = &event;
  while (true) {
    if (at->is(Kind::string) && path == "id") return at;
    if (!at->is(Kind::map)) return nullptr;
    const size_t dot = std::min(path.find('.'), path.size());
    const Value* next = nullptr;
    for (const MapEntry& entry : at->map->all()) {
      if (entry.key.is(Kind::string) && entry.key.as_text() == path.substr(0, dot)) next = &entry.value;
    }
    if (next == nullptr || dot == path.size()) return next;
    at = next;
    path.remove_prefix(dot + 1);
  }
}

}  // namespace ordain::detail
