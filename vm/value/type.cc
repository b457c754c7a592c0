// Static types: the built-in types, equality, and reading and writing types as text.
#include "ordain/type.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "ordain/arena.h"

namespace ordain {
namespace types {
namespace {
constinit const Type* const kDynPair[] = {&kDyn, &kDyn};
constinit const Type* const kStringOnly[] = {&kString};
}  // namespace

constinit const Type kDyn{TypeKind::dyn, {}, {}, nullptr};
constinit const Type kNull{TypeKind::null_type, {}, {}, nullptr};
constinit const Type kBool{TypeKind::boolean, {}, {}, nullptr};
constinit const Type kInt{TypeKind::integer, {}, {}, nullptr};
constinit const Type kUint{TypeKind::unsigned_integer, {}, {}, nullptr};
constinit const Type kDouble{TypeKind::floating, {}, {}, nullptr};
constinit const Type kString{TypeKind::string, {}, {}, nullptr};
constinit const Type kBytes{TypeKind::bytes, {}, {}, nullptr};
constinit const Type kTimestamp{TypeKind::timestamp, {}, {}, nullptr};
constinit const Type kDuration{TypeKind::duration, {}, {}, nullptr};
constinit const Type kType{TypeKind::type, {}, {}, nullptr};
constinit const Type kIp{TypeKind::ip, {}, {}, nullptr};
constinit const Type kCidr{TypeKind::cidr, {}, {}, nullptr};
constinit const Type kError{TypeKind::error, {}, {}, nullptr};
constinit const Type kListDyn{TypeKind::list, {}, {kDynPair, 1}, nullptr};
constinit const Type kMapDyn{TypeKind::map, {}, {kDynPair, 2}, nullptr};
constinit const Type kListString{TypeKind::list, {}, {kStringOnly, 1}, nullptr};

namespace {

const Type* make(Arena& arena, TypeKind kind, std::initializer_list<const Type*> params) {
  Type type{kind, {}, arena.copy(std::span<const Type* const>(params.begin(), params.size())), nullptr};
  return arena.make<Type>(type);
}

}  // namespace

const Type* list_of(Arena& arena, const Type* element) { return make(arena, TypeKind::list, {element}); }
const Type* map_of(Arena& arena, const Type* key, const Type* value) {
  return make(arena, TypeKind::map, {key, value});
}
const Type* optional_of(Arena& arena, const Type* value) { return make(arena, TypeKind::optional, {value}); }
const Type* type_of(Arena& arena, const Type* value) { return make(arena, TypeKind::type, {value}); }

}  // namespace types

namespace {

bool same_record(const RecordType& a, const RecordType& b, bool (*same)(const Type&, const Type&)) {
  if (&a == &b) return true;
  if (a.open != b.open || a.fields.size() != b.fields.size()) return false;
  return std::all_of(a.fields.begin(), a.fields.end(), [&](const RecordField& field) {
    const RecordField* other = b.find(field.name);
    return other != nullptr && other->optional == field.optional && same(*field.type, *other->type);
  });
}

// Whether the types are equal but for their parameters and limits.
bool same_head(const Type& a, const Type& b, bool (*same)(const Type&, const Type&)) {
  if (a.kind != b.kind) return false;
  if ((a.kind == TypeKind::param || a.kind == TypeKind::abstract) && a.name != b.name) return false;
  return a.kind != TypeKind::record || same_record(*a.record, *b.record, same);
}

bool same_params(const Type& a, const Type& b, bool (*same)(const Type&, const Type&)) {
  return std::equal(a.params.begin(), a.params.end(), b.params.begin(), b.params.end(),
                    [same](const Type* x, const Type* y) { return same(*x, *y); });
}

// Unlike equal(), tells 1 from 1.0: a limit is written in the kind of its type.
bool same_limit(const Value& a, const Value& b) {
  return a.kind == b.kind && (!a.present() || compare(a, b) == Ordering::equal);
}

bool same_limits(const TypeLimits* a, const TypeLimits* b) {
  if (a == b) return true;
  if (a == nullptr || b == nullptr) return false;
  return a->min_size == b->min_size && a->max_size == b->max_size && same_limit(a->least, b->least) &&
         same_limit(a->most, b->most) &&
         std::equal(a->values.begin(), a->values.end(), b->values.begin(), b->values.end(), same_limit);
}

bool is_within(const TypeLimits& limits, const Value& value) {
  const auto compares = [&value](const Value& bound, Ordering wanted) {
    if (!bound.present()) return true;
    const Ordering order = compare(value, bound);
    return order == Ordering::equal || order == wanted;
  };
  return compares(limits.least, Ordering::greater) && compares(limits.most, Ordering::less);
}

struct NamedType {
  std::string_view name;
  const Type* type;
};
constexpr NamedType kNamedTypes[] = {
    {"dyn", &types::kDyn},
    {"null_type", &types::kNull},
    {"bool", &types::kBool},
    {"int", &types::kInt},
    {"uint", &types::kUint},
    {"double", &types::kDouble},
    {"string", &types::kString},
    {"bytes", &types::kBytes},
    {"timestamp", &types::kTimestamp},
    {"duration", &types::kDuration},
    {"google.protobuf.Timestamp", &types::kTimestamp},
    {"google.protobuf.Duration", &types::kDuration},
    {"type", &types::kType},
    {"net.IP", &types::kIp},
    {"net.CIDR", &types::kCidr},
    {"list", &types::kListDyn},
    {"map", &types::kMapDyn},
};

std::string_view plain_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::dyn:
      return "dyn";
    case TypeKind::null_type:
      return "null_type";
    case TypeKind::boolean:
      return "bool";
    case TypeKind::integer:
      return "int";
    case TypeKind::unsigned_integer:
      return "uint";
    case TypeKind::floating:
      return "double";
    case TypeKind::string:
      return "string";
    case TypeKind::bytes:
      return "bytes";
    case TypeKind::timestamp:
      return "timestamp";
    case TypeKind::duration:
      return "duration";
    case TypeKind::list:
      return "list";
    case TypeKind::map:
      return "map";
    case TypeKind::type:
      return "type";
    case TypeKind::optional:
      return "optional_type";
    case TypeKind::ip:
      return "net.IP";
    case TypeKind::cidr:
      return "net.CIDR";
    case TypeKind::record:
      return "record";
    case TypeKind::param:
      return "param";
    case TypeKind::abstract:
      return "abstract";
    case TypeKind::error:
      return "error";
  }
  return "error";
}

