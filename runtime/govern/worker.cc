// worker.cc implements workers: the core owns them, and a thread returns to the one that it used
// last.
#include "runtime/govern/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "ordain/time_text.h"
#include "runtime/audit/value_bytes.h"
#include "runtime/govern/core.h"
#include "runtime/identity/text.h"
#include "vm/program/linked_program.h"

namespace ordain::detail {
namespace {

/// The worker of this thread's last call. It is valid only while the core with that serial lives,
/// that is, for calls of that same core.
struct LastUsed {
  uint64_t core = 0;
  Worker* worker = nullptr;
};
thread_local LastUsed last_used;

HexText hex_text(const Id128& id) {
  HexText out;
  write_hex({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}, out.digits.data());
  return out;
}

bool has_rules(const Program& program, const CapabilityRef& capability, Stage stage) {
  return !package_rules(data_of(program), capability.id, stage).empty();
}

std::string misfit_of(const std::vector<MetadataKey>& keys, const CallOptions& options) {
  const Value& resource = options.resource;
  if (resource.is(Kind::string) && resource.aux == 0) return "resource: empty";
  if (keys.empty()) return "";
  const Value& metadata = options.metadata;
  if (!metadata.is(Kind::map) && !metadata.is(Kind::null)) return "metadata: expected an object";
  size_t known = 0;
  for (const MetadataKey& key : keys) {
    const Value* value = metadata.is(Kind::map) ? map_find(*metadata.map, key.name) : nullptr;
    if (value == nullptr) {
      if (key.required) return fmt::format("metadata.{}: missing", key.name);
      continue;
    }
    ++known;
    bool widened = key.kind == Kind::floating && value->is(Kind::integer);
    if (!value->is(key.kind) && !widened) {
      return fmt::format("metadata.{}: expected {}, got {}", key.name, type_name(key.kind), type_name(value->kind));
    }
  }
  if (!metadata.is(Kind::map) || known == metadata.map->count) return "";
  for (const MapEntry& entry : metadata.map->all()) {
    bool text = entry.key.is(Kind::string);
    bool found = text && std::any_of(keys.begin(), keys.end(),
                                     [&](const MetadataKey& key) { return key.name == entry.key.as_text(); });
    if (!found) return fmt::format("metadata: unknown key {}", to_json(entry.key));
  }
  return "";
}

constexpr size_t kKeptRecord = 1 << 20;  // a larger buffer is released
constexpr size_t kMostHeldWorkers = 32;  // each takes 4 MiB and is kept for later calls

}  // namespace

ActionFacts describe_action(const Core& core, std::string_view capability, const Value& input,
                            const CallOptions& options) {
  ActionFacts out;
  out.id = Id128::random();
  out.id_text = hex_text(out.id);
  out.capability = capability;
  out.input = &input;
  out.options = &options;
  struct Named {
    const char* name;
    std::string_view text;
  };
  const Named names[] = {{"capability", capability},           {"action.trace_id", options.trace},
                         {"action.parent_id", options.parent}, {"action.type", options.type},
                         {"action.target", options.target},    {"action.description", options.description}};
  for (const Named& named : names) {
    if (named.text.empty()) continue;
    if (auto problem = text_problem(named.text); !problem.empty())
      out.problem = fmt::format("{} is {}", named.name, problem);
  }
  out.misfit = options.flaw.empty() ? misfit_of(core.options.metadata, options) : std::string(options.flaw);
  if (capability.empty()) out.problem = "capability is empty";
  out.given_trace = options.trace;
  if (options.trace.empty()) out.made_trace = hex_text(Id128::random());
  return out;
}

void Worker::load(std::shared_ptr<const Program> next) {
  program = std::move(next);
  call.emplace(program);
  after.emplace(program);
  context.reset();
  meter.reset();
  slots_.id = program->slot(nullptr, "action.id");
  slots_.trace = program->slot(nullptr, "action.trace_id");
  slots_.parent = program->slot(nullptr, "action.parent_id");
  slots_.type = program->slot(nullptr, "action.type");
  slots_.target = program->slot(nullptr, "action.target");
  slots_.description = program->slot(nullptr, "action.description");
}

void Worker::refresh(Core& from, const Identity& who) {
  if (version.load(std::memory_order_relaxed) != from.live.version()) {
    std::shared_ptr<const Program> next;
    uint64_t loaded = 0;
    {
      auto pin = from.live.pin();
      next = pin.shared();
      loaded = pin.version();
    }
    version.store(0, std::memory_order_relaxed);  // without memory, the next call loads it again
    load(std::move(next));
    version.store(loaded, std::memory_order_relaxed);
  }
  if (context == nullptr || identity != who.serial()) {
    context.reset();  // set last, so that nothing is taken for complete that is not
    attributes.clear();
    const Value& given = who.who().attributes.root();
    if (!given.is(Kind::null)) append_value(attributes, given);
    identity = who.serial();
    context = who.context(program);
  }
}

void Worker::bind(Call& facts, Stage stage, const ActionFacts& action, int64_t now_ns, const Value* output,
                  int64_t elapsed_ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  const CallOptions& options = *action.options;
  // In the after stage of a governed call, the facts that both stages share are taken from its
  // before stage.
  const bool follows = &facts == &*after;
  facts.begin(follows ? call->capability() : program->resolve(action.capability), stage);
  auto [seconds, nanos] = timestamp_of_nanos(now_ns);
  facts.set_now(seconds, nanos);
  if (!action.problem.empty()) {
    facts.reject(action.problem);
    return;
  }
  if (!action.misfit.empty()) facts.reject(action.misfit);
  if (follows && !call->error().failed && !has_rules(*program, facts.capability(), stage) && !is_metered()) {
    // Nothing will read any fact, and the other facts were checked in the before stage: only the
    // output is left to check.
    facts.bind_output(*output);
    return;
  }
  auto set = [&](SlotRef slot, std::string_view text) {
    if (slot.id != kNone && !text.empty()) facts.set(slot, Value::string(text));
  };
  set(slots_.id, action.id_text.view());
  set(slots_.trace, action.trace());
  set(slots_.parent, options.parent);
  set(slots_.type, options.type);
  set(slots_.target, options.target);
  set(slots_.description, options.description);
  if (options.risk) facts.set_risk(options.risk->value);
  if (!options.resource.is(Kind::null)) facts.bind_root("resource", options.resource);
  if (!options.metadata.is(Kind::null)) facts.bind_root("metadata", options.metadata);
  facts.bind_input(*action.input);
  if (output != nullptr) {
    facts.bind_output(*output);
    facts.set_elapsed(elapsed_ns / kSecond, static_cast<int32_t>(elapsed_ns % kSecond));
  }
}

Result<state::Store*> Worker::prepare_meter(Core& core) {
  auto store = core.state->open(*program);
  if (!store.ok()) return store;
  if (meter == nullptr) {
    auto made = state::Meter::make(program, **store);
    if (!made.ok()) return made.error();
    meter = std::make_shared<const state::Meter>(std::move(*made));
  }
  if (meter_scratch == nullptr) meter_scratch = std::make_unique<Scratch>(Scratch::kUsualBytes, maps_now);
  return store;
}

state::CallFacts Worker::facts_for_meter(const Core& core, Call& facts, const Identity& who) {
  return {facts, *context, *meter_scratch, who.who().session, core.options.decide};
}

void Worker::unload() {
  context.reset();
  meter.reset();
  call.reset();
  after.reset();
  program.reset();
  version.store(0, std::memory_order_relaxed);
}

void Core::release_idle() {
  std::lock_guard lock(workers_mutex);
  for (const auto& worker : workers) {
    const uint64_t version = worker->version.load(std::memory_order_relaxed);
    if (version == 0 || version == live.version() || !worker->claim()) continue;
    if (worker->version.load(std::memory_order_relaxed) != live.version()) worker->unload();
    worker->free();
  }
}

Lease::Lease(Core& core, LeaseKind kind) : core_(core), kind_(kind) {
  const bool many = kind == LeaseKind::held && core.held_workers.load(std::memory_order_relaxed) >= kMostHeldWorkers;
  worker_ = many ? nullptr : claim_shared();
  if (worker_ == nullptr) {
    own_ = std::make_unique<Worker>(!many);
    worker_ = own_.get();
  } else if (kind == LeaseKind::held) {
    core.held_workers.fetch_add(1, std::memory_order_relaxed);
  }
}

Worker* Lease::claim_shared() {
  if (last_used.core == core_.serial && last_used.worker->claim()) return last_used.worker;
  if (core_.process.is_child()) return nullptr;  // a thread that is not here may have held the mutex
  std::lock_guard lock(core_.workers_mutex);
  for (const auto& worker : core_.workers) {
    if (worker->claim()) return worker.get();
  }
  core_.workers.push_back(std::make_unique<Worker>());
  return core_.workers.back().get();
}

Lease::~Lease() {
  if (own_ != nullptr) return;
  if (kind_ == LeaseKind::held) core_.held_workers.fetch_sub(1, std::memory_order_relaxed);
  worker_->arena.reset();
  if (worker_->record.capacity() > kKeptRecord) worker_->record = {};
  worker_->free();
  last_used = {core_.serial, worker_};
}

}  // namespace ordain::detail
