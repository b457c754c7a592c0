// value_write writes the canonical encoding. A call's input is most of its record, so this is most
// of the time that recording costs the caller: values that hold no other values are written in
// place, without a call.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "ordain/json.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/audit/value_tags.h"

namespace ordain::detail {
namespace {

// --- the size ---

/// By kind: the size of a value that holds no other values, without its text; 0 for lists, maps and
/// other containers.
constexpr uint8_t kFixedSize[kKindCount] = {1, 1, 1, 9, 9, 9, 5, 5, 13, 13, 0, 0, 0, 0, 0, 0};

bool measure_tree(const Value& value, int depth, size_t* total);

/// Adds the bytes that `value` takes to `*total`. @returns false if the tree is too deep.
inline bool measure(const Value& value, int depth, size_t* total) {
  const size_t fixed = kFixedSize[static_cast<size_t>(value.kind)];
  if (fixed == 0) return measure_tree(value, depth, total);
  *total += fixed + (value.is(Kind::string) || value.is(Kind::bytes) ? value.aux : 0);
  return depth <= kMaxValueDepth;
}

bool measure_tree(const Value& value, int depth, size_t* total) {
  if (depth > kMaxValueDepth) return false;
  switch (value.kind) {
    case Kind::list:
      *total += 5;
      for (const Value& item : value.as_list()) {
        if (!measure(item, depth + 1, total)) return false;
      }
      return true;
    case Kind::map:
      *total += 5;
      for (const MapEntry& entry : value.map->all()) {
        if (!measure(entry.key, depth + 1, total) || !measure(entry.value, depth + 1, total)) return false;
      }
      return true;
    case Kind::optional:
      return measure(value.items != nullptr ? *value.items : Value::null(), depth + 1, total);
    default:
      *total += 5 + to_json(value).size();
      return true;
  }
}

// --- the bytes ---

char* write_tree(char* to, const Value& value);

inline char* put_tag(char* to, ValueTag tag) {
  *to = static_cast<char>(tag);
  return to + 1;
}

inline char* write_text(char* to, ValueTag tag, std::string_view text) {
  return put_bytes(put_u32(put_tag(to, tag), static_cast<uint32_t>(text.size())), text);
}

inline char* write_time(char* to, ValueTag tag, const Value& value) {
  return put_u32(put_u64(put_tag(to, tag), static_cast<uint64_t>(value.i)), value.aux);
}

inline char* write_double(char* to, double value) {
  constexpr uint64_t kNaN = 0x7FF8000000000000;  // every NaN is written as this one
  return put_u64(put_tag(to, kDouble), std::isnan(value) ? kNaN : std::bit_cast<uint64_t>(value));
}

inline char* write(char* to, const Value& value) {
  switch (value.kind) {
    case Kind::absent:
    case Kind::null:
      return put_tag(to, kNull);
    case Kind::boolean:
      return put_tag(to, value.as_bool() ? kTrue : kFalse);
    case Kind::integer:
      return put_u64(put_tag(to, kInt), value.u);
    case Kind::unsigned_integer:
      return put_u64(put_tag(to, kUint), value.u);
    case Kind::floating:
      return write_double(to, value.d);
    case Kind::string:
      return write_text(to, kString, value.as_text());
    case Kind::bytes:
      return write_text(to, kBytes, value.as_text());
    case Kind::timestamp:
      return write_time(to, kTimestamp, value);
    case Kind::duration:
      return write_time(to, kDuration, value);
    default:
      return write_tree(to, value);
  }
}

/// Orders by kind, then by value; strings by bytes.
bool key_less(const Value& a, const Value& b) {
  if (a.kind != b.kind) return a.kind < b.kind;
  switch (a.kind) {
    case Kind::string:
      return a.as_text() < b.as_text();
    case Kind::unsigned_integer:
      return a.u < b.u;
    default:
      return a.i < b.i;
  }
}

/// @returns the first bytes of a name as a number that orders as the bytes do
uint64_t prefix_of(std::string_view name) {
  const char* text = name.data();
  const size_t size = name.size();
  if (size >= 8) return big_endian<uint64_t>(text);
  uint64_t out = 0;
  if (size >= 4) {  // two overlapping loads
    const uint64_t tail = big_endian<uint32_t>(text + size - 4);
    return uint64_t{big_endian<uint32_t>(text)} << 32 | (tail << 8 * (8 - size) & 0xFFFFFFFFu);
  }
  for (size_t i = 0; i < size; ++i) out |= uint64_t{static_cast<unsigned char>(text[i])} << 8 * (7 - i);
  return out;
}

struct Prefixed {
  uint64_t prefix;
  const MapEntry* entry;

  bool operator<(const Prefixed& other) const {
    return prefix != other.prefix ? prefix < other.prefix : entry->key.as_text() < other.entry->key.as_text();
  }
};

constexpr size_t kFewEntries = 32;

/// Writes the common map: a few entries, all with string keys, in the order in which a program
/// happened to fill them.
char* write_few(char* to, std::span<const MapEntry> entries) {
  Prefixed sorted[kFewEntries];
  size_t count = 0;
  for (const MapEntry& entry : entries) {
    const Prefixed next{prefix_of(entry.key.as_text()), &entry};
    size_t at = count++;
    for (; at > 0 && next < sorted[at - 1]; --at) sorted[at] = sorted[at - 1];
    sorted[at] = next;
  }
  for (size_t i = 0; i < count; ++i) {
    const MapEntry& entry = *sorted[i].entry;
    to = write(write_text(to, kString, entry.key.as_text()), entry.value);
  }
  return to;
}

char* write_map(char* to, const MapRep& map) {
  to = put_u32(put_tag(to, kMap), map.count);
  auto entries = map.all();
  bool named = std::all_of(entries.begin(), entries.end(), [](const MapEntry& e) { return e.key.is(Kind::string); });
  if (named && entries.size() <= kFewEntries) return write_few(to, entries);
  std::vector<const MapEntry*> sorted(entries.size());
  std::transform(entries.begin(), entries.end(), sorted.begin(), [](const MapEntry& e) { return &e; });
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return key_less(a->key, b->key); });
  for (const MapEntry* entry : sorted) to = write(write(to, entry->key), entry->value);
  return to;
}

char* write_tree(char* to, const Value& value) {
  switch (value.kind) {
    case Kind::list:
      to = put_u32(put_tag(to, kList), value.aux);
      for (const Value& item : value.as_list()) to = write(to, item);
      return to;
    case Kind::map:
      return write_map(to, *value.map);
    case Kind::optional:
      return write(to, value.items != nullptr ? *value.items : Value::null());
    default:  // type, ip, cidr: input cannot declare these; their JSON text tells them apart
      return write_text(to, kString, to_json(value));
  }
}

}  // namespace

std::optional<size_t> value_size(const Value& value) {
  size_t out = 0;
  if (!measure(value, 0, &out)) return std::nullopt;
  return out;
}

char* write_value(char* to, const Value& value) { return write(to, value); }

bool append_value(std::string& out, const Value& value) {
  const auto size = value_size(value);
  if (!size) return false;
  out.resize(out.size() + *size);
  write_value(out.data() + out.size() - *size, value);
  return true;
}

}  // namespace ordain::detail
