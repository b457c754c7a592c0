// Checks a wrapped function against the declaration of its capability when the wrapper is made. A mistake in a name or
// a type would otherwise show at the first call, and one in the result's type only after the side effect.
#include <algorithm>

#include "ordain/wrap.h"
#include "runtime/govern/core.h"
#include "vm/facts/bind.h"
#include "vm/value/nearest_word.h"

namespace ordain::detail {
namespace {

std::string wrapped_type_name(const CppType& type) {
  static constexpr const char* kNames[] = {
      "a type of its own", "a bool",     "an integer", "floating point", "a string",
      "a time point",      "a duration", "a vector",   "a map",          "nothing"};
  std::string out = type.optional ? "optional " : "";
  out += kNames[type.shape];
  if (type.element != nullptr) out += " of " + wrapped_type_name(*type.element);
  return out;
}

// Whether values of the C++ type can fit the declared one. Texts also stand for what JSON writes as text.
bool can_carry(const Type& declared, const CppType& type) {
  if (type.shape == CppType::any) return true;
  if (type.shape == CppType::list && type.element->optional) return false;  // lists have no gaps
  const bool text = type.shape == CppType::string;
  switch (declared.kind) {
    case TypeKind::dyn:
      return declared.params.empty() || std::any_of(declared.params.begin(), declared.params.end(),
                                                    [&](const Type* option) { return can_carry(*option, type); });
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
    case TypeKind::bytes:
      return text;
    case TypeKind::timestamp:
      return text || type.shape == CppType::timestamp;
    case TypeKind::duration:
      return text || type.shape == CppType::duration;
    case TypeKind::optional:
      return can_carry(*declared.params[0], type);
    case TypeKind::list:
      return type.shape == CppType::list && can_carry(*declared.params[0], *type.element);
    case TypeKind::map:
      return type.shape == CppType::map && declared.params[0]->kind == TypeKind::string &&
             can_carry(*declared.params[1], *type.element);
    case TypeKind::record:
      return type.shape == CppType::map &&
             std::all_of(declared.record->fields.begin(), declared.record->fields.end(),
                         [&](const RecordField& field) { return can_carry(*field.type, *type.element); });
    default:
      return false;
  }
}

// The declared type of a record; nullptr if anything fits.
const RecordType* declared_record(const Schema& schema, uint32_t number) {
  if (number == kNone || schema.records[number].dynamic) return nullptr;
  return schema.records[number].type;
}

std::string capability_mistake(const Schema& schema, const CapabilityRef& ref, std::string_view name) {
  // Rules for globs may be all that the policies say about a capability.
  if (ref.id != kNone || ref.globs.any()) return "";
  NearestWord near(name);
  for (const Capability& each : schema.capabilities) near.offer(each.name);
  std::string out = "the program has no capability " + std::string(name);
  if (!near.found().empty()) out += "; did you mean " + std::string(near.found()) + "?";
  return out;
}

std::string parameter_mistake(const RecordType& input, const WrappedFunction& function) {
  for (size_t i = 0; i < function.names.size(); ++i) {
    const std::string& name = function.names[i];
    const CppType& type = function.parameters[i];
    const RecordField* field = input.find(name);
    if (field == nullptr && input.open) continue;
    if (field == nullptr) {
      Arena none(0);
      BindError told;
      const vm::BindPath root{nullptr, "input"};
      vm::Fitter(none, told).no_such_field(root.field(name), input);
      return told.message;
    }
    if (!can_carry(*field->type, type)) {
      return "input." + name + ": declared " + to_string(*field->type) + ", but the parameter is " +
             wrapped_type_name(type);
    }
    const bool may_be_absent = field->optional || field->type->kind == TypeKind::optional;
    if (type.optional && !may_be_absent) {
      return "input." + name + ": required, but the parameter is " + wrapped_type_name(type) + " and may be empty";
    }
  }
  for (const RecordField& field : input.fields) {
    const bool named = std::any_of(function.names.begin(), function.names.end(),
                                   [&](const std::string& name) { return name == field.name; });
    if (!field.optional && !named) return "input." + std::string(field.name) + ": required, but not a parameter";
  }
  return "";
}

std::string result_mistake(const RecordType& output, const CppType& result) {
  const Type type{TypeKind::record, {}, {}, &output};
  if (can_carry(type, result) && !result.optional) return "";
  return "output: declared as a record, but the function returns " + wrapped_type_name(result);
}

std::string wrapping_mistake(const Program& program, const WrappedFunction& function) {
  const Schema& schema = program.schema();
  const CapabilityRef ref = program.resolve(function.capability);
  if (std::string wrong = capability_mistake(schema, ref, function.capability); !wrong.empty()) return wrong;
  for (size_t i = 0; i < function.names.size(); ++i) {
    const auto before = function.names.begin() + static_cast<ptrdiff_t>(i);
    if (function.names[i].empty()) return "a parameter has no name";
    if (std::find(function.names.begin(), before, *before) != before) return "input." + *before + ": bound twice";
  }
  if (ref.id == kNone) return "";
  const Capability& capability = schema.capabilities[ref.id];
  if (const RecordType* input = declared_record(schema, capability.input)) {
    if (std::string wrong = parameter_mistake(*input, function); !wrong.empty()) return wrong;
  }
  const RecordType* output = declared_record(schema, capability.output);
  return output == nullptr ? "" : result_mistake(*output, function.result);
}

}  // namespace

Result<void> check_wrapped_function(const Core& core, const WrappedFunction& function) {
  std::string wrong = wrapping_mistake(*core.live.current(), function);
  if (wrong.empty()) return {};
  return Error{"bad_binding", std::string(function.capability) + ": " + wrong};
}

}  // namespace ordain::detail
