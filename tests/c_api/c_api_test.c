/* This test uses the C interface as a C program would: decisions, failures, and 4 threads on one engine.
 * Usage: c_api_test POLICIES, the policies of examples/embed. Exit 0 if every check holds. */
#define _POSIX_C_SOURCE 200809L
#include <ordain/c.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)

static const char* const kSmall =
    "{\"capability\": \"refund_customer\", \"input\": {\"customer_id\": \"c-17\", \"amount_usd\": 25}}";
static const char* const kLarge =
    "{\"capability\": \"refund_customer\", \"input\": {\"customer_id\": \"c-17\", \"amount_usd\": 500}}";
static const char* const kWrong =
    "{\"capability\": \"refund_customer\", \"input\": {\"customer_id\": \"c-17\", \"amount_usd\": \"25\"}}";

/* The effect of an event, or -1 - status; checks that the JSON has `part`. */
static int effect_of(ordain_engine* engine, const char* event, const char* part) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  const ordain_status status = ordain_decide(engine, event, ORDAIN_NUL_TERMINATED, &decision, &error);
  int effect = decision.effect;
  if (status != ORDAIN_OK) {
    CHECK(error.status == status);
    CHECK(error.message != NULL && strstr(error.message, part) != NULL);
    CHECK(decision.json == NULL && decision.effect == ORDAIN_DENY);
    effect = -1 - status;
  } else {
    CHECK(error.message == NULL);
    CHECK(strlen(decision.json) == decision.json_length);
    CHECK(strstr(decision.json, part) != NULL);
  }
  ordain_decision_free(&decision);
  ordain_decision_free(&decision);
  ordain_error_free(&error);
  return effect;
}

static void check_decisions(ordain_engine* engine) {
  CHECK(effect_of(engine, kSmall, "\"rule\": \"refunds.small\"") == ORDAIN_ALLOW);
  CHECK(effect_of(engine, kLarge, "\"from\": [\"team-lead\"], \"expires_seconds\": 1800") == ORDAIN_REQUIRE_APPROVAL);
  CHECK(effect_of(engine, kWrong, "\"code\": \"invalid_input\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, "{\"capability\": \"unheard_of\"}", "\"code\": \"default\"") == ORDAIN_DENY);
  CHECK(effect_of(engine, "{", "") == -1 - ORDAIN_BAD_EVENT);
  CHECK(effect_of(engine, "[]", "JSON object") == -1 - ORDAIN_BAD_EVENT);
  CHECK(effect_of(engine, "", "") == -1 - ORDAIN_BAD_EVENT);
}

static void check_lengths(ordain_engine* engine) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  char padded[256];
  snprintf(padded, sizeof padded, "%s and more", kSmall);
  CHECK(ordain_decide(engine, padded, strlen(kSmall), &decision, NULL) == ORDAIN_OK);
  CHECK(decision.effect == ORDAIN_ALLOW);
  ordain_decision_free(&decision);
  CHECK(ordain_decide(engine, padded, ORDAIN_NUL_TERMINATED, &decision, NULL) == ORDAIN_BAD_EVENT);
}

static void check_null(ordain_engine* engine, const char* path) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  ordain_bytes bytes = ORDAIN_BYTES_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* none = engine;
  const char* const missing[] = {NULL};
  const char* const paths[] = {path};

  CHECK(ordain_open(NULL, 1, NULL, &none, &error) == ORDAIN_INVALID_ARGUMENT);
  CHECK(none == NULL && error.message != NULL);
  ordain_error_free(&error);
  CHECK(ordain_open(paths, 0, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open(missing, 1, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open(paths, 1, NULL, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open_program(NULL, 0, NULL, &none, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_open_program("x", 1, NULL, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_serialise(NULL, &bytes, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_serialise(engine, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_decide(NULL, kSmall, ORDAIN_NUL_TERMINATED, &decision, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_decide(engine, NULL, ORDAIN_NUL_TERMINATED, &decision, NULL) == ORDAIN_INVALID_ARGUMENT);
  CHECK(ordain_decide(engine, kSmall, ORDAIN_NUL_TERMINATED, NULL, NULL) == ORDAIN_INVALID_ARGUMENT);
  ordain_close(NULL);
  ordain_decision_free(NULL);
  ordain_bytes_free(NULL);
  ordain_error_free(NULL);
}

static void check_versions(ordain_engine* engine, const char* path) {
  ordain_decision decision = ORDAIN_DECISION_INIT;
  ordain_options options = ORDAIN_OPTIONS_INIT;
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_engine* other = NULL;
  const char* const paths[] = {path};

  decision.version = 99;
  CHECK(ordain_decide(engine, kSmall, ORDAIN_NUL_TERMINATED, &decision, &error) == ORDAIN_INVALID_ARGUMENT);
  CHECK(error.message != NULL && strstr(error.message, "version") != NULL);
  ordain_error_free(&error);
  options.size = 4;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.size = sizeof options;
  options.default_before = 7;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_INVALID_ARGUMENT);
  options.default_before = ORDAIN_ALLOW;
  options.native = 0;
  CHECK(ordain_open(paths, 1, &options, &other, NULL) == ORDAIN_OK);
  CHECK(effect_of(other, "{\"capability\": \"unheard_of\"}", "\"code\": \"default\"") == ORDAIN_ALLOW);
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

/* Each thread decides both events many times, and counts what is not as it should be. */
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
    if (ordain_decide(job->engine, large ? kLarge : kSmall, ORDAIN_NUL_TERMINATED, &decision, NULL) != ORDAIN_OK ||
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
  check_null(engine, argv[1]);
  check_versions(engine, argv[1]);
  check_programs(engine);
  check_bad_policies();
  check_threads(engine);
  ordain_close(engine);
  printf(failures == 0 ? "all checks hold\n" : "some checks do not hold\n");
  return failures == 0 ? 0 : 1;
}
