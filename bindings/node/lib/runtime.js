// The runtime: governed calls, who makes them, approvals, and the record.
"use strict";

const { AsyncLocalStorage } = require("node:async_hooks");
const native = require("./native.js");
const { Approvals } = require("./approvals.js");
const { Call } = require("./call.js");
const { capability } = require("./capability.js");
const { Authorization, Decision } = require("./decision.js");
const { stoppedBy } = require("./errors.js");
const { Identity } = require("./identity.js");
const { checkKeys, checkSpan, compact, encode, pathOf, sourcesOf } = require("./json.js");
const { isAfter, textsOf } = require("./policies.js");

const WHO = ["agent", "principal", "tenant", "environment", "session", "attributes"];
// How the options are called here, and in the C interface.
const CHOICES = {
  mode: "mode",
  failMode: "fail_mode",
  durability: "durability",
  default: "default_before",
  budget: "budget",
  trustedKeys: "trusted_keys",
  native: "native",
};
const FILES = {
  database: "database",
  operatorKey: "operator_key",
  auditKey: "audit_key",
  checkpointFile: "checkpoint_file",
};
const OPTIONS = new Set([
  "policies", "texts", ...WHO, ...Object.keys(CHOICES), ...Object.keys(FILES), "approvalExpires",
]);
const SOURCES = new Set(["policies", "texts"]);
const FILTER = new Set([
  "agent", "principal", "tenant", "capability", "session", "action", "rule", "kind", "effect", "since", "until", "first",
  "batch",
]);
const ABOUT = ["capability", "input", "metadata", "identity", "resource", "action", "risk"];
const CALL = new Set(ABOUT);
const EVENT = new Set([...ABOUT, "stage", "output"]);
const WHO_KEYS = new Set(WHO);

function optionsOf(options) {
  checkKeys(options, OPTIONS, "options");
  const out = sourcesOf(options.policies, options.texts);
  for (const name of WHO) out[name] = options[name];
  for (const [name, key] of Object.entries(CHOICES)) out[key] = options[name];
  for (const [name, key] of Object.entries(FILES)) {
    if (options[name] !== undefined) out[key] = pathOf(options[name]);
  }
  if (options.approvalExpires !== undefined) {
    out.approval_expires_seconds = Math.floor(checkSpan(options.approvalExpires, "approvalExpires") / 1000);
  }
  return compact(out);
}

class Runtime {
  #handle;
  #aside; // whether calls may wait for the disk, and so must leave the event loop
  #acting = new AsyncLocalStorage();
  #closing;

  /** Use `Runtime.open`. */
  constructor(handle, aside) {
    this.#handle = handle;
    this.#aside = aside;
    native.keepOnThread(this);
    this.approvals = new Approvals((...what) => this.#read(...what));
  }

  static async open(options) {
    const text = encode(optionsOf(options), "options");
    return new Runtime(await native.openRuntime(true, null, null, 0, text), options.database !== undefined);
  }

  // --- who acts ---

  identity(who) {
    checkKeys(who, WHO_KEYS, "an identity");
    const handle = native.makeIdentity(false, this.#handle, null, 0, encode(compact(who), "an identity"));
    return new Identity(this, handle, this.#acting);
  }

  currentIdentity() {
    return this.#acting.getStore();
  }

  // --- calls ---

  capability(name, work, options) {
    return capability(this, (call) => this.#prepare(call), name, work, options);
  }

  async begin(call) {
    return this.#prepare(call)();
  }

  async authorize(call) {
    checkKeys(call, CALL, "a call");
    return new Authorization(JSON.parse(await this.#about("authorize", call, false)));
  }

  async evaluate(event) {
    checkKeys(event, EVENT, "an event");
    return new Decision(await this.#about("evaluate", event, isAfter(event)));
  }

  // --- policies ---

  async reload(sources) {
    checkKeys(sources, SOURCES, "the policies");
    const text = encode(sourcesOf(sources.policies, sources.texts), "the policies");
    await native.reload(true, this.#handle, null, 0, text);
  }

  async warnings() {
    return native.warnings(this.#aside, this.#handle, null, 0);
  }

  // --- the record ---

  audit(filter = {}) {
    checkKeys(filter, FILTER, "a filter");
    const { since, until, first = 1, batch = 1000, ...wanted } = filter;
    const text = (next) =>
      encode(compact({ ...wanted, from: since, to: until, first: next, limit: batch }), "a filter");
    text(first); // a slip in the filter is thrown here, and not when the first record is asked for
    return this.#records(text, first, batch);
  }

  async *#records(text, first, batch) {
    await this.flush();
    for (;;) {
      const lines = (await native.queryAudit(this.#aside, this.#handle, null, 0, text(first))).split("\n");
      lines.pop(); // each line ends with a line feed
      for (const line of lines) {
        const record = JSON.parse(line);
        first = record.id + 1;
        yield record;
      }
      if (lines.length < batch) return;
    }
  }

  async verify() {
    const { ok, records, chains, checkpoints, bad_record: badRecord, problem } = await this.#read("verifyAudit", 0);
    return { ok, records, chains, checkpoints, badRecord, problem };
  }

  async flush() {
    await native.flush(this.#aside, this.#handle, null, 0);
  }

  async health() {
    const raw = await this.#read("health", 0);
    return {
      auditAvailable: raw.audit_available,
      auditError: raw.audit_error,
      recordsWritten: raw.records_written,
      recordsLost: raw.records_lost,
      queueDepth: raw.queue_depth,
      checkpointError: raw.checkpoint_error,
      program: raw.program,
    };
  }

  async metrics() {
    return native.metrics(this.#aside, this.#handle, null, 0);
  }

  /**
   * Lets no further call begin, writes what is queued, and closes the database with the last call that has begun. Calls
   * that have begun may still end.
   */
  close() {
    return (this.#closing ??= native.closeRuntime(true, this.#handle, null, 0));
  }

  // --- within ---

  /** Reads what the call says, once, and gives the function that begins it, as often as it is called. */
  #prepare(call) {
    checkKeys(call, CALL, "a call");
    const { capability: name } = call;
    const begin = this.#described("begin", call, false);
    return async () => {
      const [begun, text] = await begin();
      const answer = JSON.parse(text);
      if (begun === null) throw stoppedBy(name, answer);
      return new Call(name, begun, this.#aside, answer);
    };
  }

  #about(name, call, after) {
    return this.#described(name, call, after)();
  }

  #described(name, call, after) {
    const { resource, action, risk } = call;
    const identity = call.identity ?? this.currentIdentity();
    if (identity !== undefined && !(identity instanceof Identity && identity.runtime === this)) {
      throw new TypeError("the identity is not one of this runtime");
    }
    const facts = compact({ resource, action, risk });
    const texts = [...textsOf(call, after), Object.keys(facts).length === 0 ? null : encode(facts, "facts")];
    return async () => native[name](this.#aside, this.#handle, identity?.handle ?? null, after ? 1 : 0, ...texts);
  }

  async #read(name, number, ...texts) {
    return JSON.parse(await native[name](this.#aside, this.#handle, null, number, ...texts));
  }
}

if (Symbol.asyncDispose) Runtime.prototype[Symbol.asyncDispose] = Runtime.prototype.close;

module.exports = { Runtime };
