/* The interface to Ordain for C, and for every language that can call C. C++ programs include
 * <ordain/ordain.h> instead.
 *
 * An engine is a set of policies, ready to decide. Any number of threads may decide with one engine
 * at the same time. A runtime governs calls: it also asks people and keeps a record. Every function returns a status,
 * never throws, and writes its results through its arguments. Structs carry their size and version, so that they can
 * grow: initialise them with the macros. A null pointer where none is allowed gives ORDAIN_INVALID_ARGUMENT.
 * docs/embedding.md has an example.
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
  ORDAIN_INTERNAL = 6, /* a defect of Ordain; please report it */
  ORDAIN_REFUSED = 7   /* by the runtime or its database; the message begins with a code, as in "not_pending: ..." */
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

/* ---- The runtime: governed calls, approvals and the record ----
 *
 * A runtime decides, asks people, and keeps a record, as Runtime does for C++. Where a function takes or
 * gives JSON, a text is UTF-8 with a length (or ORDAIN_NUL_TERMINATED), and a result is one JSON value in
 * an ordain_bytes, which also ends with a NUL that its length does not count. An object that the host passes
 * may have only the keys that are named here. Readers of results should ignore keys that they do not know.
 *
 * All functions are thread-safe, except that one begun call is used by one thread at a time, and that
 * nothing may be closed or freed while another thread uses it. They may wait: for the disk, for another
 * process's lock, and for room in the queue of the record. After fork, a child process must not use what its
 * parent opened; its calls are denied, and its other calls fail. Each function that fills an ordain_bytes
 * empties it first without freeing it, and leaves it empty on failure. */

typedef struct ordain_runtime ordain_runtime;
typedef struct ordain_identity ordain_identity;
typedef struct ordain_begun_call ordain_begun_call;

/* Compiles policies to a program for ordain_open_program. `sources` is an object with one of the keys "policies", a
 * list of paths as ordain_open takes them, and "texts", an object of policy texts by name, which messages use as file
 * names; a text can import only other texts. */
ORDAIN_API ordain_status ordain_compile(const char* sources, size_t length, ordain_bytes* program,
                                        ordain_error* error) ORDAIN_NOEXCEPT;

/* Opens a runtime. `options` is an object with the keys of `sources` above, and with any of these:
 *   agent, principal, tenant, environment, session: texts, the identity of calls that name no other
 *   attributes: an object by these five names, what `context` declares: {"agent": {"roles": ["banker"]}}
 *   database: the directory of the record and the approvals; without it, nothing is recorded
 *   mode: "enforce" (default) or "observe";  fail_mode: "closed" (default) or "open"
 *   durability: "sync", "group" (default) or "async"
 *   default_before: "deny" (default), "require_approval" or "allow"
 *   budget: how many steps each condition may spend
 *   approval_expires_seconds: if the asking rules have no `expires`; 3600 if absent
 *   operator_key: a file with the private key that signs approvals given through this runtime
 *   trusted_keys: a list of public keys as texts; with either, only signed approvals and grants count
 *   audit_key: a file with the private key that signs checkpoints;  checkpoint_file: where they are kept too
 *   native: false to make no native code
 * On success *runtime is set; otherwise it is NULL. Close it with ordain_runtime_close. */
ORDAIN_API ordain_status ordain_runtime_open(const char* options, size_t length, ordain_runtime** runtime,
                                             ordain_error* error) ORDAIN_NOEXCEPT;

/* Writes what is queued and closes the database, once no begun call is left. Accepts NULL. */
ORDAIN_API void ordain_runtime_close(ordain_runtime* runtime) ORDAIN_NOEXCEPT;

/* Replaces the policies; `sources` is as for ordain_compile. Calls that have begun finish with the policies that
 * they began with. Policies with errors change nothing. */
ORDAIN_API ordain_status ordain_runtime_reload(ordain_runtime* runtime, const char* sources, size_t length,
                                               ordain_error* error) ORDAIN_NOEXCEPT;

/* Gives the warnings about the policies in force, as text for people; it may be empty. */
ORDAIN_API ordain_status ordain_runtime_warnings(ordain_runtime* runtime, ordain_bytes* text,
                                                 ordain_error* error) ORDAIN_NOEXCEPT;

/* Makes an identity for many calls. `who` is an object with any of the keys agent, principal, tenant, environment,
 * session and attributes, as for ordain_runtime_open; texts that it lacks are those of the runtime. Free it with
 * ordain_identity_free, also after the runtime is closed. */
ORDAIN_API ordain_status ordain_identity_make(ordain_runtime* runtime, const char* who, size_t length,
                                              ordain_identity** identity, ordain_error* error) ORDAIN_NOEXCEPT;
