// The C interface reads events and writes decisions as every host does, behind functions that
// never throw.
#include "ordain/c.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "embed/start_native_code.h"
#include "ordain/decide.h"
#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/ordain.h"

using ordain::DecideOptions;
using ordain::Decision;
using ordain::Effect;
using ordain::EventReader;
using ordain::Program;
using ordain::Scratch;

namespace {

// What one thread needs to decide. It is kept between calls, so that contexts are resolved once per
// agent.
struct Session {
  explicit Session(std::shared_ptr<const Program> program) : reader(std::move(program)) {}
  EventReader reader;
  Scratch scratch;
};

}  // namespace

struct ordain_engine {
  std::shared_ptr<const Program> program;
  DecideOptions how;
  std::atomic<uint64_t> decisions{0};
  std::mutex mutex;  // protects `idle` only; never held while deciding
  std::vector<std::unique_ptr<Session>> idle;

  std::unique_ptr<Session> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!idle.empty()) {
        std::unique_ptr<Session> out = std::move(idle.back());
        idle.pop_back();
        return out;
      }
    }
    return std::make_unique<Session>(program);
  }
  void give_back(std::unique_ptr<Session> session) {
    const std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(session));
  }
};

namespace {

struct Failure {
  ordain_status status;
  std::string message;
};

char* copy_of(const std::string& text) {
  auto* out = static_cast<char*>(std::malloc(text.size() + 1));
  if (out == nullptr) return nullptr;
  std::memcpy(out, text.data(), text.size());
  out[text.size()] = '\0';
  return out;
}

template <typename Struct>
bool is_known(const Struct* object) noexcept {
  return object->size >= sizeof(Struct) && object->version == ORDAIN_ABI_VERSION;
}

template <typename Struct>
void check_struct(const Struct* object, const char* name) {
  if (object == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, std::string(name) + " is NULL"};
  if (!is_known(object)) {
    throw Failure{ORDAIN_INVALID_ARGUMENT,
                  std::string(name) + " is of another size or version: initialise it with its INIT macro"};
  }
}

// Fills the caller's error without throwing: if there is no memory, the caller gets a status
// without a message.
ordain_status report(ordain_error* error, ordain_status status, const char* message) noexcept {
  if (error == nullptr || !is_known(error)) return status;
  error->status = status;
  error->message = nullptr;
  if (message == nullptr) return status;
  const size_t size = std::strlen(message) + 1;
  error->message = static_cast<char*>(std::malloc(size));
  if (error->message != nullptr) std::memcpy(error->message, message, size);
  return status;
}

// Runs `body`, and turns any exception into a status.
template <typename Body>
ordain_status guarded(ordain_error* error, Body body) noexcept {
  if (error != nullptr && !is_known(error)) return ORDAIN_INVALID_ARGUMENT;
  try {
    body();
    return report(error, ORDAIN_OK, nullptr);
  } catch (const Failure& failure) {
    return report(error, failure.status, failure.message.c_str());
  } catch (const std::bad_alloc&) {
    return report(error, ORDAIN_NO_MEMORY, "out of memory");
  } catch (const std::exception& wrong) {
    return report(error, ORDAIN_INTERNAL, wrong.what());
  } catch (...) {
    return report(error, ORDAIN_INTERNAL, "an unknown exception");
  }
}

DecideOptions options_of(const ordain_options* options) {
  DecideOptions out;
  if (options == nullptr) return out;
  check_struct(options, "options");
  if (options->default_before < ORDAIN_ALLOW || options->default_before > ORDAIN_DENY) {
    throw Failure{ORDAIN_INVALID_ARGUMENT, "options->default_before is not an effect"};
  }
  out.default_before = static_cast<Effect>(options->default_before);
  return out;
}

ordain_engine* make_engine(std::shared_ptr<const Program> program, const ordain_options* options, DecideOptions how) {
  auto engine = std::make_unique<ordain_engine>();
  engine->program = std::move(program);
  engine->how = how;
  if (options == nullptr || options->native != 0) ordain::detail::start_native_code(*engine->program);
  return engine.release();
}

void decide_event(ordain_engine& engine, std::string_view event, ordain_decision* out) {
  std::unique_ptr<Session> session = engine.take();
  if (auto read = session->reader.read(event); !read) {
    engine.give_back(std::move(session));
    throw Failure{ORDAIN_BAD_EVENT, read.error().message};
  }
  const Decision decision = decide_all(session->reader.call(), session->reader.context(), session->scratch, engine.how);
  const uint64_t number = engine.decisions.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::string json = ordain::decision_json(session->reader.call(), decision, number);
  const Effect effect = decision.effect;
  engine.give_back(std::move(session));
  out->json = copy_of(json);
  if (out->json == nullptr) throw std::bad_alloc();
  out->json_length = json.size();
  out->effect = static_cast<ordain_effect>(effect);
}

}  // namespace

