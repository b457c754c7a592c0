// Call: the facts of one call. Beginning a new one must cost next to nothing.
#include "ordain/call.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ordain/time_text.h"
#include "ordain/utf8.h"
#include "vm/facts/bind.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

constexpr size_t kFirstBlock = 16 * 1024;

// Whether a value of its slot's kind can be stored without a closer look. The Fitter converts or refuses the others.
bool fits_as_it_is(const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
      return true;
    case Kind::string:
      return valid_utf8(value.as_text());
    default:
      return false;
  }
}

// Finds the slot of a host's attribute; kNone if no rule reads it.
SlotId attribute_slot(const Schema& schema, std::string_view root, std::string_view field) {
  auto at = schema.roots.find(root);
  if (at == schema.roots.end()) return kNone;
  const FieldBinding* binding = schema.records[at->second].find(field);
  return binding == nullptr ? kNone : binding->slot;
}

// The type that a record declares for a slot of its fields, at any depth; nullptr if none of them has that slot.
const Type* type_in_record(const Schema& schema, uint32_t record, SlotId slot) {
  if (record == kNone) return nullptr;
  for (const FieldBinding& field : schema.records[record].fields) {
    if (field.slot == slot) return field.type;
    if (const Type* inner = type_in_record(schema, field.record, slot)) return inner;
  }
  return nullptr;
}

// The type that the call's capability or the context declares for a slot, limits and all. Capabilities that differ in
// limits alone share slots.
const Type& declared_type(const Schema& schema, CapabilityId id, SlotId slot) {
  if (id != kNone) {
    for (const uint32_t record : {schema.capabilities[id].input, schema.capabilities[id].output}) {
      if (const Type* type = type_in_record(schema, record, slot)) return *type;
    }
  }
  for (const auto& [name, record] : schema.roots) {
    if (const Type* type = type_in_record(schema, record, slot)) return *type;
  }
  return *schema.slots[slot].type;
}

SlotId now_slot(const Schema& schema) {
  for (SlotId id = 0; id < schema.slots.size(); ++id) {
    const Slot& slot = schema.slots[id];
    if (slot.bank == Bank::call && slot.path == "now" && slot.type->kind == TypeKind::timestamp) return id;
  }
  return kNone;
}

Value text_list(Arena& arena, const std::vector<std::string>& texts) {
  auto* items = arena.array<Value>(texts.size());
  if (items == nullptr) return Value::list({});
  for (size_t n = 0; n < texts.size(); ++n) items[n] = Value::string(texts[n]);
  return Value::list({items, texts.size()});
}

// An attribute of a declared capability; absent if the capability does not declare it.
Value capability_attribute(Arena& arena, const Capability& capability, std::string_view name) {
  if (name == "name") return Value::string(capability.name);
  if (name == "type") return Value::string(capability.type);
  if (name == "owner") return Value::string(capability.owner);
  if (name == "description") return Value::string(capability.description);
  if (name == "risk") return Value::floating(capability.risk);
  if (name == "scopes") return text_list(arena, capability.scopes);
  if (name == "tags") return text_list(arena, capability.tags);
  if (name == "effects") return text_list(arena, capability.effects);
  if (name == "external") return Value::boolean(capability.has_effect("external"));
  if (name == "reversible") {
    return Value::boolean(capability.has_effect("reversible") || !capability.has_effect("irreversible"));
  }
  return Value();
}

// Makes the capability a map, for rules that read it whole.
Value capability_map(Arena& arena, const Capability* capability, std::string_view name) {
  constexpr std::string_view kNames[] = {"name",   "type", "owner",   "description", "risk",
                                         "scopes", "tags", "effects", "external",    "reversible"};
  auto* entries = arena.array<MapEntry>(std::size(kNames));
  if (entries == nullptr) return Value();
  size_t count = 0;
  if (capability == nullptr) {
    entries[count++] = {Value::string("name"), Value::string(name)};
  } else {
    for (std::string_view field : kNames) {
      entries[count++] = {Value::string(field), capability_attribute(arena, *capability, field)};
    }
  }
  const MapRep* rep = make_map(arena, {entries, count});
  return rep == nullptr ? Value() : Value::map_of(rep);
}

}  // namespace

