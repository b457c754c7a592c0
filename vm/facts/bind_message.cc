// Messages about a value that does not fit: where it is, what was expected, and what was perhaps meant.
#include <algorithm>

#include "ordain/json.h"
#include "vm/facts/bind.h"
#include "vm/value/nearest_word.h"

namespace ordain::vm {
namespace {

constexpr size_t kMaxNameShown = 64;  // bytes of a key that the agent chose

std::string_view got_name(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::timestamp:
      return "timestamp";
    case Kind::duration:
      return "duration";
    case Kind::absent:
      return "nothing";
    default:
      return type_name(kind);
  }
}

bool is_identifier(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

// Appends a name that came with the value: it is cut if it is long, and quoted if it is unusual.
void append_name(std::string& out, std::string_view name) {
  bool cut = name.size() > kMaxNameShown;
  if (cut) {
    size_t size = kMaxNameShown;
    while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xc0) == 0x80) --size;
    name = name.substr(0, size);
  }
  if (is_identifier(name) && !cut) {
    out += '.';
    out += name;
    return;
  }
  out += '[';
  append_json_string(out, name);
  out += cut ? "...]" : "]";
}

}  // namespace

std::string BindPath::text() const {
  if (outer == nullptr) return std::string(name);
  std::string out = outer->text();
  if (name.data() == nullptr) {
    out += '[' + std::to_string(index) + ']';
  } else {
    append_name(out, name);
  }
  return out;
}

bool Fitter::fail(const BindPath& path, std::string_view what) {
  if (error_.failed) return false;
  error_.failed = true;
  error_.path = path.text();
  error_.message = error_.path;
  error_.message += ": ";
  error_.message += what;
  return false;
}

bool Fitter::mismatch(const BindPath& path, std::string expected, std::string got) {
  if (error_.failed) return false;
  fail(path, "expected " + expected + ", got " + got);
  error_.expected = std::move(expected);
  error_.got = std::move(got);
  return false;
}

bool Fitter::mismatch(const BindPath& path, const Type& type, const Value& got, std::string_view why) {
  if (error_.failed) return false;
  std::string what(got_name(got.kind));
  if (!why.empty()) (what += ' ') += why;
  return mismatch(path, type.kind == TypeKind::record ? "record " + to_string(type) : to_string(type), std::move(what));
}

// A value outside a type's limits: what was got is the value or its size. Only a text for an enumeration is shown,
// since any other may be secret.
bool Fitter::outside(const Type& type, const Value& got, const BindPath& path) {
  if (error_.failed) return false;
  const bool listed = type.limits != nullptr && !type.limits->values.empty();
  std::string shown(got_name(got.kind));
  switch (got.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
      shown = to_json(got);
      break;
    case Kind::string:
    case Kind::bytes:
    case Kind::list:
    case Kind::map:
      if (listed && got.aux <= kMaxNameShown) {
        shown.clear();
        append_json_string(shown, got.as_text());
      } else if (type.limits != nullptr && !listed) {
        shown += " of " + std::to_string(limited_size(got));
      }
      break;
    default:
      break;
  }
  return mismatch(path, to_string(type), std::move(shown));
}

bool Fitter::no_such_field(const BindPath& path, const RecordType& record) {
  if (error_.failed) return false;
  std::string what = std::string(record.name) + " has no such field";
  NearestWord near(path.name);
  for (const RecordField& field : record.fields) near.offer(field.name);
  if (!near.found().empty()) what += " (did you mean `" + std::string(near.found()) + "`?)";
  return fail(path, what);
}

}  // namespace ordain::vm
