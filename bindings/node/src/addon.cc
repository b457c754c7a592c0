// The functions of operation.h as functions of JavaScript, by Node-API's C interface, which stays the same from one
// release of Node to the next. Each is called as
//
//   name(aside, object, identity, number, ...texts)
//
// and gives the made object, the text, or a pair of both. With `aside` it is executed on a thread of libuv's pool, and
// gives a promise. bindings/node/lib/native.js is the only caller, so arguments of a wrong type are defects of the
// package; they are refused all the same.
#include <node_api.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <string>

#include "operation.h"
#include "streams.h"

namespace ordain::node {
namespace {

constexpr size_t kFixedArguments = 4;

// What one environment holds. Threads of the pool keep the registry for as long as they need it.
struct Environment {
  std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  napi_ref make_error = nullptr;  // (status, message) => Error
};

// What a JavaScript value of the engine's objects points to.
struct Reference {
  std::shared_ptr<Handle> handle;
};

// A call that a thread of the pool executes.
struct AsideCall {
  const Function* function;
  Operation operation;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
};

// A call of Node-API failed; JavaScript already has an exception, or gets one.
struct NodeFailure {};

void check(napi_status status) {
  if (status != napi_ok) throw NodeFailure();
}

[[noreturn]] void refuse_argument(napi_env env, const char* message) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  throw NodeFailure();
}

Environment& environment_of(napi_env env) {
  void* data = nullptr;
  check(napi_get_instance_data(env, &data));
  return *static_cast<Environment*>(data);
}

// --- arguments ---

napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  check(napi_typeof(env, value, &type));
  return type;
}

std::shared_ptr<Handle> handle_of(napi_env env, napi_value value, std::optional<Kind> kind) {
  if (!kind) return nullptr;
  if (type_of(env, value) != napi_external) refuse_argument(env, "an object of the engine is expected");
  void* data = nullptr;
  check(napi_get_value_external(env, value, &data));
  auto handle = static_cast<Reference*>(data)->handle;
  if (handle->kind() != *kind) refuse_argument(env, "an object of the engine of another kind is expected");
  return handle;
}

std::string string_of(napi_env env, napi_value value) {
  char buffer[1024];
  size_t length = 0;
  check(napi_get_value_string_utf8(env, value, buffer, sizeof buffer, &length));
  // A character of several bytes may be left out at the end, so only a text that leaves room for one is whole.
  if (length + 4 < sizeof buffer) return {buffer, length};
  check(napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string out(length, '\0');
  check(napi_get_value_string_utf8(env, value, out.data(), length + 1, &length));
  return out;
}

std::optional<std::string> text_of(napi_env env, napi_value value) {
  switch (type_of(env, value)) {
    case napi_undefined:
    case napi_null:
      return std::nullopt;
    case napi_string:
      return string_of(env, value);
    default:
      break;
  }
  bool is_buffer = false;
  check(napi_is_buffer(env, value, &is_buffer));
  if (!is_buffer) refuse_argument(env, "a text is expected");
  void* data = nullptr;
  size_t length = 0;
  check(napi_get_buffer_info(env, value, &data, &length));
  if (length == 0) return std::string();
  return std::string(static_cast<const char*>(data), length);
}

Operation operation_of(napi_env env, const Function& function, const napi_value* arguments) {
  Operation out;
  out.registry = environment_of(env).registry;
  out.object = handle_of(env, arguments[1], function.object);
  const napi_valuetype identity = type_of(env, arguments[2]);
  if (identity != napi_undefined && identity != napi_null) out.identity = handle_of(env, arguments[2], Kind::identity);
  if (type_of(env, arguments[3]) != napi_number) refuse_argument(env, "a number is expected");
  check(napi_get_value_int32(env, arguments[3], &out.number));
  for (size_t i = 0; i < function.texts; ++i) out.texts[i] = text_of(env, arguments[kFixedArguments + i]);
  return out;
}

// --- results ---

void forget(napi_env, void* data, void*) { delete static_cast<Reference*>(data); }

napi_value made_value(napi_env env, std::shared_ptr<Handle> handle) {
  napi_value out = nullptr;
  if (handle == nullptr) {
    check(napi_get_null(env, &out));
    return out;
  }
  auto reference = std::make_unique<Reference>(Reference{std::move(handle)});
  check(napi_create_external(env, reference.get(), forget, nullptr, &out));
  reference.release();  // `forget` deletes it
  return out;
}

napi_value text_value(napi_env env, const Function& function, const std::string& text) {
  napi_value out = nullptr;
  if (function.gives_bytes) {
    check(napi_create_buffer_copy(env, text.size(), text.data(), nullptr, &out));
  } else {
    check(napi_create_string_utf8(env, text.data(), text.size(), &out));
  }
  return out;
}

napi_value result_of(napi_env env, const Function& function, Operation& operation) {
  napi_value out = nullptr;
  if (!operation.result) {
    if (function.makes) return made_value(env, std::move(operation.made));
    check(napi_get_undefined(env, &out));
    return out;
  }
  const napi_value text = text_value(env, function, *operation.result);
  if (!function.makes) return text;
  check(napi_create_array_with_length(env, 2, &out));
  check(napi_set_element(env, out, 0, made_value(env, std::move(operation.made))));
  check(napi_set_element(env, out, 1, text));
  return out;
}

napi_value error_of(napi_env env, const Operation& operation) {
  napi_value make_error = nullptr, undefined = nullptr, out = nullptr;
  check(napi_get_reference_value(env, environment_of(env).make_error, &make_error));
  check(napi_get_undefined(env, &undefined));
  std::array<napi_value, 2> arguments = {};
  check(napi_create_int32(env, operation.status, &arguments[0]));
  check(napi_create_string_utf8(env, operation.message.data(), operation.message.size(), &arguments[1]));
  check(napi_call_function(env, undefined, make_error, arguments.size(), arguments.data(), &out));
  return out;
}

// --- calls ---

// On a thread of the pool.
void execute_aside(napi_env, void* data) {
  auto* call = static_cast<AsideCall*>(data);
  execute(*call->function, call->operation);
}

// On the event loop. While the environment ends, Node-API refuses all that settles the promise; nobody waits for it
// then.
void settle_promise(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<AsideCall> call(static_cast<AsideCall*>(data));
  napi_delete_async_work(env, call->work);
  if (status == napi_cancelled) return;
  try {
    if (call->operation.status != ORDAIN_OK) {
      check(napi_reject_deferred(env, call->deferred, error_of(env, call->operation)));
    } else {
      check(napi_resolve_deferred(env, call->deferred, result_of(env, *call->function, call->operation)));
    }
  } catch (const NodeFailure&) {
  } catch (const std::exception&) {  // no memory
  }
}

napi_value start_aside(napi_env env, const Function& function, Operation operation) {
  auto call = std::make_unique<AsideCall>(AsideCall{&function, std::move(operation)});
  napi_value name = nullptr, promise = nullptr;
  check(napi_create_string_utf8(env, "ordain", NAPI_AUTO_LENGTH, &name));
  check(napi_create_promise(env, &call->deferred, &promise));
  check(napi_create_async_work(env, nullptr, name, execute_aside, settle_promise, call.get(), &call->work));
  if (napi_queue_async_work(env, call->work) != napi_ok) {
    napi_delete_async_work(env, call->work);
    throw NodeFailure();
  }
  call.release();  // `settle_promise` deletes it
  return promise;
}

napi_value run_here(napi_env env, const Function& function, Operation operation) {
  execute(function, operation);
  if (operation.status == ORDAIN_OK) return result_of(env, function, operation);
  check(napi_throw(env, error_of(env, operation)));
  return nullptr;
}

// Runs `body` for JavaScript: what fails becomes an exception there.
template <typename Body>
napi_value guarded(napi_env env, Body body) noexcept {
  try {
    return body();
  } catch (const NodeFailure&) {
    bool pending = true;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw_error(env, nullptr, "a call of Node-API failed");
  } catch (const std::exception& exception) {
    napi_throw_error(env, nullptr, exception.what());
  }
  return nullptr;
}

napi_value call_function(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    std::array<napi_value, kFixedArguments + kMaxTexts> arguments = {};
    size_t count = arguments.size();  // Node-API fills up with undefined
    void* data = nullptr;
    check(napi_get_cb_info(env, info, &count, arguments.data(), nullptr, &data));
    const Function& function = *static_cast<const Function*>(data);
    bool aside = false;
    if (napi_get_value_bool(env, arguments[0], &aside) != napi_ok) refuse_argument(env, "true or false is expected");
    Operation operation = operation_of(env, function, arguments.data());
    return aside ? start_aside(env, function, std::move(operation)) : run_here(env, function, std::move(operation));
  });
}

