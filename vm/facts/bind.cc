// Fills slots from values: whole records, single attributes, symbols of strings, and membership
// bits of lists.
#include "vm/facts/bind.h"

#include <algorithm>

#include "vm/program/linked_program.h"

namespace ordain::vm {
namespace {

// Takes the first segment off "a.b.c".
std::string_view take_segment(std::string_view* path) {
  size_t dot = path->find('.');
  std::string_view out = path->substr(0, dot);
  *path = dot == std::string_view::npos ? std::string_view() : path->substr(dot + 1);
  return out;
}

// Follows "a.b.c" through maps. @returns nullptr if the path leads nowhere.
const Value* find_path(const Value& value, std::string_view path) {
  const Value* at = &value;
  while (!path.empty() && at != nullptr) {
    if (at->kind != Kind::map) return nullptr;
    at = map_find(*at->map, take_segment(&path));
  }
  return at;
}

// Whether a record's fields are undeclared: any value fits then, and rules read paths of it.
bool is_dynamic(const RecordBinding& record) { return record.dynamic || record.type == nullptr; }

}  // namespace

void Binder::prepare(const Program& program, Bank bank, SlotValues& slots) {
  const Schema& schema = program.schema();
  auto number = static_cast<size_t>(bank);
  slots.values.assign(schema.slot_count[number], Value());
  slots.symbols.assign(schema.slot_count[number], 0);
  slots.bits.assign(schema.bit_words[number], 0);
  slots.empty_symbol = program.symbol("");
  for (const Slot& slot : schema.slots) {
    if (slot.bank == bank && slot.compared && slot.builtin) slots.symbols[slot.index] = slots.empty_symbol;
  }
}

void Binder::store(SlotId id, const Value& value) {
  if (fitter_.error().failed) return;
  const SlotPlace& place = link_tables(program_).slots[id];
  if (place.bank != static_cast<uint32_t>(bank_)) {
    fitter_.fail({nullptr, program_.schema().slots[id].path},
                 bank_ == Bank::call ? "belongs to the context, not to a call" : "belongs to a call");
    return;
  }
  // Engines rely on this: the kind of a present slot is the kind of its type.
  if (place.kind != Kind::absent && place.kind != value.kind) {
    const Slot& slot = program_.schema().slots[id];
    fitter_.mismatch({nullptr, slot.path}, *slot.type, value);
    return;
  }
  Value& held = slots_.values[place.index];
  if (dirty_ != nullptr && !held.present()) dirty_->push_back(id);
  held = value;
  if (place.compared) {
    slots_.symbols[place.index] = value.kind == Kind::string ? program_.symbol(value.as_text()) : 0;
  }
  if (place.has_bits) store_bits(id, program_.schema().slots[id], value);
}

void Binder::store_bits(SlotId id, const Slot& slot, const Value& list) {
  size_t first = slot.first_bit / 64, words = (slot.member_symbols.size() + 63) / 64;
  std::fill_n(slots_.bits.begin() + static_cast<ptrdiff_t>(first), words, 0);
  if (list.kind != Kind::list) return;
  for (const Value& element : list.as_list()) {
    if (element.kind != Kind::string) continue;
    SymbolId symbol = program_.symbol(element.as_text());
    uint32_t bit = symbol == 0 ? kNone : program_.member_bit(id, symbol);
    if (bit != kNone) slots_.bits[bit / 64] |= uint64_t{1} << bit % 64;
  }
}

void Binder::clear(SlotId id) {
  const Slot& slot = program_.schema().slots[id];
  if (slot.bank != bank_) return;
  slots_.values[slot.index] = Value();
  slots_.symbols[slot.index] = slot.compared && slot.builtin ? slots_.empty_symbol : 0;
  if (!slot.member_symbols.empty()) store_bits(id, slot, Value());
}

// Fills the slots at or below `path` of a record whose fields are undeclared.
void Binder::fill_path(const RecordBinding& record, std::string_view path, const Value& value) {
  for (const FieldBinding& field : record.fields) {
    std::string_view rest = field.name;
    if (!rest.starts_with(path)) continue;
    rest.remove_prefix(path.size());
    if (!rest.empty() && !path.empty()) {
      if (rest[0] != '.') continue;
      rest.remove_prefix(1);
    }
    const Value* found = find_path(value, rest);
    if (found == nullptr) continue;
    if (field.slot != kNone) store(field.slot, *found);
    if (field.record != kNone) fill(program_.schema().records[field.record], *found);
  }
}

void Binder::fill(const RecordBinding& record, const Value& value) {
  if (record.whole != kNone) store(record.whole, value);
  if (is_dynamic(record)) return fill_path(record, {}, value);
  if (value.kind != Kind::map) return;
  for (const FieldBinding& field : record.fields) {
    if (field.slot == kNone && field.record == kNone) continue;
    // Rules may read undeclared paths of an open record.
    bool declared = !record.open || record.type->find(field.name) != nullptr;
    const Value* found = declared ? map_find(*value.map, field.name) : find_path(value, field.name);
    if (found == nullptr) continue;
    if (field.slot != kNone) store(field.slot, *found);
    if (field.record != kNone) fill(program_.schema().records[field.record], *found);
  }
}

void Binder::forget(const RecordBinding& record) {
  if (record.whole != kNone) clear(record.whole);
  for (const FieldBinding& field : record.fields) {
    if (field.slot != kNone) clear(field.slot);
    if (field.record != kNone) forget(program_.schema().records[field.record]);
  }
}

void Binder::bind_record(uint32_t number, std::string_view name, const Value& value) {
  if (fitter_.error().failed) return;
  BindPath path{nullptr, name};
  const RecordBinding* record = number == kNone ? nullptr : &program_.schema().records[number];
  if (record == nullptr || is_dynamic(*record)) {
    if (fitter_.check(value, path) && record != nullptr) fill(*record, value);
    return;
  }
  Type type{TypeKind::record, {}, {}, record->type};
  Value fitted;
  if (fitter_.fit(type, value, path, &fitted)) fill(*record, fitted);
}

bool Binder::set_path(std::string_view path, const Value& value) {
  std::string_view rest = path;
  std::string_view root = take_segment(&rest);
  if (rest.empty()) return set_root(path, value, nullptr);
  const Schema& schema = program_.schema();
  auto at = schema.roots.find(root);
  if (at == schema.roots.end() || fitter_.error().failed) return false;
  fitter_.partial = fitter_.skip_undeclared = true;
  std::string_view name = take_segment(&rest);
  Value fitted;
  return set_field(schema.records[at->second], name, rest, value, {nullptr, root}, &fitted);
}

bool Binder::set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown) {
  const Schema& schema = program_.schema();
  auto found = schema.roots.find(root);
  if (fitter_.error().failed) return false;
  if (found == schema.roots.end()) {
    if (unknown != nullptr) unknown->emplace_back(root);
    return false;
  }
  const RecordBinding& record = schema.records[found->second];
  BindPath path{nullptr, root};
  // What the agent itself sends is checked against its declaration, if there is one.
  bool trusted = root != "metadata" || is_dynamic(record) || record.type->fields.empty();
  fitter_.partial = true;
  fitter_.skip_undeclared = trusted;
  fitter_.unknown = unknown;
  auto set = [&](std::string_view name, const Value& attribute) {
    Value fitted;
    if (set_field(record, name, {}, attribute, path, &fitted)) return true;
    if (fitter_.error().failed) return false;
    if (!trusted) return fitter_.no_such_field(path.field(name), *record.type);
    if (unknown != nullptr) unknown->push_back(path.field(name).text());
    return true;
  };
  if (!value.present() || value.kind == Kind::null) return true;
  if (value.kind == Kind::string) return set("id", value);
  if (value.kind != Kind::map) return fitter_.mismatch(path, "record or string", std::string(type_name(value.kind)));
  for (const MapEntry& entry : value.map->all()) {
    if (entry.key.kind != Kind::string) return fitter_.fail(path, "a record's fields have names");
    if (!set(entry.key.as_text(), entry.value)) return false;
  }
  return true;
}

