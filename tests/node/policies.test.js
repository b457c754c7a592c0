// Policies that only decide, and what values become on their way to the rules.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { pathToFileURL } = require("node:url");
const { inspect } = require("node:util");
const { ClosedError, Decision, OrdainError, Policies, PolicyError } = require("ordain");
const { POLICIES, temporaryDirectory } = require("./support.js");

const refund = (input) => ({ capability: "refund", input });

test("each effect", () => {
  const policies = Policies.fromTextSync(POLICIES);
  const allowed = policies.decide(refund({ customer: "c-17", amount: 25 }));
  assert.ok(allowed instanceof Decision);
  assert.deepEqual([allowed.allowed, allowed.denied, allowed.needsApproval], [true, false, false]);

  const denied = policies.decide(refund({ customer: "c-17", amount: -1 }));
  assert.equal(denied.effect, "deny");
  assert.equal(denied.rule, "refunds.negative");
  assert.equal(denied.reason, "the amount must be positive");
  assert.equal(denied.policy, "refunds");

  const large = policies.decide(refund({ customer: "c-17", amount: 501, card: "4111" }));
  assert.ok(large.needsApproval);
  assert.equal(large.rule, "refunds.large");
  assert.deepEqual(large.obligations.map(({ kind, path }) => [kind, path]), [["redact", "input.card"]]);

  const faulty = policies.decide({ capability: "look", input: { n: 0 } });
  assert.equal(faulty.code, "evaluation_error");
  assert.notEqual(faulty.fault, "");
});

test("the after stage is asked for by an output or by name", () => {
  const policies = Policies.fromTextSync(POLICIES);
  const leak = policies.decide({ ...refund({ customer: "c", amount: 1 }), output: { message: "AKIA" } });
  assert.deepEqual([leak.effect, leak.rule], ["deny", "leaks.key_leak"]);
  const named = policies.decide({ ...refund({ customer: "c", amount: 1 }), stage: "after", output: { message: "fine" } });
  assert.equal(named.effect, "allow");
  assert.throws(() => policies.decide({ capability: "look", stage: "before", output: 1 }), TypeError);
  assert.throws(() => policies.decide({ capability: "look", stage: "during" }), TypeError);
});

test("facts are the host's", () => {
  const policies = Policies.fromTextSync(POLICIES);
  assert.ok(policies.decide({ capability: "mine", facts: { principal: "carol" } }).allowed);
  assert.ok(policies.decide({ capability: "mine", input: { principal: "carol" } }).denied);
  assert.ok(policies.decide({ capability: "mine", metadata: { principal: { id: "carol" } } }).denied);
  assert.throws(() => policies.decide({ capability: "mine", facts: { principle: "carol" } }), TypeError);
});

test("a slip in the name of a key is not an absent key", () => {
  const policies = Policies.fromTextSync(POLICIES);
  assert.throws(() => policies.decide({ capability: "mine", fact: { principal: "carol" } }), /no "fact"/);
  assert.throws(() => policies.decide({ input: {} }), TypeError);
  assert.throws(() => policies.decide(), TypeError);
  assert.throws(() => Policies.fromTextSync(POLICIES, { defaults: "allow" }), /no "defaults"/);
  assert.throws(() => Policies.fromTextSync(POLICIES, { default: "permit" }), TypeError);
});

test("loading from files, directories, URLs, texts and programs", async (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, "shop.policy");
  fs.writeFileSync(file, POLICIES);
  const loaded = [
    await Policies.load(file),
    await Policies.load([directory]),
    Policies.loadSync(pathToFileURL(file)),
    await Policies.fromText({ "shop.policy": POLICIES }),
  ];
  loaded.push(Policies.fromProgram(loaded[0].save()), Policies.fromProgram(new Uint8Array(loaded[1].save())));
  for (const policies of loaded) assert.ok(policies.decide(refund({ customer: "c", amount: 1 })).allowed);
});

test("policies with errors say where", async () => {
  const wrong = "policy p on before look { allow when input.m == 1; }\ncapability look { type \"tool\"; risk low; input { n: int } }";
  await assert.rejects(Policies.fromText({ "wrong.policy": wrong }), (error) => {
    assert.ok(error instanceof PolicyError && error instanceof OrdainError);
    assert.equal(error.name, "PolicyError");
    assert.match(error.message, /wrong\.policy:1/);
    return true;
  });
  assert.throws(() => Policies.loadSync("/nonexistent/policies"), PolicyError);
  assert.throws(() => Policies.fromProgram(Buffer.from("not a program")), TypeError);
  assert.throws(() => Policies.fromProgram("text"), TypeError);
});

test("the default is the host's choice", () => {
  const text = "capability look { type \"tool\"; risk low; }";
  const effects = ["deny", "require_approval", "allow"];
  for (const effect of effects) {
    assert.equal(Policies.fromTextSync(text, { default: effect }).decide({ capability: "look" }).effect, effect);
  }
  assert.equal(Policies.fromTextSync(text).decide({ capability: "look" }).effect, "deny");
});

test("closed policies refuse", () => {
  const policies = Policies.fromTextSync(POLICIES);
  policies.close();
  policies.close();
  assert.throws(() => policies.decide({ capability: "mine" }), ClosedError);
});

test("a value that JSON would change silently is refused", () => {
  const policies = Policies.fromTextSync(POLICIES);
  const circular = {};
  circular.self = circular;
  const values = [NaN, Infinity, -Infinity, () => 1, Symbol("s"), 1n, new Map([["n", 1]]), new Set([1]), /x/, new Error("e"),
                  new Uint8Array(1), new ArrayBuffer(1), Promise.resolve(1), circular];
  for (const value of values) {
    for (const input of [{ n: value }, { n: { deep: value } }, { n: [1, value] }]) {
      assert.throws(() => policies.decide({ capability: "look", input }), TypeError, inspect(input));
    }
    assert.throws(() => policies.decide({ capability: "look", input: value }), TypeError);
  }
  assert.throws(() => policies.decide({ capability: "look", input: { toJSON: () => undefined } }), TypeError);
  assert.throws(() => policies.decide({ capability: "look", input: { n: [undefined] } }), TypeError);
});

test("any text reaches the rules as it is", () => {
  const policies = Policies.fromTextSync('capability say { type "tool"; risk low; input { text: string } }\n' +
                                         'policy p on before say { deny said when true because input.text; }');
  const texts = ["", "ä€😀", "a\0b", "\u2028", "x".repeat(5000), "€".repeat(1000), "y".repeat(1019) + "€", '"\\'];
  for (let length = 1000; length < 1030; ++length) texts.push("z".repeat(length) + "😀");
  for (const text of texts) {
    const decision = policies.decide({ capability: "say", input: { text } });
    if (text !== "") assert.equal(decision.reason, text);
  }
  for (let length = 1010; length < 1030; ++length) {
    assert.equal(policies.decide({ capability: "c".repeat(length) + "😀" }).raw.capability, "c".repeat(length) + "😀");
  }
  const lone = policies.decide({ capability: "say", input: { text: "\ud800" } });
  assert.ok(lone.denied);
});

test("a decision prints and serialises as what it says", () => {
  const decision = Policies.fromTextSync(POLICIES).decide(refund({ customer: "c", amount: -1 }));
  assert.match(inspect(decision), /refunds\.negative/);
  assert.equal(JSON.parse(JSON.stringify(decision)).rule, "refunds.negative");
  assert.throws(() => { "use strict"; decision.effect = "allow"; }, TypeError);
  assert.throws(() => { "use strict"; decision.raw.effect = "allow"; }, TypeError);
});
