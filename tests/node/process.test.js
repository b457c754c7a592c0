// What happens to calls when the process or a worker ends, and what other threads and processes can share.
"use strict";

const assert = require("node:assert/strict");
const childProcess = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");
const { Policies, Runtime } = require("ordain");
const { POLICIES, collect, open, temporaryDirectory } = require("./support.js");

const PROGRAM = path.join(__dirname, "process_program.js");

/** Runs one part of the program on a database of its own; gives how it ended and what was recorded. */
async function runProgram(t, part, expected = 0) {
  const database = path.join(temporaryDirectory(t), "state");
  const { status, stdout, stderr } = childProcess.spawnSync(process.execPath, [PROGRAM, part, database],
                                                            { encoding: "utf8", timeout: 60_000 });
  assert.equal(status, expected, stderr);
  const runtime = await Runtime.open({ texts: POLICIES, database });
  try {
    assert.ok((await runtime.verify()).ok);
    const records = await collect(runtime.audit());
    const errors = records.filter(({ kind }) => kind === "outcome").map(({ error }) => (error ?? "").split(":")[0]);
    const begun = records.filter(({ kind }) => kind === "intent").length;
    return { stdout, stderr, records, errors, begun };
  } finally {
    await runtime.close();
  }
}

test("a program that ends without closing has all its records", async (t) => {
  const { stderr, errors, begun } = await runProgram(t, "ends");
  assert.deepEqual([stderr, begun, errors], ["", 50, Array(50).fill("")]);
});

test("calls in flight at the end of the process are recorded as failed", async (t) => {
  for (const [part, code] of [["in_flight", 0], ["exits", 3], ["throws", 1]]) {
    const { errors, begun } = await runProgram(t, part, code);
    assert.deepEqual([part, begun, errors], [part, 5, Array(5).fill("abandoned")]);
  }
});

test("a process may exit while threads are inside the engine", async (t) => {
  for (let i = 0; i < 3; ++i) {
    const { errors, begun } = await runProgram(t, "exits_inside");
    assert.equal(errors.length, begun);
  }
});

test("a terminated worker leaves no call without an end", async (t) => {
  const { stdout, errors, begun } = await runProgram(t, "terminates_workers");
  assert.equal(stdout, "terminated\n");
  assert.equal(errors.length, begun);
  assert.ok(begun >= 4);
});

test("the main thread and workers have runtimes of their own over one database", async (t) => {
  const { stdout, errors, begun } = await runProgram(t, "workers");
  assert.equal(stdout, "done\n");
  assert.deepEqual([begun, errors], [100, Array(100).fill("")]);
});

test("processes that are forked open the database anew", async (t) => {
  const { stdout, errors, begun } = await runProgram(t, "forks");
  assert.equal(stdout, "done\n");
  assert.deepEqual([begun, errors], [60, Array(60).fill("")]);
});

test("nothing that is open travels to another thread", async (t) => {
  const runtime = await open(t);
  const call = await runtime.begin({ capability: "look", input: { n: 1 } });
  const things = [runtime, call, runtime.identity({ principal: "carol" }), Policies.fromTextSync(POLICIES)];
  for (const thing of things) {
    let copy;
    try {
      copy = structuredClone(thing);
    } catch (error) {
      assert.equal(error.name, "DataCloneError");
      continue;
    }
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(thing)).filter((name) => name !== "constructor");
    assert.ok(names.length > 1);
    for (const name of names) assert.equal(copy[name], undefined, `${thing.constructor.name}.${name}`);
  }
});
