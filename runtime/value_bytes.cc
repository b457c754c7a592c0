// value_bytes: writes and reads the canonical encoding.
#include "runtime/value_bytes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "ordain/json.h"
#include "runtime/text.h"

namespace ordain::detail {
namespace {

/// First byte of an encoded value. The numbers are part of the format.
enum Tag : uint8_t {
  kNull = 0,
  kFalse = 1,
  kTrue = 2,
  kInt = 3,
  kUint = 4,
  kDouble = 5,
  kString = 6,
  kBytes = 7,
  kTimestamp = 8,
  kDuration = 9,
  kList = 10,
  kMap = 11,
};

void put(std::string& out, Tag tag) { out.push_back(static_cast<char>(tag)); }

/// By kind, then by value; strings by bytes.
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

bool write(std::string& out, const Value& value, int depth);

bool write_entry(std::string& out, const MapEntry& entry, int depth) {
  return write(out, entry.key, depth + 1) && write(out, entry.value, depth + 1);
}

/// An entry with the first bytes of its name as a number that orders as the bytes do.
struct Prefixed {
  uint64_t prefix;
  const MapEntry* entry;

  explicit Prefixed(const MapEntry& of) : prefix(0), entry(&of) {
    std::string_view name = of.key.as_text();
    for (size_t i = 0; i < sizeof(prefix); ++i) {
      prefix = prefix << 8 | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0u);
    }
  }
  Prefixed() = default;  // of an array that is filled as far as it is read
  bool operator<(const Prefixed& other) const {
    return prefix != other.prefix ? prefix < other.prefix : entry->key.as_text() < other.entry->key.as_text();
  }
};

constexpr size_t kFewEntries = 32;

/// The common map: a few entries, all named by strings, in the order that a program happened to fill them.
bool write_few(std::string& out, std::span<const MapEntry> entries, int depth) {
  std::array<Prefixed, kFewEntries> sorted;
  size_t count = 0;
  for (const MapEntry& entry : entries) {
    Prefixed next(entry);
    size_t at = count++;
    for (; at > 0 && next < sorted[at - 1]; --at) sorted[at] = sorted[at - 1];
    sorted[at] = next;
  }
  return std::all_of(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(count),
                     [&](const Prefixed& one) { return write_entry(out, *one.entry, depth); });
}

bool write_map(std::string& out, const MapRep& map, int depth) {
  append_tagged_u32(out, kMap, map.count);
  auto entries = map.all();
  bool named = std::all_of(entries.begin(), entries.end(), [](const MapEntry& e) { return e.key.is(Kind::string); });
  if (named && entries.size() <= kFewEntries) return write_few(out, entries, depth);
  std::vector<const MapEntry*> sorted(entries.size());
  std::transform(entries.begin(), entries.end(), sorted.begin(), [](const MapEntry& e) { return &e; });
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return key_less(a->key, b->key); });
  return std::all_of(sorted.begin(), sorted.end(), [&](const MapEntry* e) { return write_entry(out, *e, depth); });
}

bool write_list(std::string& out, const Value& value, int depth) {
  append_tagged_u32(out, kList, value.aux);
  auto items = value.as_list();
  return std::all_of(items.begin(), items.end(), [&](const Value& item) { return write(out, item, depth + 1); });
}

void write_time(std::string& out, Tag tag, const Value& value) {
  put(out, tag);
  append_u64(out, static_cast<uint64_t>(value.i));
  append_u32(out, value.aux);
}

void write_double(std::string& out, double value) {
  uint64_t bits = 0x7FF8000000000000u;  // every NaN is one
  if (!std::isnan(value)) std::memcpy(&bits, &value, sizeof(bits));
  append_tagged_u64(out, kDouble, bits);
}

bool write(std::string& out, const Value& value, int depth) {
  if (depth > kMaxValueDepth) return false;
  switch (value.kind) {
    case Kind::absent:
    case Kind::null:
      put(out, kNull);
      return true;
    case Kind::boolean:
      put(out, value.as_bool() ? kTrue : kFalse);
      return true;
    case Kind::integer:
    case Kind::unsigned_integer:
      append_tagged_u64(out, value.is(Kind::integer) ? kInt : kUint, value.u);
      return true;
    case Kind::floating:
      write_double(out, value.d);
      return true;
    case Kind::string:
    case Kind::bytes:
      append_tagged_u32(out, value.is(Kind::string) ? kString : kBytes, value.aux);
      out.append(value.as_text());
      return true;
    case Kind::timestamp:
      write_time(out, kTimestamp, value);
      return true;
    case Kind::duration:
      write_time(out, kDuration, value);
      return true;
    case Kind::list:
      return write_list(out, value, depth);
    case Kind::map:
      return write_map(out, *value.map, depth);
    case Kind::optional:
      return write(out, value.items != nullptr ? *value.items : Value::null(), depth + 1);
    case Kind::type:
    case Kind::ip:
    case Kind::cidr:  // no declaration of input has these; their JSON text tells them apart
      put(out, kString);
      append_sized(out, to_json(value));
      return true;
  }
  return false;
}

