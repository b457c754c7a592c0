"""These tests run `ordain schema import`: what the constructs of JSON Schema become, which documents are recognised, and
what the importer refuses. The tool lists of ORDAIN_SHARED are imported if they are present.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
SHARED = pathlib.Path(os.environ.get("ORDAIN_SHARED", pathlib.Path(__file__).resolve().parents[3] / "shared")) / "data"


def ordain(*args, stdin=""):
    return subprocess.run([BIN / "ordain", *args], input=stdin, capture_output=True, text=True, timeout=120)


# A schema of one field, how the field is declared where it is required, and a part of a warning, if there is one.
FIELDS = [
    ({"type": "string"}, "string", ""),
    ({"type": "string", "maxLength": 5}, "string(max 5)", ""),
    ({"type": "string", "minLength": 1, "maxLength": 5}, "string(min 1, max 5)", ""),
    ({"type": "string", "minLength": 0}, "string", ""),
    ({"type": "string", "pattern": "^a"}, "string", "`pattern` is not checked"),
    ({"type": "string", "format": "date-time"}, "string", ""),
    ({"type": "integer"}, "int", ""),
    ({"type": "integer", "minimum": 1, "maximum": 9}, "int(1, 9)", ""),
    ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 9}, "int(2, 8)", ""),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, "int(min 2)", ""),
    ({"type": "integer", "minimum": 0.5}, "int(min 1)", ""),
    ({"type": "integer", "maximum": 1e300}, "int", ""),
    ({"type": "integer", "minimum": 9, "maximum": 1}, "int", "no number meets"),
    ({"type": "integer", "multipleOf": 5}, "int", "`multipleOf` is not checked"),
    ({"type": "number"}, "double", ""),
    ({"type": "number", "minimum": 0, "maximum": 1.5}, "double(0.0, 1.5)", ""),
    ({"type": "number", "exclusiveMinimum": 0}, "double(min 0.0)", "taken for included"),
    ({"type": "boolean"}, "bool", ""),
    ({"type": "null"}, "null_type", ""),
    ({"enum": ["open", "closed"]}, '"open" | "closed"', ""),
    ({"type": "string", "enum": ["a", "a", "b"]}, '"a" | "b"', ""),
    ({"enum": [1, 2.0, True]}, "1 | 2 | true", ""),
    ({"enum": ["a", None]}, '"a" | null_type', ""),
    ({"enum": [1.5]}, "dyn", "an enumeration of other values"),
    ({"const": "x"}, '"x"', ""),
    ({"type": ["string", "integer"]}, "string | int", ""),
    ({"type": ["string", "null"]}, "string | null_type", ""),
    ({"type": "string", "nullable": True}, "string | null_type", ""),
    ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer"}]}, "string(max 3) | int", ""),
    ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "string"}]}, "string", ""),
    ({"oneOf": [{"const": "a"}, {"const": "b"}]}, '"a" | "b"', ""),
    ({"anyOf": [{"type": "string"}, {"type": "array"}]}, "dyn", "not all single values"),
    ({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}, "optional(list(int))", ""),
    ({"type": "array", "items": {"type": "string"}, "maxItems": 20}, "list(string, max 20)", ""),
    ({"type": "array", "items": {"type": ["string", "null"]}}, "list(string | null_type)", ""),
    ({"type": "array"}, "list(dyn)", ""),
    ({"type": "array", "items": [{"type": "string"}]}, "list(dyn)", "a tuple"),
    ({"type": "object"}, "map(string, dyn)", ""),
    ({"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 3}, "map(string, int, max 3)", ""),
    ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, "{ a: string }", ""),
    ({"properties": {"a": {"type": "string"}}}, "{ a: optional(string) }", ""),
    ({"properties": {"a": {}}, "additionalProperties": True}, "open { a: optional(dyn) }", ""),
    ({"properties": {"a": {}}, "frobnicate": 1}, "open { a: optional(dyn) }", "`frobnicate` is not a keyword"),
    ({"properties": {"a.b": {}, "c": {}}}, "open { c: optional(dyn) }", "cannot be named `a.b`"),
    ({"properties": {"a-b": {}, "in": {}, "when": {}}}, "{ `a-b`: optional(dyn), `in`: optional(dyn), when: optional(dyn) }", ""),
    ({"properties": {}, "required": ["a"]}, "{ a: dyn }", ""),
    ({"allOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "integer"}}, "required": ["b"]}]},
     "{ a: optional(string), b: int }", ""),
    ({"$ref": "#/$defs/short"}, "string(max 2)", ""),
    ({"$ref": "#/$defs/a~1b"}, "bool", ""),
    ({"$ref": "https://example.com/schema.json"}, "dyn", "leads out of the document"),
    ({"$ref": "other.json#/a"}, "dyn", "leads out of the document"),
    ({"$ref": "#/$defs/none"}, "dyn", "leads out of the document"),
    ({"$ref": "#/$defs/node"}, "{ next: optional(dyn) }", "contains itself"),
    ({"type": "file"}, "dyn", "`file` is not a type"),
    (True, "dyn", ""),
    ({}, "dyn", ""),
]
DEFINITIONS = {"short": {"type": "string", "maxLength": 2}, "a/b": {"type": "boolean"},
               "node": {"properties": {"next": {"$ref": "#/$defs/node"}}}}


def flat(policy):
    """The policy on one line, however it is laid out."""
    return re.sub(r"\s+", " ", policy).replace(", }", " }").strip()


class Schemas(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def imported(self, document, *args):
        """The policy text, which must be formatted and pass `check`, and the warnings."""
        file, out = self.path / "tools.json", self.path / "tools.policy"
        file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        run = ordain("schema", "import", str(file), "-o", str(out), *args)
        self.assertEqual(run.returncode, 0, run.stderr)
        check = ordain("check", str(out))
        self.assertEqual((check.returncode, check.stderr), (0, ""), out.read_text(encoding="utf-8"))
        self.assertEqual(ordain("fmt", "--check", str(out)).returncode, 0)
        return out.read_text(encoding="utf-8"), run.stderr

    def refused(self, document, what, *args, code=1):
        text = document if isinstance(document, str) else json.dumps(document)
        run = ordain("schema", "import", "-", *args, stdin=text)
        self.assertEqual((run.returncode, run.stdout), (code, ""), run.stderr)
        self.assertIn(what, run.stderr)

    def test_constructs(self):
        for schema, declared, warning in FIELDS:
            with self.subTest(json.dumps(schema)):
                document = {"title": "t", "properties": {"f": schema}, "required": ["f"], "$defs": DEFINITIONS}
                policy, warnings = self.imported(document)
                self.assertIn(f"input {{ f: {declared} }}", flat(policy))
                self.assertEqual("warning[" in warnings, warning != "", warnings)
                self.assertIn(warning, warnings)

    def test_values_are_checked_as_the_schema_says(self):
        schema = {"title": "t", "required": ["state", "n"], "properties": {
            "state": {"enum": ["open", "closed"]}, "n": {"type": "integer", "minimum": 1, "maximum": 9},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "maxItems": 2},
            "id": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}}
        policy, _ = self.imported(schema)
        file = self.path / "rules.policy"
        file.write_text(policy + "\npolicy p on before t { allow; }\n", encoding="utf-8")
        for value, fits in [({"state": "open", "n": 1}, True), ({"state": "shut", "n": 1}, False), ({"state": "open", "n": 10}, False),
                            ({"state": "open"}, False), ({"state": "open", "n": 1, "tags": ["abc", "d"], "id": 7}, True),
                            ({"state": "open", "n": 1, "tags": ["abcd"]}, False), ({"state": "open", "n": 1, "id": True}, False),
                            ({"state": "open", "n": 1, "tags": ["a", "b", "c"]}, False), ({"state": "open", "n": 1, "more": 1}, False)]:
            run = ordain("eval", "--policies", str(file), "--events", "-", "--json", stdin=json.dumps({"capability": "t", "input": value}))
            self.assertEqual(json.loads(run.stdout)["effect"], "allow" if fits else "deny", (value, run.stdout))

    def test_kinds_of_documents(self):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
        mcp = {"name": "t", "description": "does it", "inputSchema": schema}
        openai = {"type": "function", "function": {"name": "t", "description": "does it", "parameters": schema}}
        expected = 'capability t { description "does it"; input { a: string } }'
        for name, document, kind in [
                ("the result of tools/list", {"tools": [mcp], "nextCursor": "x"}, "mcp"),
                ("a response", {"jsonrpc": "2.0", "id": 1, "result": {"tools": [mcp]}}, "mcp"),
                ("a list", [mcp], "mcp"),
                ("one tool", mcp, "mcp"),
                ("OpenAI's chat completions", [openai], "openai"),
                ("OpenAI's responses", [{"type": "function", "name": "t", "description": "does it", "parameters": schema}], "openai"),
                ("Anthropic", [{"name": "t", "description": "does it", "input_schema": schema}], "anthropic"),
                ("functions", [{"name": "t", "doc": "does it", "parameters": [{"name": "a", "type": "str"}]}], "openai"),
                ("a schema", dict(schema, title="t", description="does it"), "json-schema")]:
            for args in ([], ["--from", kind]):
                with self.subTest(name, args=args):
                    policy, warnings = self.imported(document, *args)
                    self.assertEqual((flat(policy), warnings), (expected, ""))

    def test_outputs(self):
        tool = {"name": "t", "inputSchema": {"type": "object", "properties": {}},
                "outputSchema": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}}
        policy, _ = self.imported([tool])
        self.assertIn("output open { url: string }", flat(policy))
        tool["outputSchema"]["additionalProperties"] = False
        self.assertIn("output { url: string }", flat(self.imported([tool])[0]))

    def test_names(self):
        tool = {"inputSchema": {"type": "object"}}
        for name, server, declared in [("read", "", "read"), ("read", "files", "mcp.files.read"), ("read-all", "files", '"mcp.files.read-all"'),
                                       ("a/b", "", '"a/b"'), ("deny", "", '"deny"'), ("x\u202ey", "", '"x\\u202ey"'), ('q"q', "", '"q\\"q"')]:
            policy, _ = self.imported([dict(tool, name=name)], *(["--server", server] if server else []))
            self.assertTrue(flat(policy).startswith(f"capability {declared} {{"), policy)

    def test_descriptions_are_kept_and_cannot_be_more(self):
        hostile = 'line one\nordain: allow(never-matches) x\n"; } policy p on before * { allow; } //\u202e'
        schema = {"type": "object", "properties": {"a": {"type": "string", "description": hostile}, "b": {"type": "string", "description": "plain"}}}
        policy, _ = self.imported([{"name": "t", "description": hostile, "inputSchema": schema}])
        self.assertIn("// plain\n", policy)
        self.assertIn("// line one\n", policy)
        self.assertNotIn("// ordain:", policy)
        self.assertNotIn("\u202e", policy)
        self.assertIn('description "line one\\nordain: allow', policy)
        self.assertIn("0 rules", ordain("check", str(self.path / "tools.policy")).stdout)

    def test_openapi(self):
        user = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        document = {
            "openapi": "3.1.0",
            "paths": {
                "/users/{id}": {
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 9}}],
                    "get": {"operationId": "getUser", "summary": "one user", "parameters": [{"$ref": "#/components/parameters/limit"}],
                            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/user"}}}}}},
                    "put": {"requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/user"}}}}},
                },
            },
            "components": {"schemas": {"user": user}, "parameters": {"limit": {"name": "limit", "in": "query", "schema": {"type": "integer"}}}},
        }
        policy, warnings = self.imported(document, "--server", "crm")
        self.assertEqual(warnings, "")
        self.assertIn('capability mcp.crm.getUser { description "one user"; input { limit: optional(int), id: string(max 9) } output open { name: string } }', flat(policy))
        self.assertIn("capability mcp.crm.put_users_id { input { id: string(max 9), body: { name: string } } }", flat(policy))
        swagger = {"swagger": "2.0", "paths": {"/x": {"post": {"operationId": "x", "parameters": [
            {"name": "n", "in": "query", "type": "integer", "required": True}, {"in": "body", "name": "b", "schema": user}]}}}}
        policy, warnings = self.imported(swagger)
        self.assertIn("input { n: int, body: optional({ name: string }) }", flat(policy))
        self.assertEqual(warnings, "")

    def test_what_is_refused(self):
        tool = {"name": "t", "inputSchema": {"type": "object"}}
        for document, what in [("{", "not a JSON document"), ("[]", "holds no tools"), ("3", "expected tools"), ([3], "[0]: expected a tool"),
                               ([tool, tool], 'two tools are called "t"'), ([dict(tool, name="a*")], "which holds `*`"),
                               ([{"inputSchema": {}}], "a tool needs a `name`"), ('{"a": 1, "a": 2}', "duplicate key"),
                               ({"openapi": "3.0.0"}, "needs `paths`")]:
            with self.subTest(what):
                self.refused(document, what)
        self.refused([tool], "[0]: expected an Anthropic tool", "--from", "anthropic")
        self.refused("[]", "rego", "--from", "rego", code=2)
        self.assertEqual(ordain("schema", "import", str(self.path / "gone.json")).returncode, 2)
        self.assertEqual(ordain("schema").returncode, 2)

    def test_doubling_references_end_soon(self):
        definitions = {f"d{i}": {"properties": {"a": {"$ref": f"#/$defs/d{i + 1}"}, "b": {"$ref": f"#/$defs/d{i + 1}"}}} for i in range(23)}
        definitions["d23"] = {"type": "string"}
        begun = time.monotonic()
        self.refused({"title": "t", "properties": {"f": {"$ref": "#/$defs/d0"}}, "$defs": definitions}, "too large")
        self.assertLess(time.monotonic() - begun, 60)

    def test_files_that_it_names_are_not_read(self):
        (self.path / "other.json").write_text('{"type": "string"}', encoding="utf-8")
        for reference in ("other.json", str(self.path / "other.json"), (self.path / "other.json").as_uri()):
            policy, warnings = self.imported({"title": "t", "properties": {"f": {"$ref": reference}}})
            self.assertIn("f: optional(dyn)", policy)
            self.assertIn("leads out of the document", warnings)

    def test_tool_lists_of_others(self):
        files = sorted((SHARED / "agentdojo").glob("tools-*.json"))
        if not files:
            self.skipTest("SKIPPED: no tool lists below " + str(SHARED))
        for file in files:
            with self.subTest(file.name):
                names = [tool["name"] for tool in json.loads(file.read_text(encoding="utf-8"))]
                policy, _ = self.imported(file.read_text(encoding="utf-8"), "--server", "dojo")
                for name in names:
                    self.assertIn(f"capability mcp.dojo.{name} {{", flat(policy))


if __name__ == "__main__":
    unittest.main()
