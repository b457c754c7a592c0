"""These tests run `ordain mcp` between a fake client, which is the test itself, and a fake server."""

import importlib.util
import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
SERVER = pathlib.Path(__file__).resolve().parent / "mcp_server.py"

POLICY = """
package p;
capability mcp.fake.echo { input { text: string, note: optional(string) } }
capability mcp.fake.account {
  input open { }
  output open { content: optional(list(dyn)), structuredContent: optional(open { iban: optional(string) }) }
}
policy echoes on before mcp.fake.echo {
  deny bad  when input.text == "bad" because "bad text";
  redact note input.note when has(input.note) with "-";
  allow rest;
}
policy rest on before mcp.fake.leak, mcp.fake.account, mcp.fake.die, mcp.fake.huge, mcp.fake.garbage, mcp.fake.ask, mcp.fake.slow {
  allow;
}
policy pays on before mcp.fake.pay { require_approval big because "a payment"; }
policy files on before mcp.fake.resources.read { allow file when input.uri.startsWith("file:"); }
policy leaks on after * { deny key when texts(output).exists(t, t.contains("AKIA")) because "a key"; }
policy ibans on after mcp.fake.account { redact iban output.structuredContent.iban with "***"; }
"""


def ordain(*words, **more):
    return subprocess.run([BIN / "ordain", *map(str, words)], capture_output=True, text=True, timeout=120, **more)


class Client:
    """The client's end of the pipes."""

    def __init__(self, words):
        self.process = subprocess.Popen(list(map(str, words)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.lines, self.errors = queue.Queue(), []
        self.threads = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=lambda: self.errors.append(self.process.stderr.read()), daemon=True)]
        for thread in self.threads:
            thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def write(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode("utf-8"))
        self.process.stdin.flush()

    def line(self):
        """The next line that comes; None at the end."""
        return self.lines.get(timeout=60)

    def ask(self, message):
        self.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
        return json.loads(self.line())

    def call(self, tool, arguments=None, number=1):
        return self.ask({"jsonrpc": "2.0", "id": number, "method": "tools/call",
                         "params": {"name": tool, "arguments": arguments or {}}})

    def close(self):
        """Ends what still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=60)
        for thread in self.threads:  # they end with the server, whose input is closed by now
            thread.join(timeout=60)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def end(self):
        """Closes the input and waits. Returns the exit code, the lines that were left, and standard error."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        code = self.process.wait(timeout=60)
        for thread in self.threads:
            thread.join(timeout=60)
        left = []
        while not self.lines.empty():
            left.append(self.lines.get())
        return code, [line for line in left if line is not None], self.errors[0].decode("utf-8", "replace")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.policies = self.path / "p.policy"
        self.policies.write_text(POLICY)
        self.db = self.path / "state"
        self.log = self.path / "log"

    def start(self, *server, options=()):
        client = Client([BIN / "ordain", "mcp", "--policies", self.policies, "--db", self.db, "--server", "fake",
                         *options, "--", sys.executable, SERVER, "--log", self.log, *server])
        self.addCleanup(client.close)
        return client

    def text(self, reply):
        return reply["result"]["content"][0]["text"]

    def seen(self):
        """What the server has read."""
        return self.log.read_bytes().decode("utf-8").splitlines()


