// The programs of process.test.js: node process_program.js PART DATABASE.
"use strict";

const childProcess = require("node:child_process");
const { isMainThread, parentPort, Worker, workerData } = require("node:worker_threads");
const { Runtime } = require("ordain");
const { POLICIES } = require("./support.js");

const [part, database] = isMainThread ? process.argv.slice(2) : [workerData.part, workerData.database];

/** `count` calls of a tool, one after another. */
async function look(runtime, count) {
  const call = runtime.capability("look", async ({ n }) => n);
  for (let n = 1; n <= count; ++n) await call({ n });
}

/** Resolves once five calls are with their tool, which never ends. */
function beginFive(runtime) {
  return new Promise((resolve) => {
    let inside = 0;
    const hang = runtime.capability("look", () => {
      if (++inside === 4) runtime.begin({ capability: "look", input: { n: 5 } }).then(resolve);
      return new Promise(() => {});
    });
    for (let n = 1; n <= 4; ++n) hang({ n });
  });
}

function startWorker(part) {
  const worker = new Worker(__filename, { workerData: { part, database } });
  const ended = new Promise((resolve, reject) => {
    worker.on("error", reject);
    worker.on("exit", resolve);
  });
  return { worker, ended };
}

const PARTS = {
  async ends(runtime) {
    await look(runtime, 50);
  },
  in_flight: beginFive,
  async exits(runtime) {
    await beginFive(runtime);
    process.exit(3);
  },
  async throws(runtime) {
    await beginFive(runtime);
    setImmediate(() => {
      throw new Error("a defect of the program");
    });
  },
  async exits_inside(runtime) {
    for (let i = 0; i < 200; ++i) look(runtime, 1000);
    setTimeout(() => process.exit(0), 50);
  },
  async terminates_workers() {
    const workers = Array.from({ length: 4 }, () => startWorker("busy"));
    await Promise.all(workers.map(({ worker }) => new Promise((resolve) => worker.once("message", resolve))));
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
    console.log("terminated");
  },
  async busy(runtime) {
    await beginFive(runtime);
    for (let i = 0; i < 20; ++i) look(runtime, 1_000_000);
    setTimeout(() => parentPort.postMessage("inside"), 20);
  },
  async workers(runtime) {
    const workers = Array.from({ length: 3 }, () => startWorker("looks"));
    await look(runtime, 25);
    await Promise.all(workers.map(({ ended }) => ended));
    await runtime.close();
    console.log("done");
  },
  async looks(runtime) {
    await look(runtime, 25);
  },
  async forks(runtime) {
    const children = Array.from({ length: 2 }, () => childProcess.fork(__filename, ["child", database]));
    await look(runtime, 20);
    const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.on("exit", resolve))));
    await runtime.close();
    console.log(codes.every((code) => code === 0) ? "done" : `exit codes ${codes}`);
  },
  async child(runtime) {
    await look(runtime, 20);
    await runtime.close();
    process.disconnect();
  },
};

Runtime.open({ texts: POLICIES, agent: "support", database }).then(PARTS[part]);
