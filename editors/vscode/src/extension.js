// Starts `ordain lsp` for policies. All that is known about policies is in the server.
"use strict";

const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

function start() {
  const settings = vscode.workspace.getConfiguration("ordain");
  const server = { command: settings.get("path"), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("ordain", "Ordain", server, {
    documentSelector: [{ language: "ordain" }],
    initializationOptions: { policies: settings.get("policies") },
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{policy,csv,json,jsonl}") },
  });
  return client.start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (!change.affectsConfiguration("ordain")) return;
      await client.stop();
      await start();
    }),
  );
  await start();
}

function deactivate() {
  return client && client.stop();
}

module.exports = { activate, deactivate };
