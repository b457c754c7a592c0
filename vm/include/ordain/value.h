// A Value is what an expression computes. It is small, trivially copyable, and never owns
// memory.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ordain/export.h"

namespace ordain {

class Arena;

/// The run-time kind of a value. The numbers are part of the serialised Program.
enum class Kind : uint8_t {
  absent = 0,  ///< no value: an optional field or a host attribute that was not supplied
  null = 1,
  boolean = 2,
  integer = 3,
  unsigned_integer = 4,
  floating = 5,
  string = 6,
  bytes = 7,
  timestamp = 8,
  duration = 9,
  list = 10,
  map = 11,  ///< also records
  type = 12,
  optional = 13,
  ip = 14,
  cidr = 15,
};
inline constexpr int kKindCount = 16;

struct MapRep;
struct MapEntry;

/// A value of the expression language. Strings, lists and maps are views. How long their memory
/// lives depends on the maker of the value (a constant: the Program; a slot: the Call; a result:
/// the Scratch).
///
/// Layout (16 bytes, on which native code relies): kind, flags, labels, aux, payload.
struct Value {
  Kind kind = Kind::absent;
  uint8_t flags = 0;    ///< reserved
  uint16_t labels = 0;  ///< information-flow labels; always zero at present
  uint32_t aux = 0;     ///< string/bytes/type: length; list: count; timestamp/duration: nanos;
                        ///< ip/cidr: bytes of the address (4 or 16), in bits 8 to 15 a cidr's prefix length
  union {
    int64_t i = 0;       ///< boolean (0 or 1), integer, timestamp and duration seconds
    uint64_t u;          ///< unsigned_integer
    double d;            ///< floating
    const char* text;    ///< string (valid UTF-8), bytes, type name, ip and cidr bytes
    const Value* items;  ///< list elements; optional: the value, or nullptr for none
    const MapRep* map;   ///< map
  };

  static Value null() { return tagged(Kind::null); }
  static Value boolean(bool b) { return tagged(Kind::boolean, 0, b); }
  static Value integer(int64_t v) { return tagged(Kind::integer, 0, v); }
  static Value unsigned_integer(uint64_t v) { return tagged(Kind::unsigned_integer, 0, static_cast<int64_t>(v)); }
  static Value floating(double v) {
    Value out = tagged(Kind::floating);
    out.d = v;
    return out;
  }
  /// A Value refers to the text, so a std::string that is about to go away is refused.
  static Value string(std::string_view s) { return view(Kind::string, s); }
  static Value bytes(std::string_view s) { return view(Kind::bytes, s); }
  template <std::same_as<std::string> Text>
  static Value string(Text&&) = delete;
  template <std::same_as<std::string> Text>
  static Value bytes(Text&&) = delete;
  static Value type(std::string_view name) { return view(Kind::type, name); }
  /// Seconds since 1970-01-01T00:00:00Z and nanos in [0, 999999999].
  static Value timestamp(int64_t seconds, int32_t nanos) {
    return tagged(Kind::timestamp, static_cast<uint32_t>(nanos), seconds);
  }
  /// Both parts carry the sign of the duration, as in protobuf: -1.5s is (-1, -500000000).
  static Value duration(int64_t seconds, int32_t nanos) {
    return tagged(Kind::duration, static_cast<uint32_t>(nanos), seconds);
  }
  static Value list(std::span<const Value> elements) {
    Value out = tagged(Kind::list, static_cast<uint32_t>(elements.size()));
    out.items = elements.data();
    return out;
  }
  static Value map_of(const MapRep* rep) {
    Value out = tagged(Kind::map);
    out.map = rep;
    return out;
  }
  /// Makes an optional of `*value`, which must outlive the result; nullptr makes optional.none().
  static Value optional(const Value* value) {
    Value out = tagged(Kind::optional);
    out.items = value;
    return out;
  }

  bool is(Kind k) const { return kind == k; }
  bool present() const { return kind != Kind::absent; }
  bool as_bool() const { return i != 0; }
  std::string_view as_text() const { return {text, aux}; }
  std::span<const Value> as_list() const { return {items, aux}; }
  int32_t nanos() const { return static_cast<int32_t>(aux); }

 private:
  static Value tagged(Kind k, uint32_t aux = 0, int64_t payload = 0) {
    Value out;
    out.kind = k;
    out.aux = aux;
    out.i = payload;
    return out;
  }
  static Value view(Kind k, std::string_view s) {
    Value out = tagged(k, static_cast<uint32_t>(s.size()));
    out.text = s.data();
    return out;
  }
};
static_assert(sizeof(Value) == 16);

struct MapEntry {
  Value key;
  Value value;
};

/// The entries of a map in insertion order, with a hash index if there are more than a few. Keys
/// are bool, int, uint or string; no two are equal (1, 1u and 1.0 are equal keys).
struct MapRep {
  const MapEntry* entries = nullptr;
  uint32_t count = 0;
  uint32_t index_mask = 0;          ///< size of `index` minus one
  const uint32_t* index = nullptr;  ///< open addressing; entry number + 1, 0 is empty; nullptr: search linearly

  std::span<const MapEntry> all() const { return {entries, count}; }
};

/// CEL equality: numbers compare across int, uint and double (an integer beside a double as the double nearest to it,
/// as CEL's implementations do), NaN equals nothing, values of different kinds are unequal, lists and maps compare
/// deeply. Never faults.
ORDAIN_API bool equal(const Value& a, const Value& b);

/// The outcome of an ordered comparison: `unordered` if a NaN is involved, `none` if the kinds have
/// no order.
enum class Ordering : int8_t { less = -1, equal = 0, greater = 1, unordered = 2, none = 3 };

/// Orders bool, numbers (across int, uint and double), string and bytes (by bytes, which is code
/// point order), timestamp and duration. Returns `unordered` for NaN, and `none` for kinds that
/// have no order.
ORDAIN_API Ordering compare(const Value& a, const Value& b);

/// Values that are equal (in the sense of `equal`) have equal hashes. Hashes differ between
/// processes: never store one.
ORDAIN_API uint64_t hash(const Value& value);
ORDAIN_API uint64_t hash_string(std::string_view text);  ///< hashes string and bytes; map_find looks up names by it

/// Neither parse_json nor any expression within its limits makes a value deeper than this. `equal`,
/// `hash` and `copy_value` look no deeper: deeper values are unequal, and are copied as null.
inline constexpr int kMaxValueDepth = 512;

/// Finds the value of `key`, or returns nullptr. `key` may be of any kind; numeric keys match
/// across kinds.
ORDAIN_API const Value* map_find(const MapRep& map, const Value& key);
ORDAIN_API const Value* map_find(const MapRep& map, std::string_view key);

/// Makes a map over `entries` (which must live as long as the map), with a hash index if that pays.
/// @returns nullptr when the arena is exhausted, or on a duplicate key, whose entry number is then
/// stored in `*duplicate` (otherwise UINT32_MAX).
ORDAIN_API const MapRep* make_map(Arena& arena, std::span<const MapEntry> entries, uint32_t* duplicate = nullptr);

/// Makes a deep copy whose memory is all in `arena`; only for arenas without a limit.
ORDAIN_API Value copy_value(Arena& arena, const Value& value);

/// The name that CEL's `type()` gives a kind: "int", "list", "google.protobuf.Timestamp", ...
ORDAIN_API std::string_view type_name(Kind kind);

}  // namespace ordain
