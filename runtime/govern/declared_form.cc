// declared_form.cc lets the binder convert what fits, and goes into the parts of what does not.
#include "runtime/govern/declared_form.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "vm/facts/bind.h"

namespace ordain::detail {
namespace {

bool is_same(const Value& a, const Value& b) { return std::memcmp(&a, &b, sizeof(Value)) == 0; }

bool is_nothing(const Value& value) {
  return !value.present() || value.is(Kind::null) || (value.is(Kind::optional) && value.items == nullptr);
}

class DeclaredForm {
 public:
  explicit DeclaredForm(Arena& arena) : arena_(arena), fitter_(arena, error_) {}

  Value of(const Type& type, const Value& in, int depth) {
    if (depth > kMaxValueDepth) return in;
    Value fitted;
    if (fitter_.fit(type, in, vm::BindPath(), &fitted)) return plain(fitted, depth);
    if (type.kind == TypeKind::optional && !is_nothing(in)) return of(*type.params[0], in, depth + 1);
    if (type.kind == TypeKind::record && in.is(Kind::map)) return record(*type.record, *in.map, depth);
    if (type.kind == TypeKind::list && in.is(Kind::list)) {
      return list(in, [&](const Value& item) { return of(*type.params[0], item, depth + 1); });
    }
    if (type.kind == TypeKind::map && in.is(Kind::map)) {
      return map(in, [&](const Value& value) { return of(*type.params[1], value, depth + 1); });
    }
    return plain(in, depth);
  }

  Value plain(const Value& in, int depth) {
    if (depth > kMaxValueDepth) return in;
    switch (in.kind) {
      case Kind::floating:
        return in.d == 0 ? Value::floating(0.0) : in;
      case Kind::optional:
        return in.items == nullptr ? Value::null() : plain(*in.items, depth + 1);
      case Kind::list:
        return list(in, [&](const Value& item) { return plain(item, depth + 1); });
      case Kind::map:
        return map(in, [&](const Value& value) { return plain(value, depth + 1); });
      default:
        return in;
    }
  }

  Value record(const RecordType& type, const MapRep& in, int depth) {
    std::vector<MapEntry> made;
    for (const MapEntry& entry : in.all()) {
      const RecordField* field = field_of(type, entry.key);
      if (field != nullptr && field->optional && is_nothing(entry.value)) continue;
      made.push_back(
          {entry.key, field != nullptr ? of(*field->type, entry.value, depth + 1) : plain(entry.value, depth + 1)});
    }
    auto* kept = arena_.array<MapEntry>(made.size());
    std::copy(made.begin(), made.end(), kept);
    const MapRep* rep = make_map(arena_, {kept, made.size()});
    return rep != nullptr ? Value::map_of(rep) : Value::null();
  }

 private:
  static const RecordField* field_of(const RecordType& type, const Value& key) {
    return key.is(Kind::string) ? type.find(key.as_text()) : nullptr;
  }

  /// Copies the list only if an item changes.
  template <typename Change>
  Value list(const Value& in, const Change& change) {
    Value* made = nullptr;
    for (size_t i = 0; i < in.aux; ++i) {
      const Value item = change(in.items[i]);
      if (made == nullptr && is_same(item, in.items[i])) continue;
      if (made == nullptr) {
        made = arena_.array<Value>(in.aux);
        std::copy_n(in.items, in.aux, made);
      }
      made[i] = item;
    }
    Value out = in;
    if (made != nullptr) out.items = made;
    return out;
  }

  /// Copies the map only if a value changes; its keys stay, and so does its index.
  template <typename Change>
  Value map(const Value& in, const Change& change) {
    MapEntry* made = nullptr;
    for (size_t i = 0; i < in.map->count; ++i) {
      const Value value = change(in.map->entries[i].value);
      if (made == nullptr && is_same(value, in.map->entries[i].value)) continue;
      if (made == nullptr) {
        made = arena_.array<MapEntry>(in.map->count);
        std::copy_n(in.map->entries, in.map->count, made);
      }
      made[i].value = value;
    }
    if (made == nullptr) return in;
    auto* copy = arena_.array<MapRep>(1);
    *copy = *in.map;
    copy->entries = made;
    return Value::map_of(copy);
  }

  Arena& arena_;
  BindError error_;
  vm::Fitter fitter_;
};

const RecordType* input_type(const Program& program, std::string_view name) {
  const Schema& schema = program.schema();
  const CapabilityId id = program.resolve(name).id;
  if (id == kNone) return nullptr;
  const uint32_t record = schema.capabilities[id].input;
  return record != kNone ? schema.records[record].type : nullptr;
}

}  // namespace

Value declared_form(Arena& arena, const Program& program, std::string_view capability, const Value& input) {
  const RecordType* type = input_type(program, capability);
  if (type == nullptr || !input.is(Kind::map)) return undeclared_form(arena, input);
  return DeclaredForm(arena).record(*type, *input.map, 0);
}

Value undeclared_form(Arena& arena, const Value& value) { return DeclaredForm(arena).plain(value, 0); }

}  // namespace ordain::detail
