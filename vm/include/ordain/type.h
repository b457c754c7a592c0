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

/// An immutable static type. Types are compared by structure (`same_type`), not by address. The
/// arena or the Program that made a type owns it; the built-in types below live forever.
struct Type {
  TypeKind kind = TypeKind::dyn;
  std::string_view name;                ///< param, abstract
  std::span<const Type* const> params;  ///< list, map, type, optional, abstract
  const RecordType* record = nullptr;   ///< record
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

ORDAIN_API bool same_type(const Type& a, const Type& b);

/// Writes a type as CEL and the policy language do: `list(int)`, `map(string, dyn)`,
/// `optional_type(int)`, or a record's name.
ORDAIN_API std::string to_string(const Type& type);

/// The kind of every present value of this type, or Kind::absent if values of several kinds are
/// possible (dyn, param).
ORDAIN_API Kind kind_of(const Type& type);

/// Reads a type as it stands in a signature: `int`, `list(A)`, `map(K, V)`, `optional_type(A)`,
/// `type(A)`, `net.IP`; one capital letter is a type variable. @returns nullptr on malformed text.
ORDAIN_API const Type* parse_type(Arena& arena, std::string_view text);

}  // namespace ordain
