/* This test uses the C interface as a C program would: decisions, failures, and 4 threads on one engine.
 * Usage: c_api_test POLICIES, the policies of examples/embed. Exit 0 if every check holds. */
#define _DEFAULT_SOURCE
#include <ordain/c.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
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
static const char* const kWrong = "{\"customer_id\": \"c-17\", \"amount_usd\": \"25\"}";

/* A call of a capability in the stage before, without facts of the host. */
static ordain_call call_of(const char* capability, const char* input) {
  ordain_call call = ORDAIN_CALL_INIT;
  call.capability = capability;
  call.input = input;
  return call;
}

/* The effect of a call, or -1 - status; checks code and reason, and that the JSON or the message has `part`. */
static int effect_with(ordain_engine* engine, const char* host, const ordain_call* call, const char* part) {
  ordain_facts facts = ORDAIN_FACTS_INIT;
  ordain_decision decision = ORDAIN_DECISION_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_status status;
  int effect;
  facts.json = host;
  status = ordain_decide(engine, &facts, call, &decision, &error);
  effect = decision.effect;
  CHECK(decision.code != NULL && decision.reason != NULL && decision.reason[0] != '\0');
  if (status != ORDAIN_OK) {
    CHECK(error.status == status);
    CHECK(error.message != NULL && strstr(error.message, part) != NULL);
    CHECK(decision.json == NULL && decision.effect == ORDAIN_DENY);
    CHECK(strcmp(decision.code, ordain_status_name(status)) == 0);
    CHECK(strcmp(decision.reason, error.message) == 0);
    effect = -1 - status;
  } else {
    CHECK(error.message == NULL);
    CHECK(strlen(decision.json) == decision.json_length);
    CHECK(strstr(decision.json, part) != NULL);
    CHECK(strstr(decision.json, decision.code) != NULL);
  }
  ordain_decision_free(&decision);
  CHECK(decision.effect == ORDAIN_DENY && decision.json == NULL);
  ordain_decision_free(&decision);
  ordain_error_free(&error);
  return effect;
}

static int effect_of(ordain_engine* engine, const char* capability, const char* input, const char* part) {
  const ordain_call call = call_of(capability, input);
  return effect_with(engine, NULL, &call, part);
}

