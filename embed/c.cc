// The C interface reads calls and writes decisions as every host does, behind functions that
// never throw. A decision is a denial before anything is read that could fail.
#include "ordain/c.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed/c_support.h"
#include "embed/code_generator.h"
#include "ordain/decide.h"
#include "ordain/decision_json.h"
#include "ordain/event.h"
#include "ordain/ordain.h"

static_assert(ORDAIN_MAX_BUDGET == ordain::kMaxBudgetCost);

using ordain::DecideOptions;
using ordain::Decision;
using ordain::Effect;
using ordain::EventParts;
using ordain::EventReader;
using ordain::Program;
using ordain::Scratch;
using ordain::c_api::check_struct;
using ordain::c_api::copy_of;
using ordain::c_api::Failure;
using ordain::c_api::guarded;
using ordain::c_api::is_known;
using ordain::c_api::optional_text;
using ordain::c_api::text_of;

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

// The numbers of effects in C begin with the denial, so that zeroed memory denies.
ordain_effect effect_in_c(Effect effect) noexcept {
  switch (effect) {
    case Effect::allow:
      return ORDAIN_ALLOW;
    case Effect::require_approval:
      return ORDAIN_REQUIRE_APPROVAL;
    case Effect::deny:
      break;
  }
  return ORDAIN_DENY;
}

Effect effect_from_c(ordain_effect effect) {
  switch (effect) {
    case ORDAIN_DENY:
      return Effect::deny;
    case ORDAIN_REQUIRE_APPROVAL:
      return Effect::require_approval;
    case ORDAIN_ALLOW:
      return Effect::allow;
    default:
      throw Failure{ORDAIN_INVALID_ARGUMENT, "options->default_before is not an effect"};
  }
}

// Makes a decision of this version a denial; of the reason, only what there is memory for. A struct
// of another version begins alike, with its effect where ours is. In version 1 a zero allowed the
// call, so those structs are left alone.
void deny(ordain_decision* out, ordain_status status, const char* reason) noexcept {
  if (!is_known(out)) {
    const bool has_effect = out->size >= offsetof(ordain_decision, code);
    if (has_effect && out->version > 1) out->effect = ORDAIN_DENY;
    return;
  }
  out->effect = ORDAIN_DENY;
  out->code = ordain_status_name(status);
  out->json = nullptr;
  out->json_length = 0;
  const size_t size = std::strlen(reason) + 1;
  out->memory = std::malloc(size);
  out->reason = out->memory == nullptr ? "out of memory" : static_cast<const char*>(out->memory);
  if (out->memory != nullptr) std::memcpy(out->memory, reason, size);
}

DecideOptions options_of(const ordain_options* options) {
  DecideOptions out;
  if (options == nullptr) return out;
  check_struct(options, "options");
  out.default_before = effect_from_c(options->default_before);
  return out;
}

ordain_engine* make_engine(std::shared_ptr<const Program> program, const ordain_options* options, DecideOptions how) {
  auto engine = std::make_unique<ordain_engine>();
  engine->program = std::move(program);
  engine->how = how;
  if (options == nullptr || options->native != 0) ordain::detail::start_native_code(*engine->program);
  return engine.release();
}

EventParts parts_of(const ordain_facts* facts, const ordain_call* call) {
  EventParts out;
  if (facts != nullptr) {
    check_struct(facts, "facts");
    if (facts->json != nullptr) out.host = text_of(facts->json, facts->json_length);
  }
  check_struct(call, "call");
  if (call->capability == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "call->capability is NULL"};
  if (call->stage != ORDAIN_BEFORE && call->stage != ORDAIN_AFTER) {
    throw Failure{ORDAIN_INVALID_ARGUMENT, "call->stage is not a stage"};
  }
  out.capability = text_of(call->capability, call->capability_length);
  out.stage = call->stage == ORDAIN_AFTER ? ordain::Stage::after : ordain::Stage::before;
  out.input = optional_text(call->input, call->input_length);
  out.output = optional_text(call->output, call->output_length);
  out.metadata = optional_text(call->metadata, call->metadata_length);
  return out;
}

// Fills the whole decision, or throws and leaves it as it is.
void decide_call(ordain_engine& engine, const EventParts& parts, ordain_decision* out) {
  std::unique_ptr<Session> session = engine.take();
  if (auto read = session->reader.read(parts); !read) {
    engine.give_back(std::move(session));
    throw Failure{ORDAIN_BAD_CALL, read.error().message};
  }
  const Decision decision = decide_all(session->reader.call(), session->reader.context(), session->scratch, engine.how);
  const uint64_t number = engine.decisions.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::string json = ordain::decision_json(session->reader.call(), decision, number);
  const std::string reason(decision.reason);
  const Effect effect = decision.effect;
  const char* const code = to_string(decision.code).data();  // a literal, which ends with a NUL
  engine.give_back(std::move(session));
  auto* memory = static_cast<char*>(std::malloc(json.size() + reason.size() + 2));
  if (memory == nullptr) throw std::bad_alloc();
  std::memcpy(memory, json.c_str(), json.size() + 1);
  std::memcpy(memory + json.size() + 1, reason.c_str(), reason.size() + 1);
  out->memory = memory;
  out->json = memory;
  out->json_length = json.size();
  out->reason = memory + json.size() + 1;
  out->code = code;
  out->effect = effect_in_c(effect);
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

ordain_status ordain_set_budget(ordain_engine* engine, uint64_t steps, ordain_error* error) noexcept {
  return guarded(error, [&] {
    if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
    if (steps == 0 || steps > ORDAIN_MAX_BUDGET) {
      throw Failure{ORDAIN_INVALID_ARGUMENT, "a budget is from 1 to " + std::to_string(ORDAIN_MAX_BUDGET) + " steps"};
    }
    engine->how.budget.cost = steps;
  });
}

ordain_status ordain_decide(ordain_engine* engine, const ordain_facts* facts, const ordain_call* call,
                            ordain_decision* decision, ordain_error* error) noexcept {
  const auto refuse = [decision](ordain_status status, const char* message) {
    if (decision != nullptr) deny(decision, status, message);
  };
  // A program that was built with version 1 passes other arguments. Its decision and its error stand
  // where ours do, so they are checked before anything else is read.
  return guarded(
      error,
      [&] {
        check_struct(decision, "decision");
        decision->effect = ORDAIN_DENY;
        if (engine == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "engine is NULL"};
        decide_call(*engine, parts_of(facts, call), decision);
      },
      refuse);
}

void ordain_close(ordain_engine* engine) noexcept { delete engine; }

void ordain_decision_free(ordain_decision* decision) noexcept {
  if (decision == nullptr || !is_known(decision)) return;
  std::free(decision->memory);
  decision->effect = ORDAIN_DENY;
  decision->code = nullptr;
  decision->reason = nullptr;
  decision->json = nullptr;
  decision->json_length = 0;
  decision->memory = nullptr;
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
    case ORDAIN_BAD_CALL:
      return "bad_call";
    case ORDAIN_NO_MEMORY:
      return "no_memory";
    case ORDAIN_INTERNAL:
      return "internal";
    case ORDAIN_REFUSED:
      return "refused";
    default:
      return "unknown";
  }
}
