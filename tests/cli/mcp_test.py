"""These tests run `ordain mcp` between a fake client, which is the test itself, and a fake server."""

import http.client
import importlib.util
import json
import os
import pathlib
import queue
import resource
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

    def test_the_budget_of_a_condition(self):
        self.policies.write_text(POLICY.replace('input.text == "bad"', 'input.text.matches("x[0-9]{3}y")'))
        text = "0123456789" * 8
        self.assertEqual(json.loads(self.text(self.start().call("echo", {"text": text}))), {"text": text})
        refused = self.start(options=("--budget", "2")).call("echo", {"text": text})["result"]
        self.assertTrue(refused["isError"])
        self.assertIn("takes more than 2 steps", refused["content"][0]["text"])

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


TOKEN = "client-token-0123456789"
OTHER = "other-token-0123456789"
INITIALIZE = {"jsonrpc": "2.0", "id": "init", "method": "initialize",
              "params": {"protocolVersion": "2025-06-18", "capabilities": {}}}


def call_of(tool, arguments=None, number=1):
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments or {}}}


class Events:
    """The events of an answer, as they come."""

    def __init__(self, response):
        self.response = response

    def next(self):
        """The next message; None at the end."""
        while line := self.response.readline():
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None


class HttpCase(Case):
    def setUp(self):
        super().setUp()
        self.tokens = self.path / "tokens"
        self.tokens.write_text(f"{TOKEN}\n{OTHER}\n")
        self.tokens.chmod(0o600)

    def words(self, *options, server=()):
        return [str(word) for word in (BIN / "ordain", "mcp", "--policies", self.policies, "--db", self.db, "--server",
                                       "fake", *options, "--", sys.executable, SERVER, "--log", self.log, *server)]

    def words_of_file(self, file, *options):
        return [str(word) for word in (BIN / "ordain", "mcp", "--policies", self.policies, "--db", self.db, "--servers",
                                       file, *options)]

    def serve(self, *options, servers=None, **how):
        listen = ("--listen", "127.0.0.1:0", "--token", self.tokens, *options)
        words = self.words(*listen) if servers is None else self.words_of_file(servers, *listen)
        self.proxy = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, **how)
        self.errors = []
        listening = threading.Event()

        def read():
            for line in self.proxy.stderr:
                self.errors.append(line)
                if "listening on http://" in line:
                    self.port = int(line.split("127.0.0.1:")[1].split("/")[0])
                    listening.set()
            listening.set()

        reader = threading.Thread(target=read)
        reader.start()

        def end():
            if self.proxy.poll() is None:
                self.proxy.kill()
            self.proxy.wait(60)
            reader.join(60)
            self.proxy.stderr.close()

        self.addCleanup(end)
        self.assertTrue(listening.wait(60))
        self.assertIsNone(self.proxy.poll(), self.errors)

    def open(self, method, body=None, session=None, token=TOKEN, **headers):
        """The answer to a request, before its body is read. Names of headers have `_` in place of `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        sent = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {"Mcp-Session-Id": session} if session else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, sent.pop("path", "/mcp"), body if body is None or isinstance(body, str) else json.dumps(body),
                           sent)
        return connection.getresponse()

    def status(self, *words, **more):
        response = self.open(*words, **more)
        response.read()
        return response.status

    def ask(self, message, session, **more):
        """The answer to a request, in whichever form it comes."""
        response = self.open("POST", message, session, **more)
        self.assertEqual(response.status, 200)
        if response.headers["Content-Type"] == "application/json":
            return json.loads(response.read())
        self.assertEqual(response.headers["Content-Type"], "text/event-stream")
        events = Events(response)
        while (event := events.next()) is not None:
            if event.get("id") == message["id"] and "method" not in event:
                self.assertIsNone(events.next())  # the answer is the last event
                return event
        return None

    def connect(self, token=TOKEN, **more):
        response = self.open("POST", INITIALIZE, token=token, **more)
        self.assertEqual(response.status, 200)
        session = response.headers["Mcp-Session-Id"]
        answer = response.read().decode()
        self.assertIn('"serverInfo"', answer)
        self.assertEqual(self.status("POST", {"jsonrpc": "2.0", "method": "notifications/initialized"}, session, token, **more), 202)
        return session

    def wait_until(self, holds):
        for _ in range(600):
            if holds():
                return
            time.sleep(0.05)
        self.fail(f"it never came: {self.errors}")


class OverHttp(HttpCase):
    @unittest.skipIf(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4096, "too few files may be open")
    def test_each_session_may_listen(self):
        # More sessions than a service has connections unless more are asked for.
        answer = '{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{},"capabilities":{}}}'
        file = self.path / "servers.json"
        file.write_text(json.dumps({"mcpServers": {"small": {
            "command": "sh", "args": ["-c", f"read line; echo '{answer}'; cat >/dev/null"]}}}))
        self.serve("--sessions", "300", servers=file,
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)))
        for _ in range(280):
            response = self.open("POST", INITIALIZE | {"id": 1})
            self.assertEqual(response.status, 200)
            response.read()
            self.assertEqual(self.open("GET", session=response.headers["Mcp-Session-Id"]).status, 200)

    def test_a_session(self):
        self.serve()
        session = self.connect()
        self.assertRegex(session, "^[0-9a-f]{32}$")
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "a"}), session)), '{"text": "a"}')
        denied = self.ask(call_of("echo", {"text": "bad"}), session)["result"]
        self.assertTrue(denied["isError"])
        self.assertEqual(denied["content"][0]["text"], "denied by echoes.bad: bad text")
        self.assertNotIn("AKIA", json.dumps(self.ask(call_of("leak"), session)))
        self.assertEqual(self.ask(call_of("account"), session)["result"]["structuredContent"], {"iban": "***"})
        page = self.ask({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}, session, MCP_Protocol_Version="2025-06-18")
        self.assertEqual([tool["name"] for tool in page["result"]["tools"]], ["echo", "leak", "account", "die"])
        self.assertEqual(ordain("audit", "verify", "--db", self.db).returncode, 0)
        self.assertFalse([line for line in self.seen() if "bad" in line])

    def test_a_message_over_several_lines_reaches_the_server_on_one(self):
        self.serve()
        session = self.connect()
        body = '{"jsonrpc": "2.0",\r\n "id": 7,\n "method": "ping"\n}\n'
        response = self.open("POST", body, session)
        self.assertEqual(response.status, 200)
        self.assertIn('"seen": "ping"', response.read().decode())
        self.assertEqual([json.loads(line)["id"] for line in self.seen() if "ping" in line], [7])

    def test_the_servers_own_requests_come_with_the_answer_or_to_who_listens(self):
        self.serve()
        session = self.connect()
        events = Events(self.open("POST", call_of("ask"), session))
        asked = events.next()
        self.assertEqual((asked["id"], asked["method"]), ("roots", "roots/list"))
        self.assertEqual(self.status("POST", {"jsonrpc": "2.0", "id": "roots", "result": {"roots": []}}, session), 202)
        self.assertEqual(self.text(events.next()), '{"roots": []}')
        self.assertIsNone(events.next())

    def test_one_stream_for_the_servers_messages(self):
        self.serve()
        session = self.connect()
        listening = self.open("GET", session=session)
        self.assertEqual((listening.status, listening.headers["Content-Type"]), (200, "text/event-stream"))
        self.assertEqual(self.status("GET", session=session), 409)
        self.assertEqual(self.status("GET", session=session, Accept="application/json"), 406)
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "b"}), session)), '{"text": "b"}')
        self.assertEqual(self.status("DELETE", session=session), 204)
        self.assertIsNone(Events(listening).next())  # the stream ends with the session

    def test_who_may_ask(self):
        self.serve()
        session = self.connect()
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for expected, more in ((401, {"token": None}), (401, {"token": "another-token-0123456789"}),
                               (404, {"token": OTHER}),  # somebody else's session
                               (403, {"Origin": "http://example.com"}), (421, {"Host": "example.com"}),
                               (403, {"Sec_Fetch_Site": "cross-site"}), (415, {"Content_Type": "text/plain"}),
                               (406, {"Accept": "application/json"}), (400, {"MCP_Protocol_Version": "2020-01-01"}),
                               (404, {"path": "/"})):
            with self.subTest(more):
                self.assertEqual(self.status("POST", ping, session, **more), expected)
        self.assertEqual(self.status("POST", ping), 400)  # without a session
        self.assertEqual(self.status("POST", ping, "0" * 32), 404)
        self.assertEqual(self.status("GET"), 400)
        self.assertEqual(self.status("PUT", ping, session), 405)
        for body in ("", "{", "[]", json.dumps([ping]), '{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}', "{}"):
            self.assertEqual(self.status("POST", body, session), 400, body)
        self.assertEqual(self.ask(ping, session)["result"], {"seen": "ping"})  # all this harmed nobody

    def test_sessions_are_apart(self):
        self.serve()
        first, second = self.connect(), self.connect(OTHER)
        self.assertNotEqual(first, second)
        slow = self.open("POST", call_of("slow", number=1), first)
        self.assertEqual(self.status("POST", call_of("echo", {"text": "a"}, number=1), first), 400)  # the id is in use
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "b"}, number=1), second, token=OTHER)), '{"text": "b"}')
        self.assertEqual(self.status("DELETE", session=first), 204)
        self.assertEqual(self.status("POST", call_of("echo", {"text": "a"}, number=2), first), 404)
        self.assertIsNone(Events(slow).next())
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "c"}, number=2), second, token=OTHER)), '{"text": "c"}')

    def test_their_number_is_limited(self):
        self.serve("--sessions", 1)
        session = self.connect()
        self.assertEqual(self.status("POST", INITIALIZE), 503)
        self.assertEqual(self.status("DELETE", session=session), 204)
        self.wait_until(lambda: self.status("POST", INITIALIZE) == 200)

    def test_a_session_that_nobody_uses_ends(self):
        self.serve("--session-idle", 3)
        session = self.connect()
        listening = self.open("GET", session=session)  # somebody listens
        time.sleep(7)
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "a"}), session)), '{"text": "a"}')
        idle = self.connect(OTHER)
        ping = {"jsonrpc": "2.0", "method": "notifications/odd"}
        time.sleep(10)
        self.assertEqual(self.status("POST", ping, idle, OTHER), 404)
        self.assertEqual(self.status("POST", ping, session), 202)
        listening.close()

    def test_a_server_that_dies_ends_its_session_alone(self):
        self.serve()
        first, second = self.connect(), self.connect()
        self.assertTrue(self.ask(call_of("die"), first)["result"]["isError"])
        self.wait_until(lambda: self.status("POST", call_of("echo", {"text": "a"}), first) == 404)
        self.assertEqual(self.text(self.ask(call_of("echo", {"text": "b"}), second)), '{"text": "b"}')

    def test_a_signal_ends_it_with_calls_in_progress(self):
        self.serve()
        session = self.connect()
        listening = self.open("GET", session=session)
        slow = self.open("POST", call_of("slow"), session)
        self.wait_until(lambda: any('"slow"' in line for line in self.seen()))
        self.proxy.send_signal(signal.SIGTERM)
        self.assertEqual(self.proxy.wait(60), 0, self.errors)
        for stream in (listening, slow):
            try:
                self.assertIsNone(Events(stream).next())
            except (http.client.HTTPException, OSError):
                pass  # the stream was cut
        records = [json.loads(line) for line in ordain("audit", "tail", "--db", self.db, "--json").stdout.splitlines()]
        self.assertEqual([record["kind"] for record in records], ["intent", "outcome"])

    def test_several_servers(self):
        file = self.path / "servers.json"
        run = {"command": sys.executable, "args": [str(SERVER), "--log", str(self.log)]}
        file.write_text(json.dumps({"mcpServers": {"fake": {**run, "env": {"A": "b"}}, "other": run}}))
        self.serve(servers=file)
        self.assertEqual(self.status("POST", INITIALIZE), 404)  # which one?
        self.assertEqual(self.status("POST", INITIALIZE, path="/mcp/third"), 404)
        fake, other = {"path": "/mcp/fake"}, {"path": "/mcp/other"}
        first, second = self.connect(**fake), self.connect(**other)
        call = call_of("echo", {"text": "a"})
        self.assertEqual(self.text(self.ask(call, first, **fake)), '{"text": "a"}')
        self.assertTrue(self.ask(call, second, **other)["result"]["isError"])  # no rule is about mcp.other.echo
        self.assertEqual(self.status("POST", call, first, **other), 404)  # a session of the other server
        for wrong in ("{", "{}", '{"mcpServers": {}}', '{"mcpServers": {"a b": {"command": "x"}}}',
                      '{"mcpServers": {"a": {}}}', '{"mcpServers": {"a": {"command": "x", "args": "y"}}}',
                      '{"mcpServers": {"a": {"command": "x", "env": {"B": 1}}}}'):
            file.write_text(wrong)
            words = self.words_of_file(file, "--listen", "127.0.0.1:0", "--token", self.tokens)
            run = subprocess.run(words, capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 2, wrong)
            self.assertIn("servers.json: ", run.stderr)

    def test_a_wrong_start(self):
        for options, message in ((["--listen", "127.0.0.1:0"], "--listen needs --token"),
                                 (["--listen", "0.0.0.0:0", "--token", self.tokens], "other addresses"),
                                 (["--token", self.tokens], "--listen")):
            run = subprocess.run(self.words(*options), capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 2, message)
            self.assertIn(message, run.stderr)


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


@unittest.skipUnless(importlib.util.find_spec("mcp"), "the package `mcp` of PyPI is not installed")
class LibraryOverHttp(HttpCase):
    """The client of PyPI's `mcp` over HTTP."""

    def test_the_client_of_the_library(self):
        import asyncio

        from mcp import ClientSession
        from mcp.client import streamable_http

        if not hasattr(streamable_http, "streamablehttp_client"):
            self.skipTest("this version of `mcp` has no streamablehttp_client")
        self.serve()

        async def talk():
            url = f"http://127.0.0.1:{self.port}/mcp"
            async with streamable_http.streamablehttp_client(url, headers={"Authorization": f"Bearer {TOKEN}"}) as streams:
                async with ClientSession(streams[0], streams[1]) as session:
                    await session.initialize()
                    return await session.call_tool("echo", {"text": "a"}), await session.call_tool("echo", {"text": "bad"})

        good, bad = asyncio.run(talk())
        self.assertEqual(good.content[0].text, '{"text": "a"}')
        self.assertEqual(bad.content[0].text, "denied by echoes.bad: bad text")


if __name__ == "__main__":
    unittest.main()