class Proxied(Case):
    def test_a_session(self):
        client = self.start()
        connected = client.ask({"jsonrpc": "2.0", "id": "init", "method": "initialize",
                                "params": {"protocolVersion": "2025-06-18", "capabilities": {}}})
        self.assertEqual((connected["id"], connected["result"]["serverInfo"]["name"]), ("init", "fake"))
        names, cursor = [], {}
        while True:
            page = client.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": cursor})["result"]
            names += [tool["name"] for tool in page["tools"]]
            if "nextCursor" not in page:
                break
            cursor = {"cursor": page["nextCursor"]}
        self.assertEqual(names, ["echo", "leak", "account", "die", "huge", "garbage", "ask", "slow", "pay"])
        self.assertEqual(self.text(client.call("echo", {"text": "a"})), '{"text": "a"}')
        denied = client.call("echo", {"text": "bad"})["result"]
        self.assertTrue(denied["isError"])
        self.assertEqual(denied["content"][0]["text"], "denied by echoes.bad: bad text")
        self.assertEqual(json.loads(self.text(client.call("echo", {"text": "a", "note": "private"}))),
                         {"text": "a", "note": "-"})
        withheld = client.call("leak")["result"]
        self.assertTrue(withheld["isError"])
        self.assertNotIn("AKIA", json.dumps(withheld))
        account = client.call("account")["result"]
        self.assertEqual(account["structuredContent"], {"iban": "***"})
        self.assertNotIn("DE12", json.dumps(account))
        for tool in ("hidden", "unheard", "resources.read"):
            self.assertTrue(client.call(tool)["result"]["isError"], tool)
        code, left, errors = client.end()
        self.assertEqual((code, left), (0, []))
        self.assertIn("fake server on standard error", errors)
        self.assertFalse([line for line in self.seen() if "bad" in line or "private" in line or "hidden" in line])
        records = [json.loads(line) for line in ordain("audit", "tail", "--db", self.db, "--json").stdout.splitlines()]
        self.assertTrue(records)
        self.assertNotIn("DE12", json.dumps(records))
        self.assertEqual(ordain("audit", "verify", "--db", self.db).returncode, 0)

    def test_unknown_messages_pass_byte_for_byte(self):
        lines = ['{"jsonrpc":"2.0",  "id":"x y","method":"no/such","params":{"n":1.50,"u":"\\u00e9"}}',
                 '{"method":"notifications/odd","jsonrpc":"2.0"}',
                 '{"jsonrpc":"2.0","id":1.0,"method":"ping"}']
        client = self.start()
        client.write("\n".join(lines) + "\n")
        self.assertEqual(client.line(), b'{"jsonrpc": "2.0", "id": "x y", "result": {"seen": "no/such"}}\n')
        self.assertEqual(client.line(), b'{"jsonrpc": "2.0", "id": 1.0, "result": {"seen": "ping"}}\n')
        self.assertEqual(client.end()[0], 0)
        self.assertEqual(self.seen(), lines)

    def test_requests_of_the_server_pass(self):
        client = self.start()
        client.write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask"}}\n')
        self.assertEqual(json.loads(client.line()), {"jsonrpc": "2.0", "id": "roots", "method": "roots/list"})
        reply = client.ask({"jsonrpc": "2.0", "id": "roots", "result": {"roots": ["r"]}})
        self.assertEqual(self.text(reply), '{"roots": ["r"]}')

    def test_garbage_of_the_client_is_answered(self):
        client = self.start()
        for line, code, number in [
            ("garbage", -32700, None),
            ('{"id":5,"method":"ping","method":"tools/call","params":{"name":"echo"}}', -32700, 5),
            ('{"id":5,"Method":"tools/call"}', -32600, 5),
            ('[{"jsonrpc":"2.0","id":5,"method":"ping"}]', -32600, None),
            ('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":[]}}', -32602, 5),
        ]:
            reply = client.ask(line)
            self.assertEqual((reply["error"]["code"], reply["id"]), (code, number), line)
        client.write(b'{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"\xff"}}\n')
        self.assertEqual(json.loads(client.line())["error"]["code"], -32700)
        client.write("\n \r\n")
        self.assertEqual(client.ask({"jsonrpc": "2.0", "id": 7, "method": "ping"})["id"], 7)
        self.assertEqual(client.end()[0], 0)
        self.assertEqual(len(self.seen()), 1)

    def test_garbage_of_the_server_is_dropped(self):
        client = self.start()
        self.assertEqual(self.text(client.call("garbage")), "{}")
        code, left, errors = client.end()
        self.assertEqual((code, left), (0, []))
        self.assertIn("dropped a message of the server", errors)

    def test_huge_messages_are_refused_and_the_rest_goes_on(self):
        client = self.start(options=["--max-message", "100000"])
        reply = client.call("echo", {"text": "x" * 200000}, 5)
        self.assertEqual((reply["error"]["code"], reply["id"]), (-32600, 5))
        reply = client.call("huge", {"size": 200000}, 6)
        self.assertEqual((reply["id"], reply["result"]["isError"]), (6, True))
        self.assertEqual(len(self.text(client.call("huge", {"size": 50000}, 7))), 50000)
        self.assertEqual(client.end()[0], 0)

    def test_large_messages_pass_both_ways(self):
        client = self.start()
        self.assertEqual(len(self.text(client.call("huge", {"size": 1000000}))), 1000000)
        self.assertEqual(json.loads(self.text(client.call("echo", {"text": "y" * 300000})))["text"], "y" * 300000)

    def test_the_server_dies(self):
        for left_behind in ([], ["--leave-child"]):
            client = self.start(*left_behind)
            reply = client.call("die")
            self.assertTrue(reply["result"]["isError"])
            self.assertIn("the server ended", self.text(reply))
            self.assertIsNone(client.line())
            code, left, errors = client.end()
            self.assertEqual((code, left), (1, []))
            self.assertIn("the server ended", errors)

    def test_the_client_ends_before_the_answers(self):
        client = self.start()
        client.write('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"a"}}}')
        code, left, _ = client.end()
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(line)["id"] for line in left], [1])

    def test_a_signal_ends_both(self):
        client = self.start()
        self.assertEqual(client.ask({"jsonrpc": "2.0", "id": 1, "method": "ping"})["id"], 1)
        client.write('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}}\n')
        for _ in range(200):
            if any('"slow"' in line for line in self.seen()):
                break
            time.sleep(0.1)
        client.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.process.wait(timeout=60), 0)
        client.end()
        shown = ordain("audit", "query", "--db", self.db, "--json").stdout
        self.assertIn("mcp.fake.slow", shown)

    def test_a_cancelled_call_is_over(self):
        client = self.start()
        client.write('{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}}\n'
                     '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}\n')
        self.assertEqual(client.ask({"jsonrpc": "2.0", "id": 3, "method": "ping"})["id"], 3)
        self.assertEqual(client.end()[0], 0)

    def test_an_approval_by_command(self):
        client = self.start(options=["--elicit", "never", "--principal", "pat", "--agent", "bot"])
        waits = self.text(client.call("pay", {"amount": 5}))
        waiting = [json.loads(line) for line in ordain("approvals", "list", "--db", self.db, "--json").stdout.splitlines()]
        self.assertEqual(len(waiting), 1)
        self.assertIn(waiting[0]["id"], waits)
        run = ordain("approvals", "approve", waiting[0]["id"], "--db", self.db, "--as", "ann", "--yes")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.text(client.call("pay", {"amount": 5})), '{"amount": 5}')
        self.assertIn("waits for approval", self.text(client.call("pay", {"amount": 5})))

    def test_an_approval_by_the_clients_user(self):
        client = self.start(options=["--elicit", "vote", "--principal", "pat", "--agent", "bot"])
        client.ask({"jsonrpc": "2.0", "id": 0, "method": "initialize",
                    "params": {"protocolVersion": "2025-06-18", "capabilities": {"elicitation": {}}}})
        question = client.call("pay", {"amount": 5})
        self.assertEqual(question["method"], "elicitation/create")
        self.assertIn("a payment", question["params"]["message"])
        done = client.ask({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {}}})
        self.assertEqual((done["id"], self.text(done)), (1, '{"amount": 5}'))

    def test_changed_policies_count_at_once(self):
        client = self.start()
        self.assertEqual(self.text(client.call("echo", {"text": "good"})), '{"text": "good"}')
        self.policies.write_text(POLICY.replace('"bad" because', '"good" because'))
        for _ in range(100):
            if client.call("echo", {"text": "good"})["result"].get("isError"):
                return
            time.sleep(0.1)
        self.fail("the new policies were not loaded")

    def test_a_changed_tool_waits_to_be_accepted(self):
        client = self.start()
        self.assertEqual(self.text(client.call("echo", {"text": "a"})), '{"text": "a"}')
        self.assertEqual(client.end()[0], 0)
        nothing = ordain("mcp", "accept", "--db", self.db, "--server", "fake")
        self.assertEqual((nothing.returncode, nothing.stdout), (0, "nothing waits to be accepted\n"))
        client = self.start("--changed")
        self.assertIn("was not accepted", self.text(client.call("echo", {"text": "a"})))
        shown = ordain("mcp", "accept", "--db", self.db, "--server", "fake")
        self.assertEqual(shown.returncode, 1)
        self.assertIn("Echoes.", shown.stdout)
        self.assertIn("Evil.", shown.stdout)
        self.assertEqual(ordain("mcp", "accept", "--db", self.db, "--server", "fake", "unknown").returncode, 1)
        self.assertEqual(ordain("mcp", "accept", "--db", self.db, "--server", "fake", "echo").returncode, 0)
        self.assertEqual(self.text(client.call("echo", {"text": "a"})), '{"text": "a"}')