constexpr int kMaxTypeDepth = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

// Type := Name [ '(' Type { ',' Type } ')' ]
class TypeParser {
 public:
  TypeParser(Arena& arena, std::string_view text) : arena_(arena), text_(text) {}

  const Type* parse_all() {
    const Type* out = parse(0);
    skip_space();
    return at_ == text_.size() ? out : nullptr;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  const Type* parse(int depth) {
    skip_space();
    size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    std::string_view name = text_.substr(start, at_ - start);
    if (name.empty() || depth > kMaxTypeDepth) return nullptr;
    std::vector<const Type*> params;
    if (!take('(')) return named(name);
    do {
      params.push_back(parse(depth + 1));
      if (params.back() == nullptr) return nullptr;
    } while (take(','));
    return take(')') ? applied(name, params) : nullptr;
  }

  const Type* named(std::string_view name) {
    for (const NamedType& known : kNamedTypes) {
      if (known.name == name) return known.type;
    }
    if (name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z') {
      return arena_.make<Type>(Type{TypeKind::param, arena_.copy(name), {}, nullptr});
    }
    return opaque(name, {});
  }

  const Type* applied(std::string_view name, const std::vector<const Type*>& params) {
    if (name == "list") return params.size() == 1 ? types::list_of(arena_, params[0]) : nullptr;
    if (name == "map") return params.size() == 2 ? types::map_of(arena_, params[0], params[1]) : nullptr;
    if (name == "type") return params.size() == 1 ? types::type_of(arena_, params[0]) : nullptr;
    if (name == "optional_type") return params.size() == 1 ? types::optional_of(arena_, params[0]) : nullptr;
    return opaque(name, params);
  }

  // A host's own type has a qualified name, so an unknown bare word is a mistake.
  const Type* opaque(std::string_view name, const std::vector<const Type*>& params) {
    size_t dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0 || name.back() == '.') return nullptr;
    for (const NamedType& known : kNamedTypes) {
      if (known.name == name) return nullptr;
    }
    return arena_.make<Type>(Type{TypeKind::abstract, arena_.copy(name), arena_.copy(params), nullptr});
  }