ORDAIN_API void ordain_identity_free(ordain_identity* identity) ORDAIN_NOEXCEPT;

/* Decides a call, in either stage, and does nothing else: nothing is asked or recorded. `identity` may be NULL, for the
 * runtime's own. `facts` may be NULL; it may have the keys resource, action (an object of texts: type, target,
 * description, trace_id, parent_id) and risk, because the identity says the rest. `decision` gets an object with
 * the keys effect, code, rule, reason, fault, policy, policy_version, matched, from, obligations, id, confidence
 * and program; rule, fault, policy and policy_version are null where there is none. */
ORDAIN_API ordain_status ordain_runtime_evaluate(ordain_runtime* runtime, const ordain_identity* identity,
                                                 const ordain_facts* facts, const ordain_call* call,
                                                 ordain_bytes* decision, ordain_error* error) ORDAIN_NOEXCEPT;

/* Decides about an action that the host executes unseen: asks for approval where a rule demands it, uses the approval,
 * and records the decision. No rule sees the output, and nothing says how the action ended, so prefer
 * ordain_runtime_begin. The arguments are those of it. `answer` gets an object whose "state" is "authorized" (the host
 * may execute the action now, once, with "input"; "approval" is the id of the approval that was used, or ""), or
 * "denied" or "pending" as below. It also has the keys decision (as ordain_runtime_evaluate gives it), grant, action,
 * warnings and would. Texts of the agent that are not JSON are ORDAIN_BAD_CALL. */
ORDAIN_API ordain_status ordain_runtime_authorize(ordain_runtime* runtime, const ordain_identity* identity,
                                                  const ordain_facts* facts, const ordain_call* call,
                                                  ordain_bytes* answer, ordain_error* error) ORDAIN_NOEXCEPT;

/* Begins a call that the host executes by itself. The call's stage is ORDAIN_BEFORE, and it has no output;
 * identity and facts are as above. The rules decide, people are asked where a rule demands it, and what
 * happens is recorded. `answer` gets an object whose "state" says what to do:
 *   "begun": execute the call once, with "input", and finish *begun, which is set
 *   "denied": it must not run; "rule", "reason", "code" and "fault" say why
 *   "pending": it must not run yet. "approval" is the id of the request, "groups" must approve, "expires" is a
 *     time; begin it again with the same arguments later.
 * It also has the keys action (the call's id in the record), warnings (a list of texts) and would (what enforce would
 * have done under observe, or ""). In the last two states *begun is NULL. Texts of the agent that are not JSON
 * deny the call; facts that cannot be read are ORDAIN_BAD_CALL, and nothing has begun. */
ORDAIN_API ordain_status ordain_runtime_begin(ordain_runtime* runtime, const ordain_identity* identity,
                                              const ordain_facts* facts, const ordain_call* call,
                                              ordain_begun_call** begun, ordain_bytes* answer,
                                              ordain_error* error) ORDAIN_NOEXCEPT;

enum {
  ORDAIN_FAILED = 0,      /* the tool failed, and may have had an effect */
  ORDAIN_DONE = 1,        /* it gave an output */
  ORDAIN_NOT_EXECUTED = 2 /* it was never tried, and had no effect */
};
typedef int32_t ordain_ending;

/* How the host's execution of a call ended. A struct of zeros says that it failed. */
typedef struct ordain_outcome {
  size_t size;
  uint32_t version;
  ordain_ending ending;
  const char* output; /* ORDAIN_DONE: JSON; NULL stands for null */
  size_t output_length;
  const char* code; /* otherwise: a short word for the failure, or NULL */
  size_t code_length;
  const char* message; /* otherwise: what happened, or NULL */
  size_t message_length;
} ordain_outcome;
#define ORDAIN_OUTCOME_INIT                    \
  {sizeof(ordain_outcome), ORDAIN_ABI_VERSION, \
   ORDAIN_FAILED,          NULL,               \
   ORDAIN_NUL_TERMINATED,  NULL,               \
   ORDAIN_NUL_TERMINATED,  NULL,               \
   ORDAIN_NUL_TERMINATED}

/* Ends a begun call: the rules decide on the output, and the outcome is recorded. `answer` gets an object whose
 * "state" is one of these:
 *   "done": the output may be passed on. "redacted" says whether rules changed it; then "output" is what is left.
 *   "withheld": the call ran, and nobody may see its output; "rule", "reason", "code" and "fault" say why
 *   "failed": as the host said; "code", "message" and "executed" (whether it may have had an effect)
 * It also has the keys action, warnings and would. An output that is not JSON counts as a failure with code
 * "bad_output". A call ends once: whoever asks again gets the same answer. After ORDAIN_INVALID_ARGUMENT it has not
 * ended. */