ordain_status ordain_open(const char* const* paths, size_t count, const ordain_options* options, ordain_engine** engine,
                          ordain_error* error) noexcept {
  if (engine != nullptr) *engine = nullptr;
  return guarded(error, [&] {
    if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
    if (paths == nullptr || count == 0) throw Failure{ORDAIN_INVALID_ARGUMENT, "there are no paths"};
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
      if (paths[i] == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "a path is NULL"};
      names.emplace_back(paths[i]);
    }
    const DecideOptions how = options_of(options);
    const ordain::Compilation compilation = ordain::compile(names, ordain::standard_library());
    if (compilation.program == nullptr) throw Failure{ORDAIN_BAD_POLICY, ordain::render(compilation.diagnostics)};
    *engine = make_engine(compilation.program, options, how);
  });
}

ordain_status ordain_open_program(const void* bytes, size_t length, const ordain_options* options,
                                  ordain_engine** engine, ordain_error* error) noexcept {
  if (engine != nullptr) *engine = nullptr;
  return guarded(error, [&] {
    if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
    if (bytes == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "bytes is NULL"};
    const DecideOptions how = options_of(options);
    auto program = Program::load({static_cast<const char*>(bytes), length}, ordain::standard_library());
    if (!program) throw Failure{ORDAIN_BAD_PROGRAM, program.error().message};
    *engine = make_engine(*program, options, how);
  });
}

ordain_status ordain_serialise(const ordain_engine* engine, ordain_bytes* bytes, ordain_error* error) noexcept {
  return guarded(error, [&] {
    check_struct(bytes, "bytes");
    bytes->data = nullptr;
    bytes->length = 0;
    if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
    const std::string out = engine->program->serialise();
    bytes->data = reinterpret_cast<unsigned char*>(copy_of(out));
    if (bytes->data == nullptr) throw std::bad_alloc();
    bytes->length = out.size();
  });
}

ordain_status ordain_decide(ordain_engine* engine, const char* event, size_t length, ordain_decision* decision,
                            ordain_error* error) noexcept {
  return guarded(error, [&] {
    check_struct(decision, "decision");
    decision->effect = ORDAIN_DENY;
    decision->json = nullptr;
    decision->json_length = 0;
    if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
    if (event == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "event is NULL"};
    decide_event(*engine, {event, length == ORDAIN_NUL_TERMINATED ? std::strlen(event) : length}, decision);
  });
}

void ordain_close(ordain_engine* engine) noexcept { delete engine; }

void ordain_decision_free(ordain_decision* decision) noexcept {
  if (decision == nullptr || !is_known(decision)) return;
  std::free(decision->json);
  decision->json = nullptr;
  decision->json_length = 0;
}

void ordain_bytes_free(ordain_bytes* bytes) noexcept {
  if (bytes == nullptr || !is_known(bytes)) return;
  std::free(bytes->data);
  bytes->data = nullptr;
  bytes->length = 0;
}

void ordain_error_free(ordain_error* error) noexcept {
  if (error == nullptr || !is_known(error)) return;
  std::free(error->message);
  error->message = nullptr;
}

const char* ordain_status_name(ordain_status status) noexcept {
  switch (status) {
    case ORDAIN_OK:
      return "ok";
    case ORDAIN_INVALID_ARGUMENT:
      return "invalid_argument";
    case ORDAIN_BAD_POLICY:
      return "bad_policy";
    case ORDAIN_BAD_PROGRAM:
      return "bad_program";
    case ORDAIN_BAD_EVENT:
      return "bad_event";
    case ORDAIN_NO_MEMORY:
      return "no_memory";
    case ORDAIN_INTERNAL:
      return "internal";
    default:
      return "unknown";
  }
}