  Arena& arena_;
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const RecordField* RecordType::find(std::string_view field) const {
  auto at = std::find_if(fields.begin(), fields.end(), [&](const RecordField& f) { return f.name == field; });
  return at == fields.end() ? nullptr : &*at;
}

bool same_type(const Type& a, const Type& b) {
  if (&a == &b) return true;
  return same_head(a, b, same_type) && same_limits(a.limits, b.limits) && same_params(a, b, same_type);
}

bool same_shape(const Type& a, const Type& b) {
  if (&a == &b) return true;
  return same_head(a, b, same_shape) && (a.kind == TypeKind::dyn || same_params(a, b, same_shape));
}

bool is_limited(const Type& type) {
  if (type.limits != nullptr || (type.kind == TypeKind::dyn && !type.params.empty())) return true;
  return std::any_of(type.params.begin(), type.params.end(), [](const Type* param) { return is_limited(*param); });
}

const Type* unlimited(Arena& arena, const Type* type) {
  if (!is_limited(*type)) return type;
  if (type->kind == TypeKind::dyn) return &types::kDyn;
  std::vector<const Type*> params;
  for (const Type* param : type->params) params.push_back(unlimited(arena, param));
  Type out = *type;
  out.limits = nullptr;
  out.params = arena.copy(params);
  return arena.make<Type>(out);
}

uint64_t limited_size(const Value& value) {
  switch (value.kind) {
    case Kind::string: {
      // Every byte but the continuation bytes of UTF-8 begins a character.
      const std::string_view text = value.as_text();
      return static_cast<uint64_t>(std::count_if(
          text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    }
    case Kind::bytes:
    case Kind::list:
      return value.aux;
    case Kind::map:
      return value.map->count;
    default:
      return 0;
  }
}

bool meets_limits(const Type& type, const Value& value) {
  const TypeLimits& limits = *type.limits;
  if (!limits.values.empty()) {
    return std::any_of(limits.values.begin(), limits.values.end(),
                       [&](const Value& each) { return equal(each, value); });
  }
  if (!is_within(limits, value)) return false;
  if (limits.min_size == 0 && limits.max_size == UINT64_MAX) return true;
  const uint64_t size = limited_size(value);
  return size >= limits.min_size && size <= limits.max_size;
}

namespace {

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      const auto byte = static_cast<unsigned char>(c);
      ((out += "\\u00") += kDigits[byte >> 4]) += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_limit(std::string& out, const Value& value) {
  char buffer[32];
  switch (value.kind) {
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      return;
    case Kind::integer:
      out += std::to_string(value.i);
      return;
    case Kind::unsigned_integer:
      (out += std::to_string(value.u)) += 'u';
      return;
    case Kind::floating: {
      const char* end = std::to_chars(buffer, buffer + sizeof(buffer), value.d).ptr;
      const std::string_view digits(buffer, static_cast<size_t>(end - buffer));
      out += digits;
      if (digits.find_first_not_of("-0123456789") == std::string_view::npos) out += ".0";
      return;
    }
    default:
      append_quoted(out, value.as_text());
      return;
  }
}

// The limits as they stand in brackets after the name of a type: `1, 100`, `min 1`, `min 1, max 20`.
void append_limits(std::string& out, const TypeLimits& limits) {
  const auto separate = [&out] { out += out.back() == '(' ? "" : ", "; };
  const bool both = limits.least.present() && limits.most.present();
  for (const auto& [name, bound] : {std::pair("min ", limits.least), std::pair("max ", limits.most)}) {
    if (!bound.present()) continue;
    separate();
    if (!both) out += name;
    append_limit(out, bound);
  }
  if (limits.min_size != 0) {
    separate();
    out += "min " + std::to_string(limits.min_size);
  }
  if (limits.max_size != UINT64_MAX) {
    separate();
    out += "max " + std::to_string(limits.max_size);
  }
}

}  // namespace

std::string to_string(const Type& type) {
  if (type.kind == TypeKind::record) return std::string(type.record->name);
  std::string out;
  if (type.limits != nullptr && !type.limits->values.empty()) {
    for (const Value& value : type.limits->values) {
      if (!out.empty()) out += " | ";
      append_limit(out, value);
    }
    return out;
  }
  if (type.kind == TypeKind::dyn && !type.params.empty()) {
    for (const Type* option : type.params) (out += out.empty() ? "" : " | ") += to_string(*option);
    return out;
  }
  out = plain_name(type.kind);
  if (type.kind == TypeKind::param || type.kind == TypeKind::abstract) out = type.name;
  if (type.params.empty() && type.limits == nullptr) return out;
  out += '(';
  for (const Type* param : type.params) {
    if (out.back() != '(') out += ", ";
    out += to_string(*param);
  }
  if (type.limits != nullptr) append_limits(out, *type.limits);
  return out + ')';
}

Kind kind_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::null_type:
      return Kind::null;
    case TypeKind::boolean:
      return Kind::boolean;
    case TypeKind::integer:
      return Kind::integer;
    case TypeKind::unsigned_integer:
      return Kind::unsigned_integer;
    case TypeKind::floating:
      return Kind::floating;
    case TypeKind::string:
      return Kind::string;
    case TypeKind::bytes:
      return Kind::bytes;
    case TypeKind::timestamp:
      return Kind::timestamp;
    case TypeKind::duration:
      return Kind::duration;
    case TypeKind::list:
      return Kind::list;
    case TypeKind::map:
    case TypeKind::record:
      return Kind::map;
    case TypeKind::type:
      return Kind::type;
    case TypeKind::optional:
      return Kind::optional;
    case TypeKind::ip:
      return Kind::ip;
    case TypeKind::cidr:
      return Kind::cidr;
    case TypeKind::dyn:
    case TypeKind::param:
    case TypeKind::abstract:
    case TypeKind::error:
      return Kind::absent;
  }
  return Kind::absent;
}

const Type* parse_type(Arena& arena, std::string_view text) { return TypeParser(arena, text).parse_all(); }

}  // namespace ordain
