"""These tests run `ordain-hook` as each coding agent does, against daemons of every kind: good, slow,
mute, lying, stopped, foreign and absent. Whatever the daemon does, the answer must be one that the
client obeys."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
CLIENTS = ("claude", "codex", "gemini")

# A daemon in a process of its own, which can be stopped: it takes connections and never answers.
MUTE = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(int(sys.argv[2]))
print("ready", flush=True)
time.sleep(120)
"""


def call(client, moment="before", **changes):
    """What the client writes for a call of its shell."""
    gemini = client == "gemini"
    text = {
        "session_id": "s-1", "transcript_path": "/t", "cwd": "/w",
        "hook_event_name": {"before": "BeforeTool" if gemini else "PreToolUse",
                            "after": "AfterTool" if gemini else "PostToolUse"}[moment],
        "tool_name": "run_shell_command" if gemini else "Bash", "tool_input": {"command": "ls"},
    }
    if not gemini:
        text["tool_use_id"] = "t-1"
    if moment == "after":
        text["tool_response"] = {"llmContent": "SECRET"} if gemini else {"stdout": "SECRET", "stderr": ""}
    text.update(changes)
    return json.dumps(text)


def reply(value, status="200 OK"):
    body = value if isinstance(value, str) else json.dumps(value)
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


ALLOW = {"id": "c-1", "decision": {"effect": "allow"}}
DENY = {"id": "c-2", "decision": {"effect": "deny", "rule": "p.r", "reason": "because"}}


class Daemon:
    """Answers each request with what `answer(path, body)` returns: bytes, or a list of bytes and pauses."""

    def __init__(self, path, answer):
        self.requests = []
        self.answer = answer
        self.closed = threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.closed.is_set():
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                try:
                    self.serve_one(peer)
                except OSError:
                    pass  # the hook gave up

    def serve_one(self, peer):
        text = b""
        while b"\r\n\r\n" not in text:
            piece = peer.recv(65536)
            if not piece:
                return
            text += piece
        head, _, body = text.partition(b"\r\n\r\n")
        length = int([line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")][0])
        while len(body) < length:
            body += peer.recv(65536)
        path = head.split(b" ")[1].decode()
        self.requests.append((path, json.loads(body)))
        answer = self.answer(path, json.loads(body))
        for part in answer if isinstance(answer, list) else [answer]:
            if isinstance(part, bytes):
                peer.sendall(part)
            else:
                self.closed.wait(part)

    def close(self):
        self.closed.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.path.chmod(0o700)
        self.socket = str(self.path / "ordain.sock")

    def daemon(self, answer):
        daemon = Daemon(self.socket, answer if callable(answer) else lambda path, body: answer)
        self.addCleanup(daemon.close)
        return daemon

    def process(self, *command):
        child = subprocess.Popen([sys.executable, "-c", *command], stdout=subprocess.PIPE)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.assertEqual(child.stdout.readline(), b"ready\n")
        return child

    def hook(self, client, text, *options, timeout="2", environment=None):
        env = {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(self.path), **(environment or {})}
        arguments = [BIN / "ordain-hook", client, "--socket", self.socket, "--timeout", timeout, *options]
        data = text if isinstance(text, bytes) else text.encode()
        return subprocess.run(arguments, input=data, capture_output=True, env=env, timeout=60)

    def assert_silent(self, run):
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, b"", b""))

    def assert_denied(self, client, run, moment="before"):
        """The answer is a denial that the client obeys. @returns its reason"""
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        said = json.loads(run.stdout)
        self.assertNotIn("suppressOutput", said)
        if client == "gemini" or moment == "after":
            self.assertEqual(said["decision"], "deny" if client == "gemini" else "block")
            self.assertNotIn("SECRET", run.stdout.decode())
            reason = said["reason"]
            if client == "claude":
                self.assertEqual(said["hookSpecificOutput"]["updatedToolOutput"], {"stdout": reason, "stderr": reason})
        else:
            inner = said["hookSpecificOutput"]
            self.assertEqual(list(said), ["hookSpecificOutput"])
            self.assertEqual((inner["hookEventName"], inner["permissionDecision"]), ("PreToolUse", "deny"))
            reason = inner["permissionDecisionReason"]
        self.assertTrue(reason.strip())
        return reason

    def assert_refused(self, run):
        """Exit code 2 with a text on standard error: a denial for every client and event."""
        self.assertEqual((run.returncode, run.stdout), (2, b""))
        self.assertTrue(run.stderr.startswith(b"ordain-hook: denied"), run.stderr)