bool Binder::set_field(const RecordBinding& record, std::string_view name, std::string_view rest, const Value& value,
                       const BindPath& at, Value* fitted) {
  const RecordField* field = is_dynamic(record) ? nullptr : record.type->find(name);
  BindPath path = at.field(name);
  bool set = false;
  if (field == nullptr) {
    set = set_undeclared(record, name, rest, value, path, fitted);
  } else if (rest.empty()) {
    set = set_leaf(*field, record.find(name), value, path, fitted);
  } else {
    set = set_nested(*field, record.find(name), rest, value, path, fitted);
  }
  return set && (record.whole == kNone || update_whole(record.whole, name, rest, *fitted));
}

bool Binder::set_leaf(const RecordField& field, const FieldBinding* binding, const Value& value, const BindPath& at,
                      Value* fitted) {
  const RecordBinding* nested =
      binding == nullptr || binding->record == kNone ? nullptr : &program_.schema().records[binding->record];
  bool empty = value.kind == Kind::null || (value.kind == Kind::optional && value.items == nullptr);
  if (!value.present() || (empty && field.optional)) {
    if (binding != nullptr && binding->slot != kNone) clear(binding->slot);
    if (nested != nullptr) forget(*nested);
    *fitted = Value();
    return true;
  }
  Value given = value;
  if (field.name == "risk" && field.type->kind == TypeKind::floating && value.kind == Kind::string) {
    const std::optional<Risk> risk = find_risk(value.as_text());
    if (!risk) return fitter_.fail(at, "no such risk; none, low, medium, high, critical or a number");
    given = Value::floating(static_cast<double>(*risk));
  }
  if (!fitter_.fit(*field.type, given, at, fitted)) return false;
  if (field.name == "risk" && fitted->kind == Kind::floating && fitted->d < 0) return fitter_.fail(at, "negative");
  if (nested != nullptr) forget(*nested);
  if (binding != nullptr && binding->slot != kNone) store(binding->slot, *fitted);
  if (nested != nullptr) fill(*nested, *fitted);
  return !fitter_.error().failed;
}

