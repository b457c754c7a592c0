// The errors of Ordain: why a call did not run, or why its output cannot be seen, and what went wrong in the engine.
"use strict";

class OrdainError extends Error {
  get name() {
    return this.constructor.name;
  }
}

/** Policies cannot be read, or have errors. The message has every error with its place. */
class PolicyError extends OrdainError {}

/** The runtime or its database refused something. `code` is stable. */
class RefusedError extends OrdainError {
  constructor(message, code = "") {
    super(message);
    this.code = code;
  }
}

/** What is used was closed. */
class ClosedError extends OrdainError {}

/** A governed call that has no output to give. Its subclasses say why. */
class Stopped extends OrdainError {
  constructor(verb, capability, { rule = "", reason = "", action = "", warnings = [] } = {}, detail = "") {
    super(`${capability} ${verb}${rule ? ` by ${rule}` : ""}: ${reason}${detail}`);
    this.capability = capability;
    this.rule = rule;
    this.reason = reason;
    this.action = action;
    this.warnings = warnings;
  }
}

/** The call did not run. */
class Denied extends Stopped {
  constructor(capability, { code = "rule", fault = "", ...common } = {}) {
    super("denied", capability, common, fault ? ` (${fault})` : "");
    this.code = code;
    this.fault = fault;
  }
}

/** The call did not run yet, because it waits for approval. */
class Pending extends Stopped {
  constructor(capability, { approval = "", groups = [], expires = "", ...common } = {}) {
    super("waits for approval", capability, common);
    this.code = "pending";
    this.approval = approval;
    this.groups = groups;
    this.expires = expires;
  }
}

/** The call ran and had its effect, but its output may not be seen. */
class Withheld extends Stopped {
  constructor(capability, { code = "rule", fault = "", ...common } = {}) {
    super("ran, but its output is withheld", capability, common, fault ? ` (${fault})` : "");
    this.code = code;
    this.fault = fault;
  }
}

/** Why a call has no output, as an error, from an answer of the engine. */
function stoppedBy(capability, answer) {
  const { state, action, warnings, rule, reason } = answer;
  const common = { action, warnings, rule, reason };
  if (state === "pending") {
    const { approval, groups, expires } = answer;
    return new Pending(capability, { ...common, approval, groups, expires });
  }
  const Kind = state === "withheld" ? Withheld : Denied;
  return new Kind(capability, { ...common, code: answer.code, fault: answer.fault });
}

const INVALID_ARGUMENT = 1, BAD_POLICY = 2, BAD_PROGRAM = 3, BAD_CALL = 4, REFUSED = 7, CLOSED = -1;

/** What a failed call of the engine throws, from its status. */
function failure(status, message) {
  switch (status) {
    case CLOSED:
      return new ClosedError(message);
    case BAD_POLICY:
      return new PolicyError(message);
    case REFUSED:
      return new RefusedError(message, message.split(":", 1)[0]);
    case INVALID_ARGUMENT:
    case BAD_CALL:
    case BAD_PROGRAM:
      return new TypeError(message);
    default:
      return new OrdainError(message);
  }
}

module.exports = {
  ClosedError,
  Denied,
  OrdainError,
  Pending,
  PolicyError,
  RefusedError,
  Stopped,
  Withheld,
  failure,
  stoppedBy,
};
