/* Decides one event from C: decide POLICIES EVENT prints the decision. Exit 0 allowed, 1 not allowed, 2 error. */
#include <ordain/c.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const char* const paths[] = {argv[1]};

  ordain_engine* engine = NULL;
  ordain_error error = ORDAIN_ERROR_INIT;
  if (ordain_open(paths, 1, NULL, &engine, &error) != ORDAIN_OK) {
    fprintf(stderr, "%s\n", error.message);
    ordain_error_free(&error);
    return 2;
  }

  ordain_decision decision = ORDAIN_DECISION_INIT;
  if (ordain_decide(engine, argv[2], ORDAIN_NUL_TERMINATED, &decision, &error) == ORDAIN_OK) {
    puts(decision.json);
  } else {
    fprintf(stderr, "%s\n", error.message);
  }
  const int code = decision.json == NULL ? 2 : decision.effect == ORDAIN_ALLOW ? 0 : 1;

  ordain_decision_free(&decision);
  ordain_error_free(&error);
  ordain_close(engine);
  return code;
}
