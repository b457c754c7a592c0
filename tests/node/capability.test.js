// Functions as governed calls: what they get, what their callers get, and what is recorded.
"use strict";

const assert = require("node:assert/strict");
const { test } = require("node:test");
const { setTimeout: sleep } = require("node:timers/promises");
const { Denied, OrdainError, Pending, Runtime, Stopped, Withheld } = require("ordain");
const { POLICIES, collect, kinds, open } = require("./support.js");

test("an allowed call runs with its input, and gives its own result", async (t) => {
  const runtime = await open(t);
  const result = { message: "done" };
  const seen = [];
  const refund = runtime.capability("refund", (input) => {
    seen.push(input);
    return result;
  });
  const input = { customer: "c-17", amount: 25.5, note: undefined };
  assert.equal(await refund(input), result);
  assert.deepEqual(seen, [{ customer: "c-17", amount: 25.5 }]);
  assert.deepEqual(await kinds(runtime), ["intent", "outcome"]);
  assert.equal(refund.capability, "refund");
});

test("async functions, further arguments and this", async (t) => {
  const runtime = await open(t);
  const bank = {
    fee: 2,
    refund: runtime.capability("refund", async function ({ amount }, context, ...more) {
      await sleep(1);
      return { message: `${amount + this.fee} ${context.id} ${more}` };
    }),
  };
  assert.deepEqual(await bank.refund({ customer: "c", amount: 5 }, { id: 7 }, 8, 9), { message: "7 7 8,9" });
});

test("a denied call does not run", async (t) => {
  const runtime = await open(t);
  let ran = 0;
  const refund = runtime.capability("refund", () => ++ran);
  await assert.rejects(refund({ customer: "c", amount: -1 }), (error) => {
    assert.ok(error instanceof Denied && error instanceof Stopped && error instanceof OrdainError && error instanceof Error);
    assert.ok(!(error instanceof Withheld));
    const { name, capability, rule, reason, code, fault } = error;
    assert.deepEqual([name, capability, rule, reason, code, fault],
                     ["Denied", "refund", "refunds.negative", "the amount must be positive", "rule", ""]);
    assert.equal(error.message, "refund denied by refunds.negative: the amount must be positive");
    assert.match(error.action, /^[0-9a-f]{32}$/);
    return true;
  });
  await assert.rejects(refund({ customer: "c" }), { name: "Denied", code: "invalid_input" });
  await assert.rejects(refund({ customer: "c", amount: "9" }), { name: "Denied", code: "invalid_input" });
  const look = runtime.capability("look", () => ++ran);
  await assert.rejects(look({ n: 0 }), (error) => error.code === "evaluation_error" && error.fault !== "");
  await assert.rejects(runtime.capability("unknown", () => ++ran)({}), Denied);
  assert.equal(ran, 0);
});

test("an argument without a form in JSON throws before anything begins", async (t) => {
  const runtime = await open(t);
  const look = runtime.capability("look", () => 1);
  await assert.rejects(look({ n: 1, more: new Map() }), TypeError);
  assert.deepEqual(await kinds(runtime), []);
});

test("rules redact input and output", async (t) => {
  const runtime = await open(t);
  let got;
  const refund = runtime.capability("refund", (input) => {
    got = input;
    return { message: "done", iban: "DE00" };
  });
  const input = { customer: "c", amount: 1, card: "4111" };
  assert.deepEqual(await refund(input), { message: "done", iban: "***" });
  assert.equal(got.card, "***");
  assert.equal(input.card, "4111");
});

test("what was decided is what runs, whatever happens to the caller's object", async (t) => {
  const runtime = await open(t);
  let reads = 0;
  const input = {
    customer: "c",
    get amount() {
      return ++reads > 2 ? -1 : 5; // it is read when it is checked, and when it is written
    },
  };
  const refund = runtime.capability("refund", async ({ amount }) => ({ message: String(amount) }));
  const running = refund(input);
  input.customer = "someone else";
  assert.deepEqual(await running, { message: "5" });
  const [{ input: recorded }] = await collect(runtime.audit({ kind: "intent" }));
  assert.equal(recorded.customer, "c");
});

test("an output that the rules deny is withheld", async (t) => {
  const runtime = await open(t);
  let ran = 0;
  const refund = runtime.capability("refund", () => ({ message: "AKIA", ran: ++ran }));
  await assert.rejects(refund({ customer: "c", amount: 1 }), (error) => {
    assert.ok(error instanceof Withheld && error instanceof Stopped && !(error instanceof Denied));
    assert.deepEqual([error.rule, error.reason], ["leaks.key_leak", "a key in the output"]);
    assert.doesNotMatch(error.message + error.stack, /AKIA/);
    return true;
  });
  assert.equal(ran, 1);
});

