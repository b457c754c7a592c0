// Binds structs: members are checked against declarations once, and filling a call then only
// stores values.
#include "ordain/struct_binding.h"

#include <algorithm>

#include "vm/facts/bind.h"

namespace ordain::detail {

using vm::BindPath;
using vm::Fitter;

namespace {

constexpr std::string_view kRoots[2] = {"input", "output"};

std::string name_of(const CppType& type) {
  static constexpr const char* kNames[] = {
      "a type of its own", "a bool",     "an integer", "floating point", "a string",
      "a time point",      "a duration", "a vector",   "a map",          "monostate"};
  std::string out = type.optional ? "optional " : "";
  out += kNames[type.shape];
  if (type.element != nullptr) out += " of " + name_of(*type.element);
  return out;
}

bool can_hold(const Type& declared, const CppType& type) {
  if (type.shape == CppType::any) return true;
  if (type.shape == CppType::list && type.element->optional) return false;  // lists have no gaps
  switch (declared.kind) {
    case TypeKind::dyn:
      return declared.params.empty() || std::any_of(declared.params.begin(), declared.params.end(),
                                                    [&](const Type* option) { return can_hold(*option, type); });
    case TypeKind::null_type:
      return type.shape == CppType::null;
    case TypeKind::boolean:
      return type.shape == CppType::boolean;
    case TypeKind::integer:
    case TypeKind::unsigned_integer:
      return type.shape == CppType::integer;
    case TypeKind::floating:
      return type.shape == CppType::floating || type.shape == CppType::integer;
    case TypeKind::string:
      return type.shape == CppType::string;
    case TypeKind::timestamp:
      return type.shape == CppType::timestamp;
    case TypeKind::duration:
      return type.shape == CppType::duration;
    case TypeKind::optional:
      return can_hold(*declared.params[0], type);
    case TypeKind::list:
      return type.shape == CppType::list && can_hold(*declared.params[0], *type.element);
    case TypeKind::map:
      return type.shape == CppType::map && declared.params[0]->kind == TypeKind::string &&
             can_hold(*declared.params[1], *type.element);
    default:
      return false;
  }
}

// Converts an integer to the kind of number that its slot holds. If it cannot, it returns the
// integer, for the call to refuse.
Value to_number(const Value& value, Kind kind) {
  if (value.is(Kind::integer) && kind == Kind::unsigned_integer && value.i >= 0) {
    return Value::unsigned_integer(static_cast<uint64_t>(value.i));
  }
  if (kind == Kind::floating) {
    double d = 0;
    if (ValueCodec<double>::decode(value, &d)) return Value::floating(d);
  }
  return value;
}

// Finds where the first segment of a path ends.
size_t segment_end(std::string_view path, size_t from) { return std::min(path.find('.', from), path.size()); }

}  // namespace

StructFields::StructFields(std::shared_ptr<const Program> program, std::string_view capability)
    : program_(std::move(program)), name_(capability) {
  if (program_ == nullptr) {
    fail("there is no program");
    return;
  }
  ref_ = program_->resolve(name_);
  if (ref_.id == kNone) {
    fail("the program has no capability " + name_);
    return;
  }
  const Schema& schema = program_->schema();
  const Capability& known = schema.capabilities[ref_.id];
  ref_.name = known.name;
  const uint32_t records[2] = {known.input, known.output};
  for (size_t n = 0; n < 2; ++n) {
    if (records[n] != kNone && !schema.records[records[n]].dynamic) roots_[n] = schema.records[records[n]].type;
  }
}

void StructFields::fail(std::string message) {
  if (!error_) error_ = Error{"bad_binding", std::move(message)};
}

void StructFields::fail(const BoundField& field, const Type& declared, const CppType& type) {
  fail(field.path + ": declared " + to_string(declared) + ", but the member is " + name_of(type));
}

bool StructFields::bound(std::string_view path) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const BoundField& field) { return field.path == path; });
}

