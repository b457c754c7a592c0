// The runtime: options, calls by hand, approvals, the record, reload and close.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { setTimeout: sleep } = require("node:timers/promises");
const { pathToFileURL } = require("node:url");
const { ClosedError, Denied, Pending, PolicyError, RefusedError, Runtime, Withheld } = require("ordain");
const { POLICIES, collect, kinds, open, temporaryDirectory } = require("./support.js");

test("options are checked", async (t) => {
  const wrong = [
    {},
    { policies: "x", texts: "y" },
    { texts: POLICIES, dataBase: "state" },
    { texts: POLICIES, mode: "watch" },
    { texts: POLICIES, budget: 0 },
    { texts: POLICIES, budget: 1.5 },
    { texts: POLICIES, approvalExpires: "1h" },
    { texts: POLICIES, policies: undefined, database: 7 },
    { policies: [7] },
    { texts: POLICIES, agent: 7 },
  ];
  for (const options of wrong) await assert.rejects(Runtime.open(options), TypeError, JSON.stringify(options));
  await assert.rejects(Runtime.open({ texts: "policy" }), PolicyError);
  await assert.rejects(Runtime.open({ texts: POLICIES, operatorKey: "/nonexistent/key" }), RefusedError);
  const directory = temporaryDirectory(t);
  fs.writeFileSync(path.join(directory, "shop.policy"), POLICIES);
  const runtime = await Runtime.open({ policies: pathToFileURL(directory), approvalExpires: 90_000 });
  assert.equal(await runtime.warnings(), "");
  await runtime.close();
});

test("a call by hand", async (t) => {
  const runtime = await open(t);
  const call = await runtime.begin({ capability: "refund", input: { customer: "c", amount: 20, card: "4111" } });
  assert.deepEqual(call.input, { customer: "c", amount: 20, card: "***" });
  assert.equal(call.ended, false);
  assert.deepEqual(await call.finish({ message: "done", iban: "DE00" }), { message: "done", iban: "***" });
  assert.equal(call.ended, true);
  await call.fail(new Error("too late"));
  await assert.rejects(call.finish({ message: "AKIA" }), { name: "Withheld", code: "already_ended" });

  const failed = await runtime.begin({ capability: "look", input: { n: 1 } });
  await failed.fail(new TypeError("broken"));
  await assert.rejects(failed.finish(1), (error) => error instanceof Withheld && error.code === "TypeError");

  const unused = await runtime.begin({ capability: "look", input: { n: 1 } });
  await unused.giveUp("not needed");

  await assert.rejects(runtime.begin({ capability: "mine" }), Denied);
  await assert.rejects(runtime.begin({ capability: "refund", input: { customer: "c", amount: 900 } }), Pending);
  await assert.rejects(runtime.begin({ capability: "look", inputs: { n: 1 } }), /no "inputs"/);
  const outcomes = await collect(runtime.audit({ kind: "outcome" }));
  assert.deepEqual(outcomes.map(({ error }) => (error ?? "").split(":")[0]), ["", "TypeError", "not_executed"]);
});

test("a call that is ended twice at once releases one output", async (t) => {
  const runtime = await open(t);
  const call = await runtime.begin({ capability: "refund", input: { customer: "c", amount: 20 } });
  const [first, second] = await Promise.allSettled([call.finish({ message: "a" }), call.finish({ message: "AKIA" })]);
  assert.deepEqual(first, { status: "fulfilled", value: { message: "a" } });
  assert.equal(second.reason.code, "already_ended");
});

test("evaluate and authorize", async (t) => {
  const runtime = await open(t);
  const decision = await runtime.evaluate({ capability: "refund", input: { customer: "c", amount: 900 } });
  assert.ok(decision.needsApproval);
  assert.equal(decision.rule, "refunds.large");
  const after = await runtime.evaluate({ capability: "refund", input: { customer: "c", amount: 9 }, output: { message: "AKIA" } });
  assert.equal(after.rule, "leaks.key_leak");
  assert.deepEqual(await kinds(runtime), []);

  const denied = await runtime.authorize({ capability: "refund", input: { customer: "c", amount: -1 } });
  assert.deepEqual([denied.state, denied.authorized, denied.rule, denied.input], ["denied", false, "refunds.negative", undefined]);
  const pending = await runtime.authorize({ capability: "refund", input: { customer: "c", amount: 900 } });
  assert.equal(pending.state, "pending");
  await runtime.approvals.approve(pending.approval, { by: "alice" });
  const authorized = await runtime.authorize({ capability: "refund", input: { customer: "c", amount: 900, card: undefined } });
  assert.ok(authorized.authorized);
  assert.deepEqual(authorized.input, { customer: "c", amount: 900 });
  assert.equal(authorized.approval, pending.approval);
  assert.ok(authorized.decision.needsApproval);
});