test("an output that no rule can read is withheld", async (t) => {
  const runtime = await open(t);
  for (const output of [new Map(), () => 1, 1n, { n: NaN }]) {
    await assert.rejects(runtime.capability("look", () => output)({ n: 1 }), { name: "Withheld", code: "bad_output" });
  }
  assert.equal(await runtime.capability("look", () => undefined)({ n: 1 }), null);
});

test("what the function throws is recorded as its failure, and thrown", async (t) => {
  const runtime = await open(t);
  const failures = [new RangeError("too far"), Object.assign(new Error("no"), { code: "ENOENT" }), "a text", undefined, null, Symbol("s"),
                    Object.create(null), Object.assign(new Error("m"), { message: Object.create(null) })];
  for (const thrown of failures) {
    const works = [() => { throw thrown; }, async () => { throw thrown; }, () => Promise.reject(thrown)];
    for (const work of works) {
      let caught = "nothing";
      await runtime.capability("look", work)({ n: 1 }).catch((error) => { caught = error; });
      assert.equal(caught, thrown);
    }
  }
  const outcomes = await collect(runtime.audit({ kind: "outcome" }));
  assert.equal(outcomes.length, 3 * failures.length);
  assert.deepEqual([outcomes[0].status, outcomes[0].error], ["failed", "RangeError: too far"]);
  assert.equal(outcomes[3].error, "ENOENT: no");
});

test("a function that throws a Stopped of its own is a failure of the tool", async (t) => {
  const runtime = await open(t);
  const inner = runtime.capability("refund", () => 1);
  const outer = runtime.capability("look", () => inner({ customer: "c", amount: -1 }));
  await assert.rejects(outer({ n: 1 }), Denied);
  assert.deepEqual(await kinds(runtime), ["intent", "denied", "outcome"]);
});

test("warnings and observe", async (t) => {
  const runtime = await open(t, { mode: "observe" });
  const call = await runtime.begin({ capability: "refund", input: { customer: "c", amount: -1 } });
  assert.equal(call.would, "would_deny");
  await call.finish({ message: "" });
  const round = await runtime.begin({ capability: "refund", input: { customer: "c", amount: 100 } });
  assert.deepEqual(round.warnings, ["a round sum"]);
  await round.finish({ message: "" });
});

test("identities are in force within a function and what it awaits", async (t) => {
  const runtime = await open(t);
  const mine = runtime.capability("mine", async () => 1);
  const carol = runtime.identity({ principal: "carol" }), dave = runtime.identity({ principal: "dave" });
  await assert.rejects(mine({}), Denied);
  const tries = [];
  for (let i = 0; i < 20; ++i) {
    const who = i % 2 === 0 ? carol : dave;
    tries.push(who.run(async () => {
      await sleep(i % 5);
      return mine({}).then(() => true, () => false);
    }));
  }
  assert.deepEqual(await Promise.all(tries), tries.map((_, i) => i % 2 === 0));
  assert.equal(runtime.currentIdentity(), undefined);
  await carol.run(async () => {
    assert.equal(runtime.currentIdentity(), carol);
    await dave.run(() => assert.rejects(mine({}), Denied));
    assert.equal(await mine({}), 1);
    assert.equal(await mine.with({ identity: carol })({}), 1);
    await assert.rejects(mine.with({ identity: dave })({}), Denied);
  });
  await (async () => {
    carol.enter();
    assert.equal(await mine({}), 1);
  })();
});

test("an identity belongs to its runtime", async (t) => {
  const runtime = await open(t), other = await open(t);
  const carol = other.identity({ principal: "carol" });
  await assert.rejects(runtime.begin({ capability: "mine", identity: carol }), TypeError);
  await carol.run(() => assert.rejects(runtime.begin({ capability: "mine" }), Denied));
  assert.throws(() => runtime.identity({ principle: "carol" }), TypeError);
});

test("the resource is the host's word", async (t) => {
  const runtime = await open(t);
  const tag = runtime.capability("tag", () => 1, { resource: ({ label }, kind) => `${kind}:${label}` });
  assert.equal(await tag({ label: "pear" }, "fruit"), 1);
  await assert.rejects(tag({ label: "pear" }, "stone"), Denied);
  assert.equal(await tag.with({ resource: "fruit:pear" })({ label: "pear" }), 1);
});

