// Decides calls with unknown facts: finds the rules whose answer depends on them, and whether the
// effect does.
#include "analysis/unknown.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ordain/time_text.h"
#include "runtime/audit/secrets.h"
#include "vm/decide/decide_run.h"
#include "vm/program/linked_program.h"

namespace ordain::detail {
namespace {

bool begins(std::string_view path, std::string_view with) {
  return path.starts_with(with) && (path.size() == with.size() || path[with.size()] == '.' || path[with.size()] == '[');
}

// Whether the slot's value is unknown, at least in part.
bool touches(std::string_view slot, std::string_view unknown) { return begins(unknown, slot) || begins(slot, unknown); }

// The slots that hold state: "state.sends.count".
constexpr std::string_view kStateSlots = "state.";

// Whether the slot is set is known: the unknown part is its value or lies within it, and was present. What is
// remembered may be nothing.
bool present(std::string_view slot, std::string_view unknown) {
  return begins(unknown, slot) && unknown != "now" && !unknown.starts_with(kStateSlots);
}

// Some value of the type; false if the type does not say what fits (dyn).
bool placeholder(const Type& type, Arena& arena, Value* out);

bool record_placeholder(const RecordType& record, Arena& arena, Value* out) {
  auto* entries = arena.array<MapEntry>(record.fields.size());
  size_t count = 0;
  for (const RecordField& field : record.fields) {
    if (field.optional) continue;
    MapEntry& entry = entries[count++];
    entry.key = Value::string(field.name);
    if (!placeholder(*field.type, arena, &entry.value)) entry.value = Value::null();
  }
  *out = Value::map_of(make_map(arena, {entries, count}));
  return true;
}

bool placeholder(const Type& type, Arena& arena, Value* out) {
  switch (type.kind) {
    case TypeKind::null_type:
      *out = Value::null();
      return true;
    case TypeKind::boolean:
      *out = Value::boolean(false);
      return true;
    case TypeKind::integer:
      *out = Value::integer(0);
      return true;
    case TypeKind::unsigned_integer:
      *out = Value::unsigned_integer(0);
      return true;
    case TypeKind::floating:
      *out = Value::floating(0);
      return true;
    case TypeKind::string:
    case TypeKind::bytes:
      *out = Value::string("");
      return true;
    case TypeKind::timestamp:
      *out = Value::string("1970-01-01T00:00:00Z");
      return true;
    case TypeKind::duration:
      *out = Value::string("0s");
      return true;
    case TypeKind::list:
      *out = Value::list({});
      return true;
    case TypeKind::map:
      *out = Value::map_of(make_map(arena, {}));
      return true;
    case TypeKind::optional:
      return placeholder(*type.params[0], arena, out);
    case TypeKind::record:
      return record_placeholder(*type.record, arena, out);
    default:
      return false;
  }
}

// Takes ".name" or "[7]" off the front of a path. Returns false at its end, and if it begins with
// neither.
bool take_step(std::string_view* path, std::string_view* name, size_t* index) {
  *name = {};
  if (path->starts_with('.')) {
    const size_t end = std::min(path->find_first_of(".[", 1), path->size());
    *name = path->substr(1, end - 1);
    path->remove_prefix(end);
    return !name->empty();
  }
  const size_t close = path->find(']');
  if (!path->starts_with('[') || close == std::string_view::npos) return false;
  *index = 0;
  for (const char digit : path->substr(1, close - 1)) {
    if (digit < '0' || digit > '9' || *index > UINT32_MAX) return false;
    *index = *index * 10 + static_cast<size_t>(digit - '0');
  }
  path->remove_prefix(close + 1);
  return true;
}

bool replace(const Type& type, std::string_view path, Arena& arena, Value* value);

bool replace_entry(const Type& type, std::string_view name, std::string_view rest, Arena& arena, Value* value) {
  const Type* inner = nullptr;
  if (type.kind == TypeKind::map) inner = type.params[1];
  if (type.kind == TypeKind::record) {
    const RecordField* field = type.record->find(name);
    if (field != nullptr) inner = field->type;
  }
  if (inner == nullptr || !value->is(Kind::map)) return false;
  const std::span<const MapEntry> from = value->map->all();
  auto* entries = arena.array<MapEntry>(from.size());
  bool done = false;
  for (size_t i = 0; i < from.size(); ++i) {
    entries[i] = from[i];
    if (from[i].key.is(Kind::string) && from[i].key.as_text() == name) {
      done = replace(*inner, rest, arena, &entries[i].value);
    }
  }
  if (done) *value = Value::map_of(make_map(arena, {entries, from.size()}));
  return done;
}

// Puts a value that fits the declaration where `path` leads. Undeclared values stay as they are.
bool replace(const Type& type, std::string_view path, Arena& arena, Value* value) {
  if (type.kind == TypeKind::optional) return replace(*type.params[0], path, arena, value);
  if (path.empty()) return placeholder(type, arena, value);
  std::string_view name;
  size_t index = 0;
  if (!take_step(&path, &name, &index)) return false;
  if (!name.empty()) return replace_entry(type, name, path, arena, value);
  if (type.kind != TypeKind::list || !value->is(Kind::list) || index >= value->aux) return false;
  std::span<Value> items = arena.copy(value->as_list());
  if (!replace(*type.params[0], path, arena, &items[index])) return false;
  *value = Value::list(items);
  return true;
}

const RecordType* declared(const Schema& schema, CapabilityId id, bool output) {
  if (id == kNone) return nullptr;
  const uint32_t record = output ? schema.capabilities[id].output : schema.capabilities[id].input;
  return record == kNone || schema.records[record].dynamic ? nullptr : schema.records[record].type;
}

}  // namespace

UnknownFacts::UnknownFacts(std::shared_ptr<const Program> program)
    : program_(std::move(program)), reads_(data_of(*program_).rule_codes.size()) {}

void UnknownFacts::collect(uint32_t predicate, std::vector<Read>* out) const {
  if (predicate == kNone) return;
  const ProgramData& data = data_of(*program_);
  const Range code = data.predicates[predicate].code;
  for (uint32_t at = code.first; at < code.first + code.count; ++at) {
    const Insn& insn = data.code[at];
    switch (insn.op) {
      case Op::load:
      case Op::slot_eq:
      case Op::slot_in:
      case Op::slot_has:
        out->push_back({insn.b, Use::value});
        break;
      case Op::load_optional:
        out->push_back({insn.b, Use::optional});
        break;
      case Op::has_slot:
        out->push_back({insn.b, Use::presence});
        break;
      default:
        break;
    }
  }
}

const UnknownFacts::Reads& UnknownFacts::reads(uint32_t code) {
  Reads& out = reads_[code];
  if (out.made) return out;
  const RuleCode& rule = data_of(*program_).rule_codes[code];
  collect(rule.condition, &out.condition);
  for (const uint32_t predicate : {rule.from, rule.expires, rule.with}) collect(predicate, &out.rest);
  if (data_of(*program_).rules[rule.rule].kind == RuleKind::warn) collect(rule.because, &out.rest);
  out.made = true;
  return out;
}

// True if the rule's outcome depends on the unknown parts. A condition that reads only values of them is tried with the
// slots absent: reading one faults, and as && and || absorb faults only where the other side settles
// the matter, an answer without a fault is the answer whatever the values are.
bool UnknownFacts::is_open(FactBinder& binder, uint32_t code, std::span<const std::string_view> paths, Scratch& scratch,
                           const DecideOptions& options, std::string_view* path) {
  const std::vector<Slot>& slots = program_->schema().slots;
  const Reads& all = reads(code);
  const auto unknown = [&](SlotId slot) -> std::string_view {
    for (const std::string_view each : paths) {
      if (slots[slot].bank == Bank::call && touches(slots[slot].path, each)) return each;
    }
    return {};
  };
  const auto is_present = [&](SlotId slot) {
    return std::all_of(paths.begin(), paths.end(), [&](std::string_view each) {
      return !touches(slots[slot].path, each) || present(slots[slot].path, each);
    });
  };
  forgotten_.clear();
  bool presence = false, doubtful = false;
  for (const Read& read : all.condition) {
    const std::string_view hit = unknown(read.slot);
    if (hit.empty()) continue;
    if (read.use == Use::presence && is_present(read.slot)) {
      presence = true;
      continue;
    }
    *path = hit;
    doubtful = doubtful || read.use != Use::value || slots[read.slot].builtin;
    forgotten_.push_back(read.slot);
  }
  for (const Read& read : all.rest) {
    const std::string_view hit = unknown(read.slot);
    if (hit.empty()) continue;
    *path = hit;
    doubtful = true;
  }
  if (doubtful || (presence && !forgotten_.empty())) return true;
  if (forgotten_.empty()) return false;
  for (const SlotId slot : forgotten_) binder.call().forget(program_->slot(slot));
  Value result;
  Fault fault;
  const RuleCode& rule = data_of(*program_).rule_codes[code];
  EvaluateOptions how = options_of_rule(*program_, rule.rule, options);
  how.interpret_only = true;  // slow, but always checks whether a slot is present
  return !evaluate(*program_, rule.condition, binder.call(), binder.context(), scratch, how, &result, &fault);
}

// Fills open_ with the rules of this capability and stage whose answer is unknown.
UnknownFacts::Answer UnknownFacts::open_rules(FactBinder& binder, std::span<const std::string_view> paths,
                                              Scratch& scratch, const DecideOptions& options) {
  Answer out;
  open_.clear();
  const ProgramData& data = data_of(*program_);
  const CapabilityRef& capability = binder.call().capability();
  for (const PackageRules& package : package_rules(data, binder.call().capability().id, binder.call().stage())) {
    for (const RuleRange& range : package.lists()) {
      for (uint32_t i = range.entries.first; i < range.entries.first + range.entries.count; ++i) {
        const uint32_t code = data.rule_list[i];
        const RuleCode& rule = data.rule_codes[code];
        if (!applies_to(data, rule, capability.globs)) continue;
        std::string_view path;
        if (!is_open(binder, code, paths, scratch, options, &path)) continue;
        open_.push_back(code);
        if (out.rule.empty()) {
          out.rule = data.rules[rule.rule].name;
          out.path = path;
        }
      }
    }
  }
  return out;
}

bool UnknownFacts::is_open_rule(RuleId rule) const {
  return std::any_of(open_.begin(), open_.end(),
                     [&](uint32_t code) { return data_of(*program_).rule_codes[code].rule == rule; });
}

// True if the rule matches, or faults, whatever the unknown parts are.
bool UnknownFacts::is_sure(const FactBinder& binder, uint32_t code, Scratch& scratch,
                           const DecideOptions& options) const {
  const ProgramData& data = data_of(*program_);
  const RuleCode& rule = data.rule_codes[code];
  if (is_open_rule(rule.rule)) return false;
  if (!applies_to(data, rule, binder.call().capability().globs)) return false;
  if (rule.condition == kNone) return true;
  Value result;
  Fault fault;
  return !evaluate(*program_, rule.condition, binder.call(), binder.context(), scratch,
                   options_of_rule(*program_, rule.rule, options), &result, &fault) ||
         result.as_bool();
}

// True if the effect stands whatever the answers of the open rules: a deny cannot be overridden,
// and an allow does not override anything.
bool UnknownFacts::settled(const FactBinder& binder, Scratch& scratch, const DecideOptions& options,
                           Decision* decision) const {
  const ProgramData& data = data_of(*program_);
  const std::span<const PackageRules> packages =
      package_rules(data, binder.call().capability().id, binder.call().stage());
  if (std::any_of(packages.begin(), packages.end(),
                  [](const PackageRules& package) { return package.first_match != 0; })) {
    return false;
  }
  const bool named = decision->rule != kNone && !is_open_rule(decision->rule);
  if (named && decision->effect == Effect::deny) return true;
  const auto is_allow = [&](uint32_t code) { return data.rules[data.rule_codes[code].rule].kind == RuleKind::allow; };
  if (named && decision->effect == Effect::require_approval && std::all_of(open_.begin(), open_.end(), is_allow)) {
    return true;
  }
  for (const PackageRules& package : packages) {
    const Range deny = package.deny.entries;
    for (uint32_t i = deny.first; i < deny.first + deny.count; ++i) {
      if (!is_sure(binder, data.rule_list[i], scratch, options)) continue;
      *decision = Decision();
      decision->code = DecisionCode::rule;
      decision->rule = data.rule_codes[data.rule_list[i]].rule;
      decision->reason = data.rules[decision->rule].name;
      return true;
    }
  }
  return false;
}

// Replaces unknown values by stand-ins, which may not fit where the value did. @returns whether there were any.
bool UnknownFacts::patch(Event* event, Value* input, Value* output, std::span<const std::string_view> paths,
                         Arena& arena) const {
  const CapabilityId id = program_->resolve(event->capability).id;
  bool any = false;
  for (const std::string_view path : paths) {
    for (const bool out : {false, true}) {
      const std::string_view root = out ? "output" : "input";
      const Value*& place = out ? event->output : event->input;
      const RecordType* record = declared(program_->schema(), id, out);
      if (!begins(path, root)) continue;
      any = true;
      if (record == nullptr || place == nullptr) continue;
      const Type type{TypeKind::record, {}, {}, record};
      Value* copy = out ? output : input;
      *copy = *place;
      if (replace(type, path.substr(root.size()), arena, copy)) place = copy;
    }
  }
  return any;
}

EventFacts UnknownFacts::fit(const EventFacts& event, std::span<const std::string_view> paths, Arena& arena) const {
  EventFacts out = event;
  patch(&out, arena.make<Value>(), arena.make<Value>(), paths, arena);
  return out;
}

bool UnknownFacts::depends(uint32_t predicate, std::span<const std::string_view> paths) const {
  std::vector<Read> read;
  if (!paths.empty()) collect(predicate, &read);
  return std::any_of(read.begin(), read.end(), [&](const Read& one) { return depends_on_slot(one.slot, paths); });
}

bool UnknownFacts::depends_on_slot(SlotId slot, std::span<const std::string_view> paths) const {
  if (slot == kNone) return false;
  const Slot& held = program_->schema().slots[slot];
  return held.bank == Bank::call &&
         std::any_of(paths.begin(), paths.end(), [&](std::string_view path) { return touches(held.path, path); });
}

// True if the misfit is at a place whose value is unknown.
bool UnknownFacts::stands_in(const FactBinder& binder, std::span<const std::string_view> paths) const {
  const std::string_view misfit = binder.call().error().path;
  return std::any_of(paths.begin(), paths.end(), [&](std::string_view path) { return begins(misfit, path); });
}

std::span<const std::string_view> set_time(EventFacts& event, std::optional<int64_t> now_ns) {
  static constexpr std::string_view kNow = "now";
  if (event.now) return {};
  if (!now_ns) return {&kNow, 1};
  event.now = timestamp_of_nanos(*now_ns);
  return {};
}

std::string explain_unknown(const Program& program, CapabilityId capability, const UnknownFacts::Answer& answer) {
  if (answer.path.starts_with(kStateSlots)) {
    return fmt::format("{} reads {}, and what was remembered then is not known", answer.rule,
                       answer.path.substr(kStateSlots.size()));
  }
  if (answer.path == "now") return fmt::format("{} reads now, which the event does not say", answer.rule);
  if (answer.rule.empty()) return fmt::format("whether {} fits its declaration is not known", answer.path);
  const char* reason = is_secret(secrets_of(program.schema(), capability), answer.path) ? "is secret" : "was redacted";
  return fmt::format("{} reads {}, which {}", answer.rule, answer.path, reason);
}

}  // namespace ordain::detail
