// An assistant whose tools are governed: an MCP server, and a client that a scripted model drives.
//
//   npm install && node assistant.mjs
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { Runtime } from "ordain";
import { z } from "zod";
import { toolsOf } from "./governed_server.mjs";

const state = mkdtempSync(join(tmpdir(), "ordain-assistant-"));
const runtime = await Runtime.open({
  policies: new URL("policies/", import.meta.url), agent: "support", database: join(state, "state"),
});

// --- the server ---

const server = new McpServer({ name: "shop", version: "1.0.0" });
const tool = toolsOf(server, runtime);
tool("customer", { description: "Looks a customer up", inputSchema: { id: z.string() } }, async ({ id }) => ({
  name: `customer ${id}`,
  card: "4111 1111 1111 1111",
}));
tool("refund", { description: "Pays money back", inputSchema: { customer: z.string(), amount: z.number() } },
     async ({ customer, amount }) => ({ message: `refunded ${amount} to ${customer}` }));

// --- the model, which follows a script, and asks a lead when it reads that it must ---

const script = [
  ["customer", { id: "c-17" }],
  ["refund", { customer: "c-17", amount: 25 }],
  ["refund", { customer: "c-17", amount: -5 }],
  ["refund", { customer: "c-17", amount: 250 }],
];

const client = new Client({ name: "assistant", version: "1.0.0" });
const [here, there] = InMemoryTransport.createLinkedPair();
await Promise.all([server.connect(there), client.connect(here)]);

async function callTool(name, input) {
  const { content, isError } = await client.callTool({ name, arguments: input });
  console.log(`${name} ${JSON.stringify(input)}\n  ${isError ? "stopped" : "result"}: ${content[0].text}`);
  return isError;
}

for (const [name, input] of script) {
  if (!(await callTool(name, input))) continue;
  const waiting = await runtime.approvals.list("pending");
  for (const { id, groups } of waiting) {
    console.log(`  the lead, of ${groups}, approves`);
    await runtime.approvals.approve(id, { by: "alice" });
  }
  if (waiting.length > 0) await callTool(name, input);
}

const kinds = [];
for await (const { kind } of runtime.audit()) kinds.push(kind);
console.log(`recorded: ${kinds.join(", ")}`);

await client.close();
await runtime.close();
rmSync(state, { recursive: true });