void StructFields::add(BoundField field, const CppType& type) {
  if (error_) return;
  std::string_view path = field.path;
  size_t at = segment_end(path, 0);
  const size_t root = path.substr(0, at) == kRoots[0] ? 0 : path.substr(0, at) == kRoots[1] ? 1 : 2;
  if (root == 2 || at == path.size()) return fail(field.path + ": only fields of input and output are bound");
  if (bound(path)) return fail(field.path + ": bound twice");
  used_[root] = true;
  field.output = root == 1;
  // Follows the path through the declarations; nullptr is an undeclared part of a record.
  const RecordType* record = roots_[root];
  const RecordField* declared = nullptr;
  while (at < path.size() && record != nullptr) {
    const size_t end = segment_end(path, at + 1);
    const std::string_view name = path.substr(at + 1, end - at - 1);
    declared = record->find(name);
    if (declared == nullptr && !record->open) {
      Arena none(0);
      BindError told;
      const BindPath above{nullptr, path.substr(0, at)};
      Fitter(none, told).no_such_field(above.field(name), *record);
      return fail(told.message);
    }
    at = end;
    if (at == path.size() || declared == nullptr) break;
    if (declared->type->kind != TypeKind::record) {
      return fail(field.path + ": " + std::string(path.substr(0, at)) + " is " + to_string(*declared->type) +
                  ", which has no fields");
    }
    record = declared->type->record;
  }
  if (declared != nullptr && at == path.size()) {
    if (!can_hold(*declared->type, type)) return fail(field, *declared->type, type);
    const bool may_be_empty = declared->optional || declared->type->kind == TypeKind::optional;
    if (type.optional && !may_be_empty) {
      return fail(field.path + ": required, but the member is " + name_of(type) + " and may be empty");
    }
    field.kind = kind_of(*declared->type);
    field.slot = program_->slot(&program_->schema().capabilities[ref_.id], field.path);
    // Limits are checked even where no rule reads the field.
    whole_ = whole_ || field.kind == Kind::absent || field.kind == Kind::optional ||
             declared->type->kind == TypeKind::record || is_limited(*declared->type);
  } else {
    whole_ = true;  // rules may read any path of an undeclared record
  }
  fields_.push_back(std::move(field));
}

// Checks that every required field is bound, either itself or field by field.
void StructFields::require(const RecordType& record, const std::string& path) {
  for (const RecordField& field : record.fields) {
    const std::string at = path + '.' + std::string(field.name);
    if (bound(at)) continue;
    const bool below = std::any_of(fields_.begin(), fields_.end(),
                                   [&](const BoundField& each) { return each.path.starts_with(at + '.'); });
    const bool nested = field.type->kind == TypeKind::record;
    if (nested && (below || (!field.optional && !field.type->record->fields.empty()))) {
      require(*field.type->record, at);
    } else if (!field.optional) {
      return fail(at + ": required, but not bound");
    }
  }
}

std::optional<Error> StructFields::finish() {
  for (size_t n = 0; n < 2 && !error_; ++n) {
    if (used_[n] && roots_[n] != nullptr) require(*roots_[n], std::string(kRoots[n]));
  }
  if (error_) return error_;
  // If a record is read whole, at any depth, its map must be built.
  for (const BoundField& field : fields_) {
    for (size_t at = segment_end(field.path, 0); at < field.path.size(); at = segment_end(field.path, at + 1)) {
      const auto above = std::string_view(field.path).substr(0, at);
      whole_ = whole_ || program_->slot(&program_->schema().capabilities[ref_.id], above).id != kNone;
    }
  }
  return std::nullopt;
}

Value StructFields::read(Arena& arena, const void* object, const BoundField& field) const {
  const Value value = field.read(arena, object, field.member);
  return value.kind == field.kind || field.kind == Kind::absent ? value : to_number(value, field.kind);
}

void StructFields::fill(Call& call, const void* object) const {
  if (&call.program() != program_.get() || call.capability().id != ref_.id) {
    return call.reject("the struct is bound to " + name_ +
                       " of another program than the call is, or to another capability");
  }
  const bool after = call.stage() == Stage::after;
  if (whole_) {
    call.bind_input(tree(call.arena(), object, kRoots[0]));
    if (used_[1] && after) call.bind_output(tree(call.arena(), object, kRoots[1]));
    return;
  }
  for (const BoundField& field : fields_) {
    if (field.slot.id == kNone || (field.output && !after)) continue;  // no rule reads it
    const Value value = read(call.arena(), object, field);
    if (value.present()) call.set(field.slot, value);
  }
}

// Makes a map of everything that is bound in the record at `path`.
Value StructFields::tree(Arena& arena, const void* object, std::string_view path) const {
  auto* entries = arena.array<MapEntry>(fields_.size());
  size_t count = 0;
  for (const BoundField& field : fields_) {
    const std::string_view full = field.path;
    if (!full.starts_with(path) || full.size() <= path.size() || full[path.size()] != '.') continue;
    const size_t end = segment_end(full, path.size() + 1);
    const std::string_view name = full.substr(path.size() + 1, end - path.size() - 1);
    const auto same = [&](const MapEntry& entry) { return entry.key.as_text() == name; };
    if (std::any_of(entries, entries + count, same)) continue;  // another field has made its record already
    const Value value = end == full.size() ? read(arena, object, field) : tree(arena, object, full.substr(0, end));
    if (value.present()) entries[count++] = {Value::string(name), value};
  }
  return Value::map_of(make_map(arena, {entries, count}));
}

}  // namespace ordain::detail
