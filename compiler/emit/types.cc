// Copies the types that a schema points to into the Program's memory, because they outlive the
// compilation that made them.
#include <unordered_map>
#include <vector>

#include "compiler/emit/tables.h"

namespace ordain::emission {
namespace {

struct TypeCopier {
  Arena& arena;
  std::unordered_map<const Type*, const Type*> types = {};
  std::unordered_map<const RecordType*, const RecordType*> records = {};

  const Type* copy(const Type* type) {
    if (type == nullptr) return nullptr;
    auto known = types.find(type);
    if (known != types.end()) return known->second;
    Type out = *type;
    out.name = arena.copy(type->name);
    std::vector<const Type*> params;
    for (const Type* param : type->params) params.push_back(copy(param));
    out.params = arena.copy(params);
    out.record = copy(type->record);
    out.limits = copy(type->limits);
    return types[type] = arena.make<Type>(out);
  }

  const TypeLimits* copy(const TypeLimits* limits) {
    if (limits == nullptr) return nullptr;
    std::vector<Value> values;
    for (const Value& value : limits->values) values.push_back(copy_value(arena, value));
    TypeLimits out = *limits;  // bounds are numbers, which hold no memory
    out.values = arena.copy(values);
    return arena.make<TypeLimits>(out);
  }

  const RecordType* copy(const RecordType* record) {
    if (record == nullptr) return nullptr;
    auto known = records.find(record);
    if (known != records.end()) return known->second;
    RecordType out = *record;
    out.name = arena.copy(record->name);
    std::vector<RecordField> fields;
    for (const RecordField& field : record->fields) {
      fields.push_back({arena.copy(field.name), copy(field.type), field.optional});
    }
    out.fields = arena.copy(fields);
    return records[record] = arena.make<RecordType>(out);
  }
};

}  // namespace

void own_types(Arena& arena, Schema& schema) {
  TypeCopier copier{arena};
  for (Slot& slot : schema.slots) slot.type = copier.copy(slot.type);
  for (RecordBinding& record : schema.records) {
    record.type = copier.copy(record.type);
    for (FieldBinding& field : record.fields) field.type = copier.copy(field.type);
  }
}

}  // namespace ordain::emission
