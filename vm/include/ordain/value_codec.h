// ValueCodec converts C++ types to values and back, for bound structs and for the arguments and
// results of wrapped functions.
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ordain/arena.h"
#include "ordain/json.h"
#include "ordain/value.h"

namespace ordain {

/// Converts a C++ type to a value and back. Specialise it for a type of your own. `encode` may view
/// its argument and `arena` (which has no limit); `decode` copies what it keeps, and returns false
/// if the value does not fit:
///
///     template <> struct ordain::ValueCodec<Money> {
///       static constexpr std::string_view kName = "money";  // for messages
///       static Value encode(Arena& arena, const Money& money);
///       static bool decode(const Value& value, Money* out);
///     };
template <typename T>
struct ValueCodec;

template <>
struct ValueCodec<bool> {
  static constexpr std::string_view kName = "bool";
  static Value encode(Arena&, bool v) { return Value::boolean(v); }
  static bool decode(const Value& value, bool* out) {
    if (!value.is(Kind::boolean)) return false;
    *out = value.as_bool();
    return true;
  }
};

/// Reads an integer from an int, a uint or an integral double, if `T` can hold it exactly.
template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>)
struct ValueCodec<T> {
  static constexpr std::string_view kName = "int";
  static Value encode(Arena&, T v) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {
      if (v > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return Value::unsigned_integer(v);
    }
    return Value::integer(static_cast<int64_t>(v));
  }
  static bool decode(const Value& value, T* out) {
    if (value.is(Kind::integer)) return narrow(value.i, out);
    if (value.is(Kind::unsigned_integer)) return narrow(value.u, out);
    if (!value.is(Kind::floating) || std::trunc(value.d) != value.d) return false;
    if (value.d < -9223372036854775808.0 || value.d >= 9223372036854775808.0) return false;
    return narrow(static_cast<int64_t>(value.d), out);
  }

 private:
  template <typename V>
  static bool narrow(V v, T* out) {
    if (!std::in_range<T>(v)) return false;
    *out = static_cast<T>(v);
    return true;
  }
};

/// Reads a number from a double, or from an integer that a double holds exactly.
template <std::floating_point T>
struct ValueCodec<T> {
  static constexpr std::string_view kName = "double";
  static Value encode(Arena&, T v) { return Value::floating(static_cast<double>(v)); }
  static bool decode(const Value& value, T* out) {
    double d = 0;
    constexpr int64_t kExact = int64_t{1} << 53;
    if (value.is(Kind::floating)) {
      d = value.d;
    } else if (value.is(Kind::integer) && value.i >= -kExact && value.i <= kExact) {
      d = static_cast<double>(value.i);
    } else if (value.is(Kind::unsigned_integer) && value.u <= static_cast<uint64_t>(kExact)) {
      d = static_cast<double>(value.u);
    } else {
      return false;
    }
    *out = static_cast<T>(d);
    return true;
  }
};

template <>
struct ValueCodec<std::string> {
  static constexpr std::string_view kName = "string";
  static Value encode(Arena&, const std::string& v) { return Value::string(v); }
  static bool decode(const Value& value, std::string* out) {
    if (!value.is(Kind::string)) return false;
    *out = value.as_text();
    return true;
  }
};

/// A view of the caller's text. A parameter of this type is valid until the function returns.
template <>
struct ValueCodec<std::string_view> {
  static constexpr std::string_view kName = "string";
  static Value encode(Arena&, std::string_view v) { return Value::string(v); }
  static bool decode(const Value& value, std::string_view* out) {
    if (!value.is(Kind::string)) return false;
    *out = value.as_text();
    return true;
  }
};

template <>
struct ValueCodec<std::monostate> {
  static constexpr std::string_view kName = "null";
  static Value encode(Arena&, std::monostate) { return Value::null(); }
  static bool decode(const Value& value, std::monostate*) { return value.is(Kind::null); }
};

template <>
struct ValueCodec<Document> {
  static constexpr std::string_view kName = "document";
  static Value encode(Arena&, const Document& v) { return v.root(); }
  static bool decode(const Value& value, Document* out) {
    *out = Document::copy_of(value);
    return true;
  }
};

