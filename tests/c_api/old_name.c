/* A program that includes the C interface by its old name still compiles, alone and beside the new name. */
#include <ordain.h>

#include <ordain/c.h>

int main(void) {
  ordain_error error = ORDAIN_ERROR_INIT;
  ordain_call call = ORDAIN_CALL_INIT;
  ordain_decision decision = ORDAIN_DECISION_INIT;
  const ordain_status status = ordain_decide(NULL, NULL, &call, &decision, &error);
  const int refused = status == ORDAIN_INVALID_ARGUMENT && decision.effect == ORDAIN_DENY && error.message != NULL;
  ordain_decision_free(&decision);
  ordain_error_free(&error);
  return refused ? 0 : 1;
}
