// Identity checks the caller's identity and fills the context slots of a program with it.
#include "ordain/identity.h"

#include <fmt/format.h>

#include <atomic>
#include <optional>

#include "ordain/live_program.h"
#include "runtime/identity/identity_fields.h"
#include "runtime/identity/text.h"

namespace ordain {

using namespace detail;  // NOLINT(google-build-using-namespace): our own internals

namespace detail {

const std::array<IdentityField, 5> kIdentityFields = {{{"agent", &Who::agent},
                                                       {"principal", &Who::principal},
                                                       {"tenant", &Who::tenant},
                                                       {"environment", &Who::environment},
                                                       {"session", &Who::session}}};

const Value* attributes_of(const Who& who, std::string_view root) {
  const Value& all = who.attributes.root();
  return all.is(Kind::map) ? map_find(*all.map, root) : nullptr;
}

Who inherit(Who who, const Who& base) {
  const Value& own = who.attributes.root();
  const Value& old = base.attributes.root();
  Arena arena;
  std::vector<MapEntry> merged;
  if (own.is(Kind::map)) merged.assign(own.map->all().begin(), own.map->all().end());
  auto keeps = [&](const MapEntry& entry) {
    if (!entry.key.is(Kind::string) || attributes_of(who, entry.key.as_text()) != nullptr) return false;
    for (const auto& field : kIdentityFields) {
      if (field.root != entry.key.as_text()) continue;
      return (who.*field.id).empty() || who.*field.id == base.*field.id;
    }
    return true;
  };
  if (old.is(Kind::map) && (own.is(Kind::map) || own.is(Kind::null))) {
    for (const MapEntry& entry : old.map->all()) {
      if (keeps(entry)) merged.push_back(entry);
    }
  }
  auto names_itself = [&](const IdentityField& field) {
    const Value* own_record = attributes_of(who, field.root);
    if (own_record == nullptr) return false;
    return own_record->is(Kind::string) || (own_record->is(Kind::map) && map_find(*own_record->map, "id") != nullptr);
  };
  for (const auto& field : kIdentityFields) {
    if ((who.*field.id).empty() && !names_itself(field)) who.*field.id = base.*field.id;
  }
  if (!merged.empty()) who.attributes = Document::copy_of(Value::map_of(make_map(arena, merged)));
  return who;
}

}  // namespace detail

namespace {

Error invalid(std::string message) { return Error{"invalid_identity", std::move(message)}; }

/// Takes an `id` among the attributes as the identity's id too.
std::optional<Error> adopt_id(Who& who, const IdentityField& field) {
  const Value* attributes = attributes_of(who, field.root);
  const Value* id = nullptr;
  if (attributes != nullptr && attributes->is(Kind::map)) id = map_find(*attributes->map, "id");
  if (attributes != nullptr && attributes->is(Kind::string)) id = attributes;
  if (id != nullptr) {
    if (!id->is(Kind::string))
      return invalid(fmt::format("{}.id: expected string, got {}", field.root, type_name(id->kind)));
    std::string& own = who.*field.id;
    if (!own.empty() && own != id->as_text()) {
      return invalid(fmt::format("{}: both \"{}\" and \"{}\" given as its id", field.root, own, id->as_text()));
    }
    own = id->as_text();
  }
  if (auto problem = text_problem(who.*field.id); !problem.empty()) {
    return invalid(fmt::format("{}.id is {}", field.root, problem));
  }
  return std::nullopt;
}

/// Unknown attributes are skipped: policies need not use all that a host knows.
void fill(const Who& who, Context& context, std::vector<std::string>* unknown) {
  if (who.attributes.root().is(Kind::map)) {
    for (const MapEntry& entry : who.attributes.root().map->all()) {
      context.set_root(entry.key.as_text(), entry.value, unknown);
    }
  }
  for (const auto& field : kIdentityFields) {
    const std::string& id = who.*field.id;
    if (!id.empty()) context.set(std::string(field.root) + ".id", Value::string(id));
  }
}

}  // namespace

struct Identity::State {
  Who who;
  std::vector<std::string> ignored;
  uint64_t serial = 0;
  LiveContext context;

  State(Who given, uint64_t number)
      : who(std::move(given)), serial(number), context([this](Context& out) { fill(who, out, nullptr); }) {}
};

Result<Identity> Identity::make(Who who, const std::shared_ptr<const Program>& program) {
  const Value& attributes = who.attributes.root();
  if (!attributes.is(Kind::map) && !attributes.is(Kind::null)) return invalid("attributes: expected an object");
  if (attributes.is(Kind::map)) {
    for (const MapEntry& entry : attributes.map->all()) {
      bool fits = entry.key.is(Kind::string) && (entry.value.is(Kind::map) || entry.value.is(Kind::string));
      if (!fits) return invalid(fmt::format("attributes: {} is not an object", to_json(entry.key)));
    }
  }
  for (const auto& field : kIdentityFields) {
    if (auto error = adopt_id(who, field)) return *error;
  }
  static std::atomic<uint64_t> serials{0};
  auto state = std::make_shared<State>(std::move(who), ++serials);
  Context context(program);
  fill(state->who, context, &state->ignored);
  if (context.error().failed) return invalid(context.error().message);
  return Identity(std::move(state));
}

const Who& Identity::who() const& { return state_->who; }
const std::vector<std::string>& Identity::ignored() const& { return state_->ignored; }
uint64_t Identity::serial() const { return state_->serial; }

std::shared_ptr<const Context> Identity::context(const std::shared_ptr<const Program>& program) const {
  return state_->context.of(program);
}

}  // namespace ordain