Call::Call(std::shared_ptr<const Program> program) : program_(std::move(program)), arena_(kFirstBlock) {
  Binder::prepare(*program_, Bank::call, slots_);
  const Schema& schema = program_->schema();
  dirty_.reserve(schema.slot_count[static_cast<size_t>(Bank::call)]);
  now_ = now_slot(schema);
  elapsed_ = attribute_slot(schema, "action", "elapsed");
  risk_ = attribute_slot(schema, "action", "risk");
  auto action = schema.roots.find(std::string_view("action"));
  if (action != schema.roots.end()) action_whole_ = schema.records[action->second].whole;
  auto capability = schema.roots.find(std::string_view("capability"));
  if (capability == schema.roots.end()) return;
  const RecordBinding& record = schema.records[capability->second];
  const auto is_read = [](const FieldBinding& field) { return field.slot != kNone; };
  if (record.whole != kNone || std::ranges::any_of(record.fields, is_read)) capability_record_ = &record;
}

namespace {

// Clears the texts but keeps their memory.
void clear(BindError* error) {
  error->failed = false;
  for (std::string* text : {&error->path, &error->expected, &error->got, &error->message}) text->clear();
}

}  // namespace

void Call::begin(const CapabilityRef& capability, Stage stage) {
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  const std::vector<SlotPlace>& places = link_tables(*program_).slots;
  for (SlotId slot : dirty_) {
    const SlotPlace& place = places[slot];
    slots_.values[place.index] = Value();
    if (place.compared) slots_.symbols[place.index] = place.builtin ? slots_.empty_symbol : 0;
    if (place.has_bits) binder.clear(slot);
  }
  dirty_.clear();
  arena_.reset();
  if (error_.failed) clear(&error_);
  stage_ = stage;
  if (capability.program != linked(*program_).serial) [[unlikely]] {
    capability_ = CapabilityRef();  // its name may have gone with its program
    return reject("the capability is of another program than the call; resolve it again");
  }
  capability_ = capability;
  set_capability_attributes();
}

void Call::set_capability_attributes() {
  const Schema& schema = program_->schema();
  const Capability* known = capability_.id == kNone ? nullptr : &schema.capabilities[capability_.id];
  // If only a target names the capability, nothing but its name is known, not even that it is
  // harmless.
  if (known != nullptr && !known->declared) known = nullptr;
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  if (known != nullptr) set_action("action.risk", risk_, Value::floating(known->risk));
  if (capability_record_ == nullptr) return;
  const RecordBinding& record = *capability_record_;
  for (const FieldBinding& field : record.fields) {
    if (field.slot == kNone) continue;
    Value value = known != nullptr       ? capability_attribute(arena_, *known, field.name)
                  : field.name == "name" ? Value::string(capability_.name)
                                         : Value();
    if (value.present()) binder.store(field.slot, value);
  }
  if (record.whole != kNone) binder.store(record.whole, capability_map(arena_, known, capability_.name));
}

// A slot that no rule of another program reads may be one that a rule of this program reads, so that
// kNone is compared as well.
bool Call::owns(SlotRef slot) {
  if (slot.program == linked(*program_).serial) return true;
  reject("a slot is of another program than the call; resolve it again");
  return false;
}

void Call::set(SlotRef slot, const Value& value) {
  if (owns(slot)) set_own(slot.id, value);
}