class Decisions(Case):
    def test_allowed_calls_are_recorded_and_their_outputs_released(self):
        daemon = self.daemon(lambda path, body: reply(ALLOW if path == "/v1/calls" else {"decision": {"effect": "allow"}}))
        for client in CLIENTS:
            daemon.requests.clear()
            self.assert_silent(self.hook(client, call(client)))
            self.assert_silent(self.hook(client, call(client, "after")))
            before, after = daemon.requests
            self.assertEqual(before, ("/v1/calls", {"event": {
                "agent": {"id": client}, "capability": "agent.shell", "input": {"command": "ls"},
                "session": {"id": "s-1"}, "stage": "before"}}))
            output = json.loads(call(client, "after"))["tool_response"]
            self.assertEqual(after, ("/v1/calls/c-1/outcome", {"status": "done", "output": output}))

    def test_an_output_of_an_unknown_call_is_decided_all_the_same(self):
        daemon = self.daemon(reply({"effect": "deny", "reason": "no"}))
        for client in CLIENTS:
            daemon.requests.clear()
            self.assert_denied(client, self.hook(client, call(client, "after")), "after")
            (path, event), = daemon.requests
            self.assertEqual((path, event["stage"], event["capability"]), ("/v1/decide", "after", "agent.shell"))

    def test_a_daemon_that_was_started_again_decides_the_output(self):
        daemon = self.daemon(lambda path, body: reply(ALLOW) if path == "/v1/calls" else
                             reply({"error": {"code": "x", "message": "y"}}, "404 Not Found") if path.endswith("outcome") else
                             reply({"effect": "allow"}))
        self.assert_silent(self.hook("claude", call("claude")))
        self.assert_silent(self.hook("claude", call("claude", "after")))
        self.assertEqual([path for path, _ in daemon.requests], ["/v1/calls", "/v1/calls/c-1/outcome", "/v1/decide"])

    def test_denied(self):
        self.daemon(reply(DENY))
        for client in CLIENTS:
            self.assertIn("p.r: because", self.assert_denied(client, self.hook(client, call(client))))

    def test_an_approval_is_named_and_nobody_waits(self):
        self.daemon(reply({"id": "c-3", "decision": {"effect": "require_approval", "reason": "big", "approval_id": "a-3"}}))
        for client in CLIENTS:
            started = time.monotonic()
            self.assertIn("ordain approvals approve a-3", self.assert_denied(client, self.hook(client, call(client))))
            self.assertLess(time.monotonic() - started, 30)

    def test_failures_are_reported_as_such(self):
        daemon = self.daemon(lambda path, body: reply(ALLOW if path == "/v1/calls" else {"effect": "allow"}))
        self.assert_silent(self.hook("claude", call("claude")))
        failure = call("claude", hook_event_name="PostToolUseFailure", error="exit 1")
        self.assert_silent(self.hook("claude", failure))
        self.assertEqual(daemon.requests[1], ("/v1/calls/c-1/outcome", {"status": "failed", "output": "exit 1"}))
        # No rule sees the output of a failure, so the rules are asked about it.
        path, event = daemon.requests[2]
        self.assertEqual((path, event["stage"], event["output"]), ("/v1/decide", "after", "exit 1"))
        daemon.answer = lambda path, body: reply({"effect": "deny" if path == "/v1/decide" else "allow"})
        self.assertEqual(json.loads(self.hook("claude", failure).stdout)["decision"], "block")

    def test_redactions(self):
        redact = {"kind": "redact", "path": "input.command", "with": "***"}
        self.daemon(reply({"id": "c-1", "decision": {"effect": "allow", "obligations": [redact]}}))
        for client in ("claude", "codex"):
            inner = json.loads(self.hook(client, call(client)).stdout)["hookSpecificOutput"]
            self.assertEqual((inner["permissionDecision"], inner["updatedInput"]), ("allow", {"command": "***"}))
        inner = json.loads(self.hook("gemini", call("gemini")).stdout)["hookSpecificOutput"]
        self.assertEqual(inner["tool_input"], {"command": "***"})

    def test_other_events_pass_without_a_daemon(self):
        for client, events in {"claude": ["UserPromptSubmit", "SessionStart", "SubagentStop"],
                               "codex": ["UserPromptSubmit", "SessionStart", "Stop"],
                               "gemini": ["BeforeAgent", "SessionStart", "AfterModel"]}.items():
            for event in events:
                self.assert_silent(self.hook(client, json.dumps({"hook_event_name": event, "session_id": "s"})))

    def test_a_request_for_permission_is_only_ever_denied(self):
        request = call("codex", hook_event_name="PermissionRequest")
        daemon = self.daemon(reply({"effect": "deny", "reason": "no"}))
        decision = json.loads(self.hook("codex", request).stdout)["hookSpecificOutput"]["decision"]
        self.assertEqual((decision["behavior"], daemon.requests[0][0]), ("deny", "/v1/decide"))
        for effect in ("allow", "require_approval"):
            daemon.answer = lambda path, body, effect=effect: reply({"effect": effect})
            self.assert_silent(self.hook("codex", request))


