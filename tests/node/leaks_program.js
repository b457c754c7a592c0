// The programs of leaks.test.js: node leaks_program.js PART. One throws if its work leaves memory behind.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const { Policies, Runtime } = require("ordain");
const { POLICIES, collect } = require("./support.js");

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");
const CALLS = Number(process.env.ORDAIN_NODE_CALLS ?? 20_000);
const SLACK = 8 * 1024 * 1024; // the arenas of malloc settle within this
const NOTE = "x".repeat(2000); // a call that were lost would be seen soon
const PLAIN = { texts: POLICIES, native: false }; // the compiler's thread would need memory at some time

/**
 * Memory in use after what can be freed was freed. Finalizers run in turns of the event loop. Room that V8 keeps for
 * objects to come does not count.
 */
async function memory() {
  for (let i = 0; i < 4; ++i) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}

/**
 * Does the work to warm up, and then `batches` times; the second part must not need more memory. Between the batches
 * the event loop has a turn, in which Node runs the finalizers.
 */
async function assertNoGrowth(batches, work) {
  for (let i = 0; i < 5; ++i) await work();
  const before = await memory();
  for (let i = 0; i < batches; ++i) {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const growth = (await memory()) - before;
  assert.ok(growth < SLACK, `${Math.round(growth / 1024)} KiB were left behind`);
}

/** A runtime with a database, which is deleted when the process ends. */
async function openRecorded() {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "ordain-node-"));
  process.on("exit", () => fs.rmSync(directory, { recursive: true, force: true }));
  return Runtime.open({ ...PLAIN, durability: "async", database: path.join(directory, "state") });
}

const PARTS = {
  async decisions() {
    const policies = Policies.fromTextSync(POLICIES, { native: false });
    await assertNoGrowth(CALLS / 1000, () => {
      for (let i = 0; i < 1000; ++i) policies.decide({ capability: "refund", input: { customer: "c", amount: 1, note: NOTE } }).effect;
    });
  },

  async calls() {
    const runtime = await Runtime.open(PLAIN);
    const refund = runtime.capability("refund", ({ amount, note }) => {
      if (amount === 3) throw new Error("three");
      return { message: note };
    });
    await assertNoGrowth(CALLS / 1000, async () => {
      for (let i = 0; i < 1000; ++i) await refund({ customer: "c", amount: i % 4, note: NOTE }).catch(() => null);
    });
  },

  async recorded() {
    const runtime = await openRecorded();
    const look = runtime.capability("look", ({ n }) => n);
    await assertNoGrowth(CALLS / 1000, async () => {
      for (let i = 0; i < 250; ++i) {
        const identity = runtime.identity({ principal: `p${i % 7}` });
        const call = (n) => look({ n, note: NOTE }).catch(() => null);
        await identity.run(() => Promise.all([call(1), call(0), call(2), call(3)]));
      }
      await runtime.flush();
    });
  },

  // Calls in flight need some megabytes each, so garbage is collected after each.
  async forgotten() {
    const runtime = await openRecorded();
    const count = Math.ceil(CALLS / 1000);
    await assertNoGrowth(count, async () => {
      await runtime.begin({ capability: "look", input: { n: 1 } });
      await memory();
    });
    const outcomes = await collect(runtime.audit({ kind: "outcome" }));
    assert.ok(outcomes.length >= count, `${outcomes.length} of ${count + 5} calls have ended`);
    assert.ok(outcomes.every(({ error }) => error.startsWith("abandoned")));
  },

  async policies() {
    await assertNoGrowth(CALLS / 1000, async () => {
      Policies.fromTextSync(POLICIES, { native: false }).decide({ capability: "mine" });
      await memory();
    });
  },
};

PARTS[process.argv[2]]();
