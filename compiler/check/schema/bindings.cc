// bindings.cc builds the records that calls are bound against: for every field of every
// declaration, the slot of its value.
#include <algorithm>
#include <utility>

#include "compiler/check/schema/state.h"

namespace ordain::policy {
namespace {

// Slots by path: each path has at most a few, of different types.
using SlotsByPath = std::map<std::string, std::vector<SlotId>, std::less<>>;

SlotId slot_at(const Schema& schema, const SlotsByPath& by_path, const std::string& path, const Type& type) {
  auto found = by_path.find(path);
  if (found == by_path.end()) return kNone;
  for (SlotId slot : found->second) {
    if (same_type(*schema.slots[slot].type, type)) return slot;
  }
  return kNone;
}

class Binder {
 public:
  Binder(Arena& arena, Schema& schema, const SlotsByPath& by_path)
      : arena_(arena), schema_(schema), by_path_(by_path) {}

  // Fills records[index], whose path is `path`, and appends nested records.
  void bind_record(uint32_t index, const std::string& path) {
    const RecordType* type = schema_.records[index].type;
    bool open = schema_.records[index].open || schema_.records[index].dynamic;
    std::vector<FieldBinding> fields;
    if (type != nullptr) {
      for (const RecordField& field : type->fields) {
        fields.push_back(bind_field(path + "." + std::string(field.name), field));
      }
    }
    if (open) add_undeclared(path, fields);
    std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    schema_.records[index].fields = std::move(fields);
  }

  uint32_t add_record(const std::string& path, const Type* type) {
    RecordBinding record;
    record.name = path;
    if (type != nullptr && type->kind == TypeKind::record) {
      record.type = type->record;
      record.open = type->record->open;
      const bool of_call = path == "input" || path == "output";  // whose slot serves all capabilities
      record.whole = slot_at(schema_, by_path_, path, of_call ? types::kDyn : *type);
    } else {
      record.dynamic = true;
      record.open = true;
      record.whole = slot_at(schema_, by_path_, path, types::kDyn);
    }
    if (record.whole == kNone) record.whole = slot_at(schema_, by_path_, path, types::kMapDyn);
    schema_.records.push_back(std::move(record));
    return static_cast<uint32_t>(schema_.records.size() - 1);
  }

 private:
  FieldBinding bind_field(const std::string& path, const RecordField& field) {
    FieldBinding out;
    out.name = std::string(field.name);
    out.type = field.type;
    out.optional = field.optional;
    // Slots have the types of expressions, which do not know limits.
    out.slot = slot_at(schema_, by_path_, path, *unlimited(arena_, field.type));
    bool dynamic = field.type->kind == TypeKind::dyn && has_slots_under(path);
    if (field.type->kind == TypeKind::record || dynamic) {
      out.record = add_record(path, field.type);
      bind_record(out.record, path);
      if (out.slot == kNone && !dynamic) out.slot = schema_.records[out.record].whole;
    }
    return out;
  }

  bool has_slots_under(const std::string& path) const {
    auto next = by_path_.lower_bound(path + ".");
    return next != by_path_.end() && next->first.starts_with(path + ".");
  }

  // Adds what an open record may also hold: every path below it that some rule reads as dyn.
  void add_undeclared(const std::string& path, std::vector<FieldBinding>& fields) {
    std::string prefix = path + ".";
    std::set<std::string, std::less<>> names;
    for (auto at = by_path_.lower_bound(prefix); at != by_path_.end() && at->first.starts_with(prefix); ++at) {
      if (!reads_dyn(at->second)) continue;
      std::string_view rest = std::string_view(at->first).substr(prefix.size());
      names.emplace(rest.substr(0, rest.find('.')));
    }
    for (const FieldBinding& declared : fields) names.erase(declared.name);
    for (const std::string& name : names) fields.push_back(bind_field(prefix + name, {name, &types::kDyn, true}));
  }

  bool reads_dyn(const std::vector<SlotId>& slots) const {
    return std::any_of(slots.begin(), slots.end(),
                       [&](SlotId slot) { return schema_.slots[slot].type->kind == TypeKind::dyn; });
  }

  Arena& arena_;
  Schema& schema_;
  const SlotsByPath& by_path_;
};

SlotsByPath slots_by_path(const Schema& schema) {
  SlotsByPath out;
  for (SlotId slot = 0; slot < schema.slots.size(); ++slot) out[schema.slots[slot].path].push_back(slot);
  return out;
}

}  // namespace

void declare_records(SchemaState& state) {
  // Undeclared capabilities come last in `shapes`, as their calls do in `lists`.
  state.shapes.resize(state.set.schema.capabilities.size() + 1);
  for (auto& lists : state.set.lists) lists.resize(state.shapes.size());
}

void bind_slots(SchemaState& state) {
  Schema& schema = state.set.schema;
  for (Slot& slot : schema.slots) slot.index = 0;
  for (int bank = 0; bank < 2; ++bank) {
    uint32_t count = 0;
    for (Slot& slot : schema.slots) {
      if (slot.bank == static_cast<Bank>(bank)) slot.index = count++;
    }
    schema.slot_count[bank] = count;
  }
  SlotsByPath by_path = slots_by_path(schema);
  Binder binder(state.arena, schema, by_path);
  auto bind = [&](const std::string& path, const Type* type) {
    uint32_t record = binder.add_record(path, type);
    binder.bind_record(record, path);
    return record;
  };
  for (const Root& root : state.roots) {
    if (root.scalar == nullptr) schema.roots[root.name] = bind(root.name, root.meaning.type);
  }
  schema.undeclared_input = bind("input", nullptr);
  schema.undeclared_output = bind("output", nullptr);
  for (CapabilityId id = 0; id < schema.capabilities.size(); ++id) {
    const CapabilityShape& shape = state.shapes[id];
    uint32_t input = shape.input != nullptr ? bind("input", shape.input) : schema.undeclared_input;
    uint32_t output = shape.output != nullptr ? bind("output", shape.output) : schema.undeclared_output;
    schema.capabilities[id].input = input;
    schema.capabilities[id].output = output;
  }
}

}  // namespace ordain::policy
