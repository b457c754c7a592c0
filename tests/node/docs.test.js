// Runs the examples of docs/node.md, as one program, with the policies that the page shows.
"use strict";

const assert = require("node:assert/strict");
const childProcess = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");

const page = fs.readFileSync(path.join(__dirname, "node.md"), "utf8");

function blocks(language) {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text);
}

test("the examples run", (t) => {
  const directory = fs.mkdtempSync(path.join(__dirname, "docs-")); // beside the package, so that it is found
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const policies = blocks("policy"), examples = blocks("js");
  assert.equal(policies.length, 1);
  assert.ok(examples.length > 6);
  fs.mkdirSync(path.join(directory, "policies"));
  fs.writeFileSync(path.join(directory, "policies", "support.policy"), policies[0]);
  fs.writeFileSync(path.join(directory, "examples.mjs"), examples.join("\n"));
  const { status, stdout, stderr } = childProcess.spawnSync(process.execPath, ["examples.mjs"],
                                                            { cwd: directory, encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /released/);
});
