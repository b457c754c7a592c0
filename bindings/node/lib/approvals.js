// The requests for approval of one runtime: read, answered, and awaited without a blocked thread.
"use strict";

const { setTimeout: sleep } = require("node:timers/promises");
const { checkKeys, checkSpan } = require("./json.js");

const FIRST_PAUSE = 50, LAST_PAUSE = 1000; // milliseconds between two looks at a request
const REJECT = 0, APPROVE = 1;
const ANSWER = new Set(["by", "group", "note"]);
const WAIT = new Set(["timeout", "signal"]);

class TimeoutError extends Error {
  get name() {
    return "TimeoutError";
  }
}

class Approvals {
  #read;

  /** Use `runtime.approvals`. */
  constructor(read) {
    this.#read = read;
  }

  list(state) {
    return this.#read("listApprovals", 0, state ?? null);
  }

  show(id) {
    return this.#read("showApproval", 0, String(id));
  }

  approve(id, answer) {
    return this.#vote(APPROVE, id, answer);
  }

  reject(id, answer) {
    return this.#vote(REJECT, id, answer);
  }

  async wait(id, options = {}) {
    checkKeys(options, WAIT, "options");
    const { timeout = Infinity, signal } = options;
    const deadline = performance.now() + checkSpan(timeout, "timeout");
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 1.5, LAST_PAUSE)) {
      signal?.throwIfAborted();
      const left = deadline - performance.now();
      const found = await this.show(id);
      if (found.state !== "pending") return found;
      if (left <= 0) throw new TimeoutError(`nobody answered approval ${id} in time`);
      await sleep(Math.min(pause, left), undefined, { signal }).catch((error) => {
        throw signal?.aborted ? signal.reason : error;
      });
    }
  }

  async #vote(verdict, id, answer) {
    checkKeys(answer, ANSWER, "an answer");
    if (typeof answer.by !== "string") throw new TypeError("by must say who answers");
    return this.#read("vote", verdict, String(id), answer.by, answer.group ?? null, answer.note ?? null);
  }
}

module.exports = { Approvals, TimeoutError };
