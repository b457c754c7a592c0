// Decisions and authorizations as values.
"use strict";

const { inspect } = require("node:util");

function faultText(fault) {
  if (!fault) return "";
  if (typeof fault === "string") return fault;
  return `${fault.message ?? ""}${fault.file ? ` at ${fault.file}:${fault.line}:${fault.column}` : ""}`;
}

/** The answer of the rules to one call. The engine's text is parsed when a property is first asked for. */
class Decision {
  #text;
  #raw;

  constructor(text) {
    this.#text = text;
  }

  /** The decision as JSON has it, with everything else. */
  get raw() {
    return (this.#raw ??= Object.freeze(typeof this.#text === "string" ? JSON.parse(this.#text) : this.#text));
  }

  get effect() {
    return this.raw.effect;
  }

  get code() {
    return this.raw.code;
  }

  get rule() {
    return this.raw.rule ?? "";
  }

  get reason() {
    return this.raw.reason ?? "";
  }

  get fault() {
    return faultText(this.raw.fault);
  }

  get policy() {
    return this.raw.policy ?? "";
  }

  get matched() {
    return this.raw.matched ?? [];
  }

  get groups() {
    return this.raw.from ?? [];
  }

  get obligations() {
    return this.raw.obligations ?? [];
  }

  get allowed() {
    return this.effect === "allow";
  }

  get denied() {
    return this.effect === "deny";
  }

  get needsApproval() {
    return this.effect === "require_approval";
  }

  toJSON() {
    return this.raw;
  }

  [inspect.custom](depth, options) {
    const { effect, code, rule, reason, fault, matched, groups, obligations } = this;
    return `Decision ${inspect({ effect, code, rule, reason, fault, matched, groups, obligations }, options)}`;
  }
}

/** The answer about an action that the host executes by itself, unseen. */
class Authorization {
  constructor(answer) {
    this.state = answer.state;
    this.decision = new Decision(answer.decision);
    this.input = answer.input;
    this.rule = answer.rule ?? "";
    this.reason = answer.reason ?? "";
    this.code = answer.code ?? "";
    this.approval = answer.approval ?? "";
    this.grant = answer.grant;
    this.action = answer.action;
    this.warnings = answer.warnings;
    this.would = answer.would;
  }

  get authorized() {
    return this.state === "authorized";
  }
}

module.exports = { Authorization, Decision };