class BadDaemons(Case):
    """Every daemon here is asked by every client, before and after a call."""

    def assert_all_deny(self, *options, within=30, **kwargs):
        for client in CLIENTS:
            for moment in ("before", "after"):
                started = time.monotonic()
                run = self.hook(client, call(client, moment), *options, **kwargs)
                reason = self.assert_denied(client, run, moment)
                self.assertIn("ordain serve", reason)
                self.assertLess(time.monotonic() - started, within)
        return reason

    def test_absent(self):
        self.assertIn("no daemon listens", self.assert_all_deny())

    def test_gone_but_its_socket_is_left(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.socket)
        listener.close()
        self.assertIn("no daemon listens", self.assert_all_deny())

    def test_not_a_socket(self):
        pathlib.Path(self.socket).write_text("x")
        self.assertIn("not a socket", self.assert_all_deny())

    def test_a_link_to_a_socket(self):
        real = str(self.path / "real.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(real)
        listener.listen(1)
        os.symlink(real, self.socket)
        self.assertIn("not a socket", self.assert_all_deny())

    def test_slow(self):
        self.daemon([5, reply(ALLOW)])
        self.assertIn("in time", self.assert_all_deny(timeout="1"))

    def test_dribbling(self):
        self.daemon([part for byte in reply(ALLOW) for part in (bytes([byte]), 0.2)])
        self.assertIn("in time", self.assert_all_deny(timeout="1"))

    def test_stopped(self):
        child = self.process(MUTE, self.socket, "8")
        child.send_signal(signal.SIGSTOP)
        self.assertIn("in time", self.assert_all_deny(timeout="1"))

    def test_with_a_full_queue(self):
        self.process(MUTE, self.socket, "0")
        waiting = []
        self.addCleanup(lambda: [each.close() for each in waiting])
        for _ in range(8):
            peer = socket.socket(socket.AF_UNIX)
            peer.setblocking(False)
            waiting.append(peer)
            try:
                peer.connect(self.socket)
            except BlockingIOError:
                break
        self.assertIn("in time", self.assert_all_deny(timeout="1"))

    def test_closes_early(self):
        for answer in (b"", reply(ALLOW)[:30], reply(ALLOW)[:-1]):
            with self.subTest(answer=answer):
                daemon = Daemon(self.socket, lambda path, body, answer=answer: answer)
                self.assertIn("before it had answered", self.assert_all_deny())
                daemon.close()
                os.unlink(self.socket)

    def test_garbage(self):
        for answer in (b"\x00" * 100, b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{}", reply(""), reply("null"), reply("[]"),
                       reply("{}"), reply({"decision": "allow"}), reply({"decision": {"effect": "Allow"}}),
                       reply({"id": "../../x", "decision": {"effect": "allow"}}), reply(ALLOW) + b"x",
                       reply({"decision": {"effect": "allow", "capability": "another"}}),
                       reply(ALLOW, "500 Internal Server Error"), reply(ALLOW, "202 Accepted"),
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                       b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 1000,
                       b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000):
            with self.subTest(answer=answer[:60]):
                daemon = Daemon(self.socket, lambda path, body, answer=answer: answer)
                self.assert_all_deny()
                daemon.close()
                os.unlink(self.socket)

    def test_of_another_user(self):
        self.daemon(reply(ALLOW))
        other = str(os.getuid() + 1)
        self.assertIn(f"is owned by user {os.getuid()}", self.assert_all_deny("--owner", other))

    @unittest.skipIf(os.getuid() != 0, "only root can give a socket away")
    def test_whose_socket_another_user_owns(self):
        self.daemon(reply(ALLOW))
        os.chown(self.socket, 65534, 65534)
        self.assertIn("is owned by user 65534", self.assert_all_deny())
        self.assertIn("is served by user 0", self.assert_all_deny("--owner", "65534"))


class BadInput(Case):
    def setUp(self):
        super().setUp()
        self.requests = self.daemon(reply(ALLOW)).requests

    def test_what_cannot_be_read_is_refused(self):
        for client in CLIENTS:
            for text in (b"", b"null", b"[]", b"{", b"\xff", b"{}", call(client).encode() + b"x", b'{"hook_event_name": 5}',
                         b"[" * 100000, b'{"hook_event_name": "NewEvent"}', b'{"hook_event_name": "pretooluse"}'):
                with self.subTest(client=client, text=text[:40]):
                    self.assert_refused(self.hook(client, text))
        self.assertEqual(self.requests, [])

    def test_huge_input_is_refused(self):
        for client in CLIENTS:
            self.assert_refused(self.hook(client, call(client, tool_input={"command": "x" * (17 << 20)}), timeout="20"))
        self.assertEqual(self.requests, [])

    def test_a_large_call_is_decided(self):
        self.assert_silent(self.hook("claude", call("claude", tool_input={"command": "x" * (2 << 20)}), timeout="20"))
        self.assertEqual(len(self.requests[0][1]["event"]["input"]["command"]), 2 << 20)

    def test_ambiguous_and_impossible_tools_are_denied(self):
        for client, name in (("claude", "mcp__a__b__c"), ("codex", "mcp__a__b__c"), ("gemini", "mcp_a_b_c"), ("claude", "a b")):
            self.assert_denied(client, self.hook(client, call(client, tool_name=name)))
        self.assertEqual(self.requests, [])

    def test_unknown_tools_have_a_capability_of_their_own(self):
        for client in CLIENTS:
            self.assert_silent(self.hook(client, call(client, tool_name="BrandNew")))
        self.assertEqual({body["event"]["capability"] for _, body in self.requests}, {"agent.other.BrandNew"})

    def test_repeated_keys_are_denied(self):
        text = call("claude").replace('"tool_input": {', '"tool_input": {"command": "rm", ')
        self.assertIn("duplicate key", self.assert_denied("claude", self.hook("claude", text)))
        self.assertEqual(self.requests, [])

    def test_input_that_never_ends_is_refused_in_time(self):
        child = subprocess.Popen([BIN / "ordain-hook", "claude", "--socket", self.socket, "--timeout", "1"],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdin.write(b'{"hook_event_name": ')
        child.stdin.flush()
        out, error = child.stdout.read(), child.stderr.read()
        self.assertEqual((child.wait(30), out), (2, b""))
        self.assertIn(b"in time", error)
        for stream in (child.stdin, child.stdout, child.stderr):
            stream.close()

    def test_an_answer_that_cannot_be_written_is_a_denial(self):
        for text in (call("claude", tool_name="a b"), call("claude", "after", tool_name="a b")):
            with open("/dev/full", "wb") as full:
                run = subprocess.run([BIN / "ordain-hook", "claude", "--socket", self.socket], input=text.encode(),
                                     stdout=full, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(run.returncode, 2)
            self.assertIn(b"denied", run.stderr)

    def test_wrong_usage_is_a_denial(self):
        for arguments in ([], ["cursor"], ["claude", "codex"], ["claude", "--socket"], ["claude", "--bogus", "x"],
                          ["claude", "--timeout", "0"], ["claude", "--timeout", "60"], ["claude", "--owner", "root"]):
            run = subprocess.run([BIN / "ordain-hook", *arguments], input=call("claude").encode(), capture_output=True, timeout=60)
            self.assert_refused(run)
        run = self.hook("claude", call("claude"), "--socket", "relative.sock")
        self.assertIn("absolute", self.assert_denied("claude", run))

    def test_the_socket_may_be_named_by_the_environment(self):
        env = {"PATH": os.environ["PATH"]}
        command = [BIN / "ordain-hook", "claude"]
        for named in ({"ORDAIN_SOCKET": self.socket}, {"XDG_RUNTIME_DIR": str(self.path)}):
            run = subprocess.run(command, input=call("claude").encode(), capture_output=True, env={**env, **named}, timeout=60)
            self.assert_silent(run)
        self.assert_refused(subprocess.run(command, input=call("claude").encode(), capture_output=True, env=env, timeout=60))


class Program(Case):
    def test_it_has_no_engine(self):
        libraries = subprocess.run(["ldd", BIN / "ordain-hook"], capture_output=True, text=True, timeout=60).stdout
        for name in ("LLVM", "antlr", "sqlite", "re2", "crypto", "date-tz", "libordain"):
            self.assertNotIn(name, libraries)

    def test_ordain_hook_is_the_same(self):
        self.daemon(reply(DENY))
        for client in CLIENTS:
            run = subprocess.run([BIN / "ordain", "hook", client, "--socket", self.socket], input=call(client).encode(),
                                 capture_output=True, timeout=60)
            self.assert_denied(client, run)


if __name__ == "__main__":
    unittest.main()
