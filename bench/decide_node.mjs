// Times decisions from Node beside the same rules written by hand in JavaScript, in the same run:
//
//   node bench/decide_node.mjs [BUILD_DIRECTORY]
//
// "By hand" gives an effect and a reason. It checks the types of the fields, as the engine does, and nothing is
// recorded on either side. Rounds take turns, and the medians are printed.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const build = resolve(process.argv[2] ?? "build/release");
const { Policies, Runtime } = createRequire(`${build}/node/`)("ordain");

const POLICIES = `
capability refund { type "tool"; risk high; input { customer: string, amount: double, currency: string } }
let currencies = ["EUR", "GBP", "USD", "CHF", "SEK"];
policy refunds on before refund {
  deny not_positive      when input.amount <= 0.0 because "a refund must be positive";
  deny currency          when !(input.currency in currencies) because "no such currency";
  require_approval large when input.amount > 500.0 from "finance";
  allow support          when agent.id == "support";
}`;

const CURRENCIES = new Set(["EUR", "GBP", "USD", "CHF", "SEK"]);

function byHand(agent, { customer, amount, currency }) {
  if (typeof customer !== "string" || typeof amount !== "number" || typeof currency !== "string") {
    return { effect: "deny", reason: "invalid input" };
  }
  if (amount <= 0) return { effect: "deny", reason: "a refund must be positive" };
  if (!CURRENCIES.has(currency)) return { effect: "deny", reason: "no such currency" };
  if (amount > 500) return { effect: "require_approval", reason: "large" };
  return agent === "support" ? { effect: "allow", reason: "" } : { effect: "deny", reason: "no rule" };
}

const inputs = Array.from({ length: 64 }, (_, i) => ({
  customer: `c-${i}`,
  amount: i % 8 === 0 ? -1 : i * 12.5 + 0.25,
  currency: ["EUR", "GBP", "USD", "XXX"][i % 4],
}));

const policies = await Policies.fromText(POLICIES);
const runtime = await Runtime.open({ texts: POLICIES, agent: "support" });
const nothing = runtime.capability("refund", () => null);
const facts = { agent: "support" };
for (const input of inputs) {
  const { effect } = policies.decide({ capability: "refund", input, facts });
  if (effect !== byHand("support", input).effect) throw new Error(`the answers differ: ${JSON.stringify(input)}`);
}

let kept = 0;
const ways = {
  "rules by hand": () => {
    for (const input of inputs) kept += byHand("support", input).effect.length;
  },
  "JSON.stringify and JSON.parse of the input": () => {
    for (const input of inputs) kept += JSON.parse(JSON.stringify(input)).customer.length;
  },
  "Policies.decide, its effect": () => {
    for (const input of inputs) kept += policies.decide({ capability: "refund", input, facts }).effect.length;
  },
  "a governed call without a database": async () => {
    for (const input of inputs) await nothing(input).catch(() => ++kept);
  },
};

const rounds = 31, repeats = 20;
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round < rounds; ++round) {
  for (const [name, way] of Object.entries(ways)) {
    const begin = process.hrtime.bigint();
    for (let i = 0; i < repeats; ++i) await way();
    times[name].push(Number(process.hrtime.bigint() - begin) / (repeats * inputs.length));
  }
}
const medians = Object.entries(times).map(([name, all]) => [name, all.sort((a, b) => a - b)[rounds >> 1]]);
const [[, byHandTime]] = medians;
for (const [name, time] of medians) {
  console.log(`${name.padEnd(46)}${(time / 1000).toFixed(2).padStart(9)} µs ${(time / byHandTime).toFixed(0).padStart(6)}× by hand`);
}
await runtime.close();
