/* This test uses the C interface to the runtime as a C program would: governed calls that the host executes, approvals,
 * and the record. Usage: c_api_runtime_test POLICIES, the policies of examples/embed. Exit 0 if every check holds. */
#define _DEFAULT_SOURCE
#include <ordain/c.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

static const char* const kRefund = "refund_customer";
static const char* const kSmall = "{\"customer_id\": \"c-17\", \"amount_usd\": 25}";
static const char* const kLarge = "{\"customer_id\": \"c-17\", \"amount_usd\": 500}";
static const char* const kHuge = "{\"customer_id\": \"c-17\", \"amount_usd\": 5000}";
static char directory[] = "/tmp/ordain_c_runtime_XXXXXX";

static ordain_call call_of(const char* input) {
  ordain_call call = ORDAIN_CALL_INIT;
  call.capability = kRefund;
  call.input = input;
  return call;
}

static int has(const ordain_bytes* bytes, const char* part) {
  return bytes->data != NULL && strstr((const char*)bytes->data, part) != NULL;
}

/* Checks that a result has the part, and frees it. */
static void check_has(ordain_bytes* bytes, const char* part, int line) {
  if (!has(bytes, part)) {
    fprintf(stderr, "%s:%d: %s is not in %s\n", __FILE__, line, part,
            bytes->data != NULL ? (const char*)bytes->data : "(nothing)");
    ++failures;
  }
  if (bytes->data != NULL) CHECK(strlen((const char*)bytes->data) == bytes->length);
  ordain_bytes_free(bytes);
}
#define HAS(bytes, part) check_has(&(bytes), part, __LINE__)

/* Checks that a call failed with the status, and that its message has the part. */
static void check_failed(ordain_status status, ordain_status wanted, ordain_error* error, const char* part, int line) {
  if (status != wanted || error->message == NULL || strstr(error->message, part) == NULL) {
    fprintf(stderr, "%s:%d: status %d, wanted %d and %s: %s\n", __FILE__, line, (int)status, (int)wanted, part,
            error->message != NULL ? error->message : "(no message)");
    ++failures;
  }
  ordain_error_free(error);
}
#define FAILS(call, wanted, part) check_failed(call, wanted, &error, part, __LINE__)

static ordain_runtime* open_runtime(const char* policies, const char* more) {
  char options[1024];
  ordain_runtime* runtime = NULL;
  ordain_error error = ORDAIN_ERROR_INIT;
  snprintf(options, sizeof options, "{\"policies\": [\"%s\"], \"agent\": \"support\"%s}", policies, more);
  if (ordain_runtime_open(options, ORDAIN_NUL_TERMINATED, &runtime, &error) != ORDAIN_OK) {
    fprintf(stderr, "%s\n", error.message != NULL ? error.message : "no message");
    exit(1);
  }
  return runtime;
}

static ordain_runtime* open_with_record(const char* policies) {
  char more[256];
  snprintf(more, sizeof more, ", \"database\": \"%s\"", directory);
  return open_runtime(policies, more);
}

static ordain_begun_call* begin(ordain_runtime* runtime, const char* input, ordain_bytes* answer) {
  ordain_begun_call* begun = NULL;
  const ordain_call call = call_of(input);
  CHECK(ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, answer, NULL) == ORDAIN_OK);
  return begun;
}

static void finish(ordain_begun_call* begun, const char* output, ordain_bytes* answer) {
  ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
  outcome.ending = ORDAIN_DONE;
  outcome.output = output;
  CHECK(ordain_begun_finish(begun, &outcome, answer, NULL) == ORDAIN_OK);
}