class Usage(Case):
    def test_init_declares_the_tools(self):
        out = self.path / "fake.policy"
        run = ordain("mcp", "init", "--server", "fake", "-o", out, "--", sys.executable, SERVER)
        self.assertEqual(run.returncode, 0, run.stderr)
        text = out.read_text()
        self.assertIn("capability mcp.fake.echo {", text)
        self.assertIn("capability mcp.fake.hidden {", text)
        self.assertIn("capability mcp.fake.resources.read {", text)
        self.assertEqual(ordain("check", out).returncode, 0)
        self.assertEqual(ordain("fmt", "--check", out).returncode, 0)
        run = ordain("mcp", "init", "--server", "fake", "--", sys.executable, SERVER)
        self.assertEqual((run.returncode, run.stdout), (0, text))

    def test_what_cannot_run(self):
        for words, message in [
            (["mcp"], "needs --policies"),
            (["mcp", "--policies", self.policies, "--db", self.db], "needs --policies"),
            (["mcp", "--policies", self.policies, "--db", self.db, "--server", "a.b", "--", "true"], "--server takes"),
            (["mcp", "--policies", self.path / "none", "--db", self.db, "--", "true"], "none"),
            (["mcp", "--policies", self.policies, "--db", self.db, "--", "/no/such/program"], "/no/such/program"),
            (["mcp", "init", "--server", "x", "--", "true"], "ended before it answered"),
            (["mcp", "init", "--server", "x", "--limit", "1", "--", "sleep", "60"], "in time"),
            (["mcp", "accept", "--db", self.path, "--server", "../x"], "--server takes"),
        ]:
            run = ordain(*words, stdin=subprocess.DEVNULL)
            self.assertEqual(run.returncode, 2, words)
            self.assertIn(message, run.stderr, words)


