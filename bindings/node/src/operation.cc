// Calls the C interface. Each function below says which number and texts it takes.
#include "operation.h"

#include <exception>
#include <string_view>

namespace ordain::node {
namespace {

constexpr std::chrono::hours kAnyTime(24 * 365);

// The structs that the engine fills, freed at the end of their scope.
struct Message : ordain_error {
  Message() : ordain_error ORDAIN_ERROR_INIT {}
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { ordain_error_free(this); }
};

struct Bytes : ordain_bytes {
  Bytes() : ordain_bytes ORDAIN_BYTES_INIT {}
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { ordain_bytes_free(this); }

  std::string text() const { return {reinterpret_cast<const char*>(data), length}; }
};

const char* data_of(const std::optional<std::string>& text) { return text ? text->data() : nullptr; }
size_t length_of(const std::optional<std::string>& text) { return text ? text->size() : 0; }

// Keeps the status and, after a failure, its message.
bool succeeded(Operation& op, ordain_status status, const Message& message) {
  op.status = status;
  if (status == ORDAIN_OK) return true;
  op.message = message.message != nullptr ? message.message : ordain_status_name(status);
  return false;
}

bool refuse_closed(Operation& op, Kind kind) {
  op.status = kClosed;
  op.message = std::string("the ") + name_of(kind) + " is closed";
  return false;
}

// Runs `use(object, identity, bytes, message)`, a call of the C interface that fills bytes.
template <typename T, typename Use>
bool fill_result(Operation& op, Use use) {
  const Visit object(op.object), identity(op.identity);
  if (object.refused()) return refuse_closed(op, op.object->kind());
  if (identity.refused()) return refuse_closed(op, Kind::identity);
  Message message;
  Bytes bytes;
  if (!succeeded(op, use(object.object<T>(), identity.object<ordain_identity>(), &bytes, &message), message))
    return false;
  op.result = bytes.text();
  return true;
}

void close_object(Operation& op) { op.object->close(std::chrono::steady_clock::now() + kAnyTime); }

// Texts: capability, input, output, metadata.
ordain_call call_of(const Operation& op, ordain_stage stage) {
  ordain_call call = ORDAIN_CALL_INIT;
  call.stage = stage;
  call.capability = data_of(op.texts[0]);
  call.capability_length = length_of(op.texts[0]);
  call.input = data_of(op.texts[1]);
  call.input_length = length_of(op.texts[1]);
  call.output = data_of(op.texts[2]);
  call.output_length = length_of(op.texts[2]);
  call.metadata = data_of(op.texts[3]);
  call.metadata_length = length_of(op.texts[3]);
  return call;
}

// The fifth text.
ordain_facts facts_of(const Operation& op) {
  ordain_facts facts = ORDAIN_FACTS_INIT;
  facts.json = data_of(op.texts[4]);
  facts.json_length = length_of(op.texts[4]);
  return facts;
}

// The number is an effect, plus 4 to make native code.
void open_program(Operation& op, std::string_view program) {
  ordain_options options = ORDAIN_OPTIONS_INIT;
  options.default_before = op.number & 3;
  options.native = (op.number & 4) != 0;
  ordain_engine* engine = nullptr;
  Message message;
  if (!succeeded(op, ordain_open_program(program.data(), program.size(), &options, &engine, &message), message)) return;
  op.made = op.registry->adopt(Kind::engine, engine);
}

// Texts: sources as JSON. The number is as for open_program.
void open_policies(Operation& op) {
  Message message;
  Bytes program;
  if (!succeeded(op, ordain_compile(data_of(op.texts[0]), length_of(op.texts[0]), &program, &message), message)) return;
  open_program(op, {reinterpret_cast<const char*>(program.data), program.length});
}

// Texts: a program.
void load_program(Operation& op) { open_program(op, op.texts[0] ? *op.texts[0] : std::string_view()); }

void save_program(Operation& op) {
  fill_result<const ordain_engine>(
      op, [](auto* engine, auto*, auto* bytes, auto* message) { return ordain_serialise(engine, bytes, message); });
}

// Texts: those of call_of, and facts. The number is the stage.
void decide(Operation& op) {
  const Visit engine(op.object);
  if (engine.refused()) {
    refuse_closed(op, Kind::engine);
    return;
  }
  const ordain_call call = call_of(op, op.number);
  const ordain_facts facts = facts_of(op);
  ordain_decision decision = ORDAIN_DECISION_INIT;
  Message message;
  const auto status =
      ordain_decide(engine.object<ordain_engine>(), facts.json ? &facts : nullptr, &call, &decision, &message);
  if (succeeded(op, status, message) && decision.json != nullptr)
    op.result.emplace(decision.json, decision.json_length);
  ordain_decision_free(&decision);
}

// Texts: options as JSON.
void open_runtime(Operation& op) {
  ordain_runtime* runtime = nullptr;
  Message message;
  const auto status = ordain_runtime_open(data_of(op.texts[0]), length_of(op.texts[0]), &runtime, &message);
  if (succeeded(op, status, message)) op.made = op.registry->adopt(Kind::runtime, runtime);
}

// Texts: sources as JSON.
void reload(Operation& op) {
  fill_result<ordain_runtime>(op, [&op](auto* runtime, auto*, auto*, auto* message) {
    return ordain_runtime_reload(runtime, data_of(op.texts[0]), length_of(op.texts[0]), message);
  });
}

// What the engine makes is adopted during the visit, because the end of the environment waits for visitors.

// Texts: who, as JSON.
void make_identity(Operation& op) {
  fill_result<ordain_runtime>(op, [&op](auto* runtime, auto*, auto*, auto* message) {
    ordain_identity* identity = nullptr;
    const auto status = ordain_identity_make(runtime, data_of(op.texts[0]), length_of(op.texts[0]), &identity, message);
    if (identity != nullptr) op.made = op.registry->adopt(Kind::identity, identity);
    return status;
  });
  op.result.reset();
}

// Texts: those of call_of, and facts. The number is the stage.
void evaluate(Operation& op) {
  const ordain_call call = call_of(op, op.number);
  const ordain_facts facts = facts_of(op);
  fill_result<ordain_runtime>(op, [&](auto* runtime, auto* identity, auto* bytes, auto* message) {
    return ordain_runtime_evaluate(runtime, identity, facts.json ? &facts : nullptr, &call, bytes, message);
  });
}

// Texts: those of call_of without output, and facts.
void authorize(Operation& op) {
  const ordain_call call = call_of(op, ORDAIN_BEFORE);
  const ordain_facts facts = facts_of(op);
  fill_result<ordain_runtime>(op, [&](auto* runtime, auto* identity, auto* bytes, auto* message) {
    return ordain_runtime_authorize(runtime, identity, facts.json ? &facts : nullptr, &call, bytes, message);
  });
}

// Texts: those of call_of without output, and facts.
void begin(Operation& op) {
  const ordain_call call = call_of(op, ORDAIN_BEFORE);
  const ordain_facts facts = facts_of(op);
  fill_result<ordain_runtime>(op, [&](auto* runtime, auto* identity, auto* bytes, auto* message) {
    ordain_begun_call* begun = nullptr;
    const auto status =
        ordain_runtime_begin(runtime, identity, facts.json ? &facts : nullptr, &call, &begun, bytes, message);
    if (begun != nullptr) op.made = op.registry->adopt(Kind::begun, begun);
    return status;
  });
}

// Texts: output, code, message. The number is the ending. A call that has ended is freed at once, because the database
// of a closed runtime closes with the last of its calls.
void finish(Operation& op) {
  ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
  outcome.ending = op.number;
  outcome.output = data_of(op.texts[0]);
  outcome.output_length = length_of(op.texts[0]);
  outcome.code = data_of(op.texts[1]);
  outcome.code_length = length_of(op.texts[1]);
  outcome.message = data_of(op.texts[2]);
  outcome.message_length = length_of(op.texts[2]);
  const bool ended = fill_result<ordain_begun_call>(op, [&](auto* begun, auto*, auto* bytes, auto* message) {
    return ordain_begun_finish(begun, &outcome, bytes, message);
  });
  if (ended) close_object(op);
}

// The texts of approvals end with a NUL, so one within would cut them.
bool has_nul(Operation& op) {
  for (const auto& text : op.texts) {
    if (!text || text->find('\0') == std::string::npos) continue;
    op.status = ORDAIN_INVALID_ARGUMENT;
    op.message = "a NUL within a text";
    return true;
  }
  return false;
}

// Texts: a state.
void list_approvals(Operation& op) {
  if (has_nul(op)) return;
  fill_result<ordain_runtime>(op, [&op](auto* runtime, auto*, auto* bytes, auto* message) {
    return ordain_approvals_list(runtime, data_of(op.texts[0]), bytes, message);
  });
}

// Texts: an id.
void show_approval(Operation& op) {
  if (has_nul(op)) return;
  fill_result<ordain_runtime>(op, [&op](auto* runtime, auto*, auto* bytes, auto* message) {
    return ordain_approvals_show(runtime, data_of(op.texts[0]), bytes, message);
  });
}

// Texts: id, approver, group, note. The number is the verdict.
void vote(Operation& op) {
  if (has_nul(op)) return;
  ordain_vote vote = ORDAIN_VOTE_INIT;
  vote.verdict = op.number;
  vote.id = data_of(op.texts[0]);
  vote.approver = data_of(op.texts[1]);
  vote.group = data_of(op.texts[2]);
  vote.note = data_of(op.texts[3]);
  fill_result<ordain_runtime>(op, [&](auto* runtime, auto*, auto* bytes, auto* message) {
    return ordain_approvals_vote(runtime, &vote, bytes, message);
  });
}

// Texts: a filter as JSON.
void query_audit(Operation& op) {
  fill_result<ordain_runtime>(op, [&op](auto* runtime, auto*, auto* bytes, auto* message) {
    return ordain_audit_query(runtime, data_of(op.texts[0]), length_of(op.texts[0]), bytes, message);
  });
}

void flush(Operation& op) {
  fill_result<ordain_runtime>(
      op, [](auto* runtime, auto*, auto*, auto* message) { return ordain_runtime_flush(runtime, message); });
}

template <auto Read>
void read_runtime(Operation& op) {
  fill_result<ordain_runtime>(
      op, [](auto* runtime, auto*, auto* bytes, auto* message) { return Read(runtime, bytes, message); });
}

constexpr Function kFunctions[] = {
    {"openPolicies", std::nullopt, 1, true, false, open_policies},
    {"loadProgram", std::nullopt, 1, true, false, load_program},
    {"saveProgram", Kind::engine, 0, false, true, save_program},
    {"decide", Kind::engine, 5, false, false, decide},
    {"closePolicies", Kind::engine, 0, false, false, close_object},
    {"openRuntime", std::nullopt, 1, true, false, open_runtime},
    {"closeRuntime", Kind::runtime, 0, false, false, close_object},
    {"reload", Kind::runtime, 1, false, false, reload},
    {"warnings", Kind::runtime, 0, false, false, read_runtime<ordain_runtime_warnings>},
    {"makeIdentity", Kind::runtime, 1, true, false, make_identity},
    {"evaluate", Kind::runtime, 5, false, false, evaluate},
    {"authorize", Kind::runtime, 5, false, false, authorize},
    {"begin", Kind::runtime, 5, true, false, begin},
    {"finish", Kind::begun, 3, false, false, finish},
    {"listApprovals", Kind::runtime, 1, false, false, list_approvals},
    {"showApproval", Kind::runtime, 1, false, false, show_approval},
    {"vote", Kind::runtime, 4, false, false, vote},
    {"queryAudit", Kind::runtime, 1, false, false, query_audit},
    {"verifyAudit", Kind::runtime, 0, false, false, read_runtime<ordain_audit_verify>},
    {"flush", Kind::runtime, 0, false, false, flush},
    {"health", Kind::runtime, 0, false, false, read_runtime<ordain_runtime_health>},
    {"metrics", Kind::runtime, 0, false, false, read_runtime<ordain_runtime_metrics>},
};

}  // namespace

std::span<const Function> functions() { return kFunctions; }

void execute(const Function& function, Operation& operation) noexcept {
  try {
    function.execute(operation);
  } catch (const std::exception& exception) {
    operation.status = ORDAIN_NO_MEMORY;
    try {
      operation.message = exception.what();
    } catch (const std::exception&) {
      operation.message.clear();
    }
  }
}

}  // namespace ordain::node
