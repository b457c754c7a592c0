// Loads the addon, and closes what is open when the process or the worker ends by itself. After `worker.terminate()`,
// when no JavaScript runs any more, the addon does so alone.
"use strict";

const os = require("node:os");
const path = require("node:path");
const { markAsUncloneable } = require("node:worker_threads");
const { failure } = require("./errors.js");

/**
 * Loads the addon. Node's program exports the libraries that it contains, among them other releases of simdjson,
 * OpenSSL and zlib than those that the engine was built with. RTLD_DEEPBIND makes the engine use its own; without it,
 * releases since 22 would crash.
 */
function load() {
  const { RTLD_NOW, RTLD_DEEPBIND } = os.constants.dlopen;
  const loaded = { exports: {} };
  process.dlopen(loaded, path.join(__dirname, "..", "native", "ordain.node"), RTLD_NOW | RTLD_DEEPBIND);
  return loaded.exports;
}

const addon = load();

addon.setErrorMaker(failure);
process.on("exit", () => addon.shutDown());

/**
 * Keeps an object from being posted to another thread, where it would be an empty shell: each thread opens its own.
 * Older releases of Node cannot refuse; there the shell has no methods.
 */
function keepOnThread(object) {
  markAsUncloneable?.(object);
}

module.exports = { ...addon, keepOnThread };