napi_value set_error_maker(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    napi_value maker = nullptr;
    size_t count = 1;
    check(napi_get_cb_info(env, info, &count, &maker, nullptr, nullptr));
    if (type_of(env, maker) != napi_function) refuse_argument(env, "a function is expected");
    Environment& environment = environment_of(env);
    if (environment.make_error != nullptr) check(napi_delete_reference(env, environment.make_error));
    check(napi_create_reference(env, maker, 1, &environment.make_error));
    return nullptr;
  });
}

napi_value shut_down(napi_env env, napi_callback_info) {
  return guarded(env, [&]() -> napi_value {
    environment_of(env).registry->shut_down();
    return nullptr;
  });
}

// --- the environment's beginning and end ---

// Runs when the environment ends, also when a worker is terminated, while its handles are still alive.
void end_environment(void* data) {
  const std::unique_ptr<std::shared_ptr<Registry>> registry(static_cast<std::shared_ptr<Registry>*>(data));
  (*registry)->shut_down();
}

void delete_environment(napi_env, void* data, void*) { delete static_cast<Environment*>(data); }

void export_function(napi_env env, napi_value exports, const char* name, napi_callback callback, const void* data) {
  napi_value function = nullptr;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, const_cast<void*>(data), &function));
  check(napi_set_named_property(env, exports, name, function));
}

napi_value begin_environment(napi_env env, napi_value exports) {
  return guarded(env, [&]() -> napi_value {
    share_streams();
    auto environment = std::make_unique<Environment>();
    auto registry = std::make_unique<std::shared_ptr<Registry>>(environment->registry);
    check(napi_set_instance_data(env, environment.get(), delete_environment, nullptr));
    environment.release();  // `delete_environment` deletes it
    check(napi_add_env_cleanup_hook(env, end_environment, registry.get()));
    registry.release();  // `end_environment` deletes it
    for (const Function& function : functions()) export_function(env, exports, function.name, call_function, &function);
    export_function(env, exports, "setErrorMaker", set_error_maker, nullptr);
    export_function(env, exports, "shutDown", shut_down, nullptr);
    return exports;
  });
}

}  // namespace
}  // namespace ordain::node

NAPI_MODULE_INIT() { return ordain::node::begin_environment(env, exports); }
