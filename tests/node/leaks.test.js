// Many calls leave no memory behind: a few by default, and as many as ORDAIN_NODE_CALLS says. Each part is a process
// of its own, because the test runner itself remembers every promise for a while.
"use strict";

const assert = require("node:assert/strict");
const childProcess = require("node:child_process");
const path = require("node:path");
const { test } = require("node:test");

function run(part) {
  return () => {
    const { status, stderr } = childProcess.spawnSync(process.execPath, [path.join(__dirname, "leaks_program.js"), part],
                                                      { encoding: "utf8", timeout: 300_000 });
    assert.equal(status, 0, stderr);
  };
}

test("decisions leave no memory behind", run("decisions"));
test("calls that succeed, fail and are denied leave no memory behind", run("calls"));
test("recorded calls and identities leave no memory behind", run("recorded"));
test("forgotten calls are recorded and leave no memory behind", run("forgotten"));
test("policies that are dropped leave no memory behind", run("policies"));
