// A Type says what the checker knows about an expression, and what a declaration requires of
// input.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "ordain/export.h"
#include "ordain/value.h"

namespace ordain {

class Arena;

enum class TypeKind : uint8_t {
  dyn = 0,
  null_type,
  boolean,
  integer,
  unsigned_integer,
  floating,
  string,
  bytes,
  timestamp,
  duration,
  list,      ///< params[0]
  map,       ///< params[0], params[1]
  type,      ///< params[0], or none: any type value
  optional,  ///< params[0]
  record,    ///< `record`
  ip,
  cidr,
  param,     ///< a type variable of a signature; `name`
  abstract,  ///< a host's opaque type; `name`, params
  error,     ///< the type of a faulty expression; silences further diagnostics
};

/// True for numbers, truth values and times: they are ordered, and a Value holds them without a
/// pointer.
constexpr bool is_scalar(TypeKind kind) {
  switch (kind) {
    case TypeKind::boolean:
    case TypeKind::integer:
    case TypeKind::unsigned_integer:
    case TypeKind::floating:
    case TypeKind::timestamp:
    case TypeKind::duration:
      return true;
    default:
      return false;
  }
}

struct RecordType;

/// What a declaration demands of a value besides its kind. Binding checks it; expressions are typed without it.
struct TypeLimits {
  std::span<const Value> values;   ///< an enumeration: all values, of the type's kind and in the order of the text
  Value least, most;               ///< of a number, both included and of the type's kind; absent: no bound
  uint64_t min_size = 0;           ///< characters of a string, bytes, elements of a list, entries of a map
  uint64_t max_size = UINT64_MAX;  ///< the same
};

/// An immutable static type. Types are compared by structure (`same_type`), not by address. The
/// arena or the Program that made a type owns it; the built-in types below live forever.
struct Type {
  TypeKind kind = TypeKind::dyn;
  std::string_view name;                ///< param, abstract
  std::span<const Type* const> params;  ///< list, map, type, optional, abstract; dyn: a union of these, or none
  const RecordType* record = nullptr;   ///< record
  const TypeLimits* limits = nullptr;   ///< of a declared type; nullptr: none
};

/// A field of a record declared by `capability` or `context`.
struct RecordField {
  std::string_view name;
  const Type* type = nullptr;  ///< T, also if declared `optional(T)`
  bool optional = false;       ///< declared `optional(T)`: may be absent, and needs a guard
};

/// A record declared in policy text. Records with equal fields are equal.
struct ORDAIN_API RecordType {
  std::string_view name;  ///< for messages: "send_money.input", "agent"
  bool open = false;      ///< other fields may be present; they are dyn and need a guard
  std::span<const RecordField> fields;

  const RecordField* find(std::string_view field) const;
};

namespace types {
ORDAIN_API extern const Type kDyn, kNull, kBool, kInt, kUint, kDouble, kString, kBytes, kTimestamp, kDuration, kType,
    kIp, kCidr, kError, kListDyn, kMapDyn, kListString;
ORDAIN_API const Type* list_of(Arena& arena, const Type* element);
ORDAIN_API const Type* map_of(Arena& arena, const Type* key, const Type* value);
ORDAIN_API const Type* optional_of(Arena& arena, const Type* value);
ORDAIN_API const Type* type_of(Arena& arena, const Type* value);
}  // namespace types

/// Whether the types are equal, their limits included.
ORDAIN_API bool same_type(const Type& a, const Type& b);
/// Whether the types are equal apart from limits within them; a union is then like dyn.
ORDAIN_API bool same_shape(const Type& a, const Type& b);

/// Whether a type has limits, or is a union, itself or in its parameters. Fields of records do not count.
ORDAIN_API bool is_limited(const Type& type);
/// The type without limits, as expressions have it: `int` for `int(1, 100)`, dyn for a union. Records keep theirs.
ORDAIN_API const Type* unlimited(Arena& arena, const Type* type);
/// Whether a value of the type's kind meets the limits of the type itself, not those of its parameters. Only for
/// types that have limits.
ORDAIN_API bool meets_limits(const Type& type, const Value& value);
/// What `min` and `max` count: characters of a string, bytes, elements, entries; 0 for values of other kinds.
ORDAIN_API uint64_t limited_size(const Value& value);

/// Writes a type as CEL and the policy language do: `list(int)`, `map(string, dyn)`,
/// `optional_type(int)`, `int(1, 100)`, `"open" | "closed"`, or a record's name.
ORDAIN_API std::string to_string(const Type& type);

/// The kind of every present value of this type, or Kind::absent if values of several kinds are
/// possible (dyn, param).
ORDAIN_API Kind kind_of(const Type& type);

/// Reads a type as it stands in a signature: `int`, `list(A)`, `map(K, V)`, `optional_type(A)`,
/// `type(A)`, `net.IP`; one capital letter is a type variable. @returns nullptr on malformed text.
ORDAIN_API const Type* parse_type(Arena& arena, std::string_view text);

}  // namespace ordain
