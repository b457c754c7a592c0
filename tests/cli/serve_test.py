"""These tests run `ordain serve` and ask it over its UNIX socket and over TCP."""

import http.client
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

POLICY = """
capability pay { type "tool"; effect irreversible; input { to: string, amount: double } output open { message: string } }
policy payments on before pay {
  deny negative           when input.amount <= 0.0 because "the amount must be positive";
  require_approval large  when input.amount > 500.0 from "finance" because "a payment above 500";
  allow;
}
policy leaks on after pay { deny key_leak when output.message.contains("AKIA"); }
"""
TOKEN = "client-token-0123456789"
APPROVER = "approver-token-0123456789"


def pay(amount):
    return {"capability": "pay", "agent": "teller", "input": {"to": "bob", "amount": amount}}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def line_with(stream, text):
    """The first line that contains the text; "" if the stream ends before."""
    for line in stream:
        if text in line:
            return line
    return ""


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.policy = self.write("policies/pay.policy", POLICY)
        self.database = self.path / "db"
        self.socket = self.path / "ordain.sock"
        self.tokens = self.write("tokens", TOKEN + "\n")
        self.approvers = self.write("approvers", f"alice {APPROVER}\n")

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def arguments(self, *more):
        return [BIN / "ordain", "serve", "--policies", self.path / "policies", "--db", self.database, *more]

    def start(self, *more, environment=None, **how):
        """Starts a daemon and waits until it listens."""
        daemon = subprocess.Popen([str(word) for word in self.arguments("--socket", self.socket, *more)],
                                  stderr=subprocess.PIPE, text=True, env=environment, **how)
        self.lines = []
        listening = threading.Event()

        def read():
            for line in daemon.stderr:
                self.lines.append(line)
                if "listening on unix:" in line:
                    listening.set()
            listening.set()

        reader = threading.Thread(target=read)
        reader.start()

        def end():
            if daemon.poll() is None:
                daemon.kill()
            daemon.wait(60)
            reader.join(60)
            daemon.stderr.close()

        self.addCleanup(end)
        self.assertTrue(listening.wait(60))
        self.assertIsNone(daemon.poll(), self.lines)
        return daemon

    def stop(self, daemon):
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(60), 0, self.lines)

    def wait_for_line(self, text):
        for _ in range(600):
            for line in self.lines:
                if text in line:
                    return line
            time.sleep(0.05)
        self.fail(f"no line with {text!r}: {self.lines}")

    def exchange(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def ask(self, method, path, body=None, headers=None):
        """Asks over the UNIX socket."""
        connection = UnixConnection(self.socket)
        self.addCleanup(connection.close)
        return self.exchange(connection, method, path, body, headers)

    def records(self):
        run = subprocess.run([BIN / "ordain", "audit", "tail", "--db", self.database, "--json"], capture_output=True,
                             text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def verify(self):
        run = subprocess.run([BIN / "ordain", "audit", "verify", "--db", self.database], capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class Socket(Case):
    def test_decides_on_the_socket_without_a_token(self):
        self.start()
        self.assertEqual(stat.S_IMODE(self.socket.stat().st_mode), 0o600)
        status, decision = self.ask("POST", "/v1/decide", json.dumps(pay(-1.0)) + "\n")
        self.assertEqual((status, decision["effect"], decision["rule"]), (200, "deny", "payments.negative"))
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        self.assertEqual(self.ask("POST", "/v1/decide", "{")[0], 400)

    def test_many_requests_on_one_connection(self):
        self.start()
        connection = UnixConnection(self.socket)
        self.addCleanup(connection.close)
        for amount in range(1, 200):
            status, decision = self.exchange(connection, "POST", "/v1/decide", pay(float(amount)))
            self.assertEqual((status, decision["effect"]), (200, "allow"))

    def test_a_call_is_recorded_before_and_after(self):
        daemon = self.start()
        status, begun = self.ask("POST", "/v1/calls", {"event": pay(20.0)})
        self.assertEqual((status, begun["decision"]["effect"]), (200, "allow"))
        status, ended = self.ask("POST", f"/v1/calls/{begun['id']}/outcome",
                                 {"status": "done", "output": {"message": "paid"}})
        self.assertEqual((status, ended["decision"]["effect"]), (200, "allow"))
        self.stop(daemon)
        self.assertEqual([record["kind"] for record in self.records()], ["intent", "outcome"])
        self.verify()

    def test_an_approval_by_http(self):
        self.start("--approvers", self.approvers)
        waits = self.ask("POST", "/v1/calls", {"event": pay(501.0)})[1]["decision"]
        self.assertEqual(waits["effect"], "require_approval")
        shown = self.ask("GET", f"/v1/approvals/{waits['approval_id']}")[1]
        answer = {"decision": "approve", "binding": shown["binding"]}
        path = f"/v1/approvals/{waits['approval_id']}"
        self.assertEqual(self.ask("POST", path, answer)[0], 403)
        status, voted = self.ask("POST", path, answer, {"Authorization": f"Bearer {APPROVER}"})
        self.assertEqual((status, voted["state"]), (200, "approved"))
        self.assertEqual(self.ask("POST", "/v1/calls", {"event": pay(501.0)})[1]["decision"]["effect"], "allow")

    def test_many_at_once(self):
        daemon = self.start()
        failures = []

        def work():
            try:
                connection = UnixConnection(self.socket)
                for _ in range(10):
                    begun = self.exchange(connection, "POST", "/v1/calls", {"event": pay(20.0)})[1]
                    ended = self.exchange(connection, "POST", f"/v1/calls/{begun['id']}/outcome",
                                          {"status": "done", "output": {"message": "paid"}})[1]
                    if ended["decision"]["effect"] != "allow":
                        failures.append(ended)
                connection.close()
            except Exception as error:  # pylint: disable=broad-except
                failures.append(repr(error))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertEqual(failures, [])
        self.stop(daemon)
        self.verify()

    def test_the_default_place(self):
        runtime = self.path / "run"
        runtime.mkdir()
        for environment, expected in (({"XDG_RUNTIME_DIR": str(runtime)}, runtime / "ordain.sock"),
                                      ({}, self.database / "ordain.sock")):
            daemon = subprocess.Popen([str(word) for word in self.arguments()], stderr=subprocess.PIPE, text=True,
                                      env=environment)
            try:
                self.assertIn(f"listening on unix:{expected}", line_with(daemon.stderr, "listening on"))
            finally:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait(60)
                daemon.stderr.close()

    def test_a_dead_socket_is_replaced_and_a_live_one_is_not(self):
        daemon = self.start()
        daemon.kill()
        daemon.wait(60)
        self.assertTrue(self.socket.exists())
        self.start()
        second = subprocess.run([str(word) for word in self.arguments("--socket", self.socket)], capture_output=True,
                                text=True, timeout=60)
        self.assertEqual(second.returncode, 2)
        self.assertIn("another process listens there already", second.stderr)
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        file = self.write("file", "")
        third = subprocess.run([str(word) for word in self.arguments("--socket", file)], capture_output=True, text=True,
                               timeout=60)
        self.assertEqual(third.returncode, 2)
        self.assertIn("not a socket", third.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another user")
    def test_another_user_is_not_served(self):
        os.chmod(self.path, 0o777)
        self.start()
        os.chmod(self.socket, 0o777)  # as if the file's mode did not protect it
        code = ("import os, socket; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
                f"s.connect({str(self.socket)!r}); s.settimeout(30);"
                "s.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(len(s.recv(100)))")
        run = subprocess.run(["python3", "-c", code], capture_output=True, text=True, timeout=60)
        self.assertNotIn("200", run.stdout)
        self.assertTrue(run.stdout.strip() == "0" or "Error" in run.stderr, run.stdout + run.stderr)


class Tcp(Case):
    def start_tcp(self, *more):
        daemon = self.start("--token", self.tokens, "--listen", "127.0.0.1:0", *more)
        line = self.wait_for_line("listening on http://")
        self.port = int(line.rsplit(":", 1)[1])
        return daemon

    def ask_tcp(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        return self.exchange(connection, method, path, body, headers)

    def test_a_token_a_host_and_an_origin(self):
        self.start_tcp()
        token = {"Authorization": f"Bearer {TOKEN}"}
        self.assertEqual(self.ask_tcp("GET", "/healthz")[0], 200)
        self.assertEqual(self.ask_tcp("POST", "/v1/decide", pay(20.0))[0], 401)
        self.assertEqual(self.ask_tcp("POST", "/v1/decide", pay(20.0), token)[0], 200)
        self.assertEqual(self.ask_tcp("GET", "/healthz", headers={"Host": "evil.example"})[0], 421)
        self.assertEqual(self.ask_tcp("POST", "/v1/decide", pay(20.0), {**token, "Origin": "http://evil.example"})[0], 403)

    def test_authzen_and_opa(self):
        self.start_tcp()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = {"subject": {"type": "agent", "id": "teller"},
                   "action": {"name": "pay", "properties": {"to": "bob", "amount": 20.0}},
                   "resource": {"type": "account", "id": "a-1"}}
        self.assertEqual(self.ask_tcp("POST", "/access/v1/evaluation", request, headers)[1]["decision"], True)
        request["action"]["properties"]["amount"] = -1.0
        self.assertEqual(self.ask_tcp("POST", "/access/v1/evaluation", request, headers)[1]["decision"], False)
        self.assertEqual(self.ask_tcp("POST", "/v1/data/ordain/allow", {"input": pay(20.0)}, headers)[1]["result"], True)

    def test_the_approvals_page(self):
        self.start_tcp()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request("GET", "/approvals")
        answer = connection.getresponse()
        self.assertIn(b"<title>Approvals</title>", answer.read())
        self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
        return answer.split(b" ", 2)[1] if answer else b""

    def test_limits(self):
        self.start_tcp("--max-body", "1000", "--max-header", "1000")
        host = f"Host: 127.0.0.1:{self.port}\r\n".encode()
        self.assertEqual(self.raw(b"POST /v1/decide HTTP/1.1\r\n" + host + b"Content-Length: 1001\r\n\r\n"), b"413")
        self.assertEqual(self.raw(b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"x" * 1000 + b"\r\n\r\n"), b"431")
        self.assertEqual(self.raw(b"this is not HTTP\r\n\r\n"), b"400")
        self.assertEqual(self.raw(b"GET /healthz HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n"), b"200")

    def test_more_connections_than_allowed_are_closed(self):
        self.start_tcp("--max-connections", "2")
        kept = [socket.create_connection(("127.0.0.1", self.port), timeout=60) for _ in range(2)]
        for connection in kept:
            self.addCleanup(connection.close)
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200"))
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as third:
            self.assertEqual(third.recv(100), b"")


class Life(Case):
    def test_policies_are_reloaded(self):
        self.start()
        self.assertEqual(self.ask("POST", "/v1/decide", pay(20.0))[1]["effect"], "allow")
        self.policy.write_text(POLICY.replace("allow;", 'deny closed because "closed";'))
        self.wait_for_line("reloaded; ")
        self.assertEqual(self.ask("POST", "/v1/decide", pay(20.0))[1]["reason"], "closed")
        self.policy.write_text("policy p on before {")
        self.wait_for_line("not reloaded")
        self.assertEqual(self.ask("POST", "/v1/decide", pay(20.0))[1]["reason"], "closed")

    def test_a_signal_loses_no_record(self):
        daemon = self.start()
        connection = UnixConnection(self.socket)
        self.addCleanup(connection.close)
        for _ in range(5):
            self.exchange(connection, "POST", "/v1/calls", {"event": pay(20.0)})
        self.stop(daemon)  # although the connection is still open
        self.assertFalse(self.socket.exists())
        kinds = [record["kind"] for record in self.records()]
        self.assertEqual((kinds.count("intent"), kinds.count("outcome")), (5, 5))
        self.verify()

    def test_check(self):
        def check(*more):
            return subprocess.run([str(word) for word in self.arguments("--check", *more)], capture_output=True, text=True,
                                  timeout=60)

        self.assertEqual(check().returncode, 0)
        self.assertFalse(self.database.exists())
        mapping = self.write("mapping", "capability = acton.name\n")
        run = check("--authzen", mapping)
        self.assertEqual(run.returncode, 2)
        self.assertIn("mapping:1", run.stderr)
        self.tokens.chmod(0o644)
        self.assertEqual(check("--token", self.tokens).returncode, 2)
        self.policy.write_text("policy p on before {")
        self.assertEqual(check().returncode, 2)

    def test_tcp_needs_a_token_and_a_loopback_address(self):
        for more, message in ((["--listen", "127.0.0.1:0"], "--listen needs --token"),
                              (["--token", self.tokens, "--listen", "0.0.0.0:0"], "other addresses"),
                              (["--token", self.tokens, "--listen", "nonsense"], "other addresses")):
            run = subprocess.run([str(word) for word in self.arguments("--socket", self.socket, *more)],
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 2)
            self.assertIn(message, run.stderr)

    def test_a_socket_of_the_service_manager(self):
        """As systemd does it: the socket is descriptor 3, and the environment says so."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(listener.close)
        listener.bind(str(self.socket))
        listener.listen()
        self.addCleanup(lambda: self.socket.exists() and self.socket.unlink())
        command = 'exec 3<&"$0"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
        daemon = subprocess.Popen(["bash", "-c", command, str(listener.fileno()), *map(str, self.arguments())],
                                  pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn(f"listening on unix:{self.socket}", line_with(daemon.stderr, "listening on"))
            self.assertEqual(self.ask("POST", "/v1/decide", pay(20.0))[1]["effect"], "allow")
        finally:
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(60), 0)
            daemon.stderr.close()
        self.assertTrue(self.socket.exists())  # it belongs to the service manager


if __name__ == "__main__":
    unittest.main()
