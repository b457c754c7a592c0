"""These tests run `ordain playground` and ask it as its page does."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

POLICY = """
capability pay { input { to: string, amount: double } }
policy payments on before pay {
  deny negative when input.amount <= 0.0 && input.to != "bank" because "the amount must be positive";
  allow rest;
}
test "payments" {
  call pay { to: "bob", amount: 20.0 };
  expect allow by payments.rest;
  call pay { to: "bob", amount: -1.0 };
  expect allow;
}
"""


# Each rule spends its whole budget, because the lists make millions of combinations.
NUMBERS = "[" + ",".join(map(str, range(300))) + "]"
SLOW = ("capability pay { input { to: string, amount: double } }\npolicy slow on before pay {\n" + "\n".join(
    f"allow r{rule} when {NUMBERS}.all(a, {NUMBERS}.all(b, {NUMBERS}.all(c, a + b + c + {rule} + int(input.amount) > -1)));"
    for rule in range(60)) + "\n}\n")


def pay(amount):
    return json.dumps({"capability": "pay", "input": {"to": "bob", "amount": amount}})


class Case(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen([BIN / "ordain", "playground"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.addCleanup(self.end)
        self.url = self.process.stdout.readline().strip()
        match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/#token=([0-9a-f]{64})", self.url)
        self.assertTrue(match, self.url)
        self.port, self.token = int(match[1]), match[2]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
        self.process.stdout.close()

    def open(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        sent = {"Authorization": f"Bearer {self.token}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), sent)
        response = connection.getresponse()
        return response, response.read().decode()

    def ask(self, path, policy, **more):
        response, text = self.open("POST", path, {"policy": policy, **more})
        self.assertEqual(response.status, 200, text)
        return json.loads(text)

    def status(self, *words, **more):
        return self.open(*words, **more)[0].status


class Playground(Case):
    def test_the_page_runs_its_own_script_alone(self):
        response, text = self.open("GET", "/", Authorization="")
        self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertRegex(response.headers["Content-Security-Policy"],
                         "^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'")
        self.assertNotIn("unsafe", response.headers["Content-Security-Policy"])
        self.assertEqual((text.count("<script"), text.count("<style")), (1, 1))
        for never in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "src=", "href=",
                      " onclick", " style=", "localStorage"):
            self.assertNotIn(never, text)
        self.assertNotIn(self.token, text)

    def test_diagnostics_have_their_places(self):
        found = self.ask("/v1/check", "policy p on before pay {\n  deny x when inputt.a;\n}\n")["diagnostics"]
        self.assertEqual([(one["line"], one["column"]) for one in found if one["severity"] == "error"], [(2, 15)])
        self.assertEqual(self.ask("/v1/check", POLICY), {"diagnostics": []})
        self.assertEqual(self.ask("/v1/decide", "policy", events=pay(1.0))["decisions"], [])

    def test_events_are_decided_and_explained(self):
        events = "\n".join([pay(20.0), "", "{", pay(-1.0)])
        first, malformed, last = self.ask("/v1/decide", POLICY, events=events)["decisions"]
        self.assertEqual((first["event"], first["effect"], first["rule"]), (1, "allow", "payments.rest"))
        self.assertEqual([part["text"] for part in first["rules"][0]["false"]], ["input.amount <= 0.0"])
        self.assertEqual(malformed["event"], 3)
        self.assertIn("error", malformed)
        self.assertEqual((last["event"], last["effect"], last["reason"]), (4, "deny", "the amount must be positive"))
        self.assertTrue(any(change["effect"] == "allow" for change in last["changes"]))

    def test_tests_run_with_their_coverage(self):
        answer = self.ask("/v1/test", POLICY)
        self.assertEqual([(test["test"], test["outcome"]) for test in answer["tests"]], [("payments", "fail")])
        self.assertEqual([each["outcome"] for each in answer["tests"][0]["expectations"]], ["pass", "fail"])
        self.assertLess(answer["coverage"]["covered"], answer["coverage"]["points"])
        gaps = {rule["rule"]: rule["gaps"] for rule in answer["coverage"]["rules"]}
        self.assertTrue(gaps["payments.negative"])  # its second part is never false
        self.assertEqual(gaps["payments.rest"], [])

    def test_no_file_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder) / "other.policy"
            other.write_text("policy p on before * { allow all; }")
            found = self.ask("/v1/check", f'import "{other}";\n')["diagnostics"]
            self.assertIn("error", [one["severity"] for one in found])
            data = pathlib.Path(folder) / "names.json"
            data.write_text('["a-name-in-a-file"]')
            answer = self.ask("/v1/check", f'let names = data "{data}" of string;\n')
            self.assertIn("error", [one["severity"] for one in answer["diagnostics"]])
            self.assertNotIn("a-name-in-a-file", json.dumps(answer))

    def test_what_is_refused(self):
        question = {"policy": POLICY}
        for expected, words, more in (
                (401, ("POST", "/v1/check", question), {"Authorization": ""}),
                (401, ("POST", "/v1/check", question), {"Authorization": "Bearer " + "0" * 64}),
                (403, ("POST", "/v1/check", question), {"Origin": "http://example.com"}),
                (421, ("GET", "/"), {"Host": f"example.com:{self.port}"}),
                (404, ("GET", "/v1/approvals"), {}), (405, ("GET", "/v1/check"), {}), (405, ("POST", "/", question), {}),
                (400, ("POST", "/v1/check", "{"), {}), (400, ("POST", "/v1/check", {"policy": 1}), {}),
                (413, ("POST", "/v1/check", {"policy": "x" * (257 << 10)}), {}),
                (413, ("POST", "/v1/decide", {"policy": POLICY, "events": " " * (65 << 10)}), {}),
                (413, ("POST", "/v1/decide", {"policy": POLICY, "events": (pay(1.0) + "\n") * 51}), {})):
            with self.subTest((expected, words[0], words[1], more)):
                self.assertEqual(self.status(*words, **more), expected)
        self.assertEqual(self.ask("/v1/check", POLICY), {"diagnostics": []})

    def test_only_loopback_is_listened_on(self):
        run = subprocess.run([BIN / "ordain", "playground", "--listen", "0.0.0.0:0"], capture_output=True, text=True,
                             timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn("other addresses", run.stderr)

    def test_a_signal_ends_it(self):
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(60), 0)

    def test_a_slow_policy_is_given_up(self):
        response, text = self.open("POST", "/v1/decide", {"policy": SLOW, "events": (pay(1.0) + "\n") * 50})
        self.assertEqual((response.status, json.loads(text)["error"]["code"]), (503, "too_slow"))

    def test_a_signal_ends_it_while_slow_policies_are_tried_out(self):
        waiting = []
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self.addCleanup(connection.close)
            body = json.dumps({"policy": SLOW, "events": (pay(1.0) + "\n") * 50})
            connection.request("POST", "/v1/decide", body, {"Authorization": f"Bearer {self.token}"})
            waiting.append(connection)
        time.sleep(1)
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.process.wait(60), 0)
        self.assertLess(time.monotonic() - begun, 5)


BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


@unittest.skipUnless(BROWSER, "there is no Chromium")
class InABrowser(Case):
    """The page with its script."""

    def test_the_page_shows_decisions_without_the_token(self):
        with tempfile.TemporaryDirectory() as profile:
            run = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
                                  "--virtual-time-budget=10000", "--dump-dom", self.url],
                                 capture_output=True, text=True, timeout=120)
        self.assertIn("event 2: require_approval by payments.large: a payment above 500", run.stdout)
        self.assertNotIn(self.token, run.stdout)


if __name__ == "__main__":
    unittest.main()
