// Reads the JSON objects that a host passes to the C interface, strictly, and compiles the policies that
// they name.
#include <algorithm>
#include <utility>

#include "embed/c_runtime.h"
#include "ordain/compile.h"
#include "ordain/diagnostic.h"
#include "ordain/stdlib.h"

namespace ordain::c_api {

HostObject::HostObject(const char* what, std::optional<std::string_view> json, ordain_status otherwise)
    : what_(what), otherwise_(otherwise) {
  if (!json) return;
  Result<Document> parsed = Document::parse(*json);
  if (!parsed.ok()) throw Failure{otherwise, std::string(what) + ": " + parsed.error().message};
  document_ = std::move(*parsed);
  if (!document_.root().is(Kind::map)) throw Failure{otherwise, std::string(what) + ": must be a JSON object"};
}

HostObject::HostObject(const char* what, Document part, ordain_status otherwise)
    : what_(what), otherwise_(otherwise), document_(std::move(part)) {}

void HostObject::refuse(std::string_view name, std::string_view problem) const {
  throw Failure{otherwise_, std::string(what_) + ": " + std::string(name) + " " + std::string(problem)};
}

const Value* HostObject::take(std::string_view name) {
  taken_.push_back(name);
  const Value& root = document_.root();
  return root.is(Kind::map) ? map_find(*root.map, name) : nullptr;
}

std::string HostObject::take_text(std::string_view name) {
  const Value* value = take(name);
  if (value == nullptr) return "";
  if (!value->is(Kind::string)) refuse(name, "must be a text");
  return std::string(value->as_text());
}

std::optional<int64_t> HostObject::take_number(std::string_view name) {
  const Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is(Kind::integer)) refuse(name, "must be a whole number");
  return value->i;
}

std::optional<bool> HostObject::take_bool(std::string_view name) {
  const Value* value = take(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is(Kind::boolean)) refuse(name, "must be true or false");
  return value->i != 0;
}

std::vector<std::string> HostObject::take_texts(std::string_view name) {
  std::vector<std::string> out;
  const Value* value = take(name);
  if (value == nullptr) return out;
  if (!value->is(Kind::list)) refuse(name, "must be a list of texts");
  for (const Value& one : value->as_list()) {
    if (!one.is(Kind::string)) refuse(name, "must be a list of texts");
    out.emplace_back(one.as_text());
  }
  return out;
}

Document HostObject::take_object(std::string_view name) {
  const Value* value = take(name);
  if (value == nullptr) return {};
  if (!value->is(Kind::map)) refuse(name, "must be an object");
  return Document::copy_of(*value);
}

size_t HostObject::take_choice(std::string_view name, const std::vector<std::string_view>& names, size_t absent) {
  const Value* value = take(name);
  if (value == nullptr) return absent;
  const std::string text = value->is(Kind::string) ? std::string(value->as_text()) : "";
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  std::string problem = "must be one of";
  for (std::string_view one : names) problem += " \"" + std::string(one) + "\"";
  refuse(name, problem);
}

void HostObject::finish() const {
  const Value& root = document_.root();
  if (!root.is(Kind::map)) return;
  for (const MapEntry& entry : root.map->all()) {
    const std::string_view key = entry.key.as_text();
    if (std::find(taken_.begin(), taken_.end(), key) == taken_.end()) refuse(key, "is not a known key");
  }
}

void refuse(const Error& error) { throw Failure{ORDAIN_REFUSED, error.code + ": " + error.message}; }

void clear_result(ordain_bytes* bytes, const char* name) {
  check_struct(bytes, name);
  bytes->data = nullptr;
  bytes->length = 0;
}

void set_result(ordain_bytes* bytes, std::string_view text) {
  bytes->data = reinterpret_cast<unsigned char*>(copy_of(text));
  if (bytes->data == nullptr) throw std::bad_alloc();
  bytes->length = text.size();
}

CompiledPolicies compile_sources(HostObject& object) {
  const std::vector<std::string> paths = object.take_texts("policies");
  const Document texts = object.take_object("texts");
  if (paths.empty() != texts.root().is(Kind::map)) object.refuse("policies", "or texts must be given, and not both");
  Compilation compilation;
  if (!paths.empty()) {
    compilation = compile(paths, standard_library());
  } else {
    std::vector<std::shared_ptr<const Source>> sources;
    for (const MapEntry& entry : texts.root().map->all()) {
      if (!entry.value.is(Kind::string)) object.refuse("texts", "must be an object of texts");
      sources.push_back(
          std::make_shared<const Source>(Source{std::string(entry.key.as_text()), std::string(entry.value.as_text())}));
    }
    compilation = compile(std::move(sources), standard_library());
  }
  std::string messages = render(compilation.diagnostics);
  if (compilation.program == nullptr) throw Failure{ORDAIN_BAD_POLICY, std::move(messages)};
  return {std::move(compilation.program), std::move(messages)};
}

}  // namespace ordain::c_api
