// Static types: the built-in types, equality, and reading and writing types as text.
#include "ordain/type.h"

#include <algorithm>
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

bool same_record(const RecordType& a, const RecordType& b) {
  if (&a == &b) return true;
  if (a.open != b.open || a.fields.size() != b.fields.size()) return false;
  return std::all_of(a.fields.begin(), a.fields.end(), [&](const RecordField& field) {
    const RecordField* other = b.find(field.name);
    return other != nullptr && other->optional == field.optional && same_type(*field.type, *other->type);
  });
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
  if (a.kind != b.kind || a.params.size() != b.params.size()) return false;
  if ((a.kind == TypeKind::param || a.kind == TypeKind::abstract) && a.name != b.name) return false;
  if (a.kind == TypeKind::record && !same_record(*a.record, *b.record)) return false;
  for (size_t n = 0; n < a.params.size(); ++n) {
    if (!same_type(*a.params[n], *b.params[n])) return false;
  }
  return true;
}

std::string to_string(const Type& type) {
  std::string out(plain_name(type.kind));
  if (type.kind == TypeKind::param || type.kind == TypeKind::abstract) out = type.name;
  if (type.kind == TypeKind::record) return std::string(type.record->name);
  if (type.params.empty()) return out;
  out += '(';
  for (size_t n = 0; n < type.params.size(); ++n) {
    if (n > 0) out += ", ";
    out += to_string(*type.params[n]);
  }
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