bool Binder::set_nested(const RecordField& field, const FieldBinding* binding, std::string_view path,
                        const Value& value, const BindPath& at, Value* fitted) {
  if (field.type->kind != TypeKind::record) return false;
  std::string_view name = take_segment(&path);
  RecordBinding unread;  // serves only to check, if no rule reads the record
  unread.type = field.type->record;
  unread.open = field.type->record->open;
  bool read = binding != nullptr && binding->record != kNone;
  const RecordBinding& record = read ? program_.schema().records[binding->record] : unread;
  if (!set_field(record, name, path, value, at, fitted)) return false;
  return binding == nullptr || binding->slot == kNone || binding->slot == record.whole ||
         update_whole(binding->slot, name, path, *fitted);
}

bool Binder::set_undeclared(const RecordBinding& record, std::string_view name, std::string_view rest,
                            const Value& value, const BindPath& at, Value* fitted) {
  if (!is_dynamic(record) && !record.open) return false;
  *fitted = value;
  if (value.present() && !fitter_.check(value, at)) return false;
  if (name.find('.') != std::string_view::npos) return true;  // a key that looks like a path is not a path of the rules
  std::string path(name);
  if (!rest.empty()) (path += '.') += rest;
  for (const FieldBinding& field : record.fields) {
    bool below = field.name.starts_with(path) && (field.name.size() == path.size() || field.name[path.size()] == '.');
    if (below && field.slot != kNone) clear(field.slot);
    if (below && field.record != kNone) forget(program_.schema().records[field.record]);
  }
  if (value.present()) fill_path(record, path, value);
  return !fitter_.error().failed;
}

bool Binder::update_whole(SlotId slot, std::string_view name, std::string_view rest, const Value& value) {
  if (program_.schema().slots[slot].bank != bank_) {
    store(slot, Value());  // says whose it is
    return false;
  }
  Value whole;
  if (!updated(slots_.values[program_.schema().slots[slot].index], name, rest, value, &whole)) return false;
  store(slot, whole);
  return !fitter_.error().failed;
}

// Makes a copy of `map` in which the field at name.rest is `value`; an absent `value` removes the
// field.
bool Binder::updated(const Value& map, std::string_view name, std::string_view rest, const Value& value, Value* out) {
  std::span<const MapEntry> before;
  if (map.kind == Kind::map) before = map.map->all();
  Value field = value;
  if (!rest.empty()) {
    const Value* inner = map.kind == Kind::map ? map_find(*map.map, name) : nullptr;
    std::string_view next = take_segment(&rest);
    if (!updated(inner == nullptr ? Value() : *inner, next, rest, value, &field)) return false;
  }
  Arena& arena = fitter_.arena();
  BindPath path{nullptr, name};
  auto* entries = arena.array<MapEntry>(before.size() + 1);
  char* key = static_cast<char*>(arena.allocate(name.size(), 1));
  if (entries == nullptr || key == nullptr) return fitter_.fail(path, "too large");
  std::copy(name.begin(), name.end(), key);
  size_t count = 0;
  for (const MapEntry& entry : before) {
    if (!entry.key.is(Kind::string) || entry.key.as_text() != name) entries[count++] = entry;
  }
  if (field.present()) entries[count++] = {Value::string({key, name.size()}), field};
  const MapRep* rep = make_map(arena, {entries, count});
  if (rep == nullptr) return fitter_.fail(path, "too large");
  *out = Value::map_of(rep);
  return true;
}

}  // namespace ordain::vm