static void check_calls(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_begun_call* begun = begin(runtime, kSmall, &answer);
  CHECK(begun != NULL);
  CHECK(has(&answer, "\"state\":\"begun\""));
  HAS(answer, "\"input\":{\"amount_usd\":25,\"customer_id\":\"c-17\"}");
  outcome.ending = 9;
  FAILS(ordain_begun_finish(begun, &outcome, &answer, &error), ORDAIN_INVALID_ARGUMENT, "ending");
  finish(begun, "{\"id\": 1}", &answer);
  CHECK(has(&answer, "\"state\":\"done\""));
  HAS(answer, "\"redacted\":false");
  finish(begun, "{\"id\": 2}", &answer); /* it has ended: the same answer */
  HAS(answer, "\"state\":\"done\"");
  ordain_begun_free(begun);

  CHECK(begin(runtime, kHuge, &answer) == NULL);
  CHECK(has(&answer, "\"state\":\"denied\"") && has(&answer, "\"rule\":\"refunds.over_limit\""));
  HAS(answer, "\"code\":\"rule\"");

  /* What the agent sent is wrong: the call is denied, and that is recorded. */
  CHECK(begin(runtime, "{", &answer) == NULL);
  HAS(answer, "\"code\":\"invalid_input\"");
  CHECK(begin(runtime, "[]", &answer) == NULL);
  HAS(answer, "\"code\":\"invalid_input\"");
  CHECK(begin(runtime, NULL, &answer) == NULL);
  HAS(answer, "\"code\":\"invalid_input\"");

  begun = begin(runtime, kSmall, &answer);
  ordain_bytes_free(&answer);
  outcome.ending = ORDAIN_FAILED;
  outcome.code = "bank";
  outcome.message = "no answer";
  CHECK(ordain_begun_finish(begun, &outcome, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"code\":\"bank\"") && has(&answer, "\"message\":\"no answer\""));
  HAS(answer, "\"executed\":true");
  ordain_begun_free(begun);

  begun = begin(runtime, kSmall, &answer);
  ordain_bytes_free(&answer);
  outcome.ending = ORDAIN_NOT_EXECUTED;
  CHECK(ordain_begun_finish(begun, &outcome, &answer, NULL) == ORDAIN_OK);
  HAS(answer, "\"executed\":false");
  ordain_begun_free(begun);

  begun = begin(runtime, kSmall, &answer);
  ordain_bytes_free(&answer);
  finish(begun, "{", &answer);
  HAS(answer, "\"code\":\"bad_output\"");
  ordain_begun_free(begun);

  begun = begin(runtime, kSmall, &answer);
  ordain_bytes_free(&answer);
  ordain_begun_free(begun); /* abandoned */
}

static void check_approvals(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_vote vote = ORDAIN_VOTE_INIT;
  ordain_begun_call* begun;
  char id[33] = "";
  const char* at;
  CHECK(begin(runtime, kLarge, &answer) == NULL);
  CHECK(has(&answer, "\"state\":\"pending\"") && has(&answer, "\"groups\":[\"team-lead\"]"));
  at = answer.data != NULL ? strstr((const char*)answer.data, "\"approval\":\"") : NULL;
  CHECK(at != NULL);
  if (at != NULL) memcpy(id, at + strlen("\"approval\":\""), 32);
  ordain_bytes_free(&answer);

  CHECK(ordain_approvals_list(runtime, "pending", &answer, NULL) == ORDAIN_OK);
  HAS(answer, id);
  CHECK(ordain_approvals_list(runtime, "approved", &answer, NULL) == ORDAIN_OK);
  HAS(answer, "[]");
  FAILS(ordain_approvals_list(runtime, "lost", &answer, &error), ORDAIN_INVALID_ARGUMENT, "state");
  FAILS(ordain_approvals_show(runtime, "0123456789abcdef", &answer, &error), ORDAIN_REFUSED, "unknown_approval: ");

  FAILS(ordain_approvals_vote(runtime, &vote, &answer, &error), ORDAIN_INVALID_ARGUMENT, "vote->id");
  vote.id = id;
  vote.verdict = ORDAIN_APPROVE;
  vote.approver = "support"; /* the agent itself */
  FAILS(ordain_approvals_vote(runtime, &vote, &answer, &error), ORDAIN_REFUSED, "not_eligible: ");
  vote.approver = "alice";
  vote.note = "a good customer";
  CHECK(ordain_approvals_vote(runtime, &vote, &answer, NULL) == ORDAIN_OK);
  HAS(answer, "\"state\":\"approved\"");

  begun = begin(runtime, kLarge, &answer);
  CHECK(begun != NULL);
  HAS(answer, "\"state\":\"begun\"");
  CHECK(begin(runtime, kLarge, &answer) == NULL); /* it served once */
  ordain_bytes_free(&answer);
  finish(begun, NULL, &answer);
  HAS(answer, "\"state\":\"done\"");
  ordain_begun_free(begun);
  CHECK(ordain_approvals_show(runtime, id, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"state\":\"consumed\""));
  HAS(answer, "\"outcome\":\"released\"");

  CHECK(ordain_approvals_list(runtime, "pending", &answer, NULL) == ORDAIN_OK);
  at = answer.data != NULL ? strstr((const char*)answer.data, "\"id\":\"") : NULL;
  CHECK(at != NULL);
  if (at != NULL) memcpy(id, at + strlen("\"id\":\""), 32);
  ordain_bytes_free(&answer);
  vote.verdict = ORDAIN_REJECT;
  CHECK(ordain_approvals_vote(runtime, &vote, NULL, NULL) == ORDAIN_OK);
  CHECK(begin(runtime, kLarge, &answer) == NULL);
  HAS(answer, "\"code\":\"approval_rejected\"");
}