ORDAIN_API ordain_status ordain_begun_finish(ordain_begun_call* begun, const ordain_outcome* outcome,
                                             ordain_bytes* answer, ordain_error* error) ORDAIN_NOEXCEPT;

/* Frees a begun call, also after its runtime is closed. One that was not finished is recorded as failed, with code
 * "abandoned". Accepts NULL. */
ORDAIN_API void ordain_begun_free(ordain_begun_call* begun) ORDAIN_NOEXCEPT;

/* Lists approvals, oldest first, as a list of objects such as `ordain approvals list --json` prints. `state` is
 * "pending", "approved", "rejected", "expired", "consumed" or "earlier", or NULL for all. */
ORDAIN_API ordain_status ordain_approvals_list(ordain_runtime* runtime, const char* state, ordain_bytes* approvals,
                                               ordain_error* error) ORDAIN_NOEXCEPT;

/* Gives one approval. `id` may be the beginning of it, at least 4 digits. */
ORDAIN_API ordain_status ordain_approvals_show(ordain_runtime* runtime, const char* id, ordain_bytes* approval,
                                               ordain_error* error) ORDAIN_NOEXCEPT;

enum { ORDAIN_REJECT = 0, ORDAIN_APPROVE = 1 };

/* The answer of one person to a request. All texts end with a NUL. A struct of zeros rejects. */
typedef struct ordain_vote {
  size_t size;
  uint32_t version;
  int32_t verdict;
  const char* id;       /* as above */
  const char* approver; /* who answers */
  const char* group;    /* for which group; NULL if the rules name at most one, or if the principal answers */
  const char* note;     /* NULL: none */
} ordain_vote;
#define ORDAIN_VOTE_INIT {sizeof(ordain_vote), ORDAIN_ABI_VERSION, ORDAIN_REJECT, NULL, NULL, NULL, NULL}

/* Approves or rejects a request, signed with the runtime's operator key if it has one. `approval` gets the approval
 * in its new state; it may be NULL. The codes of ORDAIN_REFUSED are those of ApprovalStore::approve
 * ("unknown_approval", "not_pending", "not_eligible", "no_key" ...). */
ORDAIN_API ordain_status ordain_approvals_vote(ordain_runtime* runtime, const ordain_vote* vote, ordain_bytes* approval,
                                               ordain_error* error) ORDAIN_NOEXCEPT;

/* Reads records of the runtime's database, oldest first, as lines of JSON that `ordain audit export` writes, each with
 * a line feed. `filter` is an object with any of the keys agent, principal, tenant, capability, session, action, rule,
 * kind ("intent", "outcome" ...), effect, from and to (times as texts), first (the id from which to read) and limit
 * (how many lines at most; 1000 if absent). Fewer lines than `limit` mean that there are no more; otherwise go on with
 * `first` one above the last line's "id". What is still queued is not read: see ordain_runtime_flush. */
ORDAIN_API ordain_status ordain_audit_query(ordain_runtime* runtime, const char* filter, size_t length,
                                            ordain_bytes* lines, ordain_error* error) ORDAIN_NOEXCEPT;

/* Recomputes the chain of the record. `result` gets an object with the keys ok, records, chains, checkpoints,
 * bad_record and problem. Signatures are not checked; `ordain audit verify --key` does that. */
ORDAIN_API ordain_status ordain_audit_verify(ordain_runtime* runtime, ordain_bytes* result,
                                             ordain_error* error) ORDAIN_NOEXCEPT;

/* Waits until every record that was taken so far is on disk. */
ORDAIN_API ordain_status ordain_runtime_flush(ordain_runtime* runtime, ordain_error* error) ORDAIN_NOEXCEPT;

/* Gives the state of the runtime: an object with the keys audit_available, audit_error, records_written,
 * records_lost, queue_depth, checkpoint_error and program (the digest of the policies in force). */
ORDAIN_API ordain_status ordain_runtime_health(ordain_runtime* runtime, ordain_bytes* health,
                                               ordain_error* error) ORDAIN_NOEXCEPT;

/* Gives what the runtime has counted, as OpenMetrics text. */
ORDAIN_API ordain_status ordain_runtime_metrics(ordain_runtime* runtime, ordain_bytes* text,
                                                ordain_error* error) ORDAIN_NOEXCEPT;

/* Returns "ok", "bad_call", ...; "unknown" for a number that is not a status. The text is never
 * freed. */
ORDAIN_API const char* ordain_status_name(ordain_status status) ORDAIN_NOEXCEPT;

#ifdef __cplusplus
}
#endif

#endif
