// Maps are lists of entries, with a hash index once searching the list would cost more.
#include <bit>
#include <cmath>

#include "ordain/arena.h"
#include "ordain/value.h"
#include "vm/value/same_name.h"

namespace ordain {
namespace {

// Up to this size a linear search is as fast as a look-up, and it needs no memory.
constexpr uint32_t kLinear = 8;

bool is_text(const Value& value, std::string_view text) {
  return value.kind == Kind::string && same_name(value.as_text(), text);
}

template <typename Matches>
const Value* find_hashed(const MapRep& map, uint64_t hash, Matches matches) {
  for (uint64_t at = hash & map.index_mask; map.index[at] != 0; at = (at + 1) & map.index_mask) {
    const MapEntry& entry = map.entries[map.index[at] - 1];
    if (matches(entry.key)) return &entry.value;
  }
  return nullptr;
}

template <typename Matches>
const Value* find_linear(const MapRep& map, Matches matches) {
  for (const MapEntry& entry : map.all()) {
    if (matches(entry.key)) return &entry.value;
  }
  return nullptr;
}

// Fills the index. @returns the number of the first entry whose key is a repetition, or UINT32_MAX.
uint32_t fill_index(const MapRep& map, uint32_t* index) {
  std::memset(index, 0, (static_cast<size_t>(map.index_mask) + 1) * sizeof(uint32_t));
  for (uint32_t n = 0; n < map.count; ++n) {
    const Value& key = map.entries[n].key;
    uint64_t at = hash(key) & map.index_mask;
    for (; index[at] != 0; at = (at + 1) & map.index_mask) {
      if (equal(map.entries[index[at] - 1].key, key)) return n;
    }
    index[at] = n + 1;
  }
  return UINT32_MAX;
}

uint32_t find_duplicate(std::span<const MapEntry> entries) {
  for (uint32_t n = 1; n < entries.size(); ++n) {
    for (uint32_t before = 0; before < n; ++before) {
      if (equal(entries[before].key, entries[n].key)) return n;
    }
  }
  return UINT32_MAX;
}

Value copy_at(Arena& arena, const Value& value, int depth);

Value copy_map(Arena& arena, const Value& value, int depth) {
  const MapRep& from = *value.map;
  auto* entries = arena.array<MapEntry>(from.count);
  for (uint32_t n = 0; n < from.count; ++n) {
    entries[n] = {copy_at(arena, from.entries[n].key, depth), copy_at(arena, from.entries[n].value, depth)};
  }
  auto* rep = arena.make<MapRep>(from);
  rep->entries = entries;
  if (from.index != nullptr) rep->index = arena.copy(std::span(from.index, size_t{from.index_mask} + 1)).data();
  Value out = value;
  out.map = rep;
  return out;
}

Value copy_at(Arena& arena, const Value& value, int depth) {
  if (depth >= kMaxValueDepth) return Value::null();
  Value out = value;
  switch (value.kind) {
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      out.text = arena.copy(value.as_text()).data();
      break;
    case Kind::ip:
    case Kind::cidr:
      out.text = arena.copy({value.text, value.aux & 0xff}).data();
      break;
    case Kind::list: {
      auto* items = arena.array<Value>(value.aux);
      for (uint32_t n = 0; n < value.aux; ++n) items[n] = copy_at(arena, value.items[n], depth + 1);
      out.items = items;
      break;
    }
    case Kind::map:
      return copy_map(arena, value, depth + 1);
    case Kind::optional:
      if (value.items != nullptr) out.items = arena.make<Value>(copy_at(arena, *value.items, depth + 1));
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

const Value* map_find(const MapRep& map, const Value& key) {
  if (key.kind == Kind::string) return map_find(map, key.as_text());
  // A double finds the integer that it equals exactly; a comparison would accept a neighbour that
  // rounds to it.
  if (key.kind == Kind::floating) {
    if (std::trunc(key.d) != key.d || key.d < -0x1p63 || key.d >= 0x1p64) return nullptr;
    return map_find(map, key.d < 0x1p63 ? Value::integer(static_cast<int64_t>(key.d))
                                        : Value::unsigned_integer(static_cast<uint64_t>(key.d)));
  }
  // Other kinds cannot be keys, and hashing them may take long.
  if (!key.is(Kind::boolean) && !key.is(Kind::integer) && !key.is(Kind::unsigned_integer)) return nullptr;
  auto matches = [&](const Value& other) { return equal(other, key); };
  return map.index == nullptr ? find_linear(map, matches) : find_hashed(map, hash(key), matches);
}

const Value* map_find(const MapRep& map, std::string_view key) {
  auto matches = [&](const Value& other) { return is_text(other, key); };
  return map.index == nullptr ? find_linear(map, matches) : find_hashed(map, hash_string(key), matches);
}

Value copy_value(Arena& arena, const Value& value) { return copy_at(arena, value, 0); }

const MapRep* make_map(Arena& arena, std::span<const MapEntry> entries, uint32_t* duplicate) {
  if (duplicate != nullptr) *duplicate = UINT32_MAX;
  if (entries.size() > UINT32_MAX / 4) return nullptr;
  auto* rep = arena.array<MapRep>(1);
  if (rep == nullptr) return nullptr;
  *rep = {entries.data(), static_cast<uint32_t>(entries.size()), 0, nullptr};
  uint32_t twice = UINT32_MAX;
  if (entries.size() <= kLinear) {
    twice = find_duplicate(entries);
  } else {
    size_t places = std::bit_ceil(entries.size() * 2);
    auto* index = arena.array<uint32_t>(places);
    if (index == nullptr) return nullptr;
    rep->index = index;
    rep->index_mask = static_cast<uint32_t>(places - 1);
    twice = fill_index(*rep, index);
  }
  if (twice == UINT32_MAX) return rep;
  if (duplicate != nullptr) *duplicate = twice;
  return nullptr;
}

}  // namespace ordain