void Call::set_own(SlotId slot, const Value& value) {
  if (slot == kNone || error_.failed) return;
  const Schema& schema = program_->schema();
  const SlotPlace& place = link_tables(*program_).slots[slot];
  if (place.kind == value.kind && value.present() && place.bank == static_cast<uint32_t>(Bank::call) &&
      !place.limited) {
    // A text that is a literal of the program needs no further check.
    const SymbolId symbol = place.compared ? program_->symbol(value.as_text()) : 0;
    if (symbol != 0 || fits_as_it_is(value)) {
      Value& held = slots_.values[place.index];
      if (!held.present()) dirty_.push_back(slot);
      held = value;
      if (place.compared) slots_.symbols[place.index] = symbol;
      return;
    }
  }
  const Slot& target = schema.slots[slot];
  const Type& type = place.limited ? declared_type(schema, capability_.id, slot) : *target.type;
  const Kind kind = place.kind;
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  BindPath path{nullptr, target.path};
  if (!value.present()) {
    if (target.optional || target.builtin) return binder.clear(slot);
    binder.fitter().mismatch(path, type, value);
    return;
  }
  if (kind != Kind::absent && kind != value.kind) {
    binder.fitter().mismatch(path, type, value);
    return;
  }
  Value fitted;
  if (binder.fitter().fit(type, value, path, &fitted)) binder.store(slot, fitted);
}

void Call::forget(SlotRef slot) {
  if (!owns(slot) || slot.id == kNone) return;
  Binder(*program_, Bank::call, arena_, slots_, error_, &dirty_).clear(slot.id);
}

void Call::bind_input(const Value& value) {
  const Schema& schema = program_->schema();
  bool known = capability_.id != kNone;
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  binder.bind_record(known ? schema.capabilities[capability_.id].input : schema.undeclared_input, "input", value);
}

void Call::bind_json(std::string_view text) {
  if (error_.failed) return;
  const Schema& schema = program_->schema();
  const uint32_t number = capability_.id != kNone ? schema.capabilities[capability_.id].input : schema.undeclared_input;
  const Result<Value> value = parse_json_for(arena_, text, schema, number == kNone ? nullptr : &schema.records[number]);
  if (!value) return fail("input", value.error().message);
  bind_input(*value);
}

void Call::bind_output(const Value& value) {
  const Schema& schema = program_->schema();
  uint32_t record = capability_.id == kNone ? kNone : schema.capabilities[capability_.id].output;
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  binder.bind_record(record == kNone ? schema.undeclared_output : record, "output", value);
}

void Call::bind_root(std::string_view root, const Value& value, std::vector<std::string>* unknown) {
  if (root == "input") return bind_input(value);
  if (root == "output") return bind_output(value);
  if (root == "capability") return fail("capability", "comes from its declaration, not from the host");
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  binder.set_root(root, value, unknown);
}

void Call::set_now(int64_t seconds, int32_t nanos) {
  if (!timestamp_in_range(seconds) || nanos < 0 || nanos > 999'999'999) return fail("now", "timestamp out of range");
  if (now_ != kNone) set_own(now_, Value::timestamp(seconds, nanos));
}

void Call::set_elapsed(int64_t seconds, int32_t nanos) {
  if (!duration_in_range(seconds, nanos)) return fail("action.elapsed", "duration out of range");
  set_action("action.elapsed", elapsed_, Value::duration(seconds, nanos));
}

void Call::set_risk(double risk) {
  if (!std::isfinite(risk) || risk < 0) {
    return fail("action.risk", std::isnan(risk) ? "NaN" : risk < 0 ? "negative" : "infinity");
  }
  set_action("action.risk", risk_, Value::floating(risk));
}

// Sets an attribute of `action` that is set by itself, not as part of a record.
void Call::set_action(std::string_view path, SlotId slot, const Value& value) {
  if (action_whole_ == kNone) return set_own(slot, value);
  Binder binder(*program_, Bank::call, arena_, slots_, error_, &dirty_);
  binder.set_path(path, value);
}

void Call::fail(std::string_view path, std::string_view what) { Fitter(arena_, error_).fail({nullptr, path}, what); }

void Call::reject(std::string message) {
  if (error_.failed) return;
  error_.failed = true;
  error_.message = std::move(message);
}

}  // namespace ordain
