// One governed call between its beginning and its end.
"use strict";

const native = require("./native.js");
const { Withheld, stoppedBy } = require("./errors.js");
const { encode } = require("./json.js");

const FAILED = 0, DONE = 1, NOT_EXECUTED = 2;

/** A short word for what was thrown, which may be anything, and a text about it. */
function describe(thrown) {
  try {
    if (!(thrown instanceof Error)) return ["Error", String(thrown)];
    return [typeof thrown.code === "string" ? thrown.code : String(thrown.name), String(thrown.message)];
  } catch {
    return ["Error", "what was thrown has no form as a text"];
  }
}

class Call {
  #handle;
  #aside;
  #ending; // a promise of the answer, once the call ends

  /** Use `runtime.begin`. */
  constructor(capability, handle, aside, answer) {
    this.#handle = handle;
    this.#aside = aside;
    native.keepOnThread(this);
    this.capability = capability;
    this.input = answer.input;
    this.action = answer.action;
    this.warnings = answer.warnings;
    this.would = answer.would;
  }

  get ended() {
    return this.#ending !== undefined;
  }

  async finish(output = null) {
    let text;
    try {
      text = encode(output, "the output");
    } catch (error) {
      const reason = `no rule can read the output: ${error.message}`;
      await this.#end(FAILED, null, "bad_output", reason);
      const { action, warnings } = this;
      const withheld = new Withheld(this.capability, { code: "bad_output", reason, action, warnings });
      throw Object.assign(withheld, { cause: error });
    }
    const again = this.ended;
    const answer = await this.#end(DONE, text, null, null);
    this.warnings = answer.warnings;
    this.would = answer.would;
    if (answer.state === "withheld") throw stoppedBy(this.capability, answer);
    if (answer.state !== "done" || again) {
      const [code, reason] = again && answer.state === "done"
        ? ["already_ended", "the rules have not seen this output: the call has already ended with another"]
        : [answer.code, `the call has already ended: ${answer.code}: ${answer.message}`];
      throw new Withheld(this.capability, { code, reason, action: this.action });
    }
    return answer.redacted ? answer.output : output;
  }

  async fail(error) {
    await this.#end(FAILED, null, ...describe(error));
  }

  async giveUp(why) {
    await this.#end(NOT_EXECUTED, null, "", String(why));
  }

  /** Ends the call. It ends once: whoever ends it again gets the first answer. */
  #end(ending, output, code, message) {
    return (this.#ending ??= this.#finish(ending, output, code, message));
  }

  async #finish(...outcome) {
    return JSON.parse(await native.finish(this.#aside, this.#handle, null, ...outcome));
  }
}

module.exports = { Call };
