/* The example of docs/embedding.md: a call that this program executes by itself, governed by a runtime. Exit 0 if it
 * was carried out and recorded. */
#include <ordain/c.h>
#include <stdio.h>
#include <string.h>

static const char kOptions[] =
    "{\"texts\": {\"notes.policy\": \"policy notes on before write_note { allow; }\"}, \"agent\": \"support\"}";

static const char* write_note(const char* answer) {
  return strstr(answer, "\"hello\"") != NULL ? "{\"lines\": 1}" : "{}";
}

int main(void) {
  ordain_runtime* runtime = NULL;
  ordain_error error = ORDAIN_ERROR_INIT;
  if (ordain_runtime_open(kOptions, ORDAIN_NUL_TERMINATED, &runtime, &error) != ORDAIN_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  ordain_call call = ORDAIN_CALL_INIT;
  call.capability = "write_note";
  call.input = "{\"text\": \"hello\"}";

  int done = 0;
  ordain_begun_call* begun = NULL;
  ordain_bytes answer = ORDAIN_BYTES_INIT;
  if (ordain_runtime_begin(runtime, NULL, NULL, &call, &begun, &answer, NULL) == ORDAIN_OK && begun != NULL) {
    ordain_outcome outcome = ORDAIN_OUTCOME_INIT;
    outcome.ending = ORDAIN_DONE;
    outcome.output = write_note((const char*)answer.data);
    ordain_bytes_free(&answer);
    ordain_begun_finish(begun, &outcome, &answer, NULL);
    done = answer.data != NULL && strstr((const char*)answer.data, "\"state\":\"done\"") != NULL;
    ordain_begun_free(begun);
  }
  puts(answer.data != NULL ? (const char*)answer.data : "nothing has begun");
  ordain_bytes_free(&answer);
  ordain_runtime_close(runtime);
  return done ? 0 : 1;
}
