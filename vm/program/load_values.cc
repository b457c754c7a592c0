// Reads strings, types and values. Each string is copied into the program's memory once; types
// refer to earlier entries only, so they cannot be circular; the nesting of values is limited.
#include "vm/program/load_values.h"

#include "vm/program/verify.h"
#include "vm/value/text_index.h"

namespace ordain::format {
namespace {

Value time(Reader& in, Kind kind) {
  const int64_t seconds = in.signed_number();
  const int64_t nanos = in.signed_number();
  if (nanos < -999'999'999 || nanos > 999'999'999) in.fail();
  return kind == Kind::timestamp ? Value::timestamp(seconds, static_cast<int32_t>(nanos))
                                 : Value::duration(seconds, static_cast<int32_t>(nanos));
}

bool are_distinct(const std::vector<std::string_view>& texts) {
  const auto text_of = [&texts](uint32_t i) { return texts[i]; };
  TextIndex index;
  index.build(texts.size(), text_of);
  for (uint32_t i = 0; i < texts.size(); ++i) {
    if (index.find(texts[i], text_of) != i) return false;
  }
  return true;
}

}  // namespace

void ValueReader::strings(Reader& in) {
  const uint32_t count = in.count();
  strings_.reserve(count);
  for (uint32_t i = 0; i < count && !in.failed(); ++i) strings_.push_back(in.bytes(in.number()));
  if (!are_distinct(strings_)) in.fail_form();
  kept_.resize(strings_.size());
}

uint32_t ValueReader::string_number(Reader& in) {
  const uint64_t number = in.number();
  if (number < strings_.size()) return static_cast<uint32_t>(number);
  in.fail();
  return kNone;
}

void ValueReader::use_string(Reader& in, uint32_t number) {
  if (number > used_strings_) in.fail_form();
  if (number == used_strings_) ++used_strings_;
}

// One string may be named many times, so the total size of the copies is limited in proportion to
// the file.
std::string ValueReader::string(Reader& in) {
  const uint32_t number = string_number(in);
  if (in.failed() || strings_[number].size() > copies_left_) {
    in.fail();
    return {};
  }
  use_string(in, number);
  copies_left_ -= strings_[number].size();
  return std::string(strings_[number]);
}

// Returns a copy in the program's memory, made once for each string.
std::string_view ValueReader::keep_string(uint32_t string) {
  std::string_view& copy = kept_[string];
  if (copy.data() == nullptr) copy = memory_.copy(strings_[string]);
  return copy;
}

std::string_view ValueReader::keep_string(Reader& in) {
  const uint32_t number = string_number(in);
  if (in.failed()) return {};
  use_string(in, number);
  return keep_string(number);
}

// --- types

// Entries name only earlier entries, so types cannot be circular.
void ValueReader::types(Reader& in) {
  const uint32_t count = in.count(2);
  entries_.reserve(count);
  std::vector<std::string_view> texts;
  for (uint32_t i = 0; i < count && !in.failed(); ++i) {
    const char* begin = in.position();
    const uint8_t kind = in.byte();
    TypeEntry entry{.strings = {static_cast<uint32_t>(named_strings_.size()), 0},
                    .entries = {static_cast<uint32_t>(named_entries_.size()), 0}};
    if (kind == 0xFF) {
      entry.record = record_entry(in);
    } else {
      entry.type = type_entry(in, kind);
    }
    entry.strings.count = static_cast<uint32_t>(named_strings_.size()) - entry.strings.first;
    entry.entries.count = static_cast<uint32_t>(named_entries_.size()) - entry.entries.first;
    entries_.push_back(entry);
    texts.emplace_back(begin, static_cast<size_t>(in.position() - begin));
  }
  if (!in.failed() && !are_distinct(texts)) in.fail_form();
}

const RecordType* ValueReader::record_entry(Reader& in) {
  RecordType record;
  record.name = keep_string_by_entry(in);
  record.open = in.flag();
  const auto fields = read_list(in, 3, [&] {
    RecordField field;
    field.name = keep_string_by_entry(in);
    field.type = type_by_entry(in);
    field.optional = in.flag();
    return field;
  });
  if (in.failed()) return nullptr;
  record.fields = memory_.copy(fields);
  return memory_.make<RecordType>(record);
}

const Type* ValueReader::type_entry(Reader& in, uint8_t kind) {
  if (kind > static_cast<uint8_t>(TypeKind::error)) in.fail();
  Type type;
  type.kind = static_cast<TypeKind>(kind);
  type.name = keep_string_by_entry(in);
  const auto params = read_list(in, 1, [&] { return type_by_entry(in); });
  const uint32_t record = record_number(in);
  if (in.failed()) return nullptr;
  if (record != kNone) {
    named_entries_.push_back(record);
    type.record = entries_[record].record;
  }
  type.params = memory_.copy(params);
  type.limits = limits(in);
  return in.failed() ? nullptr : memory_.make<Type>(type);
}

// nullptr if the type has none.
const TypeLimits* ValueReader::limits(Reader& in) {
  const uint8_t parts = in.byte();
  if (parts > 0x1F) in.fail();
  if (parts == 0 || in.failed()) return nullptr;
  TypeLimits out;
  if ((parts & 1) != 0) {
    const auto values = read_list(in, 2, [&] { return limit(in); });
    if (values.empty()) in.fail_form();
    out.values = memory_.copy(values);
  }
  if ((parts & 2) != 0) out.least = limit(in);
  if ((parts & 4) != 0) out.most = limit(in);
  if ((parts & 8) != 0) {
    out.min_size = in.number();
    if (out.min_size == 0) in.fail_form();
  }
  if ((parts & 16) != 0) {
    out.max_size = in.number();
    if (out.max_size == UINT64_MAX) in.fail_form();
  }
  return in.failed() ? nullptr : memory_.make<TypeLimits>(out);
}

// A value of an enumeration, or a bound. A text belongs to its entry, as the entry's names do.
Value ValueReader::limit(Reader& in) {
  switch (static_cast<Kind>(in.byte())) {
    case Kind::boolean:
      return Value::boolean(in.flag());
    case Kind::integer:
      return Value::integer(in.signed_number());
    case Kind::unsigned_integer:
      return Value::unsigned_integer(in.number());
    case Kind::floating:
      return Value::floating(in.real());
    case Kind::string:
      return Value::string(keep_string_by_entry(in));
    default:
      in.fail();
      return Value::null();
  }
}

std::string_view ValueReader::keep_string_by_entry(Reader& in) {
  const uint32_t number = string_number(in);
  if (in.failed()) return {};
  named_strings_.push_back(number);
  return keep_string(number);
}

const Type* ValueReader::type_by_entry(Reader& in) {
  const uint32_t number = type_number(in);
  if (in.failed()) return &types::kDyn;
  named_entries_.push_back(number);
  return entries_[number].type;
}

uint32_t ValueReader::type_number(Reader& in) {
  const uint64_t number = in.number();
  if (number < entries_.size() && entries_[static_cast<size_t>(number)].type != nullptr) {
    return static_cast<uint32_t>(number);
  }
  in.fail();
  return kNone;
}

uint32_t ValueReader::record_number(Reader& in) {
  const uint32_t number = in.optional();
  if (number == kNone || (number < entries_.size() && entries_[number].record != nullptr)) return number;
  in.fail();
  return kNone;
}

const Type* ValueReader::type(Reader& in) {
  const uint32_t number = type_number(in);
  if (in.failed()) return &types::kDyn;
  use_entry(in, number);
  return entries_[number].type;
}

const RecordType* ValueReader::record(Reader& in) {
  const uint32_t number = record_number(in);
  if (number == kNone) return nullptr;
  use_entry(in, number);
  return entries_[number].record;
}

// The first use of an entry is also the first use of everything that it names. As an entry's number
// comes after those that it names, the new entries are used in the order of their numbers.
void ValueReader::use_entry(Reader& in, uint32_t number) {
  if (number < used_entries_) return;
  if (!numbers_in_order(number)) in.fail_form();
  for (; used_entries_ <= number; ++used_entries_) {
    const Range strings = entries_[used_entries_].strings;
    for (uint32_t i = 0; i < strings.count; ++i) use_string(in, named_strings_[strings.first + i]);
  }
}

// Whether the unused entries up to `entry` are exactly what `entry` names, each after the entries
// that it names itself, and in the order in which they are named.
bool ValueReader::numbers_in_order(uint32_t entry) const {
  struct Visit {
    uint32_t entry, named;
  };
  uint32_t next = used_entries_;
  std::vector<Visit> path{{entry, 0}};
  while (!path.empty()) {
    Visit& at = path.back();
    const Range named = entries_[at.entry].entries;
    if (at.named < named.count) {
      const uint32_t below = named_entries_[named.first + at.named++];
      if (below >= next) path.push_back({below, 0});
    } else {
      if (at.entry != next) return false;
      ++next;
      path.pop_back();
    }
  }
  return true;
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
      return Value::string(keep_string(in));
    case Kind::bytes:
      return Value::bytes(keep_string(in));
    case Kind::type:
      return Value::type(keep_string(in));
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
  const std::string_view bytes = keep_string(in);
  if (bytes.size() != (out.aux & 0xFF)) in.fail();
  out.text = bytes.data();
  return out;
}

}  // namespace ordain::format
