// Fits values from JSON or from the host to declared types, with conversions and messages.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "ordain/json.h"
#include "ordain/time_text.h"
#include "vm/facts/bind.h"
#include "vm/value/encodings.h"
#include "vm/value/same_name.h"

namespace ordain::vm {
namespace {

constexpr int kMaxBindDepth = 100;  // the 64 of JSON, and what a host nests around it

bool same_bits(const Value& a, const Value& b) { return std::memcmp(&a, &b, sizeof(Value)) == 0; }

bool is_empty(const Value& value) {
  return value.kind == Kind::absent || value.kind == Kind::null ||
         (value.kind == Kind::optional && value.items == nullptr);
}

// Whether a value has its type already and needs no conversion, as most fields of most calls do.
// Other values are left to the Fitter.
bool fits_as_it_is(const Type& type, const Value& value) {
  if (type.limits != nullptr) return false;
  switch (type.kind) {
    case TypeKind::boolean:
      return value.is(Kind::boolean);
    case TypeKind::integer:
      return value.is(Kind::integer);
    case TypeKind::floating:
      return value.is(Kind::floating) && std::isfinite(value.d);
    case TypeKind::string:
      return value.is(Kind::string) && valid_utf8(value.as_text());
    default:
      return false;
  }
}

// A JSON key is a string. A map with keys of another kind accepts only the canonical text of a key.
// @returns false for any other text.
template <typename T>
bool parse_key(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  char canonical[24];
  auto written = std::to_chars(canonical, canonical + sizeof(canonical), *out).ptr;
  return std::string_view(canonical, static_cast<size_t>(written - canonical)) == text;
}

}  // namespace

bool Fitter::check(const Value& value, const BindPath& path) {
  if (path.depth > kMaxBindDepth) return fail(path, "nested too deep");
  switch (value.kind) {
    case Kind::absent:
      return fail(path, "no value");
    case Kind::floating:
      return std::isfinite(value.d) || fail(path, std::isnan(value.d) ? "NaN" : "infinity");
    case Kind::string:
    case Kind::type:
      return valid_utf8(value.as_text()) || fail(path, "invalid UTF-8");
    case Kind::timestamp:
      return (timestamp_in_range(value.i) && value.aux < 1'000'000'000) || fail(path, "timestamp out of range");
    case Kind::duration:
      return duration_in_range(value.i, value.nanos()) || fail(path, "duration out of range");
    case Kind::list:
      for (size_t n = 0; n < value.aux; ++n) {
        if (!check(value.items[n], path.element(n))) return false;
      }
      return true;
    case Kind::map:
      for (const MapEntry& entry : value.map->all()) {
        BindPath at = path.field(entry.key.is(Kind::string) ? entry.key.as_text() : std::string_view("key"));
        if (!check(entry.key, at) || !check(entry.value, at)) return false;
      }
      return true;
    case Kind::optional:
      return value.items == nullptr || check(*value.items, path.field("value"));
    default:
      return true;
  }
}

const RecordField* find_from(const RecordType& record, std::string_view name, size_t* hint) {
  const size_t count = record.fields.size();
  for (size_t n = 0; n < count; ++n) {
    const size_t at = *hint + n < count ? *hint + n : *hint + n - count;
    if (same_name(record.fields[at].name, name)) {
      *hint = at + 1 == count ? 0 : at + 1;
      return &record.fields[at];
    }
  }
  return nullptr;
}

bool Fitter::fit(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (!fit_kind(type, in, path, out)) return false;
  return type.limits == nullptr || meets_limits(type, *out) || outside(type, *out, path);
}

bool Fitter::fit_kind(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (path.depth > kMaxBindDepth) return fail(path, "nested too deep");
  if (in.kind == Kind::optional && in.items != nullptr && type.kind != TypeKind::optional &&
      type.kind != TypeKind::dyn) {
    return fit(type, *in.items, path, out);
  }
  switch (type.kind) {
    case TypeKind::dyn:
      if (!type.params.empty()) return fit_union(type, in, path, out);
      [[fallthrough]];
    case TypeKind::param:
    case TypeKind::abstract:
      *out = in;
      return check(in, path);
    case TypeKind::integer:
    case TypeKind::unsigned_integer:
    case TypeKind::floating:
      return fit_number(type, in, path, out);
    case TypeKind::string:
    case TypeKind::bytes:
    case TypeKind::timestamp:
    case TypeKind::duration:
      return fit_text(type, in, path, out);
    case TypeKind::optional:
      return fit_optional(type, in, path, out);
    case TypeKind::list:
      return fit_list(type, in, path, out);
    case TypeKind::map:
      return fit_map(type, in, path, out);
    case TypeKind::record:
      if (in.kind != Kind::map) return mismatch(path, type, in);
      return fit_record(*type.record, in, path, out);
    case TypeKind::null_type:
    case TypeKind::boolean:
    case TypeKind::type:
    case TypeKind::ip:
    case TypeKind::cidr:
      *out = in;
      return in.kind == kind_of(type) ? check(in, path) : mismatch(path, type, in);
    case TypeKind::error:
      return mismatch(path, type, in);
  }
  return false;
}

// An option of the value's own kind comes first, and then the first one to which the value can be converted.
bool Fitter::fit_union(const Type& type, const Value& in, const BindPath& path, Value* out) {
  const Value& value = in.kind == Kind::optional && in.items != nullptr ? *in.items : in;
  for (const bool same_kind : {true, false}) {
    for (const Type* option : type.params) {
      if ((kind_of(*option) == value.kind) != same_kind) continue;
      BindError misfit;  // of this option; the error names the whole union
      if (Fitter(arena_, misfit).fit(*option, value, path, out)) return true;
    }
  }
  return outside(type, value, path);
}

// A number is converted only if it stays the same number.
bool Fitter::fit_number(const Type& type, const Value& in, const BindPath& path, Value* out) {
  constexpr double kTwo63 = 9223372036854775808.0, kTwo64 = 18446744073709551616.0;
  if (in.kind != Kind::integer && in.kind != Kind::unsigned_integer && in.kind != Kind::floating) {
    return mismatch(path, type, in);
  }
  if (in.kind == Kind::floating) {
    if (!std::isfinite(in.d)) return mismatch(path, type, in, std::isnan(in.d) ? "NaN" : "infinity");
    if (type.kind != TypeKind::floating && std::trunc(in.d) != in.d) {
      return mismatch(path, type, in, "with a fraction");
    }
  }
  if (in.kind == kind_of(type)) {
    *out = in;
    return true;
  }
  if (type.kind == TypeKind::floating) {
    bool is_int = in.kind == Kind::integer;
    double d = is_int ? static_cast<double>(in.i) : static_cast<double>(in.u);
    *out = Value::floating(d);
    bool exact =
        is_int ? d < kTwo63 && static_cast<int64_t>(d) == in.i : d < kTwo64 && static_cast<uint64_t>(d) == in.u;
    return exact || mismatch(path, type, in, "that no double equals");
  }
  if (type.kind == TypeKind::integer) {
    bool fits = in.kind == Kind::floating ? in.d >= -kTwo63 && in.d < kTwo63 : in.u <= INT64_MAX;
    if (!fits) return mismatch(path, type, in, "out of range");
    *out = Value::integer(in.kind == Kind::floating ? static_cast<int64_t>(in.d) : static_cast<int64_t>(in.u));
    return true;
  }
  bool fits = in.kind == Kind::floating ? in.d >= 0 && in.d < kTwo64 : in.i >= 0;
  if (!fits) return mismatch(path, type, in, "out of range");
  *out = Value::unsigned_integer(in.kind == Kind::floating ? static_cast<uint64_t>(in.d) : static_cast<uint64_t>(in.i));
  return true;
}

bool Fitter::fit_text(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (in.kind == kind_of(type)) {
    *out = in;
    return check(in, path);
  }
  if (in.kind != Kind::string) return mismatch(path, type, in);
  TimeParts parts;
  if (type.kind == TypeKind::timestamp) {
    if (!parse_timestamp(in.as_text(), &parts)) return mismatch(path, type, in, "that is not RFC 3339");
    *out = Value::timestamp(parts.seconds, parts.nanos);
    return true;
  }
  if (type.kind == TypeKind::duration) {
    if (!parse_duration(in.as_text(), &parts)) return mismatch(path, type, in, "that is not a duration like `1h30m`");
    *out = Value::duration(parts.seconds, parts.nanos);
    return true;
  }
  char* bytes = static_cast<char*>(arena_.allocate(base64_room(in.aux, Base64::strict), 1));
  if (bytes == nullptr) return exhausted(path);
  size_t size;
  if (!read_base64(in.as_text(), Base64::strict, bytes, &size)) return mismatch(path, type, in, "that is not base64");
  *out = Value::bytes({bytes, size});
  return true;
}

bool Fitter::fit_optional(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (is_empty(in)) {
    *out = Value::optional(nullptr);
    return true;
  }
  Value inner;
  if (!fit(*type.params[0], in.kind == Kind::optional ? *in.items : in, path, &inner)) return false;
  Value* held = arena_.array<Value>(1);
  if (held == nullptr) return exhausted(path);
  *held = inner;
  *out = Value::optional(held);
  return true;
}

bool Fitter::fit_list(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (in.kind != Kind::list) return mismatch(path, type, in);
  Value* made = nullptr;  // allocated once an element changes
  for (size_t n = 0; n < in.aux; ++n) {
    Value element;
    if (!fit(*type.params[0], in.items[n], path.element(n), &element)) return false;
    if (made == nullptr) {
      if (same_bits(element, in.items[n])) continue;
      made = arena_.array<Value>(in.aux);
      if (made == nullptr) return exhausted(path);
      std::copy_n(in.items, n, made);
    }
    made[n] = element;
  }
  *out = in;
  if (made != nullptr) out->items = made;
  return true;
}

bool Fitter::fit_key(const Type& type, const Value& in, const BindPath& path, Value* out) {
  *out = in;
  Kind wanted = kind_of(type);
  if (in.kind == Kind::string && wanted != Kind::string && wanted != Kind::absent) {
    std::string_view text = in.as_text();
    int64_t i;
    uint64_t u;
    if (wanted == Kind::boolean && (text == "true" || text == "false")) {
      *out = Value::boolean(text == "true");
    } else if (wanted == Kind::integer && parse_key(text, &i)) {
      *out = Value::integer(i);
    } else if (wanted == Kind::unsigned_integer && parse_key(text, &u)) {
      *out = Value::unsigned_integer(u);
    } else {
      return mismatch(path, type, in, "as key");
    }
    return true;
  }
  bool key = in.kind == Kind::boolean || in.kind == Kind::integer || in.kind == Kind::unsigned_integer ||
             in.kind == Kind::string;
  if (!key || (wanted != Kind::absent && wanted != in.kind)) return mismatch(path, type, in, "as key");
  return check(in, path);
}

// Makes the same map with other entries. The index is kept if the keys are the same.
bool Fitter::rebuild(const MapRep& in, std::span<const MapEntry> entries, bool same_keys, const BindPath& path,
                     Value* out) {
  const MapRep* rep = nullptr;
  uint32_t duplicate = UINT32_MAX;
  if (same_keys) {
    auto* copy = arena_.array<MapRep>(1);
    if (copy != nullptr) {
      *copy = in;
      copy->entries = entries.data();
    }
    rep = copy;
  } else {
    rep = make_map(arena_, entries, &duplicate);
  }
  if (rep == nullptr) return duplicate == UINT32_MAX ? exhausted(path) : fail(path, "duplicate key");
  *out = Value::map_of(rep);
  return true;
}

bool Fitter::fit_map(const Type& type, const Value& in, const BindPath& path, Value* out) {
  if (in.kind != Kind::map) return mismatch(path, type, in);
  const MapRep& map = *in.map;
  MapEntry* made = nullptr;
  bool same_keys = true;
  for (uint32_t n = 0; n < map.count; ++n) {
    const MapEntry& entry = map.entries[n];
    BindPath at = path.field(entry.key.is(Kind::string) ? entry.key.as_text() : std::string_view("key"));
    MapEntry fitted;
    if (!fit_key(*type.params[0], entry.key, at, &fitted.key)) return false;
    if (type.params[0]->limits != nullptr && !meets_limits(*type.params[0], fitted.key)) {
      return outside(*type.params[0], fitted.key, at);
    }
    if (!fit(*type.params[1], entry.value, at, &fitted.value)) return false;
    bool same_key = same_bits(fitted.key, entry.key);
    same_keys = same_keys && same_key;
    if (made == nullptr) {
      if (same_key && same_bits(fitted.value, entry.value)) continue;
      made = arena_.array<MapEntry>(map.count);
      if (made == nullptr) return exhausted(path);
      std::copy_n(map.entries, n, made);
    }
    made[n] = fitted;
  }
  *out = in;
  return made == nullptr || rebuild(map, {made, map.count}, same_keys, path, out);
}

// An absent `*out` means that the field is absent, which null also means for an optional field.
bool Fitter::fit_field(const RecordField& field, const Value& in, const BindPath& path, Value* out) {
  if (field.optional && is_empty(in)) {
    *out = Value();
    return true;
  }
  return fit(*field.type, in, path, out);
}

bool Fitter::fit_undeclared(const RecordType& record, const Value& in, const BindPath& path, Value* out) {
  if (record.open) {
    *out = in;
    return check(in, path);
  }
  if (!skip_undeclared) return no_such_field(path, record);
  if (unknown != nullptr) unknown->push_back(path.text());
  *out = Value();
  return true;
}

bool Fitter::check_required(const RecordType& record, const MapRep& in, const BindPath& path) {
  for (const RecordField& field : record.fields) {
    if (field.optional || map_find(in, field.name) != nullptr) continue;
    return fail(path.field(field.name), "required, but missing");
  }
  return true;
}

bool Fitter::fit_record(const RecordType& record, const Value& in, const BindPath& path, Value* out) {
  const MapRep& map = *in.map;
  MapEntry* made = nullptr;
  size_t kept = 0, required = 0, hint = 0;
  for (uint32_t n = 0; n < map.count; ++n) {
    const MapEntry& entry = map.entries[n];
    if (entry.key.kind != Kind::string) return fail(path, "a record's fields have names");
    BindPath at = path.field(entry.key.as_text());
    const RecordField* field = find_from(record, entry.key.as_text(), &hint);
    Value value = entry.value;
    if (field == nullptr) {
      if (!valid_utf8(entry.key.as_text())) return fail(path, "invalid UTF-8 in a field's name");
      if (!fit_undeclared(record, entry.value, at, &value)) return false;
    } else if (at.depth > kMaxBindDepth || !fits_as_it_is(*field->type, value)) {
      if (!fit_field(*field, entry.value, at, &value)) return false;
    }
    required += field != nullptr && !field->optional;
    if (made == nullptr) {
      if (same_bits(value, entry.value) && value.present()) {
        ++kept;
        continue;
      }
      made = arena_.array<MapEntry>(map.count);
      if (made == nullptr) return exhausted(path);
      std::copy_n(map.entries, n, made);
    }
    if (value.present()) made[kept++] = {entry.key, value};
  }
  auto is_required = [](const RecordField& field) { return !field.optional; };
  auto wanted = static_cast<size_t>(std::count_if(record.fields.begin(), record.fields.end(), is_required));
  if (!partial && required < wanted && !check_required(record, map, path)) return false;
  *out = in;
  return made == nullptr || rebuild(map, {made, kept}, kept == map.count, path, out);
}

}  // namespace ordain::vm
