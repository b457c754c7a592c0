// Colours every policy of the repository with the grammar for Visual Studio Code, by the engine that the editor
// itself uses, and compares the colours with what a small scanner finds: comments, strings, numbers, and the words
// that open statements and rules.
//
// Usage: node grammar_test.mjs ROOT, where vscode-textmate and vscode-oniguruma can be resolved.

import { strict as assert } from "node:assert";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";

const require = createRequire(path.join(process.cwd(), "package.json"));
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const root = process.argv[2];
const FOLDERS = ["examples", "stdlib", "tests/policies", "import", "docs"];
const BROKEN = /[/\\]errors[/\\]/; // mistakes on purpose
const OPENERS = /^(package|import|option|context|capability|let|policy|test|history|rate|budget|label|deny|require_approval|allow|redact|warn|clear|call|expect|rows|wait|fails|approve|reject)$/;

async function loadGrammar() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const file = path.join(root, "editors/vscode/syntaxes/ordain.tmLanguage.json");
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, "utf8"), file),
  });
  return registry.loadGrammar("source.ordain");
}

function* policyFiles(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* policyFiles(name);
    else if (name.endsWith(".policy") && !BROKEN.test(name)) yield name;
  }
}

// Pieces of a text: [kind, begin, end], with the kinds comment, string, number and word.
function scan(text) {
  const pieces = [];
  let at = 0;
  const take = (kind, pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) return false;
    pieces.push([kind, at, pattern.lastIndex]);
    at = pattern.lastIndex;
    return true;
  };
  while (at < text.length) {
    if (take("comment", /\/\/[^\r\n]*/y)) continue;
    if (take("string", /[bB]?[rR]("""[^]*?"""|'''[^]*?'''|"[^"\r\n]*"|'[^'\r\n]*')/y)) continue;
    if (take("string", /[bB]?("""(\\[^]|[^\\])*?"""|'''(\\[^]|[^\\])*?'''|"(\\.|[^"\\\r\n])*"|'(\\.|[^'\\\r\n])*')/y)) continue;
    if (take("quoted", /`[^`\r\n]*`/y)) continue;
    if (take("number", /0[xX][0-9a-fA-F]+[uU]?|([0-9]+(ns|us|ms|s|m|h|d))+\b|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?[uU]?/y)) continue;
    if (take("word", /[A-Za-z_][A-Za-z0-9_]*/y)) continue;
    at += 1;
  }
  return pieces;
}

// For each character of the text, the scopes that the grammar gives it.
function scopesOf(grammar, text, name) {
  const scopes = [];
  let state = INITIAL;
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state);
    assert.equal(result.stoppedEarly, false, name);
    for (const token of result.tokens) {
      for (let at = token.startIndex; at < Math.min(token.endIndex, line.length); ++at) scopes.push(token.scopes.join(" "));
    }
    scopes.push("");
    state = result.ruleStack;
  }
  assert.equal(state.depth, 1, `${name}: a string or comment is still open at the end`);
  return scopes;
}

const EXPECTED = { comment: /comment/, string: /string\.quoted/, number: /constant\.numeric/, quoted: /variable\.other\.property/ };

function check(grammar, name) {
  const text = fs.readFileSync(name, "utf8");
  const scopes = scopesOf(grammar, text, name);
  let compared = 0;
  let opens = true; // a statement or rule
  let depth = 0; // of round and square brackets
  let from = 0;
  for (const [kind, begin, end] of scan(text)) {
    for (const c of text.slice(from, begin)) {
      if (c === "(" || c === "[") ++depth;
      if (c === ")" || c === "]") --depth;
      if (c === ";" || c === "{" || c === "}") opens = depth === 0;
    }
    from = end;
    const where = () => `${name}:${text.slice(0, begin).split("\n").length}: ${text.slice(begin, end)}`;
    if (kind in EXPECTED) {
      for (let at = begin; at < end; ++at) {
        if (text[at] === "\n") continue;
        assert.match(scopes[at], EXPECTED[kind], where());
        ++compared;
      }
    } else {
      assert.doesNotMatch(scopes[begin], /comment|string\.quoted|constant\.numeric/, where());
      const first = /^\s*$/.test(text.slice(text.lastIndexOf("\n", begin) + 1, begin));
      const field = /^\s*[:.(,=]/.test(text.slice(end, end + 20));
      if (opens && first && !field && OPENERS.test(text.slice(begin, end))) assert.match(scopes[begin], /keyword/, where());
    }
    if (kind !== "comment") opens = false;
  }
  return compared;
}

const grammar = await loadGrammar();
let files = 0;
let compared = 0;
for (const folder of FOLDERS) {
  for (const name of policyFiles(path.join(root, folder))) {
    compared += check(grammar, name);
    ++files;
  }
}
assert.ok(files > 30, `only ${files} policies were found`);
assert.ok(compared > 10_000, `only ${compared} characters were compared`);
console.log(`${files} policies, ${compared} characters of comments, strings and numbers`);