static void check_record(ordain_runtime* runtime) {
  ordain_bytes lines = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  CHECK(ordain_runtime_flush(runtime, NULL) == ORDAIN_OK);
  CHECK(ordain_audit_query(runtime, "{\"limit\": 1}", ORDAIN_NUL_TERMINATED, &lines, NULL) == ORDAIN_OK);
  CHECK(has(&lines, "\"kind\":\"intent\"") && !has(&lines, "\"kind\":\"outcome\""));
  HAS(lines, "{\"id\":1,");
  CHECK(ordain_audit_query(runtime, "{\"first\": 2, \"limit\": 1}", ORDAIN_NUL_TERMINATED, &lines, NULL) == ORDAIN_OK);
  CHECK(has(&lines, "{\"id\":2,"));
  HAS(lines, "\"output\":{\"id\":1}");
  CHECK(ordain_audit_query(runtime, "{\"kind\": \"denied\", \"rule\": \"refunds.over_limit\", \"effect\": \"deny\"}",
                           ORDAIN_NUL_TERMINATED, &lines, NULL) == ORDAIN_OK);
  CHECK(!has(&lines, "invalid_input"));
  HAS(lines, "\"amount_usd\":5000");
  CHECK(ordain_audit_query(runtime, "{\"kind\": \"outcome\"}", ORDAIN_NUL_TERMINATED, &lines, NULL) == ORDAIN_OK);
  CHECK(has(&lines, "\"error\":\"bank: no answer\"") && has(&lines, "\"error\":\"bad_output: "));
  CHECK(has(&lines, "\"error\":\"not_executed: "));
  HAS(lines, "\"error\":\"abandoned: ");
  CHECK(ordain_audit_query(runtime, "{\"agent\": \"nobody\"}", ORDAIN_NUL_TERMINATED, &lines, NULL) == ORDAIN_OK);
  HAS(lines, "");
  CHECK(ordain_audit_query(runtime, "{\"to\": \"2001-01-01T00:00:00Z\"}", ORDAIN_NUL_TERMINATED, &lines, NULL) ==
        ORDAIN_OK);
  CHECK(lines.length == 0);
  ordain_bytes_free(&lines);
  FAILS(ordain_audit_query(runtime, "{\"agnet\": \"x\"}", ORDAIN_NUL_TERMINATED, &lines, &error),
        ORDAIN_INVALID_ARGUMENT, "agnet");
  FAILS(ordain_audit_query(runtime, "{\"from\": \"noon\"}", ORDAIN_NUL_TERMINATED, &lines, &error),
        ORDAIN_INVALID_ARGUMENT, "from");
  CHECK(ordain_audit_verify(runtime, &lines, NULL) == ORDAIN_OK);
  HAS(lines, "{\"ok\":true,");
  CHECK(ordain_runtime_health(runtime, &lines, NULL) == ORDAIN_OK);
  CHECK(has(&lines, "\"audit_available\":true"));
  HAS(lines, "\"records_lost\":0");
  CHECK(ordain_runtime_metrics(runtime, &lines, NULL) == ORDAIN_OK);
  HAS(lines, "# EOF");
}

