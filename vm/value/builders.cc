// Builders of lists and maps. A list or map under construction is a value of that kind whose
// payload is the builder. Room is taken directly from the arena; the budget is charged for each
// element, so that the charge does not depend on how room grows.
#include <algorithm>

#include "vm/value/ops.h"

namespace ordain::ops {
namespace {

bool charge_memory(Eval& eval, uint64_t bytes) {
  if (bytes <= eval.memory_left) {
    eval.memory_left -= bytes;
    return true;
  }
  eval.memory_left = 0;
  return eval.fail(FaultCode::memory_budget);
}

bool give(Value* out, Value value) {
  *out = value;
  return true;
}

template <typename Item>
struct Items {
  Item* items = nullptr;
  uint32_t count = 0;
  uint32_t capacity = 0;
};

using ListBuilder = Items<Value>;

struct MapBuilder : Items<MapEntry> {
  uint32_t* index = nullptr;  // open addressing, entry number + 1; once there are more than kLinear entries
  uint32_t mask = 0;
};

constexpr uint32_t kFirstRoom = 4;
constexpr uint32_t kMostRoom = 1024;  // the most taken at once, whatever an instruction asks for
constexpr uint32_t kLinear = 8;

template <typename Builder>
Builder& builder_of(const Value& value) {
  return *reinterpret_cast<Builder*>(value.u);
}

template <typename Builder>
bool builder_new(Eval& eval, Kind kind, Value* out) {
  // An exhausted budget stays exhausted: a loop that absorbs the fault must not take more room.
  auto* builder = eval.memory_left == 0 ? nullptr : eval.arena->array<Builder>(1);
  if (builder == nullptr) return eval.fail(FaultCode::memory_budget);
  new (builder) Builder();
  Value value;
  value.kind = kind;
  value.u = reinterpret_cast<uintptr_t>(builder);
  return give(out, value);
}

template <typename Item>
bool reserve(Eval& eval, Items<Item>& builder, uint32_t capacity) {
  Item* items = eval.arena->array<Item>(capacity);
  if (items == nullptr) return eval.fail(FaultCode::memory_budget);
  std::copy_n(builder.items, builder.count, items);
  builder.items = items;
  builder.capacity = capacity;
  return true;
}

template <typename Item>
bool append(Eval& eval, Items<Item>& builder, const Item& item) {
  if (!charge_memory(eval, sizeof(Item))) return false;
  if (builder.count == builder.capacity && !reserve(eval, builder, std::max(kFirstRoom, 2 * builder.capacity))) {
    return false;
  }
  builder.items[builder.count++] = item;
  return true;
}

bool valid_key(const Value& key) {
  return key.is(Kind::boolean) || key.is(Kind::integer) || key.is(Kind::unsigned_integer) || key.is(Kind::string);
}

// Finds the cell of the index where `key` is or would go.
uint32_t cell_of(const MapBuilder& builder, const Value& key) {
  uint32_t at = static_cast<uint32_t>(hash(key)) & builder.mask;
  while (builder.index[at] != 0 && !equal(builder.items[builder.index[at] - 1].key, key)) at = (at + 1) & builder.mask;
  return at;
}

bool grow_index(Eval& eval, MapBuilder& builder) {
  const uint32_t cells = builder.index == nullptr ? 64 : 2 * (builder.mask + 1);
  uint32_t* index = eval.arena->array<uint32_t>(cells);
  if (index == nullptr) return eval.fail(FaultCode::memory_budget);
  std::fill_n(index, cells, 0);
  builder.index = index;
  builder.mask = cells - 1;
  for (uint32_t i = 0; i < builder.count; ++i) index[cell_of(builder, builder.items[i].key)] = i + 1;
  return true;
}

bool contains(const MapBuilder& builder, const Value& key) {
  if (builder.index != nullptr) return builder.index[cell_of(builder, key)] != 0;
  return std::any_of(builder.items, builder.items + builder.count,
                     [&key](const MapEntry& entry) { return equal(entry.key, key); });
}

bool put(Eval& eval, MapBuilder& builder, const Value& key, const Value& value) {
  if (!valid_key(key)) return eval.fail(FaultCode::unsupported_key);
  if (!eval.charge_text(key)) return false;
  if (contains(builder, key)) return eval.fail(FaultCode::duplicate_key, key);
  if (!append(eval, builder, {key, value})) return false;
  if (builder.index == nullptr ? builder.count > kLinear : 2 * builder.count > builder.mask) {
    return grow_index(eval, builder);
  }
  if (builder.index != nullptr) builder.index[cell_of(builder, key)] = builder.count;
  return true;
}

}  // namespace

bool list_new(Eval& eval, uint32_t room, Value* builder) {
  Value value;
  if (!builder_new<ListBuilder>(eval, Kind::list, &value)) return false;
  if (room > 0 && !reserve(eval, builder_of<ListBuilder>(value), std::min(room, kMostRoom))) return false;
  return give(builder, value);
}

bool list_push(Eval& eval, Value& builder, const Value& element) {
  return append(eval, builder_of<ListBuilder>(builder), element);
}

bool list_push_optional(Eval& eval, Value& builder, const Value& element) {
  if (!element.is(Kind::optional)) return eval.fail(FaultCode::no_such_overload);
  return element.items == nullptr || list_push(eval, builder, *element.items);
}

bool list_done(Eval&, const Value& builder, Value* out) {
  const auto& list = builder_of<ListBuilder>(builder);
  return give(out, Value::list({list.items, list.count}));
}

bool map_new(Eval& eval, uint32_t room, Value* builder) {
  Value value;
  if (!builder_new<MapBuilder>(eval, Kind::map, &value)) return false;
  auto& map = builder_of<MapBuilder>(value);
  if (room > 0 && !reserve<MapEntry>(eval, map, std::min(room, kMostRoom))) return false;
  return give(builder, value);
}

bool map_put(Eval& eval, Value& builder, const Value& key, const Value& value) {
  return put(eval, builder_of<MapBuilder>(builder), key, value);
}

bool map_put_optional(Eval& eval, Value& builder, const Value& key, const Value& value) {
  if (!value.is(Kind::optional)) return eval.fail(FaultCode::no_such_overload);
  return value.items == nullptr || map_put(eval, builder, key, *value.items);
}

bool map_merge(Eval& eval, Value& builder, const Value& map) {
  if (!map.is(Kind::map)) return eval.fail(FaultCode::no_such_overload);
  for (const MapEntry& entry : map.map->all()) {
    if (!map_put(eval, builder, entry.key, entry.value)) return false;
  }
  return true;
}

bool map_done(Eval& eval, const Value& builder, Value* out) {
  const auto& map = builder_of<MapBuilder>(builder);
  const MapRep* rep = make_map(*eval.arena, {map.items, map.count});
  return rep != nullptr ? give(out, Value::map_of(rep)) : eval.fail(FaultCode::memory_budget);
}

}  // namespace ordain::ops
