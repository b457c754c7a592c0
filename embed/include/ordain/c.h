/* The interface to Ordain for C, and for every language that can call C. C++ programs include
 * <ordain/ordain.h> instead.
 *
 * An engine is a set of policies, ready to decide. Any number of threads may decide with one engine
 * at the same time. Every function returns a status, never throws, and writes its
 * results through its arguments. Structs carry their size and version, so that they can grow:
 * initialise them with the macros. A null pointer where none is allowed gives
 * ORDAIN_INVALID_ARGUMENT. docs/embedding.md has an example.
 *
 * A decision is a denial unless the engine allowed the call: a struct of zeros, a struct that its
 * macro initialised, one that was freed, and one that a failed call filled all say ORDAIN_DENY.
 */
#ifndef ORDAIN_C_H
#define ORDAIN_C_H

#include <stddef.h>
#include <stdint.h>

#include "ordain/export.h"

#ifdef __cplusplus
extern "C" {
#define ORDAIN_NOEXCEPT noexcept
#else
#define ORDAIN_NOEXCEPT
#endif

#define ORDAIN_ABI_VERSION 2u

/* Pass this as a length if the text ends with a NUL. */
#define ORDAIN_NUL_TERMINATED ((size_t)-1)

/* The values never change within a version. */
enum {
  ORDAIN_OK = 0,
  ORDAIN_INVALID_ARGUMENT = 1, /* a null pointer, a struct of another size or version, a value out of range */
  ORDAIN_BAD_POLICY = 2,       /* policies that cannot be read or have errors; the message says where and why */
  ORDAIN_BAD_PROGRAM = 3,      /* bytes that are not a program, or are of another version */
  ORDAIN_BAD_CALL = 4,         /* facts of the host that cannot be read; what the agent sent is denied instead */
  ORDAIN_NO_MEMORY = 5,
  ORDAIN_INTERNAL = 6 /* a defect of Ordain; please report it */
};
typedef int32_t ordain_status;

enum { ORDAIN_DENY = 0, ORDAIN_REQUIRE_APPROVAL = 1, ORDAIN_ALLOW = 2 };
typedef int32_t ordain_effect;

enum { ORDAIN_BEFORE = 0, ORDAIN_AFTER = 1 };
typedef int32_t ordain_stage;

typedef struct ordain_engine ordain_engine;

/* How an engine decides. */
typedef struct ordain_options {
  size_t size;
  uint32_t version;
  ordain_effect default_before; /* if no rule matches before a call; afterwards the default is to release the output */
  int32_t native; /* not 0: make native code in the background (if built in); decisions never wait for it */
} ordain_options;
#define ORDAIN_OPTIONS_INIT {sizeof(ordain_options), ORDAIN_ABI_VERSION, ORDAIN_DENY, 1}

/* What went wrong. It is always optional: pass NULL if only the status matters. After a failed call,
 * `message` is a text to free with ordain_error_free, or NULL if there was no memory for it; after a
 * successful call it is NULL. A previous message is not freed. */
typedef struct ordain_error {
  size_t size;
  uint32_t version;
  ordain_status status;
  char* message; /* UTF-8, NUL-terminated */
} ordain_error;
#define ORDAIN_ERROR_INIT {sizeof(ordain_error), ORDAIN_ABI_VERSION, ORDAIN_OK, NULL}

/* What the host knows: a JSON object that may have the keys agent, principal, tenant, environment,
 * session, resource, action, risk and now, with the meanings that docs/cli.md gives them. Any other
 * key is an error. Nothing that an agent sent belongs here. */
typedef struct ordain_facts {
  size_t size;
  uint32_t version;
  const char* json; /* NULL: no facts */
  size_t json_length;
} ordain_facts;
#define ORDAIN_FACTS_INIT {sizeof(ordain_facts), ORDAIN_ABI_VERSION, NULL, ORDAIN_NUL_TERMINATED}

/* The call to decide. The host names the capability and the stage. The texts below them are JSON as
 * the agent sent it: they set `input`, `output` and `metadata` and no fact of the host, whatever
 * keys they have. NULL stands for an absent text. */
typedef struct ordain_call {
  size_t size;
  uint32_t version;
  ordain_stage stage;
  const char* capability;
  size_t capability_length;
  const char* input;
  size_t input_length;
  const char* output; /* only in the stage ORDAIN_AFTER */
  size_t output_length;
  const char* metadata;
  size_t metadata_length;
} ordain_call;
#define ORDAIN_CALL_INIT                      \
  {sizeof(ordain_call),   ORDAIN_ABI_VERSION, \
   ORDAIN_BEFORE,         NULL,               \
   ORDAIN_NUL_TERMINATED, NULL,               \
   ORDAIN_NUL_TERMINATED, NULL,               \
   ORDAIN_NUL_TERMINATED, NULL,               \
   ORDAIN_NUL_TERMINATED}

/* One decision. After every call of ordain_decide, `code` and `reason` say why it is so, also if the
 * call failed; then `code` is the name of the status. `json` is the object that `ordain eval --json`
 * prints, or NULL after a failure; its "event" counts the engine's decisions from 1. */
typedef struct ordain_decision {
  size_t size;
  uint32_t version;
  ordain_effect effect; /* ORDAIN_DENY unless ordain_decide returned ORDAIN_OK */
  const char* code;     /* "rule", "default", "invalid_input", "bad_call", ...; never freed */
  const char* reason;   /* UTF-8, NUL-terminated; valid until ordain_decision_free */
  const char* json;     /* UTF-8, NUL-terminated; valid until ordain_decision_free */
  size_t json_length;   /* without the NUL */
  void* memory;         /* the library's own */
} ordain_decision;
#define ORDAIN_DECISION_INIT {sizeof(ordain_decision), ORDAIN_ABI_VERSION, ORDAIN_DENY, NULL, NULL, NULL, 0, NULL}

#define ORDAIN_MAX_BUDGET UINT64_C(1000000000)

/* Bytes that the library allocated; free with ordain_bytes_free. */
typedef struct ordain_bytes {
  size_t size;
  uint32_t version;
  unsigned char* data;
  size_t length;
} ordain_bytes;
#define ORDAIN_BYTES_INIT {sizeof(ordain_bytes), ORDAIN_ABI_VERSION, NULL, 0}

/* Compiles policy files, or directories that are searched for *.policy, with the standard library.
 * `options` may be NULL. On success *engine is set; otherwise it is NULL. Close it with
 * ordain_close. */
ORDAIN_API ordain_status ordain_open(const char* const* paths, size_t count, const ordain_options* options,
                                     ordain_engine** engine, ordain_error* error) ORDAIN_NOEXCEPT;

/* Loads a program that ordain_serialise wrote. Any bytes are safe to pass; they need not outlive the
 * call. */
ORDAIN_API ordain_status ordain_open_program(const void* bytes, size_t length, const ordain_options* options,
                                             ordain_engine** engine, ordain_error* error) ORDAIN_NOEXCEPT;

/* Writes the compiled policies, so that a host without a compiler, or without the time to compile,
 * can load them. */
ORDAIN_API ordain_status ordain_serialise(const ordain_engine* engine, ordain_bytes* bytes,
                                          ordain_error* error) ORDAIN_NOEXCEPT;

/* Sets how many steps each condition may spend, from 1 to ORDAIN_MAX_BUDGET; a million unless set. Packages with
 * `option budget` keep their own. docs/language.md says what a step is. Not thread-safe: set it before other threads
 * decide with the engine. */
ORDAIN_API ordain_status ordain_set_budget(ordain_engine* engine, uint64_t steps, ordain_error* error) ORDAIN_NOEXCEPT;

/* Decides one call. `facts` may be NULL if the host has none to give. Without `now` in the facts, the
 * call is decided at the time of this function's call. Facts that do not fit their declarations, and
 * texts of the agent that are not JSON, are decisions: they deny with code "invalid_input".
 * Thread-safe. On any failure *decision is a denial that says why, unless it is NULL or a struct of
 * version 1, which is left as it is. A previous decision in *decision is not freed. */
ORDAIN_API ordain_status ordain_decide(ordain_engine* engine, const ordain_facts* facts, const ordain_call* call,
                                       ordain_decision* decision, ordain_error* error) ORDAIN_NOEXCEPT;

/* Each accepts NULL, and a struct that is already freed. An engine must not be closed while another
 * thread decides with it. */
ORDAIN_API void ordain_close(ordain_engine* engine) ORDAIN_NOEXCEPT;
ORDAIN_API void ordain_decision_free(ordain_decision* decision) ORDAIN_NOEXCEPT;
ORDAIN_API void ordain_bytes_free(ordain_bytes* bytes) ORDAIN_NOEXCEPT;
ORDAIN_API void ordain_error_free(ordain_error* error) ORDAIN_NOEXCEPT;

/* Returns "ok", "bad_call", ...; "unknown" for a number that is not a status. The text is never
 * freed. */
ORDAIN_API const char* ordain_status_name(ordain_status status) ORDAIN_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