static void check_identities(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_identity* identity = NULL;
  ordain_begun_call* begun = NULL;
  ordain_facts facts = ORDAIN_FACTS_INIT;
  ordain_call call = call_of(kSmall);
  FAILS(ordain_identity_make(runtime, "{\"agent\": 1}", ORDAIN_NUL_TERMINATED, &identity, &error),
        ORDAIN_INVALID_ARGUMENT, "agent");
  FAILS(ordain_identity_make(runtime, "{\"attributes\": {\"agent\": 5}}", ORDAIN_NUL_TERMINATED, &identity, &error),
        ORDAIN_REFUSED, "invalid_identity: ");
  CHECK(identity == NULL);
  CHECK(ordain_identity_make(runtime, "{\"principal\": \"carol\", \"session\": \"s-1\"}", ORDAIN_NUL_TERMINATED,
                             &identity, NULL) == ORDAIN_OK);
  facts.json = "{\"action\": {\"trace_id\": \"t-1\"}, \"resource\": \"order-7\", \"risk\": \"high\"}";
  CHECK(ordain_runtime_begin(runtime, identity, &facts, &call, &begun, &answer, NULL) == ORDAIN_OK);
  ordain_bytes_free(&answer);
  ordain_begun_free(begun);
  CHECK(ordain_runtime_flush(runtime, NULL) == ORDAIN_OK);
  CHECK(ordain_audit_query(runtime, "{\"principal\": \"carol\", \"kind\": \"intent\"}", ORDAIN_NUL_TERMINATED, &answer,
                           NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"agent\":\"support\"") && has(&answer, "\"session\":\"s-1\""));
  HAS(answer, "\"trace\":\"t-1\"");
  facts.json = "{\"agent\": \"boss\"}"; /* who acts is the identity's to say */
  FAILS(ordain_runtime_begin(runtime, identity, &facts, &call, &begun, &answer, &error), ORDAIN_BAD_CALL, "agent");
  facts.json = "{\"risk\": \"huge\"}";
  FAILS(ordain_runtime_begin(runtime, identity, &facts, &call, &begun, &answer, &error), ORDAIN_BAD_CALL, "risk");
  CHECK(begun == NULL);
  ordain_identity_free(identity);
}

