// The C interface to governed calls: what the host and the agent say is read, and answers are written
// as JSON.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "embed/c_runtime.h"
#include "ordain/digest.h"
#include "ordain/schema.h"
#include "ordain/time_text.h"
#include "runtime/audit/json_line.h"
#include "runtime/govern/plan_call.h"

using ordain::Action;
using ordain::BegunCall;
using ordain::CallOptions;
using ordain::DetachedDecision;
using ordain::Document;
using ordain::Error;
using ordain::Outcome;
using ordain::Result;
using ordain::Value;
using ordain::c_api::check_struct;
using ordain::c_api::checked_handle;
using ordain::c_api::clear_result;
using ordain::c_api::Failure;
using ordain::c_api::guarded;
using ordain::c_api::HostObject;
using ordain::c_api::optional_text;
using ordain::c_api::set_result;
using ordain::c_api::text_of;
using ordain::detail::JsonLine;

namespace {

// A call as the host and the agent describe it. What the agent sent may be wrong in ways that deny the call.
struct DescribedCall {
  Action action;
  Document output;
  std::string flaw;
};

Document read_agent_text(std::optional<std::string_view> json, const char* name, std::string& flaw) {
  if (!json) return {};
  Result<Document> parsed = Document::parse(*json);
  if (parsed.ok()) return std::move(*parsed);
  if (flaw.empty()) flaw = std::string(name) + ": " + parsed.error().message;
  return {};
}

void take_risk(HostObject& facts, Action& action) {
  const Value* risk = facts.take("risk");
  if (risk == nullptr) return;
  if (risk->is(ordain::Kind::string)) {
    const auto level = ordain::find_risk(risk->as_text());
    if (!level) facts.refuse("risk", "is not the name of a risk");
    action.risk = *level;
  } else if (risk->is(ordain::Kind::integer)) {
    action.risk = static_cast<double>(risk->i);
  } else if (risk->is(ordain::Kind::floating)) {
    action.risk = risk->d;
  } else {
    facts.refuse("risk", "must be a name or a number");
  }
}

void read_facts(const ordain_facts* given, Action& action) {
  if (given == nullptr) return;
  check_struct(given, "facts");
  HostObject facts("facts", optional_text(given->json, given->json_length), ORDAIN_BAD_CALL);
  if (const Value* resource = facts.take("resource")) {
    if (!resource->is(ordain::Kind::map) && !resource->is(ordain::Kind::string)) {
      facts.refuse("resource", "must be an object or a text");
    }
    action.resource = Document::copy_of(*resource);
  }
  take_risk(facts, action);
  HostObject about("facts.action", facts.take_object("action"), ORDAIN_BAD_CALL);
  action.type = about.take_text("type");
  action.target = about.take_text("target");
  action.description = about.take_text("description");
  action.trace = about.take_text("trace_id");
  action.parent = about.take_text("parent_id");
  about.finish();
  facts.finish();
}

DescribedCall describe(const ordain_identity* identity, const ordain_facts* facts, const ordain_call* call) {
  check_struct(call, "call");
  if (call->capability == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "call->capability is NULL"};
  if (call->stage != ORDAIN_BEFORE && call->stage != ORDAIN_AFTER) {
    throw Failure{ORDAIN_INVALID_ARGUMENT, "call->stage is not a stage"};
  }
  DescribedCall out;
  out.action.capability = text_of(call->capability, call->capability_length);
  if (identity != nullptr) out.action.identity = identity->identity;
  read_facts(facts, out.action);
  const auto input = optional_text(call->input, call->input_length);
  if (input) out.action.input = read_agent_text(input, "input", out.flaw);
  out.action.metadata = read_agent_text(optional_text(call->metadata, call->metadata_length), "metadata", out.flaw);
  out.output = read_agent_text(optional_text(call->output, call->output_length), "output", out.flaw);
  return out;
}

// --- answers ---

void put_or_null(JsonLine& line, std::string_view key, std::string_view text) {
  if (text.empty()) {
    line.raw(key, "null");
  } else {
    line.text(key, text);
  }
}

std::string obligations_json(const DetachedDecision& decision) {
  std::string out = "[";
  for (const ordain::DetachedObligation& one : decision.obligations) {
    JsonLine line;
    line.text("kind", to_string(one.kind)).text("rule", one.rule);
    if (one.kind == ordain::RuleKind::redact) {
      line.text("path", one.path).raw("with", one.with.json());
    } else {
      line.text("reason", one.reason);
    }
    if (out.size() > 1) out += ',';
    out += line.done();
  }
  return out + "]";
}

std::string evaluation_json(const DetachedDecision& decision) {
  JsonLine line;
  line.text("effect", to_string(decision.effect)).text("code", to_string(decision.code));
  put_or_null(line, "rule", decision.rule);
  line.text("reason", decision.reason);
  put_or_null(line, "fault", decision.fault);
  put_or_null(line, "policy", decision.policy);
  put_or_null(line, "policy_version", decision.policy_version);
  line.texts("matched", decision.matched).texts("from", decision.from).raw("obligations", obligations_json(decision));
  line.text("id", decision.id).raw("confidence", to_json(Value::floating(decision.confidence)));
  line.text("program", ordain::to_hex(decision.program));
  return line.done();
}

// A call with a flaw is denied as a governed call would be, without a decision of the rules.
std::string flawed_json(const std::string& flaw, const ordain::Program& program) {
  DetachedDecision decision;
  decision.code = ordain::DecisionCode::invalid_input;
  decision.reason = flaw;
  decision.program = program.digest();
  return evaluation_json(decision);
}

template <typename Refusal>
void put_refusal(JsonLine& line, const Refusal& refusal) {
  line.text("rule", refusal.rule).text("reason", refusal.reason);
  line.text("code", refusal.code).text("fault", refusal.fault);
}

// Writes why a call may not run. @returns false if nothing keeps it from running
template <typename T>
bool put_stop(JsonLine& line, const Outcome<T>& outcome) {
  if (const ordain::Denied* denied = outcome.denied()) {
    put_refusal(line.text("state", "denied"), *denied);
    return true;
  }
  const ordain::Pending* pending = outcome.pending();
  if (pending == nullptr) return false;
  line.text("state", "pending").text("approval", pending->approval_id).text("rule", pending->rule);
  line.text("reason", pending->reason).texts("groups", pending->groups);
  line.text("expires", ordain::format_time(pending->expires_ns));
  return true;
}

void put_state(JsonLine& line, const Outcome<Document>& outcome, bool redacted) {
  if (put_stop(line, outcome)) return;
  if (const ordain::Withheld* withheld = outcome.withheld()) {
    put_refusal(line.text("state", "withheld"), *withheld);
  } else if (const ordain::Failed* failed = outcome.failed()) {
    line.text("state", "failed").text("code", failed->code).text("message", failed->message);
    line.raw("executed", failed->executed ? "true" : "false");
  } else {
    line.text("state", "done").raw("redacted", redacted ? "true" : "false");
    if (redacted) line.raw("output", outcome->json());
  }
}

std::string authorization_json(const ordain::Authorization& authorization) {
  JsonLine line;
  if (!put_stop(line, authorization.outcome)) {
    line.text("state", "authorized").raw("input", authorization.input.json());
    line.text("approval", authorization.approval_id);
  }
  line.text("grant", authorization.grant_id).raw("decision", evaluation_json(authorization.decision));
  line.text("action", authorization.outcome.action().hex());
  line.texts("warnings", authorization.outcome.warnings()).text("would", authorization.outcome.would());
  return line.done();
}

std::string ended_json(const Outcome<Document>& outcome, bool redacted) {
  JsonLine line;
  put_state(line, outcome, redacted);
  line.text("action", outcome.action().hex());
  line.texts("warnings", outcome.warnings()).text("would", outcome.would());
  return line.done();
}

std::string begun_json(const BegunCall& call) {
  JsonLine line;
  line.text("state", "begun").raw("input", to_json(call.input())).text("action", call.action().hex());
  line.texts("warnings", call.warnings()).text("would", call.would());
  return line.done();
}

Error failure_of(const ordain_outcome& outcome, const char* code) {
  return {std::string(optional_text(outcome.code, outcome.code_length).value_or(code)),
          std::string(optional_text(outcome.message, outcome.message_length).value_or(""))};
}

Result<Document> output_of(const ordain_outcome& outcome) {
  const auto json = optional_text(outcome.output, outcome.output_length);
  if (!json) return Document();
  Result<Document> parsed = Document::parse(*json);
  if (parsed.ok()) return parsed;
  return Error{"bad_output", "the output is not JSON: " + parsed.error().message};
}

Outcome<Document> finish(BegunCall& call, const ordain_outcome& outcome) {
  switch (outcome.ending) {
    case ORDAIN_DONE:
      return call.finish(output_of(outcome));
    case ORDAIN_NOT_EXECUTED:
      return call.finish_unexecuted(failure_of(outcome, "").message);
    case ORDAIN_FAILED:
      return call.finish(failure_of(outcome, "failed"));
    default:
      throw Failure{ORDAIN_INVALID_ARGUMENT, "outcome->ending is not an ending"};
  }
}

}  // namespace

