// Who acts, and for which part of the program: identities are in force within a function and what it awaits.
"use strict";

const native = require("./native.js");

class Identity {
  #acting;

  /** Use `runtime.identity`. */
  constructor(runtime, handle, acting) {
    this.runtime = runtime;
    this.handle = handle;
    this.#acting = acting;
    native.keepOnThread(this);
    Object.defineProperty(this, "runtime", { enumerable: false });
    Object.defineProperty(this, "handle", { enumerable: false });
  }

  run(work, ...args) {
    return this.#acting.run(this, work, ...args);
  }

  enter() {
    this.#acting.enterWith(this);
  }
}

module.exports = { Identity };