@unittest.skipUnless(importlib.util.find_spec("mcp"), "the package `mcp` of PyPI is not installed")
class WithTheLibrary(Case):
    """The client of PyPI's `mcp` and a server that it makes."""

    SERVER = """
from mcp.server.fastmcp import FastMCP

server = FastMCP("library")

@server.tool()
def echo(text: str) -> str:
    return text

@server.tool()
def hidden() -> str:
    return "never"

server.run()
"""

    def test_a_session(self):
        import asyncio

        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client

        if importlib.util.find_spec("mcp.server.fastmcp") is None:
            self.skipTest("this version of `mcp` has no mcp.server.fastmcp")
        script = self.path / "server.py"
        script.write_text(self.SERVER)

        async def talk():
            command = StdioServerParameters(
                command=str(BIN / "ordain"),
                args=["mcp", "--policies", str(self.policies), "--db", str(self.db), "--server", "fake", "--",
                      sys.executable, str(script)])
            async with stdio_client(command) as (reader, writer):
                async with ClientSession(reader, writer) as session:
                    await session.initialize()
                    tools = [tool.name for tool in (await session.list_tools()).tools]
                    good = await session.call_tool("echo", {"text": "a"})
                    bad = await session.call_tool("echo", {"text": "bad"})
                    return tools, good, bad

        tools, good, bad = asyncio.run(talk())
        self.assertEqual(tools, ["echo"])
        self.assertEqual(good.content[0].text, "a")
        self.assertEqual(bad.content[0].text, "denied by echoes.bad: bad text")


if __name__ == "__main__":
    unittest.main()