/// Works with any integral clock tick. Reads a time or a duration that `Tick` can hold exactly,
/// within 292 years of the epoch or of zero.
template <std::integral Rep, typename Period>
struct ValueCodec<std::chrono::duration<Rep, Period>> {
  static constexpr std::string_view kName = "duration";
  using Tick = std::chrono::duration<Rep, Period>;
  static Value encode(Arena&, Tick v) {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(v);
    auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(v - seconds);
    return Value::duration(seconds.count(), static_cast<int32_t>(rest.count()));
  }
  static bool decode(const Value& value, Tick* out) { return value.is(Kind::duration) && exactly(value, out); }

  static bool exactly(const Value& value, Tick* out) {
    constexpr int64_t kLimit = std::numeric_limits<int64_t>::max() / 1'000'000'000 - 1;
    if (value.i > kLimit || value.i < -kLimit) return false;
    const std::chrono::nanoseconds all = std::chrono::seconds(value.i) + std::chrono::nanoseconds(value.nanos());
    *out = std::chrono::duration_cast<Tick>(all);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(*out) == all;
  }
};

template <std::integral Rep, typename Period>
struct ValueCodec<std::chrono::time_point<std::chrono::system_clock, std::chrono::duration<Rep, Period>>> {
  static constexpr std::string_view kName = "timestamp";
  using Tick = std::chrono::duration<Rep, Period>;
  using Time = std::chrono::sys_time<Tick>;
  static Value encode(Arena&, Time v) {
    auto seconds = std::chrono::floor<std::chrono::seconds>(v);
    auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(v - seconds);
    return Value::timestamp(seconds.time_since_epoch().count(), static_cast<int32_t>(rest.count()));
  }
  static bool decode(const Value& value, Time* out) {
    Tick since{};
    if (!value.is(Kind::timestamp) || !ValueCodec<Tick>::exactly(value, &since)) return false;
    *out = Time(since);
    return true;
  }
};

/// An empty optional is left out as a field; null reads as empty.
template <typename T>
struct ValueCodec<std::optional<T>> {
  static constexpr std::string_view kName = ValueCodec<T>::kName;
  static Value encode(Arena& arena, const std::optional<T>& v) {
    return v ? ValueCodec<T>::encode(arena, *v) : Value();
  }
  static bool decode(const Value& value, std::optional<T>* out) {
    out->reset();
    if (value.is(Kind::null) || !value.present()) return true;
    return ValueCodec<T>::decode(value, &out->emplace());
  }
};

template <typename T>
struct ValueCodec<std::vector<T>> {
  static constexpr std::string_view kName = "list";
  static Value encode(Arena& arena, const std::vector<T>& v) {
    Value* items = arena.array<Value>(v.size());
    size_t at = 0;
    for (const auto& element : v) items[at++] = ValueCodec<T>::encode(arena, element);
    return Value::list({items, v.size()});
  }
  static bool decode(const Value& value, std::vector<T>* out) {
    if (!value.is(Kind::list)) return false;
    out->clear();
    for (const Value& item : value.as_list()) {
      T element{};
      if (!ValueCodec<T>::decode(item, &element)) return false;
      out->push_back(std::move(element));
    }
    return true;
  }
};

template <typename T>
struct ValueCodec<std::map<std::string, T>> {
  static constexpr std::string_view kName = "map";
  static Value encode(Arena& arena, const std::map<std::string, T>& v) {
    MapEntry* entries = arena.array<MapEntry>(v.size());
    size_t count = 0;
    for (const auto& [key, element] : v) {
      Value encoded = ValueCodec<T>::encode(arena, element);
      if (encoded.present()) entries[count++] = {Value::string(key), encoded};
    }
    return Value::map_of(make_map(arena, {entries, count}));
  }
  static bool decode(const Value& value, std::map<std::string, T>* out) {
    if (!value.is(Kind::map)) return false;
    out->clear();
    for (const MapEntry& entry : value.map->all()) {
      T element{};
      if (!entry.key.is(Kind::string) || !ValueCodec<T>::decode(entry.value, &element)) return false;
      out->emplace(std::string(entry.key.as_text()), std::move(element));
    }
    return true;
  }
};

/// Makes a document from anything that has a codec.
template <typename T>
Document to_document(const T& value) {
  Arena arena;
  return Document::copy_of(ValueCodec<T>::encode(arena, value));
}

}  // namespace ordain
