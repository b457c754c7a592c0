// The C interface to the runtime: opening it, its policies, and identities. c_calls.cc has governed
// calls, c_records.cc approvals and the record, and c_host.cc reads what the host says.
#include "embed/c_runtime.h"

#include <chrono>
#include <utility>

#include "embed/code_generator.h"

using ordain::Effect;
using ordain::RuntimeOptions;
using ordain::c_api::checked;
using ordain::c_api::checked_handle;
using ordain::c_api::clear_result;
using ordain::c_api::Failure;
using ordain::c_api::guarded;
using ordain::c_api::HostObject;
using ordain::c_api::set_result;
using ordain::c_api::text_of;

namespace {

std::string_view host_text(const char* json, size_t length, const char* name) {
  if (json == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, std::string(name) + " is NULL"};
  return text_of(json, length);
}

ordain::Who take_who(HostObject& object) {
  ordain::Who out;
  out.agent = object.take_text("agent");
  out.principal = object.take_text("principal");
  out.tenant = object.take_text("tenant");
  out.environment = object.take_text("environment");
  out.session = object.take_text("session");
  out.attributes = object.take_object("attributes");
  return out;
}

void take_keys(HostObject& object, RuntimeOptions& out) {
  if (const std::string file = object.take_text("operator_key"); !file.empty()) {
    out.operator_keys.sign = checked(ordain::PrivateKey::load(file));
  }
  for (const std::string& text : object.take_texts("trusted_keys")) {
    out.operator_keys.trust.push_back(checked(ordain::PublicKey::parse(text)));
  }
  if (const std::string file = object.take_text("audit_key"); !file.empty()) {
    out.audit.key = checked(ordain::PrivateKey::load(file));
  }
  out.audit.checkpoint_file = object.take_text("checkpoint_file");
}

RuntimeOptions take_options(HostObject& object) {
  RuntimeOptions out;
  ordain::Who who = take_who(object);
  out.agent = std::move(who.agent);
  out.principal = std::move(who.principal);
  out.tenant = std::move(who.tenant);
  out.environment = std::move(who.environment);
  out.session = std::move(who.session);
  out.attributes = std::move(who.attributes);
  out.database = object.take_text("database");
  out.mode = object.take_choice("mode", {"enforce", "observe"}, 0) == 1 ? ordain::Mode::observe : ordain::Mode::enforce;
  out.fail_mode =
      object.take_choice("fail_mode", {"closed", "open"}, 0) == 1 ? ordain::FailMode::open : ordain::FailMode::closed;
  constexpr ordain::Durability kDurability[] = {ordain::Durability::sync, ordain::Durability::group,
                                                ordain::Durability::async};
  out.audit.durability = kDurability[object.take_choice("durability", {"sync", "group", "async"}, 1)];
  constexpr Effect kEffects[] = {Effect::deny, Effect::require_approval, Effect::allow};
  out.decide.default_before = kEffects[object.take_choice("default_before", {"deny", "require_approval", "allow"}, 0)];
  if (const auto steps = object.take_number("budget")) {
    if (*steps < 1 || static_cast<uint64_t>(*steps) > ORDAIN_MAX_BUDGET) {
      object.refuse("budget", "must be from 1 to " + std::to_string(ORDAIN_MAX_BUDGET));
    }
    out.decide.budget.cost = static_cast<uint64_t>(*steps);
  }
  if (const auto seconds = object.take_number("approval_expires_seconds")) {
    out.approval_expires = std::chrono::seconds(*seconds);
  }
  take_keys(object, out);
  return out;
}

}  // namespace

ordain_status ordain_compile(const char* sources, size_t length, ordain_bytes* program, ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(program, "program");
    HostObject object("sources", host_text(sources, length, "sources"));
    const auto compiled = compile_sources(object);
    object.finish();
    set_result(program, compiled.program->serialise());
  });
}

ordain_status ordain_runtime_open(const char* options, size_t length, ordain_runtime** runtime,
                                  ordain_error* error) noexcept {
  if (runtime != nullptr) *runtime = nullptr;
  return guarded(error, [&] {
    if (runtime == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "runtime is NULL"};
    HostObject object("options", host_text(options, length, "options"));
    RuntimeOptions chosen = take_options(object);
    const bool native = object.take_bool("native").value_or(true);
    auto compiled = compile_sources(object);
    object.finish();
    auto metrics = std::make_shared<ordain::Metrics>();
    chosen.telemetry = metrics;
    std::string database = chosen.database;
    auto out = std::make_unique<ordain_runtime>(checked(ordain::Runtime::open(compiled.program, std::move(chosen))),
                                                std::move(database), std::move(metrics), native);
    out->warnings = std::move(compiled.warnings);
    if (native) ordain::detail::start_native_code(*compiled.program);
    *runtime = out.release();
  });
}

void ordain_runtime_close(ordain_runtime* runtime) noexcept { delete runtime; }

ordain_status ordain_runtime_reload(ordain_runtime* runtime, const char* sources, size_t length,
                                    ordain_error* error) noexcept {
  return guarded(error, [&] {
    ordain_runtime& on = checked_handle(runtime);
    HostObject object("sources", host_text(sources, length, "sources"));
    auto compiled = compile_sources(object);
    object.finish();
    if (on.native) ordain::detail::start_native_code(*compiled.program);
    const std::lock_guard lock(on.mutex);
    if (auto published = on.runtime.reload(compiled.program); !published.ok()) ordain::c_api::refuse(published.error());
    on.warnings = std::move(compiled.warnings);
  });
}

ordain_status ordain_runtime_warnings(ordain_runtime* runtime, ordain_bytes* text, ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(text, "text");
    ordain_runtime& on = checked_handle(runtime);
    const std::lock_guard lock(on.mutex);
    set_result(text, on.warnings);
  });
}

ordain_status ordain_identity_make(ordain_runtime* runtime, const char* who, size_t length, ordain_identity** identity,
                                   ordain_error* error) noexcept {
  if (identity != nullptr) *identity = nullptr;
  return guarded(error, [&] {
    if (identity == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "identity is NULL"};
    ordain_runtime& on = checked_handle(runtime);
    HostObject object("who", host_text(who, length, "who"));
    ordain::Who wanted = take_who(object);
    object.finish();
    *identity = new ordain_identity{checked(on.runtime.identity(std::move(wanted)))};
  });
}

void ordain_identity_free(ordain_identity* identity) noexcept { delete identity; }
