// Equality, order and hashing of values, as the expression language defines them.
#include "ordain/value.h"

#include <cmath>
#include <cstring>

#include "ordain/arena.h"

namespace ordain {
namespace {

__extension__ using Wide = unsigned __int128;

// The doubles next to the largest int64 and the largest uint64.
constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

template <typename T>
Ordering order(T a, T b) {
  return a < b ? Ordering::less : b < a ? Ordering::greater : Ordering::equal;
}

Ordering reversed(Ordering o) {
  if (o == Ordering::less) return Ordering::greater;
  if (o == Ordering::greater) return Ordering::less;
  return o;
}

Ordering order_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return Ordering::unordered;
  return order(a, b);
}

Ordering order_int_uint(int64_t a, uint64_t b) { return a < 0 ? Ordering::less : order(static_cast<uint64_t>(a), b); }

// Like CEL implementations: an integer within the other side's range is compared as the double
// nearest to it.
Ordering order_int_double(int64_t a, double b) {
  if (b > kTwo63) return Ordering::less;
  if (b < -kTwo63) return Ordering::greater;
  return order_doubles(static_cast<double>(a), b);
}

Ordering order_uint_double(uint64_t a, double b) {
  if (b > kTwo64) return Ordering::less;
  if (b < 0) return Ordering::greater;
  return order_doubles(static_cast<double>(a), b);
}

bool is_number(Kind kind) { return kind == Kind::integer || kind == Kind::unsigned_integer || kind == Kind::floating; }

Ordering order_numbers(const Value& a, const Value& b) {
  switch (a.kind) {
    case Kind::integer:
      if (b.kind == Kind::integer) return order(a.i, b.i);
      return b.kind == Kind::floating ? order_int_double(a.i, b.d) : order_int_uint(a.i, b.u);
    case Kind::unsigned_integer:
      if (b.kind == Kind::unsigned_integer) return order(a.u, b.u);
      return b.kind == Kind::floating ? order_uint_double(a.u, b.d) : reversed(order_int_uint(b.i, a.u));
    default:
      if (b.kind == Kind::floating) return order_doubles(a.d, b.d);
      return reversed(b.kind == Kind::integer ? order_int_double(b.i, a.d) : order_uint_double(b.u, a.d));
  }
}

bool same_text(const Value& a, const Value& b) {
  return a.aux == b.aux && (a.aux == 0 || a.text == b.text || std::memcmp(a.text, b.text, a.aux) == 0);
}

bool same_address(const Value& a, const Value& b) {
  return a.aux == b.aux && std::memcmp(a.text, b.text, a.aux & 0xff) == 0;
}

Ordering order_texts(std::string_view a, std::string_view b) {
  int c = a.compare(b);
  return c < 0 ? Ordering::less : c > 0 ? Ordering::greater : Ordering::equal;
}

bool equal_at(const Value& a, const Value& b, int depth);

bool equal_lists(const Value& a, const Value& b, int depth) {
  if (a.aux != b.aux) return false;
  for (uint32_t n = 0; n < a.aux; ++n) {
    if (!equal_at(a.items[n], b.items[n], depth)) return false;
  }
  return true;
}

bool equal_maps(const MapRep& a, const MapRep& b, int depth) {
  if (a.count != b.count) return false;
  for (const MapEntry& entry : a.all()) {
    const Value* other = map_find(b, entry.key);
    if (other == nullptr || !equal_at(entry.value, *other, depth)) return false;
  }
  return true;
}

bool equal_at(const Value& a, const Value& b, int depth) {
  if (a.kind != b.kind) return is_number(a.kind) && is_number(b.kind) && order_numbers(a, b) == Ordering::equal;
  if (depth >= kMaxValueDepth) return false;
  switch (a.kind) {
    case Kind::absent:
    case Kind::null:
      return true;
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
      return a.i == b.i;
    case Kind::floating:
      return a.d == b.d;
    case Kind::string:
    case Kind::bytes:
    case Kind::type:
      return same_text(a, b);
    case Kind::timestamp:
    case Kind::duration:
      return a.i == b.i && a.aux == b.aux;
    case Kind::list:
      return equal_lists(a, b, depth + 1);
    case Kind::map:
      return equal_maps(*a.map, *b.map, depth + 1);
    case Kind::optional:
      if (a.items == nullptr || b.items == nullptr) return a.items == b.items;
      return equal_at(*a.items, *b.items, depth + 1);
    case Kind::ip:
    case Kind::cidr:
      return same_address(a, b);
  }
  return false;
}

// A seed that differs between processes, so that nobody can prepare colliding keys. The
// address-space layout supplies it before any constructor runs.
const char kSeedAnchor = 0;
uint64_t seed() { return reinterpret_cast<uintptr_t>(&kSeedAnchor) * 0x9e3779b97f4a7c15u; }

uint64_t mix(uint64_t a, uint64_t b) {
  Wide product = static_cast<Wide>(a ^ 0xa0761d6478bd642fu) * (b ^ 0xe7037ed1a0b428dbu);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t read8(const char* at) {
  uint64_t out;
  std::memcpy(&out, at, 8);
  return out;
}
uint64_t read4(const char* at) {
  uint32_t out;
  std::memcpy(&out, at, 4);
  return out;
}

uint64_t hash_bytes(const char* at, size_t size, uint64_t state) {
  state = mix(state, size);
  if (size >= 8) {
    const char* last = at + size - 8;
    for (; at < last; at += 8) state = mix(state ^ read8(at), state + 0x589965cc75374cc3u);
    return mix(state ^ read8(last), 0x1d8e4e27c47d124fu);
  }
  if (size >= 4) return mix(state ^ (read4(at) << 32 | read4(at + size - 4)), 0x1d8e4e27c47d124fu);
  uint64_t tail = 0;
  if (size > 0) {
    tail = static_cast<uint64_t>(static_cast<unsigned char>(at[0])) << 16 |
           static_cast<uint64_t>(static_cast<unsigned char>(at[size / 2])) << 8 |
           static_cast<unsigned char>(at[size - 1]);
  }
  return mix(state ^ tail, 0x1d8e4e27c47d124fu);
}

enum : uint64_t { kHashNumber = 1, kHashOther };

// Numbers hash as the double that they may be compared as.
uint64_t hash_number(const Value& value) {
  double d = value.d;
  if (value.kind == Kind::integer) d = static_cast<double>(value.i);
  if (value.kind == Kind::unsigned_integer) d = static_cast<double>(value.u);
  if (d == 0) d = 0;  // -0.0
  uint64_t bits;
  std::memcpy(&bits, &d, sizeof(bits));
  return mix(seed() + kHashNumber, std::isnan(d) ? 0 : bits);
}

uint64_t hash_at(const Value& value, int depth) {
  uint64_t state = seed() + kHashOther + static_cast<uint64_t>(value.kind);
  if (depth >= kMaxValueDepth) return state;
  switch (value.kind) {
    case Kind::absent:
    case Kind::null:
      return state;
    case Kind::boolean:
      return mix(state, value.i != 0);
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
      return hash_number(value);
    case Kind::string:
    case Kind::bytes:
      return hash_string(value.as_text());
    case Kind::type:
      return hash_bytes(value.text, value.aux, state);
    case Kind::timestamp:
    case Kind::duration:
      return mix(mix(state, static_cast<uint64_t>(value.i)), value.aux);
    case Kind::list:
      for (const Value& element : value.as_list()) state = mix(state, hash_at(element, depth + 1));
      return mix(state, value.aux);
    case Kind::map: {
      uint64_t sum = 0;  // commutative: order does not matter
      for (const MapEntry& entry : value.map->all()) {
        sum += mix(hash_at(entry.key, depth + 1), hash_at(entry.value, depth + 1));
      }
      return mix(state ^ sum, value.map->count);
    }
    case Kind::optional:
      return mix(state, value.items == nullptr ? 0 : hash_at(*value.items, depth + 1));
    case Kind::ip:
    case Kind::cidr:
      return hash_bytes(value.text, value.aux & 0xff, state + value.aux);
  }
  return state;
}

}  // namespace

bool equal(const Value& a, const Value& b) { return equal_at(a, b, 0); }

Ordering compare(const Value& a, const Value& b) {
  if (is_number(a.kind) && is_number(b.kind)) return order_numbers(a, b);
  if (a.kind != b.kind) return Ordering::none;
  switch (a.kind) {
    case Kind::boolean:
      return order(a.i, b.i);
    case Kind::string:
    case Kind::bytes:
      return order_texts(a.as_text(), b.as_text());
    case Kind::timestamp:
    case Kind::duration:
      return a.i != b.i ? order(a.i, b.i) : order(a.nanos(), b.nanos());
    default:
      return Ordering::none;
  }
}

uint64_t hash(const Value& value) { return hash_at(value, 0); }

uint64_t hash_string(std::string_view text) { return hash_bytes(text.data(), text.size(), seed()); }

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::absent:
      return "absent";
    case Kind::null:
      return "null_type";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::unsigned_integer:
      return "uint";
    case Kind::floating:
      return "double";
    case Kind::string:
      return "string";
    case Kind::bytes:
      return "bytes";
    case Kind::timestamp:
      return "google.protobuf.Timestamp";
    case Kind::duration:
      return "google.protobuf.Duration";
    case Kind::list:
      return "list";
    case Kind::map:
      return "map";
    case Kind::type:
      return "type";
    case Kind::optional:
      return "optional_type";
    case Kind::ip:
      return "net.IP";
    case Kind::cidr:
      return "net.CIDR";
  }
  return "absent";
}

}  // namespace ordain
