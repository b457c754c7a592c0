// Values as the JSON that rules see, and what the parts of the package share about their arguments.
"use strict";

const { fileURLToPath } = require("node:url");
const { types } = require("node:util");

const MAX_DEPTH = 500;

/** Whether JSON would silently lose what the object holds. */
function losesContent(value) {
  return (
    types.isMap(value) || types.isSet(value) || types.isWeakMap(value) || types.isWeakSet(value) ||
    types.isPromise(value) || types.isRegExp(value) || types.isNativeError(value) || types.isAnyArrayBuffer(value) ||
    ArrayBuffer.isView(value)
  );
}

function check(value, place, depth) {
  switch (typeof value) {
    case "string":
    case "boolean":
      return;
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`${place} is ${value}, which has no form in JSON`);
      return;
    case "object":
      break;
    default:
      throw new TypeError(`${place} is of type ${typeof value}, which has no form in JSON`);
  }
  if (value === null) return;
  if (depth > MAX_DEPTH) throw new TypeError("the value is nested too deeply, or contains itself");
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; ++i) check(value[i], place, depth + 1);
    return;
  }
  if (typeof value.toJSON === "function") return; // a Date, for example, says its form itself
  if (losesContent(value)) {
    throw new TypeError(`${place} is a ${value.constructor?.name ?? "value"}, which has no form in JSON`);
  }
  for (const key of Object.keys(value)) {
    const part = value[key];
    if (part !== undefined) check(part, key, depth + 1);
  }
}

/**
 * JSON of a value. Throws a TypeError if JSON would lose a part of it, because rules must see what the tool sees. A
 * property that is undefined is absent.
 */
function encode(value, name = "the value") {
  check(value, name, 0);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`${name} has no form in JSON`); // a toJSON that gives nothing
  return text;
}

/** An object without the properties that are undefined, null or "". */
function compact(object) {
  const present = Object.entries(object).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return Object.fromEntries(present);
}

/** Throws a TypeError if an object has an unexpected key: a slip in a name must not pass for an absent choice. */
function checkKeys(object, known, what) {
  if (object === null || typeof object !== "object") throw new TypeError(`${what} must be an object`);
  for (const key of Object.keys(object)) {
    if (!known.has(key)) throw new TypeError(`${what} has no ${JSON.stringify(key)}; it has ${[...known].join(", ")}`);
  }
}

function pathOf(path) {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path === "string") return path;
  throw new TypeError("a path must be a text or a file URL");
}

/** The `sources` of the C interface: either paths or texts of policies. */
function sourcesOf(policies, texts) {
  if ((policies === undefined) === (texts === undefined)) {
    throw new TypeError("give either the paths of policies or their texts");
  }
  if (policies !== undefined) return { policies: (Array.isArray(policies) ? policies : [policies]).map(pathOf) };
  return { texts: typeof texts === "string" ? { "<text>": texts } : { ...texts } };
}

/** A span of time in milliseconds. */
function checkSpan(milliseconds, name) {
  if (typeof milliseconds !== "number" || !(milliseconds >= 0)) {
    throw new TypeError(`${name} must be a number of milliseconds`);
  }
  return milliseconds;
}

module.exports = { checkKeys, checkSpan, compact, encode, pathOf, sourcesOf };
