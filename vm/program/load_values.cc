// Strings are copied into the program's memory once each; types come from entries before them, so they cannot be
// circular; values nest only so deep.
#include "vm/program/load_values.h"

#include "vm/program/verify.h"

namespace ordain::format {
namespace {

Value time(Reader& in, Kind kind) {
  const int64_t seconds = in.signed_number();
  const int64_t nanos = in.signed_number();
  if (nanos < -999'999'999 || nanos > 999'999'999) in.fail();
  return kind == Kind::timestamp ? Value::timestamp(seconds, static_cast<int32_t>(nanos))
                                 : Value::duration(seconds, static_cast<int32_t>(nanos));
}

}  // namespace

void ValueReader::strings(Reader& in) {
  const uint32_t count = in.count();
  strings_.reserve(count);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) strings_.push_back(in.bytes(in.number()));
}

std::string_view ValueReader::view(Reader& in) {
  const uint64_t number = in.number();
  if (number >= strings_.size()) {
    in.fail();
    return {};
  }
  return strings_[static_cast<size_t>(number)];
}

// One string may be named many times: all copies together stay in proportion to the file.
std::string ValueReader::string(Reader& in) {
  const std::string_view text = view(in);
  if (text.size() > copies_left_) {
    in.fail();
    return {};
  }
  copies_left_ -= text.size();
  return std::string(text);
}

// A copy in the program's memory, made once for each string.
std::string_view ValueReader::kept(Reader& in) {
  const uint64_t number = in.number();
  if (number >= strings_.size()) {
    in.fail();
    return {};
  }
  if (kept_.empty()) kept_.resize(strings_.size());
  std::string_view& copy = kept_[static_cast<size_t>(number)];
  if (copy.data() == nullptr) copy = memory_.copy(strings_[static_cast<size_t>(number)]);
  return copy;
}

// Entries name only entries before them, so types cannot be circular.
void ValueReader::types(Reader& in) {
  const uint32_t count = in.count(2);
  entries_.reserve(count);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) {
    const uint8_t kind = in.byte();
    if (kind == 0xFF) {
      record_entry(in);
    } else {
      type_entry(in, kind);
    }
  }
}

void ValueReader::record_entry(Reader& in) {
  RecordType record;
  record.name = kept(in);
  record.open = in.flag();
  const auto fields = read_list(in, 3, [&] {
    RecordField field;
    field.name = kept(in);
    field.type = type(in);
    field.optional = in.flag();
    return field;
  });
  if (in.failed()) return;
  record.fields = memory_.copy(fields);
  entries_.push_back({nullptr, memory_.make<RecordType>(record)});
}

void ValueReader::type_entry(Reader& in, uint8_t kind) {
  if (kind > static_cast<uint8_t>(TypeKind::error)) in.fail();
  Type type;
  type.kind = static_cast<TypeKind>(kind);
  type.name = kept(in);
  const auto params = read_list(in, 1, [&] { return this->type(in); });
  type.record = record(in);
  if (in.failed()) return;
  type.params = memory_.copy(params);
  entries_.push_back({memory_.make<Type>(type), nullptr});
}

const Type* ValueReader::type(Reader& in) {
  const uint64_t number = in.number();
  if (number >= entries_.size() || entries_[static_cast<size_t>(number)].type == nullptr) {
    in.fail();
    return &types::kDyn;
  }
  return entries_[static_cast<size_t>(number)].type;
}

const RecordType* ValueReader::record(Reader& in) {
  const uint32_t number = in.optional();
  if (number == kNone) return nullptr;
  if (number >= entries_.size() || entries_[number].record == nullptr) {
    in.fail();
    return nullptr;
  }
  return entries_[number].record;
}

Value ValueReader::value(Reader& in, uint32_t depth) {
  if (depth > kMaxNesting) in.fail();
  const uint8_t kind = in.byte();
  if (kind >= kKindCount || in.failed()) {
    in.fail();
    return Value::null();
  }
  switch (static_cast<Kind>(kind)) {
    case Kind::boolean:
      return Value::boolean(in.flag());
    case Kind::integer:
      return Value::integer(in.signed_number());
    case Kind::unsigned_integer:
      return Value::unsigned_integer(in.number());
    case Kind::floating:
      return Value::floating(in.real());
    case Kind::string:
      return Value::string(kept(in));
    case Kind::bytes:
      return Value::bytes(kept(in));
    case Kind::type:
      return Value::type(kept(in));
    case Kind::timestamp:
    case Kind::duration:
      return time(in, static_cast<Kind>(kind));
    case Kind::list: {
      const auto elements = read_list(in, 1, [&] { return value(in, depth + 1); });
      return Value::list(memory_.copy(elements));
    }
    case Kind::map:
      return map(in, depth);
    case Kind::optional:
      return Value::optional(in.flag() ? memory_.make<Value>(value(in, depth + 1)) : nullptr);
    case Kind::ip:
    case Kind::cidr:
      return address(in, static_cast<Kind>(kind));
    case Kind::absent:
      in.fail();
      return Value::null();
    case Kind::null:
      return Value::null();
  }
  return Value::null();
}

Value ValueReader::map(Reader& in, uint32_t depth) {
  const auto entries = read_list(in, 2, [&] {
    MapEntry entry;
    entry.key = value(in, depth + 1);
    entry.value = value(in, depth + 1);
    const bool key = entry.key.is(Kind::boolean) || entry.key.is(Kind::integer) ||
                     entry.key.is(Kind::unsigned_integer) || entry.key.is(Kind::string);
    if (!key) in.fail();
    return entry;
  });
  const MapRep* rep = in.failed() ? nullptr : make_map(memory_, memory_.copy(entries));
  if (rep == nullptr) {  // two keys are equal
    in.fail();
    return Value::null();
  }
  return Value::map_of(rep);
}

Value ValueReader::address(Reader& in, Kind kind) {
  Value out;
  out.kind = kind;
  out.aux = in.number32();
  const std::string_view bytes = kept(in);
  if (bytes.size() != (out.aux & 0xFF)) in.fail();
  out.text = bytes.data();
  return out;
}

}  // namespace ordain::format
