// secrets.cc finds the fields that are declared `secret`. They are kept as paths, because a secret string has the type
// string for rules.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "compiler/check/schema/state.h"

namespace ordain::policy {
namespace {

// Walks a declaration. `from_outside` is true within a type that is secret as a whole.
class SecretFinder {
 public:
  explicit SecretFinder(SchemaState& state) : state_(state) {}

  void find_in_record(const syntax::RecordSyntax& record, const std::string& path) {
    std::unordered_set<std::string_view> seen;
    for (const syntax::FieldSyntax& field : record.fields) {
      if (field.type == nullptr || !seen.insert(field.name.text).second) continue;
      if (field.name.text.find('.') != std::string_view::npos) continue;  // reported as `bad-field-name`
      find_in_type(*field.type, path + "." + std::string(field.name.text), false);
    }
  }

  std::vector<std::string> take() {
    std::sort(paths_.begin(), paths_.end());
    return std::move(paths_);
  }

 private:
  void find_in_type(const syntax::TypeSyntax& type, const std::string& path, bool from_outside) {
    const bool secret = from_outside || type.secret;
    if (type.record != nullptr) {
      if (secret) refuse(type, "a record cannot be secret as a whole", "write `secret` before the types of its fields");
      return find_in_record(*type.record, path);
    }
    if (type.name == "list" && type.params.size() == 1) return find_in_type(*type.params[0], path + "[*]", secret);
    if (type.name == "optional" && type.params.size() == 1) return find_in_type(*type.params[0], path, secret);
    if (type.name == "map" && type.params.size() == 2) {
      if (type.params[0]->secret) refuse(*type.params[0], "the keys of a map cannot be secret", "");
      return find_in_type(*type.params[1], path + "[*]", secret);
    }
    if (!secret) return;
    if (type.is_value || !type.options.empty()) {
      return refuse(type, "an enumeration or a union cannot be secret", "declare it as `secret string`");
    }
    if (type.name == "string" || type.name == "bytes") return void(paths_.push_back(path));
    static constexpr std::array<std::string_view, 8> kOpenTypes{"bool", "int",       "uint",     "double",
                                                                "dyn",  "timestamp", "duration", "null_type"};
    if (std::find(kOpenTypes.begin(), kOpenTypes.end(), type.name) == kOpenTypes.end()) return;  // `unknown-type`
    refuse(type, "only strings and bytes can be secret, this is " + quoted(type.name), "");
  }

  void refuse(const syntax::TypeSyntax& type, std::string message, std::string help) {
    state_.diagnostics.error("bad-secret", type.span, std::move(message), std::move(help));
  }

  SchemaState& state_;
  std::vector<std::string> paths_;
};

void refuse_secret_type(SchemaState& state, const syntax::TypeSyntax& type) {
  if (type.secret) {
    state.diagnostics.error("bad-secret", type.span, "only fields of `input` and `output` can be secret",
                            "the host should not supply secrets as attributes, because records hold these as they are");
  }
  if (type.record != nullptr) refuse_secrets(state, *type.record);
  for (const syntax::TypeSyntax* param : type.params) refuse_secret_type(state, *param);
}

}  // namespace

std::vector<std::string> secret_paths(SchemaState& state, const syntax::RecordSyntax& record, const std::string& root) {
  SecretFinder finder(state);
  finder.find_in_record(record, root);
  return finder.take();
}

void refuse_secrets(SchemaState& state, const syntax::RecordSyntax& record) {
  for (const syntax::FieldSyntax& field : record.fields) {
    if (field.type != nullptr) refuse_secret_type(state, *field.type);
  }
}

}  // namespace ordain::policy