ordain_status ordain_runtime_evaluate(ordain_runtime* runtime, const ordain_identity* identity,
                                      const ordain_facts* facts, const ordain_call* call, ordain_bytes* decision,
                                      ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(decision, "decision");
    ordain_runtime& on = checked_handle(runtime);
    const DescribedCall described = describe(identity, facts, call);
    if (!described.flaw.empty()) return set_result(decision, flawed_json(described.flaw, *on.runtime.program()));
    const CallOptions options = ordain::detail::call_options(described.action, nullptr);
    const Value& input = described.action.input.root();
    set_result(decision, evaluation_json(call->stage == ORDAIN_BEFORE
                                             ? on.runtime.evaluate(described.action.capability, input, options)
                                             : on.runtime.evaluate_after(described.action.capability, input,
                                                                         described.output.root(), {}, options)));
  });
}

ordain_status ordain_runtime_authorize(ordain_runtime* runtime, const ordain_identity* identity,
                                       const ordain_facts* facts, const ordain_call* call, ordain_bytes* answer,
                                       ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(answer, "answer");
    ordain_runtime& on = checked_handle(runtime);
    const DescribedCall described = describe(identity, facts, call);
    if (call->stage != ORDAIN_BEFORE)
      throw Failure{ORDAIN_INVALID_ARGUMENT, "an action is authorized in the stage before"};
    if (!described.flaw.empty()) throw Failure{ORDAIN_BAD_CALL, described.flaw};
    const CallOptions options = ordain::detail::call_options(described.action, nullptr);
    set_result(answer, authorization_json(
                           on.runtime.authorize(described.action.capability, described.action.input.root(), options)));
  });
}