test("approvals are listed, shown and answered once", async (t) => {
  const runtime = await open(t);
  assert.deepEqual(await runtime.approvals.list(), []);
  const { approval } = await runtime.begin({ capability: "refund", input: { customer: "c", amount: 900 } }).catch((e) => e);
  const [listed] = await runtime.approvals.list("pending");
  assert.equal(listed.id, approval);
  assert.deepEqual((await runtime.approvals.show(approval.slice(0, 8))).input, { customer: "c", amount: 900 });
  assert.equal((await runtime.approvals.reject(approval, { by: "alice", note: "no" })).state, "rejected");
  await assert.rejects(runtime.approvals.approve(approval, { by: "alice" }), { name: "RefusedError", code: "not_pending" });
  await assert.rejects(runtime.approvals.show("00000000"), { code: "unknown_approval" });
  await assert.rejects(runtime.approvals.approve("a\0b", { by: "alice" }), TypeError);
  await assert.rejects(runtime.approvals.list("open"), TypeError);
  assert.equal((await runtime.approvals.wait(approval)).state, "rejected");
});

test("the record is an async iterator, read in batches", async (t) => {
  const runtime = await open(t);
  const look = runtime.capability("look", ({ n }) => n);
  await Promise.all(Array.from({ length: 30 }, (_, i) => look({ n: i + 1 })));
  for (const batch of [1, 7, 60, 1000]) {
    const records = await collect(runtime.audit({ batch }));
    assert.equal(records.length, 60);
    assert.deepEqual(records.map(({ id }) => id), Array.from({ length: 60 }, (_, i) => i + 1));
  }
  assert.deepEqual((await collect(runtime.audit({ first: 58 }))).map(({ id }) => id), [58, 59, 60]);
  assert.equal((await collect(runtime.audit({ kind: "intent", capability: "look" }))).length, 30);
  assert.equal((await collect(runtime.audit({ since: new Date(Date.now() + 3_600_000) }))).length, 0);
  for await (const record of runtime.audit()) {
    assert.equal(record.id, 1);
    break;
  }
  assert.throws(() => runtime.audit({ kinds: "intent" }), /no "kinds"/);
  assert.ok((await runtime.verify()).ok);
  assert.equal((await runtime.verify()).records, 60);
});

test("health and metrics", async (t) => {
  const runtime = await open(t);
  await runtime.capability("look", () => 1)({ n: 1 });
  await runtime.flush();
  const health = await runtime.health();
  assert.equal(health.auditAvailable, true);
  assert.equal(health.recordsWritten, 2);
  assert.equal(health.recordsLost, 0);
  assert.match(health.program, /^[0-9a-f]{64}$/);
  assert.match(await runtime.metrics(), /# EOF\n$/);
});

test("reload replaces the policies, or changes nothing", async (t) => {
  const runtime = await open(t);
  const mine = runtime.capability("mine", () => 1);
  await assert.rejects(mine({}), Denied);
  await assert.rejects(runtime.reload({ texts: "policy" }), PolicyError);
  await assert.rejects(runtime.reload({}), TypeError);
  await assert.rejects(mine({}), Denied);
  await runtime.reload({ texts: 'capability mine { type "tool"; risk low; } policy all on before mine { allow; }' });
  assert.equal(await mine({}), 1);
});

test("the event loop goes on while the engine works", async (t) => {
  const runtime = await open(t, { durability: "sync" });
  const look = runtime.capability("look", ({ n }) => n);
  let turns = 0;
  const timer = setInterval(() => ++turns, 1);
  await Promise.all(Array.from({ length: 500 }, (_, i) => look({ n: i + 1 })));
  clearInterval(timer);
  assert.ok(turns > 0);
});

test("close lets calls that have begun end, and nothing begin", async (t) => {
  const database = path.join(temporaryDirectory(t), "state");
  const runtime = await Runtime.open({ texts: POLICIES, database });
  const look = runtime.capability("look", async ({ n }) => {
    await sleep(50);
    return n;
  });
  const running = Promise.allSettled(Array.from({ length: 20 }, (_, i) => look({ n: i + 1 })));
  const call = await runtime.begin({ capability: "look", input: { n: 1 } });
  await Promise.all([runtime.close(), runtime.close()]);
  await assert.rejects(look({ n: 1 }), ClosedError);
  await assert.rejects(runtime.health(), ClosedError);
  assert.throws(() => runtime.identity({ principal: "carol" }), ClosedError);
  assert.equal(await call.finish(3), 3);
  const ended = await running;
  assert.ok(ended.every(({ status, reason }) => status === "fulfilled" || reason instanceof ClosedError), ended);

  const again = await Runtime.open({ texts: POLICIES, database });
  const begun = ended.filter(({ status }) => status === "fulfilled").length + 1;
  const recorded = await kinds(again);
  assert.equal(recorded.filter((kind) => kind === "intent").length, begun);
  assert.equal(recorded.filter((kind) => kind === "outcome").length, begun);
  assert.ok((await again.verify()).ok);
  await again.close();
});