static void check_evaluate(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_call call = call_of(kLarge);
  CHECK(ordain_runtime_evaluate(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"effect\":\"require_approval\"") && has(&answer, "\"from\":[\"team-lead\"]"));
  HAS(answer, "\"rule\":\"refunds.large\"");
  call.input = "{";
  CHECK(ordain_runtime_evaluate(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"effect\":\"deny\""));
  HAS(answer, "\"rule\":null");
  call.input = kSmall;
  call.stage = ORDAIN_AFTER;
  call.output = "{}";
  CHECK(ordain_runtime_evaluate(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  HAS(answer, "\"effect\":\"allow\"");
}

/* An action that the host executes unseen leaves one record, and uses its approval. */
static void check_authorize(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_call call = call_of(kSmall);
  CHECK(ordain_runtime_authorize(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"state\":\"authorized\"") && has(&answer, "\"decision\":{\"effect\":\"allow\""));
  HAS(answer, "\"input\":{\"amount_usd\":25,");
  call.input = kHuge;
  CHECK(ordain_runtime_authorize(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  HAS(answer, "\"state\":\"denied\"");
  call.input = "{\"customer_id\": \"c-18\", \"amount_usd\": 500}";
  CHECK(ordain_runtime_authorize(runtime, NULL, NULL, &call, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "\"state\":\"pending\""));
  HAS(answer, "\"effect\":\"require_approval\"");
  call.input = "{";
  FAILS(ordain_runtime_authorize(runtime, NULL, NULL, &call, &answer, &error), ORDAIN_BAD_CALL, "input");
  CHECK(ordain_runtime_flush(runtime, NULL) == ORDAIN_OK);
  CHECK(ordain_audit_query(runtime, "{\"kind\": \"decision\"}", ORDAIN_NUL_TERMINATED, &answer, NULL) == ORDAIN_OK);
  HAS(answer, "\"amount_usd\":25");
}

static void check_reload(const char* policies) {
  static const char kTexts[] =
      "{\"texts\": {\"new.policy\": \"policy all on before * { deny closed because \\\"we are closed\\\"; }\"}}";
  char paths[512];
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_runtime* runtime = open_runtime(policies, ", \"native\": false");
  ordain_begun_call* begun = begin(runtime, kSmall, &answer);
  ordain_bytes_free(&answer);
  CHECK(ordain_runtime_reload(runtime, "{\"texts\": {\"odd.policy\": \"policy odd on before undeclared { allow; }\"}}",
                              ORDAIN_NUL_TERMINATED, NULL) == ORDAIN_OK);
  CHECK(ordain_runtime_warnings(runtime, &answer, NULL) == ORDAIN_OK);
  CHECK(has(&answer, "undeclared-capability"));
  HAS(answer, "odd.policy");
  FAILS(ordain_runtime_reload(runtime, "{\"texts\": {\"bad.policy\": \"policy\"}}", ORDAIN_NUL_TERMINATED, &error),
        ORDAIN_BAD_POLICY, "bad.policy");
  FAILS(ordain_runtime_reload(runtime, "{}", ORDAIN_NUL_TERMINATED, &error), ORDAIN_INVALID_ARGUMENT, "policies");
  CHECK(ordain_runtime_reload(runtime, kTexts, ORDAIN_NUL_TERMINATED, NULL) == ORDAIN_OK);
  CHECK(begin(runtime, kSmall, &answer) == NULL);
  HAS(answer, "we are closed");
  snprintf(paths, sizeof paths, "{\"policies\": [\"%s\"]}", policies);
  CHECK(ordain_runtime_reload(runtime, paths, ORDAIN_NUL_TERMINATED, NULL) == ORDAIN_OK);
  FAILS(ordain_audit_query(runtime, "{}", ORDAIN_NUL_TERMINATED, &answer, &error), ORDAIN_REFUSED, "no_database: ");
  ordain_runtime_close(runtime);
  finish(begun, "{}", &answer); /* also after the runtime is closed */
  HAS(answer, "\"state\":\"done\"");
  ordain_begun_free(begun);
}

static void check_compile(void) {
  static const char kTexts[] = "{\"texts\": {\"any.policy\": \"policy any on before * { allow; }\"}}";
  ordain_bytes program = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* engine = NULL;
  ordain_decision decision = ORDAIN_DECISION_INIT;
  const ordain_call call = call_of("{}");
  CHECK(ordain_compile(kTexts, ORDAIN_NUL_TERMINATED, &program, NULL) == ORDAIN_OK);
  CHECK(ordain_open_program(program.data, program.length, NULL, &engine, NULL) == ORDAIN_OK);
  CHECK(ordain_decide(engine, NULL, &call, &decision, NULL) == ORDAIN_OK && decision.effect == ORDAIN_ALLOW);
  ordain_decision_free(&decision);
  ordain_close(engine);
  ordain_bytes_free(&program);
  FAILS(ordain_compile("{\"texts\": {\"a\": 1}}", ORDAIN_NUL_TERMINATED, &program, &error), ORDAIN_INVALID_ARGUMENT,
        "texts");
  FAILS(ordain_compile("[]", ORDAIN_NUL_TERMINATED, &program, &error), ORDAIN_INVALID_ARGUMENT, "sources");
}

static void check_options(void) {
  static const struct {
    const char* options;
    ordain_status status;
    const char* part;
  } kCases[] = {{"", ORDAIN_INVALID_ARGUMENT, "options"},
                {"{}", ORDAIN_INVALID_ARGUMENT, "policies"},
                {"{\"policies\": []}", ORDAIN_INVALID_ARGUMENT, "policies"},
                {"{\"policies\": [\"no/such\"]}", ORDAIN_BAD_POLICY, "no/such"},
                {"{\"policies\": [\"a\"], \"texts\": {}}", ORDAIN_INVALID_ARGUMENT, "policies"},
                {"{\"texts\": {\"a\": \"\"}, \"mode\": \"obsreve\"}", ORDAIN_INVALID_ARGUMENT, "mode"},
                {"{\"texts\": {\"a\": \"\"}, \"budget\": 0}", ORDAIN_INVALID_ARGUMENT, "budget"},
                {"{\"texts\": {\"a\": \"\"}, \"budget\": \"9\"}", ORDAIN_INVALID_ARGUMENT, "budget"},
                {"{\"texts\": {\"a\": \"\"}, \"native\": 1}", ORDAIN_INVALID_ARGUMENT, "native"},
                {"{\"texts\": {\"a\": \"\"}, \"attributes\": []}", ORDAIN_INVALID_ARGUMENT, "attributes"},
                {"{\"texts\": {\"a\": \"\"}, \"databse\": \"x\"}", ORDAIN_INVALID_ARGUMENT, "databse"},
                {"{\"texts\": {\"a\": \"policy any on before * { allow; }\"}, \"approval_expires_seconds\": 0}",
                 ORDAIN_REFUSED, "invalid_options: "},
                {"{\"texts\": {\"a\": \"\"}, \"trusted_keys\": [\"x\"]}", ORDAIN_REFUSED, "bad_key: "},
                {"{\"texts\": {\"a\": \"\"}, \"operator_key\": \"/no/such\"}", ORDAIN_REFUSED, "key_unreadable: "}};
  size_t i;
  for (i = 0; i < sizeof kCases / sizeof *kCases; ++i) {
    ordain_error error = ORDAIN_ERROR_INIT;
    ordain_runtime* runtime = (ordain_runtime*)(void*)&error;
    FAILS(ordain_runtime_open(kCases[i].options, ORDAIN_NUL_TERMINATED, &runtime, &error), kCases[i].status,
          kCases[i].part);
    CHECK(runtime == NULL);
  }
}

static void check_null(ordain_runtime* runtime) {
  ordain_bytes bytes = ORDAIN_BYTES_INIT;
  ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
  ordain_begun_call* begun = NULL;
  ordain_call call = call_of(kSmall);
  const size_t end = ORDAIN_NUL_TERMINATED;
  CHECK(ordain_runtime_open(NULL, 0, &runtime, NULL) == ORDAIN_INVALID_ARGUMENT && runtime == NULL);
  CHECK(ordain_runtime_open("{}", end, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_compile("{}", end, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_reload(NULL, "{}", end, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_warnings(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_identity_make(NULL, "{}", end, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_evaluate(NULL, NULL, NULL, &call, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_begin(NULL, NULL, NULL, &call, &begun, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_authorize(NULL, NULL, NULL, &call, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_begun_finish(NULL, &outcome, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_approvals_list(NULL, NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_approvals_show(NULL, "0123", &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_approvals_vote(NULL, NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_audit_query(NULL, "{}", end, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_audit_verify(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_flush(NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_health(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_runtime_metrics(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  ordain_runtime_close(NULL);
  ordain_identity_free(NULL);
  ordain_begun_free(NULL);
  CHECK(strcmp(ordain_status_name(ORDAIN_REFUSED), "refused") == 0);
}

/* Arguments that begin nothing. */
static void check_refusals(ordain_runtime* runtime) {
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_begun_call* begun = NULL;
  ordain_call call = call_of(kSmall);
  call.stage = ORDAIN_AFTER;
  FAILS(ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, &error), ORDAIN_INVALID_ARGUMENT, "stage");
  call = call_of(kSmall);
  call.output = "{}";
  FAILS(ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, &error), ORDAIN_INVALID_ARGUMENT, "output");
  call = call_of(kSmall);
  call.version = 1;
  FAILS(ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, &error), ORDAIN_INVALID_ARGUMENT, "version");
  call = call_of(kSmall);
  FAILS(ordain_runtime_begin(runtime, NULL, NULL, &call, NULL, &answer, &error), ORDAIN_INVALID_ARGUMENT, "begun");
  answer.size = 4;
  FAILS(ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, &error), ORDAIN_INVALID_ARGUMENT, "answer");
  CHECK(begun == NULL);
}

/* Each thread carries out calls, and counts what is not as it should be. */
struct Job {
  ordain_runtime* runtime;
  int wrong;
};

static void* call_often(void* argument) {
  struct Job* job = argument;
  int i;
  for (i = 0; i < 50; ++i) {
    ordain_bytes answer = ORDAIN_BYTES_INIT;
    ordain_begun_call* begun = NULL;
    const ordain_call call = call_of(kSmall);
    ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
    outcome.ending = ORDAIN_DONE;
    if (ordain_runtime_begin(job->runtime, NULL, NULL, &call, &begun, &answer, NULL) != ORDAIN_OK || begun == NULL) {
      ++job->wrong;
      return NULL;
    }
    ordain_bytes_free(&answer);
    if (ordain_begun_finish(begun, &outcome, &answer, NULL) != ORDAIN_OK || !has(&answer, "\"done\"")) ++job->wrong;
    ordain_bytes_free(&answer);
    ordain_begun_free(begun);
  }
  return NULL;
}

static void check_threads(ordain_runtime* runtime) {
  pthread_t threads[4];
  struct Job jobs[4];
  int i;
  for (i = 0; i < 4; ++i) {
    jobs[i].runtime = runtime;
    jobs[i].wrong = 0;
    if (pthread_create(&threads[i], NULL, call_often, &jobs[i]) != 0) abort();
  }
  for (i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(jobs[i].wrong == 0);
  }
}

/* In a child process, calls are denied. */
static void check_fork(ordain_runtime* runtime) {
  int status = -1;
  const pid_t child = fork();
  if (child == 0) {
    ordain_bytes answer = ORDAIN_BYTES_INIT;
    ordain_begun_call* begun = NULL;
    const ordain_call call = call_of(kSmall);
    const ordain_status begun_as = ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, NULL);
    _exit(begun_as == ORDAIN_OK && begun == NULL && has(&answer, "\"audit_unavailable\"") ? 0 : 1);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char** argv) {
  char remove[64];
  ordain_runtime* runtime;
  if (argc != 2 || mkdtemp(directory) == NULL) {
    fprintf(stderr, "usage: c_api_runtime_test POLICIES\n");
    return 2;
  }
  runtime = open_with_record(argv[1]);
  check_calls(runtime);
  check_approvals(runtime);
  check_record(runtime);
  check_identities(runtime);
  check_evaluate(runtime);
  check_authorize(runtime);
  check_refusals(runtime);
  check_threads(runtime);
  check_fork(runtime);
  ordain_runtime_close(runtime);
  runtime = open_with_record(argv[1]); /* what was queued was written, and the record is whole */
  check_threads(runtime);
  ordain_runtime_close(runtime);
  check_null(NULL);
  check_reload(argv[1]);
  check_compile();
  check_options();
  snprintf(remove, sizeof remove, "rm -rf %s", directory);
  CHECK(system(remove) == 0);
  printf(failures == 0 ? "all checks hold\n" : "some checks do not hold\n");
  return failures == 0 ? 0 : 1;
}
