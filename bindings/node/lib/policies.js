// Policies that only decide: no runtime, no record, nobody is asked.
"use strict";

const native = require("./native.js");
const { Decision } = require("./decision.js");
const { checkKeys, encode, sourcesOf } = require("./json.js");

const EFFECTS = ["deny", "require_approval", "allow"];
const MAKE_NATIVE_CODE = 4;
const OPTIONS = new Set(["default", "native"]);
const EVENT = new Set(["capability", "stage", "input", "output", "metadata", "facts"]);

/** How policies decide, as the addon takes it. */
function howOf(options) {
  checkKeys(options, OPTIONS, "options");
  const effect = EFFECTS.indexOf(options.default ?? "deny");
  if (effect < 0) throw new TypeError(`default must be one of ${EFFECTS.join(", ")}`);
  return effect + (options.native === false ? 0 : MAKE_NATIVE_CODE);
}

/** The stage of an event: an output asks for the after stage. */
function isAfter({ stage, output }) {
  if (stage === undefined) return output !== undefined;
  if (stage !== "before" && stage !== "after") throw new TypeError('stage must be "before" or "after"');
  if (stage === "before" && output !== undefined) throw new TypeError("before a call there is no output");
  return stage === "after";
}

/** The texts of an event that an agent sent, as the addon takes them after the number. */
function textsOf(event, after) {
  if (typeof event.capability !== "string") throw new TypeError("capability must be a text");
  return [
    event.capability,
    encode(event.input ?? {}, "input"),
    after ? encode(event.output ?? null, "output") : null,
    event.metadata === undefined ? null : encode(event.metadata, "metadata"),
  ];
}

class Policies {
  #engine;

  /** Use `load`, `fromText` or `fromProgram`. */
  constructor(engine) {
    this.#engine = engine;
    native.keepOnThread(this);
  }

  static async load(paths, options = {}) {
    return new Policies(await Policies.#open(true, sourcesOf(paths, undefined), options));
  }

  static loadSync(paths, options = {}) {
    return new Policies(Policies.#open(false, sourcesOf(paths, undefined), options));
  }

  static async fromText(texts, options = {}) {
    return new Policies(await Policies.#open(true, sourcesOf(undefined, texts), options));
  }

  static fromTextSync(texts, options = {}) {
    return new Policies(Policies.#open(false, sourcesOf(undefined, texts), options));
  }

  static fromProgram(program, options = {}) {
    if (!(program instanceof Uint8Array)) throw new TypeError("a program is a Buffer or a Uint8Array");
    const bytes = Buffer.from(program.buffer, program.byteOffset, program.byteLength);
    return new Policies(native.loadProgram(false, null, null, howOf(options), bytes));
  }

  static #open(aside, sources, options) {
    return native.openPolicies(aside, null, null, howOf(options), encode(sources, "policies"));
  }

  decide(event) {
    checkKeys(event, EVENT, "an event");
    const after = isAfter(event);
    const facts = event.facts === undefined ? null : encode(event.facts, "facts");
    return new Decision(native.decide(false, this.#engine, null, after ? 1 : 0, ...textsOf(event, after), facts));
  }

  save() {
    return native.saveProgram(false, this.#engine, null, 0);
  }

  close() {
    native.closePolicies(false, this.#engine, null, 0);
  }
}

if (Symbol.dispose) Policies.prototype[Symbol.dispose] = Policies.prototype.close;

module.exports = { Policies, isAfter, textsOf };
