// Functions as governed calls.
"use strict";

const { Pending } = require("./errors.js");
const { TimeoutError } = require("./approvals.js");
const { checkKeys, checkSpan } = require("./json.js");

const OPTIONS = new Set(["wait", "resource"]);
const FOR_CALLS = new Set(["identity", "resource", "metadata", "action", "risk", "wait", "signal"]);

/** Begins a call. Where it waits for approval and `wait` allows it, begins it again once somebody has answered. */
async function beginApproved(runtime, begin, wait, signal) {
  const deadline = performance.now() + wait;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await begin();
    } catch (error) {
      const left = deadline - performance.now();
      if (!(error instanceof Pending) || !(left > 0)) throw error;
      try {
        await runtime.approvals.wait(error.approval, { timeout: left, signal });
      } catch (failure) {
        throw failure instanceof TimeoutError ? error : failure;
      }
    }
  }
}

/** What the function returns, or its failure, becomes the end of the call. */
async function execute(call, work, self, rest, signal) {
  if (signal?.aborted) {
    await call.giveUp("aborted before it ran");
    throw signal.reason;
  }
  let output;
  try {
    output = await work.call(self, call.input, ...rest);
  } catch (error) {
    await call.fail(error);
    throw error;
  }
  return call.finish(output);
}

function capability(runtime, prepare, name, work, options = {}) {
  if (typeof name !== "string") throw new TypeError("the name of a capability must be a text");
  if (typeof work !== "function") throw new TypeError("a capability needs a function");
  if (/Generator/.test(Object.prototype.toString.call(work))) {
    throw new TypeError("the rules decide on a whole output, so a capability cannot be a generator");
  }
  checkKeys(options, OPTIONS, "options");

  function governed(chosen) {
    const { wait = options.wait ?? 0, signal, ...about } = chosen;
    checkSpan(wait, "wait");
    return async function (input, ...rest) {
      // Read once: what the rules decide on is what the function gets, whatever happens to the caller's object
      // meanwhile.
      const begin = prepare({ resource: resourceOf(options.resource, input, rest), ...about, capability: name, input });
      return execute(await beginApproved(runtime, begin, wait, signal), work, this, rest, signal);
    };
  }

  const wrapped = governed({});
  Object.defineProperty(wrapped, "name", { value: work.name || name });
  Object.defineProperty(wrapped, "capability", { value: name });
  wrapped.with = (chosen) => {
    checkKeys(chosen, FOR_CALLS, "options");
    return governed(chosen);
  };
  return wrapped;
}

function resourceOf(resource, input, rest) {
  return typeof resource === "function" ? resource(input, ...rest) : resource;
}

module.exports = { capability };