static void check_decisions(ordain_engine* engine) {
  ordain_call call;
  CHECK(effect_of(engine, kRefund, kSmall, "\"rule\": \"refunds.small\"") == ORDAIN_ALLOW);
  CHECK(effect_of(engine, kRefund, kLarge, "\"from\": [\"team-lead\"], \"expires_seconds\": 1800") ==
        ORDAIN_REQUIRE_APPROVAL);
  CHECK(effect_of(engine, kRefund, kWrong, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, "unheard_of", NULL, "\"code\": \"default\"") == ORDAIN_DENY);
  /* Whatever the agent sends is decided; it is never an error of the host. */
  CHECK(effect_of(engine, kRefund, "{", "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, kRefund, "", "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, kRefund, "[]", "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, kRefund, NULL, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  call = call_of(kRefund, kSmall);
  call.metadata = "{\"x\": ";
  CHECK(effect_with(engine, NULL, &call, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  call = call_of(kRefund, kSmall);
  call.stage = ORDAIN_AFTER;
  call.output = "{\"message\": \"done\"}";
  CHECK(effect_with(engine, NULL, &call, "\"stage\": \"after\"") == ORDAIN_ALLOW);
  call.output = "{";
  CHECK(effect_with(engine, NULL, &call, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
}

/* What the host says: facts of its own, and nothing else. */
static void check_facts(ordain_engine* engine) {
  static const char* const kUnreadable[] = {"",
                                            "{",
                                            "[]",
                                            "{\"input\": {}}",
                                            "{\"output\": 1}",
                                            "{\"metadata\": {}}",
                                            "{\"capability\": \"refund_customer\"}",
                                            "{\"stage\": \"before\"}",
                                            "{\"agnet\": \"bo\"}",
                                            "{\"now\": 1}",
                                            "{\"risk\": \"huge\"}"};
  const ordain_call call = call_of(kRefund, kSmall);
  size_t i;
  for (i = 0; i < sizeof kUnreadable / sizeof *kUnreadable; ++i) {
    CHECK(effect_with(engine, kUnreadable[i], &call, "") == -1 - ORDAIN_BAD_CALL);
  }
  CHECK(effect_with(engine, "{\"agent\": {\"id\": \"bo\"}, \"now\": \"2024-05-01T12:00:00Z\", \"risk\": 2}", &call,
                    "refunds.small") == ORDAIN_ALLOW);
}

/* Makes an engine whose only rule asks who the agent is, from a file of its own. */
static ordain_engine* open_trusting(void) {
  static const char kText[] = "policy who on before * { allow trusted when agent.id == \"boss\"; }\n";
  char path[] = "/tmp/ordain_c_api_XXXXXX.policy";
  const char* const paths[] = {path};
  ordain_engine* engine = NULL;
  const int file = mkstemps(path, 7);
  if (file < 0 || write(file, kText, sizeof kText - 1) != (ssize_t)(sizeof kText - 1)) abort();
  close(file);
  CHECK(ordain_open(paths, 1, NULL, &engine, NULL) == ORDAIN_OK);
  unlink(path);
  return engine;
}

/* The agent's texts set nothing but themselves. */
static void check_no_smuggling(void) {
  static const char kClaims[] = "{\"agent\": {\"id\": \"boss\"}, \"agent.id\": \"boss\", \"principal\": \"boss\"}";
  ordain_engine* engine = open_trusting();
  ordain_call call = call_of("any", kClaims);
  CHECK(effect_with(engine, "{\"agent\": \"boss\"}", &call, "who.trusted") == ORDAIN_ALLOW);
  call.metadata = kClaims;
  CHECK(effect_with(engine, NULL, &call, "\"code\": \"default\"") == ORDAIN_DENY);
  CHECK(effect_with(engine, "{\"agent\": \"intern\"}", &call, "\"code\": \"default\"") == ORDAIN_DENY);
  call.input = "{}, \"agent\": {\"id\": \"boss\"}, \"input\": {}";
  CHECK(effect_with(engine, NULL, &call, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  ordain_close(engine);
}

static void check_lengths(ordain_engine* engine) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  char input[256], name[64];
  ordain_call call;
  snprintf(input, sizeof input, "%s and more", kSmall);
  snprintf(name, sizeof name, "%s and more", kRefund);
  call = call_of(name, input);
  call.capability_length = strlen(kRefund);
  call.input_length = strlen(kSmall);
  CHECK(ordain_decide(engine, NULL, &call, &decision, NULL) == ORDAIN_OK);
  CHECK(decision.effect == ORDAIN_ALLOW);
  ordain_decision_free(&decision);
  call.input_length = ORDAIN_NUL_TERMINATED;
  CHECK(ordain_decide(engine, NULL, &call, &decision, NULL) == ORDAIN_OK);
  CHECK(decision.effect == ORDAIN_DENY && strcmp(decision.code, "invalid_input") == 0);
  ordain_decision_free(&decision);
}

static void check_null(ordain_engine* engine, const char* path) {
  ordain_bytes bytes = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* none = engine;
  const char* const missing[] = {NULL};
  const char* const paths[] = {path};
  CHECK(ordain_open(NULL, 1, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT && none == NULL);
  CHECK(ordain_open(paths, 0, NULL, &none, &error) == ORDAIN_INVALID_ARGUMENT && none == NULL);
  ordain_error_free(&error);
  CHECK(ordain_open(missing, 1, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open(paths, 1, NULL, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open_program(NULL, 5, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_serialise(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_serialise(engine, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  ordain_close(NULL);
  ordain_decision_free(NULL);
  ordain_bytes_free(NULL);
  ordain_error_free(NULL);
}

/* Every way to refuse the arguments of ordain_decide leaves a denial in a decision that allowed the last call. */
static void check_refusals(ordain_engine* engine) {
  enum {
    NO_ENGINE,
    NO_CALL,
    NO_CAPABILITY,
    CALL_VERSION,
    CALL_SIZE,
    STAGE,
    FACTS_VERSION,
    FACTS_SIZE,
    ERROR_VERSION,
    DECISION_VERSION,
    DECISION_SIZE,
    KINDS
  };
  int kind;
  for (kind = 0; kind < KINDS; ++kind) {
    ordain_facts facts = ORDAIN_FACTS_INIT;
    ordain_call call = call_of(kRefund, kSmall);
    ordain_decision decision = ORDAIN_DECISION_INIT;
    ordain_error error = ORDAIN_ERROR_INIT;
    CHECK(ordain_decide(engine, &facts, &call, &decision, &error) == ORDAIN_OK);
    CHECK(decision.effect == ORDAIN_ALLOW);
    ordain_decision_free(&decision);
    decision.effect = ORDAIN_ALLOW;
    if (kind == NO_CAPABILITY) call.capability = NULL;
    if (kind == CALL_VERSION) call.version = 1;
    if (kind == CALL_SIZE) call.size = 8;
    if (kind == STAGE) call.stage = 2;
    if (kind == FACTS_VERSION) facts.version = 1;
    if (kind == FACTS_SIZE) facts.size = 8;
    if (kind == ERROR_VERSION) error.version = 1;
    if (kind == DECISION_VERSION) decision.version = 3;
    if (kind == DECISION_SIZE) decision.size = sizeof decision - 1;
    CHECK(ordain_decide(kind == NO_ENGINE ? NULL : engine, &facts, kind == NO_CALL ? NULL : &call, &decision, &error) ==
          ORDAIN_INVALID_ARGUMENT);
    CHECK(decision.effect == ORDAIN_DENY);
    if (kind != DECISION_VERSION && kind != DECISION_SIZE) {
      CHECK(strcmp(decision.code, "invalid_argument") == 0 && decision.reason[0] != '\0' && decision.json == NULL);
    }
    ordain_decision_free(&decision);
    if (kind != ERROR_VERSION) ordain_error_free(&error);
  }
}

/* A program that was built with version 1 passes an event and its length, with a decision and an error of version 1. It
 * is refused before these are read, and its decision stays the denial (2) that its macro made. */
static void check_version_1(ordain_engine* engine) {
  struct {
    size_t size;
    uint32_t version;
    int32_t effect;
    char* json;
    size_t json_length;
  } decision = {0, 1, 2, NULL, 0};
  ordain_error error = ORDAIN_ERROR_INIT;
  const ordain_facts* const event = (const ordain_facts*)(const void*)"{}";
  const ordain_call* const length = (const ordain_call*)(size_t)-1;
  decision.size = sizeof decision;
  error.version = 1;
  CHECK(ordain_decide(engine, event, length, (ordain_decision*)(void*)&decision, &error) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_decide(engine, event, length, (ordain_decision*)(void*)&decision, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(decision.effect == 2 && decision.json == NULL && error.message == NULL);
}

static void check_versions(ordain_engine* engine, const char* path) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  ordain_options options = ORDAIN_OPTIONS_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* other = NULL;
  const char* const paths[] = {path};
  const ordain_call call = call_of(kRefund, kSmall);

  decision.version = 99;
  CHECK(ordain_decide(engine, NULL, &call, &decision, &error) == ORDAIN_INVALID_ARGUMENT);
  CHECK(error.message != NULL && strstr(error.message, "version") != NULL);
  ordain_error_free(&error);
  CHECK(ordain_decide(engine, NULL, &call, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.size = 4;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.size = sizeof options;
  options.version = 1;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.version = ORDAIN_ABI_VERSION;
  options.default_before = 7;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.default_before = -1;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.default_before = ORDAIN_ALLOW;
  options.native = 0;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_OK);
  CHECK(effect_of(other, "unheard_of", NULL, "\"code\": \"default\"") == ORDAIN_ALLOW);
  ordain_close(other);
  memset(&options, 0, sizeof options); /* what is not said denies */
  options.size = sizeof options;
  options.version = ORDAIN_ABI_VERSION;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_OK);
  CHECK(effect_of(other, "unheard_of", NULL, "\"code\": \"default\"") == ORDAIN_DENY);
  ordain_close(other);
  error.size = 1;
  CHECK(ordain_open(paths, 1, NULL, &other, &error) == ORDAIN_INVALID_ARGUMENT);
}

static void check_programs(ordain_engine* engine) {
  ordain_bytes bytes = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* loaded = NULL;
  CHECK(ordain_serialise(engine, &bytes, NULL) == ORDAIN_OK);
  CHECK(bytes.length > 0);
  CHECK(ordain_open_program(bytes.data, bytes.length, NULL, &loaded, NULL) == ORDAIN_OK);
  check_decisions(loaded);
  ordain_close(loaded);
  CHECK(ordain_open_program(bytes.data, bytes.length / 2, NULL, &loaded, &error) == ORDAIN_BAD_PROGRAM);
  CHECK(loaded == NULL && error.message != NULL);
  ordain_error_free(&error);
  ordain_bytes_free(&bytes);
  ordain_bytes_free(&bytes);
}

static void check_bad_policies(void) {
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* engine = NULL;
  const char* const paths[] = {"no/such/file.policy"};
  CHECK(ordain_open(paths, 1, NULL, &engine, &error) == ORDAIN_BAD_POLICY);
  CHECK(engine == NULL && error.message != NULL && strstr(error.message, "no/such/file.policy") != NULL);
  ordain_error_free(&error);
  CHECK(strcmp(ordain_status_name(ORDAIN_BAD_POLICY), "bad_policy") == 0);
  CHECK(strcmp(ordain_status_name(1234), "unknown") == 0);
}

static void check_budget(ordain_engine* engine) {
  ordain_error error = ORDAIN_ERROR_INIT;
  CHECK(ordain_set_budget(engine, 0, &error) == ORDAIN_INVALID_ARGUMENT);
  CHECK(error.message != NULL && strstr(error.message, "from 1 to 1000000000 steps") != NULL);
  ordain_error_free(&error);
  CHECK(ordain_set_budget(engine, ORDAIN_MAX_BUDGET + 1, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_set_budget(NULL, 1, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_set_budget(engine, 1, NULL) == ORDAIN_OK);
  CHECK(ordain_set_budget(engine, ORDAIN_MAX_BUDGET, &error) == ORDAIN_OK);
  check_decisions(engine);
  CHECK(ordain_set_budget(engine, 1000000, &error) == ORDAIN_OK);
}

/* Each thread decides both calls many times, and counts what is not as it should be. */
struct Job {
  ordain_engine* engine;
  int wrong;
};

static void* decide_many(void* argument) {
  struct Job* job = argument;
  int i;
  for (i = 0; i < 2000; ++i) {
    ordain_decision decision = ORDAIN_DECISION_INIT;
    const int large = i % 2;
    const ordain_call call = call_of(kRefund, large ? kLarge : kSmall);
    if (ordain_decide(job->engine, NULL, &call, &decision, NULL) != ORDAIN_OK ||
        decision.effect != (large ? ORDAIN_REQUIRE_APPROVAL : ORDAIN_ALLOW) ||
        strstr(decision.json, large ? "refunds.large" : "refunds.small") == NULL) {
      ++job->wrong;
    }
    ordain_decision_free(&decision);
  }
  return NULL;
}

static void check_threads(ordain_engine* engine) {
  pthread_t threads[4];
  struct Job jobs[4];
  int i;
  for (i = 0; i < 4; ++i) {
    jobs[i].engine = engine;
    jobs[i].wrong = 0;
    if (pthread_create(&threads[i], NULL, decide_many, &jobs[i]) != 0) abort();
  }
  for (i = 0; i < 4; ++i) {
    pthread_join(threads[i], NULL);
    CHECK(jobs[i].wrong == 0);
  }
}

int main(int argc, char** argv) {
  ordain_engine* engine = NULL;
  ordain_error error = ORDAIN_ERROR_INIT;
  const char* paths[1];
  if (argc != 2) {
    fprintf(stderr, "usage: c_api_test POLICIES\n");
    return 2;
  }
  paths[0] = argv[1];
  if (ordain_open(paths, 1, NULL, &engine, &error) != ORDAIN_OK) {
    fprintf(stderr, "%s\n", error.message != NULL ? error.message : "no message");
    ordain_error_free(&error);
    return 1;
  }
  check_decisions(engine);
  check_lengths(engine);
  check_facts(engine);
  check_no_smuggling();
  check_null(engine, argv[1]);
  check_refusals(engine);
  check_version_1(engine);
  check_versions(engine, argv[1]);
  check_programs(engine);
  check_bad_policies();
  check_budget(engine);
  check_threads(engine);
  ordain_close(engine);
  printf(failures == 0 ? "all checks hold\n" : "some checks do not hold\n");
  return failures == 0 ? 0 : 1;
}