test("a call that needs approval throws Pending, and runs once after it", async (t) => {
  const runtime = await open(t);
  let ran = 0;
  const refund = runtime.capability("refund", () => ({ message: String(++ran) }));
  const input = { customer: "c", amount: 900 };
  const pending = await refund(input).catch((error) => error);
  assert.ok(pending instanceof Pending && pending instanceof Stopped);
  assert.deepEqual(pending.groups, ["finance"]);
  assert.equal(pending.code, "pending");
  assert.match(pending.expires, /^\d{4}-/);
  await assert.rejects(runtime.approvals.approve(pending.approval, {}), TypeError);
  const approved = await runtime.approvals.approve(pending.approval, { by: "alice", note: "fine" });
  assert.equal(approved.state, "approved");
  assert.deepEqual(await refund(input), { message: "1" });
  await assert.rejects(refund(input), Pending);
  assert.equal(ran, 1);
});

test("a call waits for its approval, and the event loop goes on", async (t) => {
  const runtime = await open(t);
  const refund = runtime.capability("refund", ({ amount }) => ({ message: String(amount) }), { wait: 30_000 });
  const running = Promise.all(Array.from({ length: 50 }, (_, i) => refund({ customer: "c", amount: 600 + i })));
  const answered = new Set();
  while (answered.size < 50) {
    for (const { id } of await runtime.approvals.list("pending")) {
      await runtime.approvals.approve(id, { by: "alice" });
      answered.add(id);
    }
    await sleep(1);
  }
  assert.deepEqual((await running).map(({ message }) => message), Array.from({ length: 50 }, (_, i) => String(600 + i)));
});

test("a wait ends with a rejection, the time and a signal", async (t) => {
  const runtime = await open(t);
  let ran = 0;
  const refund = runtime.capability("refund", () => ++ran, { wait: 30_000 });
  const rejected = assert.rejects(refund({ customer: "c", amount: 900 }), { name: "Denied", code: "approval_rejected" });
  let waiting;
  while ((waiting = await runtime.approvals.list("pending")).length === 0) await sleep(1);
  await runtime.approvals.reject(waiting[0].id, { by: "alice" });
  await rejected;

  await assert.rejects(refund.with({ wait: 60 })({ customer: "d", amount: 900 }), Pending);

  const abort = new AbortController();
  const reason = new Error("the user left");
  const aborted = refund.with({ signal: abort.signal })({ customer: "e", amount: 900 });
  setTimeout(() => abort.abort(reason), 20);
  await assert.rejects(aborted, (error) => error === reason);

  await assert.rejects(runtime.approvals.wait((await runtime.approvals.list("pending"))[0].id, { timeout: 10 }),
                       { name: "TimeoutError" });
  assert.equal(ran, 0);
});

test("a signal keeps a call from running", async (t) => {
  const runtime = await open(t);
  let ran = 0;
  const look = runtime.capability("look", () => ++ran);
  const abort = new AbortController();
  const running = look.with({ signal: abort.signal })({ n: 1 });
  abort.abort(new Error("stop"));
  await assert.rejects(running, /stop/);
  await assert.rejects(look.with({ signal: AbortSignal.abort() })({ n: 1 }), { name: "AbortError" });
  assert.equal(ran, 0);
  const errors = (await collect(runtime.audit({ kind: "outcome" }))).map(({ error }) => error.split(":")[0]);
  assert.deepEqual(errors, ["not_executed"]);
});

test("without a database calls are governed and nothing is recorded", async () => {
  const runtime = await Runtime.open({ texts: POLICIES });
  assert.equal(await runtime.capability("look", () => 7)({ n: 1 }), 7);
  await assert.rejects(runtime.capability("look", () => 7)({ n: 0 }), Denied);
  await runtime.close();
});

test("what cannot be governed is refused", async (t) => {
  const runtime = await open(t);
  assert.throws(() => runtime.capability("look", function* () {}), TypeError);
  assert.throws(() => runtime.capability("look", async function* () {}), TypeError);
  assert.throws(() => runtime.capability("look"), TypeError);
  assert.throws(() => runtime.capability(() => 1), TypeError);
  assert.throws(() => runtime.capability("look", () => 1, { waits: 5 }), /no "waits"/);
  assert.throws(() => runtime.capability("look", () => 1, { wait: "1h" }), TypeError);
  assert.throws(() => runtime.capability("look", () => 1).with({ identify: 1 }), /no "identify"/);
  const iterating = runtime.capability("look", () => ({ [Symbol.asyncIterator]: async function* () {} }));
  assert.deepEqual(Object.keys(await iterating({ n: 1 })), []);
});
