// members.cc follows names through declarations: types say what there is, and the syntax says where.
#include "lsp/members.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ordain/json.h"
#include "ordain/schema.h"

namespace ordain::lsp {
namespace {

struct RootText {
  std::string_view name, text;
};
constexpr RootText kRootTexts[] = {
    {"input", "What the agent gives the capability."},
    {"output", "What the capability returned. Only `after` rules have it."},
    {"metadata", "What the agent says about the call."},
    {"agent", "Who makes the call. The host says it."},
    {"principal", "For whom the agent acts. The host says it."},
    {"tenant", "The organisation that the call belongs to. The host says it."},
    {"environment", "Where the call runs. The host says it."},
    {"session", "The session that the call belongs to. The host says it."},
    {"resource", "What the call is about. The host says it."},
    {"action", "The call itself: its ids, risk and duration."},
    {"capability", "The capability that is called, as it is declared."},
    {"now", "When the call is decided."},
};

// Where a record is written in a type: `{...}`, `list({...})`, `optional({...})`.
const syntax::RecordSyntax* record_in(const syntax::TypeSyntax* type) {
  if (type == nullptr) return nullptr;
  if (type->record != nullptr) return type->record;
  for (const syntax::TypeSyntax* param : type->params) {
    if (const syntax::RecordSyntax* found = record_in(param)) return found;
  }
  return nullptr;
}

const syntax::FieldSyntax* find_field_syntax(const syntax::RecordSyntax* record, std::string_view name) {
  if (record == nullptr) return nullptr;
  for (const syntax::FieldSyntax& field : record->fields) {
    if (field.name.text == name) return &field;
  }
  return nullptr;
}

const syntax::FieldSyntax* find_context_field(const SetModel& model, std::string_view root, std::string_view name) {
  for (const syntax::File& file : model.files()) {
    for (const syntax::ContextDecl& context : file.contexts) {
      for (const syntax::ContextEntry& entry : context.entries) {
        if (entry.name.text != root) continue;
        if (const syntax::FieldSyntax* found = find_field_syntax(entry.record, name)) return found;
      }
    }
  }
  return nullptr;
}

Member field_member(std::string owner, const RecordField& field, const syntax::FieldSyntax* written) {
  Member out{std::move(owner), std::string(field.name), field.type, field.optional};
  if (written != nullptr) {
    out.span = written->name.span;
    out.record = record_in(written->type);
  }
  return out;
}

std::vector<Member> fields_of_member(const SetModel& model, const Member& member) {
  std::vector<Member> out;
  if (member.type == nullptr || member.type->kind != TypeKind::record || member.type->record == nullptr) return out;
  const bool is_root = member.owner.empty();
  const bool is_call = is_root && (member.name == "input" || member.name == "output");
  const std::string owner =
      is_call ? std::string(member.type->record->name) : (is_root ? "" : member.owner + ".") + member.name;
  for (const RecordField& field : member.type->record->fields) {
    const syntax::FieldSyntax* written = is_root && !is_call ? find_context_field(model, member.name, field.name)
                                                             : find_field_syntax(member.record, field.name);
    out.push_back(field_member(owner, field, written));
  }
  return out;
}

std::vector<Member> find_roots(const SetModel& model, const Place& place, std::string_view name) {
  std::vector<Member> out;
  if (name == "input" || name == "output") {
    for (const policy::CapabilityShape* shape : capabilities_at(model, place)) {
      Member root{"", std::string(name), name == "input" ? shape->input : shape->output};
      root.record = name == "input" ? shape->decl->input : shape->decl->output;
      if (root.type != nullptr) out.push_back(std::move(root));
    }
  } else if (const policy::Root* root = model.find_root(name)) {
    out.push_back({"", std::string(name), root->meaning.type});
  }
  return out;
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += word;
  return out;
}

std::string_view unquoted(std::string_view text) {
  const bool quotes = text.size() > 1 && (text[0] == '"' || text[0] == '\'');
  return quotes ? text.substr(1, text.size() - 2) : text;
}

// `policy NAME on before a, b.*`: the targets.
std::vector<std::string> targets_in(const std::vector<std::string_view>& head) {
  std::vector<std::string> out;
  const auto stage =
      std::find_if(head.begin(), head.end(), [](auto word) { return word == "before" || word == "after"; });
  if (stage == head.end()) return out;
  std::string target;
  for (auto word = stage + 1; word != head.end(); ++word) {
    if (*word == ",") {
      out.push_back(std::exchange(target, ""));
    } else {
      target += unquoted(*word);
    }
  }
  out.push_back(target);
  return out;
}

// `call NAME ...`: the name.
std::string called_in(const std::vector<std::string_view>& words) {
  std::string out;
  for (size_t i = 1; i < words.size(); ++i) {
    const bool dot = words[i] == ".";
    if (!out.empty() && !dot && !out.ends_with('.')) break;
    out += unquoted(words[i]);
  }
  return out;
}

}  // namespace

std::vector<const policy::CapabilityShape*> capabilities_at(const SetModel& model, const Place& place) {
  std::vector<const policy::CapabilityShape*> all, out;
  for (const policy::CapabilityShape& shape : model.shapes()) {
    if (shape.decl != nullptr) all.push_back(&shape);
  }
  const auto keep = [&](auto&& wanted) {
    std::copy_if(all.begin(), all.end(), std::back_inserter(out),
                 [&](const policy::CapabilityShape* shape) { return wanted(shape->decl->name.text); });
    return out;
  };
  if (place.statement == "policy") {
    const std::vector<std::string> targets = targets_in(place.head);
    return keep([&](std::string_view name) {
      return std::any_of(targets.begin(), targets.end(), [&](const std::string& target) {
        return target == name || (target.find('*') != std::string::npos && glob_matches(target, name));
      });
    });
  }
  if (place.statement == "test" && !place.words.empty() && place.words[0] == "call") {
    const std::string called = called_in(place.words);
    return keep([&](std::string_view name) { return name == called; });
  }
  if (place.statement == "history" || place.statement == "rate" || place.statement == "budget") {
    const std::string text = joined(place.head) + joined(place.words);
    keep([&](std::string_view name) { return text.find(name) != std::string::npos; });
    if (!out.empty()) return out;
  }
  return all;
}

std::vector<Member> find_members(const SetModel& model, const Place& place, std::span<const std::string_view> names) {
  std::vector<Member> found;
  if (names.empty()) return found;
  found = find_roots(model, place, names[0]);
  for (const std::string_view name : names.subspan(1)) {
    std::vector<Member> next;
    for (const Member& member : found) {
      for (Member& field : fields_of_member(model, member)) {
        if (field.name == name) next.push_back(std::move(field));
      }
    }
    found = std::move(next);
  }
  return found;
}

std::vector<Member> fields_of(const SetModel& model, const Place& place, std::span<const std::string_view> names) {
  std::vector<Member> out;
  std::set<std::string> taken;
  for (const Member& member : find_members(model, place, names)) {
    for (Member& field : fields_of_member(model, member)) {
      if (taken.insert(field.name).second) out.push_back(std::move(field));
    }
  }
  return out;
}

std::string type_text(const Member& member) {
  if (member.type == nullptr) return "dyn";
  const std::string type = to_string(*member.type);
  return member.optional ? "optional(" + type + ")" : type;
}

std::vector<std::string> values_of(const Member& member) {
  const Type* type = member.type;
  while (type != nullptr && type->kind == TypeKind::list && !type->params.empty()) type = type->params[0];
  std::vector<std::string> out;
  if (type == nullptr || type->limits == nullptr) return out;
  for (const Value& value : type->limits->values) out.push_back(to_json(value));
  return out;
}

std::string_view describe_root(std::string_view name) {
  for (const RootText& root : kRootTexts) {
    if (root.name == name) return root.text;
  }
  return {};
}

}  // namespace ordain::lsp