bool read(std::string_view& in, Arena& arena, Value* out, int depth);

bool read_list(std::string_view& in, Arena& arena, Value* out, int depth) {
  uint32_t count = 0;
  if (!take_u32(in, &count) || count > in.size()) return false;  // an element takes a byte at least
  Value* items = arena.array<Value>(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (!read(in, arena, &items[i], depth + 1)) return false;
  }
  *out = Value::list({items, count});
  return true;
}

/// A key that is not UTF-8 came from a call that was denied for it; it is shown by its bytes.
bool readable_key(Arena& arena, Value* key) {
  switch (key->kind) {
    case Kind::bytes:
      *key = Value::string(arena.copy("bytes:" + hex_of(key->as_text())));
      return true;
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::string:
      return true;
    default:
      return false;
  }
}

bool read_map(std::string_view& in, Arena& arena, Value* out, int depth) {
  uint32_t count = 0;
  if (!take_u32(in, &count) || count > in.size() / 2) return false;
  MapEntry* entries = arena.array<MapEntry>(count);
  std::string_view before;
  for (uint32_t i = 0; i < count; ++i) {
    entries[i] = MapEntry{};
    std::string_view start = in;
    if (!read(in, arena, &entries[i].key, depth + 1)) return false;
    std::string_view encoded = start.substr(0, start.size() - in.size());
    if (encoded == before || !readable_key(arena, &entries[i].key)) return false;
    before = encoded;
    if (!read(in, arena, &entries[i].value, depth + 1)) return false;
  }
  const MapRep* map = make_map(arena, {entries, count});
  if (map == nullptr) return false;
  *out = Value::map_of(map);
  return true;
}

bool read_time(std::string_view& in, bool timestamp, Value* out) {
  uint64_t seconds = 0;
  uint32_t nanos = 0;
  if (!take_u64(in, &seconds) || !take_u32(in, &nanos)) return false;
  auto part = static_cast<int32_t>(nanos);
  if (part <= -1'000'000'000 || part >= 1'000'000'000 || (timestamp && part < 0)) return false;
  auto whole = static_cast<int64_t>(seconds);
  *out = timestamp ? Value::timestamp(whole, part) : Value::duration(whole, part);
  return true;
}

bool read_number(std::string_view& in, uint8_t tag, Value* out) {
  uint64_t bits = 0;
  if (!take_u64(in, &bits)) return false;
  if (tag == kInt) *out = Value::integer(static_cast<int64_t>(bits));
  if (tag == kUint) *out = Value::unsigned_integer(bits);
  if (tag == kDouble) {
    double number = 0;
    std::memcpy(&number, &bits, sizeof(number));
    *out = Value::floating(number);
  }
  return true;
}

bool read(std::string_view& in, Arena& arena, Value* out, int depth) {
  if (depth > kMaxValueDepth || in.empty()) return false;
  auto tag = static_cast<uint8_t>(in.front());
  in.remove_prefix(1);
  std::string_view text;
  switch (tag) {
    case kNull:
      *out = Value::null();
      return true;
    case kFalse:
    case kTrue:
      *out = Value::boolean(tag == kTrue);
      return true;
    case kInt:
    case kUint:
    case kDouble:
      return read_number(in, tag, out);
    case kString:
    case kBytes:
      if (!take_sized(in, &text)) return false;
      *out = tag == kString && valid_utf8(text) ? Value::string(text) : Value::bytes(text);
      return true;
    case kTimestamp:
    case kDuration:
      return read_time(in, tag == kTimestamp, out);
    case kList:
      return read_list(in, arena, out, depth);
    case kMap:
      return read_map(in, arena, out, depth);
    default:
      return false;
  }
}

}  // namespace

bool append_value(std::string& out, const Value& value) {
  size_t before = out.size();
  if (write(out, value, 0)) return true;
  out.resize(before);
  return false;
}

bool take_u32(std::string_view& in, uint32_t* out) {
  if (in.size() < 4) return false;
  *out = 0;
  for (int i = 0; i < 4; ++i) *out |= static_cast<uint32_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  in.remove_prefix(4);
  return true;
}

bool take_u64(std::string_view& in, uint64_t* out) {
  if (in.size() < 8) return false;
  *out = 0;
  for (int i = 0; i < 8; ++i) *out |= static_cast<uint64_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  in.remove_prefix(8);
  return true;
}

bool take_bytes(std::string_view& in, size_t size, std::string_view* out) {
  if (in.size() < size) return false;
  *out = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

bool take_sized(std::string_view& in, std::string_view* out) {
  uint32_t size = 0;
  return take_u32(in, &size) && take_bytes(in, size, out);
}

bool take_value(std::string_view& in, Arena& arena, Value* out) { return read(in, arena, out, 0); }

}  // namespace ordain::detail
