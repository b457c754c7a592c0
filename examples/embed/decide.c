/* Decides one call from C: decide POLICIES CAPABILITY INPUT prints the decision. INPUT is JSON, as an agent sent it.
 * Exit 0 allowed, 1 not allowed, 2 error. */
#include <ordain/c.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const char* const paths[] = {argv[1]};

  ordain_engine* engine = NULL;
  ordain_error error = ORDAIN_ERROR_INIT;
  if (ordain_open(paths, 1, NULL, &engine, &error) != ORDAIN_OK) {
    fprintf(stderr, "%s\n", error.message);
    ordain_error_free(&error);
    return 2;
  }

  ordain_facts facts = ORDAIN_FACTS_INIT;  // what the host knows
  facts.json = "{\"agent\": {\"id\": \"support\"}, \"environment\": \"prod\"}";
  ordain_call call = ORDAIN_CALL_INIT;  // what the agent wants
  call.capability = argv[2];
  call.input = argv[3];

  ordain_decision decision = ORDAIN_DECISION_INIT;
  if (ordain_decide(engine, &facts, &call, &decision, &error) == ORDAIN_OK) {
    puts(decision.json);
  } else {
    fprintf(stderr, "%s: %s\n", decision.code, decision.reason);
  }
  const int code = decision.json == NULL ? 2 : decision.effect == ORDAIN_ALLOW ? 0 : 1;

  ordain_decision_free(&decision);
  ordain_error_free(&error);
  ordain_close(engine);
  return code;
}
