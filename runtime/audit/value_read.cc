// value_read reads the canonical encoding of values. It accepts any bytes safely.
#include <cstring>

#include "runtime/audit/value_bytes.h"
#include "runtime/audit/value_tags.h"
#include "runtime/identity/text.h"

namespace ordain::detail {
namespace {

bool read(std::string_view& in, Arena& arena, Value* out, int depth);

bool read_list(std::string_view& in, Arena& arena, Value* out, int depth) {
  uint32_t count = 0;
  if (!take_u32(in, &count) || count > in.size()) return false;  // an element takes a byte or more
  Value* items = arena.array<Value>(count);
  for (uint32_t i = 0; i < count; ++i) {
    if (!read(in, arena, &items[i], depth + 1)) return false;
  }
  *out = Value::list({items, count});
  return true;
}

/// A key that is not UTF-8 comes from a call that was denied for it; it is shown as bytes.
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
