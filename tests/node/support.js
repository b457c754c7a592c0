// What the tests of the Node package share: policies, and runtimes that are deleted afterwards.
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { Runtime } = require("ordain");

const POLICIES = `
package shop;

capability refund {
  type "tool"; risk high; effect irreversible;
  input { customer: string, amount: double, note: optional(string), card: optional(string) }
  output open { message: string, iban: optional(string) }
}
capability look { type "tool"; risk low; input open { n: int } }
capability mine { type "tool"; risk low; }
capability tag { type "tool"; risk low; input { label: string } }

policy refunds on before refund {
  deny negative when input.amount <= 0.0 because "the amount must be positive";
  require_approval large when input.amount > 500.0 from "finance" expires 30m because "a refund above 500";
  redact card input.card when has(input.card) with "***";
  warn round when input.amount == 100.0 because "a round sum";
  allow;
}
policy looks on before look { deny broken when 10 / input.n > 100; allow; }
policy own on before mine { allow carol when principal.id == "carol"; }
policy tags on before tag { allow fruit when resource.id == "fruit:" + input.label; }
policy leaks on after refund {
  deny key_leak when output.message.contains("AKIA") because "a key in the output";
  redact iban output.iban when has(output.iban) with "***";
}
`;

/** A directory that is deleted after the test. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "ordain-node-"));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A runtime with a database, closed and deleted after the test. */
async function open(t, options = {}) {
  const database = path.join(temporaryDirectory(t), "state");
  const runtime = await Runtime.open({ texts: POLICIES, agent: "support", database, ...options });
  t.after(() => runtime.close());
  return runtime;
}

async function collect(records) {
  const out = [];
  for await (const record of records) out.push(record);
  return out;
}

/** The kinds of the records that match. */
async function kinds(runtime, filter) {
  return (await collect(runtime.audit(filter))).map((record) => record.kind);
}

module.exports = { POLICIES, collect, kinds, open, temporaryDirectory };
