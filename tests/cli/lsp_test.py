"""These tests run `ordain lsp` and speak the Language Server Protocol to it over pipes."""

import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

POLICY = """capability pay { input { to: string, amount: double } }
policy payments on before pay {
  deny negative when input.amount <= 0.0;
  allow rest;
}
"""


def frame(message):
    body = json.dumps(message).encode("utf-8")
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Server:
    """`ordain lsp` in a folder, and what it has said so far."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([BIN / "ordain", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.ids = 0
        self.published = {}

    def send(self, *messages):
        self.process.stdin.write(b"".join(frame(message) for message in messages))
        self.process.stdin.flush()

    def receive(self):
        length = None
        while (line := self.process.stdout.readline()) != b"\r\n":
            if not line:
                raise EOFError(self.process.stderr.read().decode("utf-8"))
            name, value = line.decode("ascii").split(":")
            if name == "Content-Length":
                length = int(value)
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def request(self, method, params=None):
        self.ids += 1
        return {"jsonrpc": "2.0", "id": self.ids, "method": method, "params": params or {}}

    def ask(self, method, params=None):
        message = self.request(method, params)
        self.send(message)
        return self.answer(message["id"])

    def answer(self, number):
        while (message := self.receive()).get("id") != number:
            pass
        return message

    def notify(self, method, params):
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def uri(self, name):
        return (self.folder / name).as_uri()

    def initialize(self):
        answer = self.ask("initialize", {"capabilities": {}, "workspaceFolders": [{"uri": self.folder.as_uri(), "name": "policies"}]})
        self.notify("initialized", {})
        return answer["result"]

    def open(self, name, text):
        self.notify("textDocument/didOpen", {"textDocument": {"uri": self.uri(name), "languageId": "ordain", "version": 1, "text": text}})

    def change(self, name, version, changes):
        self.notify("textDocument/didChange", {"textDocument": {"uri": self.uri(name), "version": version}, "contentChanges": changes})

    def codes(self, name):
        """The codes of the next diagnostics of a document."""
        self.published.pop(self.uri(name), None)
        while self.uri(name) not in self.published:
            self.receive()
        return [each["code"] for each in self.published[self.uri(name)]]

    def wait(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        self.process.stdout.close()
        self.error = self.process.stderr.read().decode("utf-8")
        self.process.stderr.close()
        return code


class LanguageServer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()
        self.server = Server(self.folder)
        self.addCleanup(self.stop)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass  # what was not sent yet

    @property
    def process(self):
        return self.server.process

    def test_a_session_from_beginning_to_end(self):
        (self.folder / "pay.policy").write_text(POLICY, encoding="utf-8")
        result = self.server.initialize()
        self.assertEqual(result["serverInfo"]["name"], "ordain")
        text = "policy more on before pay { deny when input.amuont > 1.0; }\n"
        self.server.open("more.policy", text)
        self.assertEqual(self.server.codes("more.policy"), ["unknown-field"])
        begin = text.index("amuont")
        self.server.change("more.policy", 2, [{"range": {"start": {"line": 0, "character": begin}, "end": {"line": 0, "character": begin + 6}}, "text": "amount"}])
        self.assertEqual(self.server.codes("more.policy"), [])
        place = {"textDocument": {"uri": self.server.uri("more.policy")}, "position": {"line": 0, "character": begin}}
        self.assertEqual([each["uri"] for each in self.server.ask("textDocument/definition", place)["result"]], [self.server.uri("pay.policy")])
        self.assertIn("double", self.server.ask("textDocument/hover", place)["result"]["contents"]["value"])
        self.assertIsNone(self.server.ask("shutdown")["result"])
        self.server.notify("exit", {})
        self.assertEqual(self.server.wait(), 0)
        self.assertEqual(self.server.error, "")

    def test_files_that_change_on_disk_are_read_again(self):
        self.server.initialize()
        self.server.open("more.policy", 'policy more on before pay { deny when agent.id == "x"; }\n')
        self.assertEqual(self.server.codes("more.policy"), ["undeclared-capability"])
        (self.folder / "pay.policy").write_text(POLICY, encoding="utf-8")
        self.server.notify("workspace/didChangeWatchedFiles", {"changes": []})
        self.assertEqual(self.server.codes("more.policy"), [])

    def test_a_request_is_cancelled_while_it_waits(self):
        self.server.initialize()
        self.server.open("pay.policy", POLICY)
        asked = [self.server.request("textDocument/documentSymbol", {"textDocument": {"uri": self.server.uri("pay.policy")}}) for _ in range(20)]
        # All of it is one write, so that the server reads it before it answers.
        self.server.send(*asked, {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": asked[-1]["id"]}})
        answers = [self.server.answer(message["id"]) for message in asked]
        self.assertEqual(answers[-1]["error"]["code"], -32800)
        self.assertTrue(all("result" in each for each in answers[:-1]))

    def test_keystrokes_in_a_large_file_are_answered_at_once(self):
        self.server.initialize()
        rules = "".join(f'  deny r{i} when input.to == "payee {i}" && input.amount > {i}.0;\n' for i in range(1000))
        self.server.open("large.policy", POLICY.replace("  allow rest;\n", rules + "  allow rest;\n"))
        self.server.codes("large.policy")
        place = {"textDocument": {"uri": self.server.uri("large.policy")}, "position": {"line": 500, "character": 20}}
        started = time.monotonic()
        for key in range(20):
            self.server.change("large.policy", key + 2, [{"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": " "}])
        self.assertIn("result", self.server.ask("textDocument/hover", place))
        self.assertLess(time.monotonic() - started, 20, "even with sanitizers")

    def test_a_folder_that_is_opened_like_a_file_is_not_searched(self):
        with tempfile.TemporaryDirectory() as folder:
            elsewhere = pathlib.Path(folder).resolve()
            (elsewhere / "pay.policy").write_text(POLICY, encoding="utf-8")
            self.server.initialize()
            self.server.open(elsewhere, 'policy more on before pay { deny when agent.id == "x"; }\n')
            self.assertEqual(self.server.codes(elsewhere), ["undeclared-capability"])
            self.server.open("/", "policy p on before pay { deny; }\n")  # the search of all files would take long
            self.assertEqual(self.server.codes("/"), ["undeclared-capability"])

    def test_the_end_of_the_input_ends_the_server(self):
        self.server.initialize()
        self.assertEqual(self.server.wait(), 1)

    def test_headers_that_cannot_be_understood_end_the_server(self):
        for header in (b"Content-Length: 99999999999999\r\n\r\n", b"Content-Length: x\r\n\r\n", b"\xff\xfe\r\n\r\n", b"x" * 100_000):
            run = subprocess.run([BIN / "ordain", "lsp"], input=header, capture_output=True, timeout=60)
            self.assertEqual(run.returncode, 2, header[:40])
            self.assertEqual(run.stdout, b"")
            self.assertEqual(run.stderr.count(b"\n"), 1, run.stderr)

    def test_bodies_that_cannot_be_understood_are_answered(self):
        body = b'{"id": 1, "method": "\xff"}'
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()
        self.assertEqual(self.server.receive()["error"]["code"], -32700)
        self.assertIn("capabilities", self.server.initialize())


if __name__ == "__main__":
    unittest.main()
