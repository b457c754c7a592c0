"""These tests run `ordain serve` and ask it over its UNIX socket and over TCP."""

import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
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
        self.sock.connect(self.path)  # with a time limit, it would fail at once while the daemon's queue is full
        self.sock.settimeout(60)


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

    def ask_health(self, connection):
        connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        return connection.recv(4096)[:12]

    def hold_connections(self, count, begins=b""):
        """Opens connections over TCP that never send a whole request."""
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.addCleanup(connection.close)
            try:
                connection.sendall(begins)
            except OSError:
                pass  # it has given way already

    def test_the_connection_that_waited_longest_gives_way(self):
        self.start_tcp("--max-connections", "4")  # three of them for TCP
        kept = []
        for _ in range(4):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.addCleanup(connection.close)
            self.assertEqual(self.ask_health(connection), b"HTTP/1.1 200")
            kept.append(connection)
        self.assertEqual(kept[0].recv(100), b"")
        for connection in kept[1:]:
            self.assertEqual(self.ask_health(connection), b"HTTP/1.1 200")

    def test_held_connections_lock_nobody_out(self):
        self.start_tcp("--max-connections", "8")
        before = UnixConnection(self.socket)
        self.addCleanup(before.close)
        self.assertEqual(self.exchange(before, "GET", "/healthz")[0], 200)
        head = f"POST /v1/decide HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n".encode()
        for begins in (b"", head, head + b"Content-Length: 9\r\n\r\n{"):
            self.hold_connections(40, begins)
            self.assertEqual(self.ask_tcp("GET", "/healthz")[0], 200)
            self.assertEqual(self.ask("POST", "/v1/decide", pay(20.0))[1]["effect"], "allow")
        # The connections of TCP did not drive out a peer of the socket.
        self.assertEqual(self.exchange(before, "GET", "/healthz")[0], 200)

    def test_more_connections_than_files_are_lowered(self):
        daemon = self.start("--max-connections", "1000",
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
        self.wait_for_line("at most 96 connections may be open at once")
        for _ in range(150):
            connection = UnixConnection(self.socket)
            connection.connect()
            self.addCleanup(connection.close)
        self.assertEqual(self.ask("POST", "/v1/calls", {"event": pay(20.0)})[1]["decision"]["effect"], "allow")
        self.assertEqual(len(self.ask("GET", "/v1/audit")[1]["records"]), 1)
        self.stop(daemon)


class Files(Case):
    def refuse(self, message, *options):
        run = subprocess.run([str(word) for word in self.arguments("--check", *options)], capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(message, run.stderr)

    def test_a_clients_token_is_not_an_approvers(self):
        self.approvers = self.write("approvers", f"bob {APPROVER}\nalice {TOKEN}\n")
        self.refuse("the token of alice stands in", "--token", self.tokens, "--approvers", self.approvers)

    def test_a_pipe_is_not_waited_for(self):
        pipe = self.path / "pipe"
        os.mkfifo(pipe, 0o600)
        self.refuse("not a file", "--token", pipe)


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


class Receiver:
    """A web service that first answers with the given statuses, and then with 200."""

    def __init__(self, *statuses, context=None, port=0, hints=b""):
        self.statuses = list(statuses)
        self.requests = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                self.wfile.write(hints)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if context is not None:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join(60)
        self.server.server_close()

    def wait_for(self, count):
        for _ in range(600):
            if len(self.requests) >= count:
                return self.requests
            time.sleep(0.05)
        raise AssertionError(f"{len(self.requests)} of {count} requests came")


SECRET = "a-secret-of-the-webhook"
PIN = "4711-0815"


class Webhooks(Case):
    def setUp(self):
        super().setUp()
        self.policy.write_text(POLICY.replace("amount: double }", "amount: double, pin: secret string }"))
        self.secret = self.write("secret", SECRET + "\n")

    def receive(self, *statuses, **how):
        receiver = Receiver(*statuses, **how)
        self.addCleanup(receiver.close)
        return receiver

    def serve(self, url, *more, **how):
        return self.start("--webhook", url, "--webhook-secret-file", self.secret, *more, **how)

    def begin(self, amount, to="bob"):
        call = pay(amount)
        call["input"] |= {"to": to, "pin": PIN}
        status, answer = self.ask("POST", "/v1/calls", {"event": call})
        self.assertEqual(status, 200, answer)
        return answer["decision"]

    def test_a_request_is_sent_until_it_is_taken_and_signed(self):
        receiver = self.receive(500, 503)
        self.serve(f"http://127.0.0.1:{receiver.port}/hook?a=b")
        approval = self.begin(600.0, to="bob\u202e<!channel>")["approval_id"]
        started = time.monotonic()
        self.assertEqual(self.begin(20.0)["effect"], "allow")  # nothing waits for the webhook
        self.assertLess(time.monotonic() - started, 30)
        requests = receiver.wait_for(3)
        for path, headers, body in requests:
            self.assertEqual(path, "/hook?a=b")
            self.assertEqual(headers["Ordain-Delivery"], approval)
            self.assertEqual(headers["Content-Type"], "application/json")
            signed = headers["Ordain-Timestamp"].encode() + b"." + body
            expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            self.assertEqual(headers["Ordain-Signature"], "v1=" + expected)
            self.assertLess(abs(int(headers["Ordain-Timestamp"]) - time.time()), 600)
            self.assertNotIn(PIN.encode(), body)
            self.assertNotIn("\u202e".encode(), body)
        body = json.loads(requests[-1][2])
        self.assertEqual((body["type"], body["id"], body["capability"]), ("approval_requested", approval, "pay"))
        self.assertEqual((body["reason"], body["groups"]), ("a payment above 500", ["finance"]))
        self.assertIn("bob", body["input_text"])
        self.wait_for_line("the webhook did not take approval")

    def test_informational_answers_are_not_the_answer(self):
        hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
        receiver = self.receive(hints=hints)
        daemon = self.serve(f"http://127.0.0.1:{receiver.port}/")
        first = self.begin(600.0)["approval_id"]
        receiver.wait_for(1)
        second = self.begin(700.0)["approval_id"]
        receiver.wait_for(2)
        self.stop(daemon)
        self.assertEqual([headers["Ordain-Delivery"] for _, headers, _ in receiver.requests], [first, second])

    def test_a_restart_loses_nothing_and_repeats_nothing(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        daemon = self.serve(url)
        first = self.begin(600.0)["approval_id"]
        self.wait_for_line("the webhook did not take approval")
        self.stop(daemon)
        receiver = self.receive(port=port)
        daemon = self.serve(url)
        self.assertEqual(receiver.wait_for(1)[0][1]["Ordain-Delivery"], first)
        second = self.begin(700.0)["approval_id"]
        receiver.wait_for(2)
        for _ in range(600):  # the answer came, and then the file is written
            if any(second in file.read_text() for file in self.database.glob("webhook-*.sent")):
                break
            time.sleep(0.05)
        self.stop(daemon)
        daemon = self.serve(url)
        third = self.begin(800.0)["approval_id"]
        receiver.wait_for(3)
        self.assertEqual([headers["Ordain-Delivery"] for _, headers, _ in receiver.requests], [first, second, third])
        self.stop(daemon)

    def test_a_service_that_never_answers_holds_nothing_up(self):
        silent = socket.socket()
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        daemon = self.serve(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        self.begin(600.0)
        connection, _ = silent.accept()
        self.addCleanup(connection.close)
        self.assertEqual(self.begin(20.0)["effect"], "allow")
        started = time.monotonic()
        self.stop(daemon)
        self.assertLess(time.monotonic() - started, 9)  # it does not wait for the answer either

    def test_a_message_for_slack(self):
        receiver = self.receive()
        self.start("--webhook", f"http://localhost:{receiver.port}/services/T/B/x", "--webhook-format", "slack")
        self.begin(600.0, to="<!channel> & *all*")
        _, headers, body = receiver.wait_for(1)[0]
        self.assertNotIn("Ordain-Signature", headers)
        message = json.loads(body)
        block = message["blocks"][0]["text"]
        self.assertEqual(block["type"], "plain_text")
        self.assertIn("&lt;!channel&gt; &amp; *all*", block["text"])
        self.assertIn("a payment above 500", block["text"])
        self.assertFalse(message["mrkdwn"])
        self.assertNotIn(PIN, body.decode())

    def certificate(self):
        """A key and a certificate of localhost that only itself has signed."""
        if shutil.which("openssl") is None:
            self.skipTest("there is no openssl to make a certificate")
        key, certificate = self.path / "key.pem", self.path / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True, timeout=120)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return certificate, context

    def test_tls_with_a_certificate_that_is_trusted(self):
        certificate, context = self.certificate()
        receiver = self.receive(context=context)
        self.serve(f"https://localhost:{receiver.port}/", environment=os.environ | {"SSL_CERT_FILE": str(certificate)})
        self.begin(600.0)
        receiver.wait_for(1)

    def check_that_nothing_is_sent(self, receiver, host, **how):
        self.serve(f"https://{host}:{receiver.port}/", **how)
        self.begin(600.0)
        self.wait_for_line("securing the connection")
        self.assertEqual(receiver.requests, [])

    def test_tls_with_a_certificate_that_nobody_trusts_is_refused(self):
        self.check_that_nothing_is_sent(self.receive(context=self.certificate()[1]), "localhost")

    def test_tls_with_the_certificate_of_another_host_is_refused(self):
        certificate, context = self.certificate()
        self.check_that_nothing_is_sent(self.receive(context=context), "127.0.0.1",
                                        environment=os.environ | {"SSL_CERT_FILE": str(certificate)})

    def test_what_cannot_be_a_webhook_is_refused_at_the_start(self):
        for more, message in ((["--webhook", "http://example.com/", "--webhook-secret-file", self.secret], "https://"),
                              (["--webhook", "https://example.com/"], "--webhook-secret-file"),
                              (["--webhook", "https://example.com/", "--webhook-format", "xml"], "xml"),
                              (["--webhook-format", "slack"], "--webhook"),
                              (["--webhook", "https://example.com/", "--webhook-secret-file", self.write("short", "x\n")],
                               "16 printable")):
            run = subprocess.run([str(word) for word in self.arguments("--check", *more)], capture_output=True,
                                 text=True, timeout=60)
            self.assertEqual(run.returncode, 2, message)
            self.assertIn(message, run.stderr)


if __name__ == "__main__":
    unittest.main()
