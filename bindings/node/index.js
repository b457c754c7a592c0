// Everything that the package offers. It is a CommonJS module whose names Node also finds for `import`.
"use strict";

const { Approvals } = require("./lib/approvals.js");
const { Call } = require("./lib/call.js");
const { Authorization, Decision } = require("./lib/decision.js");
const { ClosedError, Denied, OrdainError, Pending, PolicyError, RefusedError, Stopped, Withheld } = require("./lib/errors.js");
const { Identity } = require("./lib/identity.js");
const { Policies } = require("./lib/policies.js");
const { Runtime } = require("./lib/runtime.js");

module.exports = {
  Approvals,
  Authorization,
  Call,
  ClosedError,
  Decision,
  Denied,
  Identity,
  OrdainError,
  Pending,
  Policies,
  PolicyError,
  RefusedError,
  Runtime,
  Stopped,
  Withheld,
};