ordain_status ordain_runtime_begin(ordain_runtime* runtime, const ordain_identity* identity, const ordain_facts* facts,
                                   const ordain_call* call, ordain_begun_call** begun, ordain_bytes* answer,
                                   ordain_error* error) noexcept {
  if (begun != nullptr) *begun = nullptr;
  return guarded(error, [&] {
    clear_result(answer, "answer");
    if (begun == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "begun is NULL"};
    ordain_runtime& on = checked_handle(runtime);
    DescribedCall described = describe(identity, facts, call);
    if (call->stage != ORDAIN_BEFORE) throw Failure{ORDAIN_INVALID_ARGUMENT, "a call begins in the stage before"};
    if (call->output != nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "a call begins without an output"};
    auto made = std::make_unique<ordain_begun_call>(
        ordain_begun_call{on.runtime.begin(std::move(described.action), std::move(described.flaw))});
    const bool executes = made->call.may_execute();
    try {
      set_result(answer, executes ? begun_json(made->call) : ended_json(made->call.outcome(), false));
    } catch (...) {  // the host hears that nothing has begun
      (void)made->call.finish_unexecuted("out of memory");
      throw;
    }
    if (executes) *begun = made.release();
  });
}

ordain_status ordain_begun_finish(ordain_begun_call* begun, const ordain_outcome* outcome, ordain_bytes* answer,
                                  ordain_error* error) noexcept {
  return guarded(error, [&] {
    clear_result(answer, "answer");
    check_struct(outcome, "outcome");
    if (begun == nullptr) throw Failure{ORDAIN_INVALID_ARGUMENT, "begun is NULL"};
    const Outcome<Document> ended = finish(begun->call, *outcome);
    set_result(answer, ended_json(ended, begun->call.redacted()));
  });
}

void ordain_begun_free(ordain_begun_call* begun) noexcept { delete begun; }
