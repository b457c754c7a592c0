"""The `ordain` command from outside: what it prints, where, and how it exits."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BANKING = str(ROOT / "examples" / "banking")
JIT = os.environ.get("ORDAIN_JIT", "ON") == "ON"

POLICY = """package t;
capability pay { input { amount: int } output { text: string } }
policy pays on before pay {
  deny big when 100 / input.amount < 1 because "too big";
  require_approval mid when input.amount > 50 from ["b", "a"] because "mid";
  warn noted when input.amount == 2 because "two";
  allow;
}
policy outs on after pay { redact output.text when input.amount == 1 with "***"; }
"""


def ordain(*args, stdin=""):
    return subprocess.run([BIN / "ordain", *args], input=stdin, capture_output=True, text=True, timeout=120)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")
        return str(self.path / name)

    def eval(self, events, *args, policy=POLICY):
        lines = "\n".join(e if isinstance(e, str) else json.dumps(e) for e in events) + "\n"
        return ordain("eval", "--policies", self.write("p.policy", policy), "--events", "-", "--json", *args, stdin=lines)

    def decisions(self, events, *args, **kwargs):
        run = self.eval(events, *args, **kwargs)
        self.assertIn(run.returncode, (0, 1), run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]


class Help(Case):
    def test_every_command_teaches_itself(self):
        for command in ([], ["check"], ["eval"], ["disasm"], ["functions"], ["approvals"], ["approvals", "approve"], ["audit"], ["audit", "verify"]):
            run = ordain(*command, "--help")
            self.assertEqual(run.returncode, 0, command)
            self.assertGreater(len(run.stdout.splitlines()), 5, command)

    def test_wrong_usage_exits_2(self):
        for command in ([], ["nonsense"], ["check"], ["eval", "--policies", "x"], ["eval", "--policies", "x", "--events", "-", "--engine", "warp"]):
            run = ordain(*command)
            self.assertEqual(run.returncode, 2, command)
            self.assertIn("ordain:", run.stderr)


class Check(Case):
    def test_good_policies(self):
        run = ordain("check", BANKING)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("11 capabilities", run.stdout)

    def test_errors_have_place_caret_and_help(self):
        path = self.write("bad.policy", "capability pay { input { amount: int } }\npolicy p on before pay { deny when input.amuont > 1; }\n")
        run = ordain("check", path)
        self.assertEqual(run.returncode, 1)
        self.assertIn("bad.policy:2:", run.stderr)
        self.assertIn("^^^", run.stderr)
        self.assertIn("did you mean `amount`", run.stderr)

    def test_json(self):
        path = self.write("bad.policy", "policy p on before pay { deny when 1; }")
        run = ordain("check", "--json", path)
        self.assertEqual(run.returncode, 1)
        found = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertTrue(any(d["severity"] == "error" and d["line"] == 1 for d in found))

    def test_missing_file(self):
        run = ordain("check", str(self.path / "none.policy"))
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("none.policy", run.stderr)


class Eval(Case):
    EVENTS = [
        {"capability": "pay", "input": {"amount": 2}},
        {"capability": "pay", "input": {"amount": 200}},
        {"capability": "pay", "input": {"amount": 60}},
        {"capability": "pay", "input": {"amount": 0}},
        {"capability": "pay", "input": {"amount": "x"}},
        {"capability": "none", "input": {}},
        {"capability": "pay", "stage": "after", "input": {"amount": 1}, "output": {"text": "x"}},
    ]

    def test_decisions(self):
        engines = ("interpreter", "jit") if JIT else ("interpreter",)
        for engine in engines:
            with self.subTest(engine):
                got = self.decisions(self.EVENTS, "--engine", engine)
                self.assertEqual([d["effect"] for d in got], ["allow", "deny", "require_approval", "deny", "deny", "deny", "allow"])
                self.assertEqual([d["code"] for d in got], ["rule", "rule", "rule", "evaluation_error", "invalid_input", "default", "default"])
                self.assertEqual([d["event"] for d in got], [1, 2, 3, 4, 5, 6, 7])
                self.assertEqual(got[0]["rule"], "pays.allow#1")
                self.assertEqual(got[0]["matched"], ["pays.noted", "pays.allow#1"])
                self.assertEqual(got[0]["obligations"], [{"kind": "warn", "reason": "two", "rule": "pays.noted"}])
                self.assertEqual(got[1]["reason"], "too big")
                self.assertEqual(got[2]["from"], ["a", "b"])
                self.assertEqual(got[3]["fault"]["code"], "division_by_zero")
                self.assertEqual((got[3]["fault"]["line"], got[3]["fault"]["column"]), (4, 21))
                self.assertEqual(got[3]["fault"]["rule"], "pays.big")
                self.assertIn("input.amount", got[4]["reason"])
                self.assertIsNone(got[5]["rule"])
                self.assertEqual(got[6]["obligations"], [{"kind": "redact", "path": "output.text", "with": "***", "rule": "outs.redact#1"}])

    def test_malformed_lines_do_not_stop_the_run(self):
        run = self.eval(["{", '{"input": {}}', "[]", {"capability": "pay", "input": {"amount": 2}}, {"capability": "pay", "stage": "during"}])
        self.assertEqual(run.returncode, 1)
        got = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([d["event"] for d in got], [1, 2, 3, 4, 5])
        self.assertEqual(["error" in d for d in got], [True, True, True, False, True])
        self.assertIn("4 malformed", run.stderr)

    def test_default(self):
        event = [{"capability": "none", "input": {}}]
        self.assertEqual(self.decisions(event, "--default", "allow")[0]["effect"], "allow")
        self.assertEqual(self.decisions(event, "--default", "require_approval")[0]["effect"], "require_approval")
        self.assertEqual(self.decisions(event)[0]["effect"], "deny")

    def test_unknown_keys_warn_once(self):
        run = self.eval([{"capability": "pay", "input": {"amount": 2}, "suite": 1, "agent": {"id": "x", "shoe": 1}}] * 3)
        self.assertEqual(run.stderr.count("`suite`"), 1)
        self.assertEqual(run.stderr.count("agent.shoe"), 1)

    def test_string_is_short_for_id(self):
        policy = 'capability a {}\npolicy p on before a { allow when agent.id == "x" && environment == "prod" && resource.id == "r"; }\n'
        got = self.decisions([{"capability": "a", "input": {}, "agent": "x", "environment": "prod", "resource": "r"}], policy=policy)
        self.assertEqual(got[0]["effect"], "allow")

    def test_now_is_the_runs_start_and_echoed(self):
        policy = 'capability a {}\npolicy p on before a { allow when now > timestamp("2024-01-01T00:00:00Z"); }\n'
        run = self.eval([{"capability": "a", "input": {}}, {"capability": "a", "input": {}, "now": "2023-01-01T00:00:00Z"}], policy=policy)
        got = [json.loads(line)["effect"] for line in run.stdout.splitlines()]
        self.assertEqual(got, ["allow", "deny"])
        self.assertRegex(run.stderr, r"now = 20\d\d-")

    def test_broken_policies_exit_2(self):
        run = self.eval([], policy="policy p on before x { deny when 1 + ; }")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stdout, "")

    def test_decisions_are_recorded(self):
        db = str(self.path / "state")
        self.decisions(self.EVENTS, "--db", db)
        run = ordain("audit", "verify", "--db", db)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        exported = ordain("audit", "export", "--db", db).stdout.splitlines()
        self.assertEqual(len(exported), 1 + len(self.EVENTS))
        self.assertEqual(json.loads(exported[2])["rule"], "pays.big")
        self.assertEqual(ordain("audit", "count", "--db", db).stdout.strip(), str(len(self.EVENTS)))
        found = ordain("audit", "query", "--db", db, "--rule", "pays.big", "--json").stdout.splitlines()
        self.assertTrue(found)
        self.assertTrue(all(json.loads(line)["rule"] == "pays.big" for line in found))
        copy = str(self.path / "copy")
        (self.path / "log.jsonl").write_text("\n".join(exported) + "\n")
        run = ordain("audit", "import", str(self.path / "log.jsonl"), "--db", copy)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(ordain("audit", "export", "--db", copy).stdout.splitlines(), exported)
        (self.path / "log.jsonl").write_text("\n".join(exported).replace("pays.big", "pays.pig") + "\n")
        run = ordain("audit", "import", str(self.path / "log.jsonl"), "--db", str(self.path / "forged"))
        self.assertEqual(run.returncode, 1)
        self.assertIn("line 3", run.stderr)
        self.assertEqual(ordain("audit", "verify", "--db", str(self.path / "forged")).returncode, 2)

    def test_signed_log(self):
        keys, db, elsewhere = str(self.path / "keys"), str(self.path / "state"), str(self.path / "elsewhere")
        run = ordain("keys", "init", "--dir", keys, "--name", "example.com")
        self.assertEqual(run.returncode, 0, run.stderr)
        public = run.stdout.strip()
        self.assertRegex(public, r"^example\.com\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$")
        self.assertEqual((self.path / "keys" / "operator.key").stat().st_mode & 0o777, 0o600)
        self.assertEqual(ordain("keys", "init", "--dir", keys).returncode, 2)
        private = keys + "/operator.key"
        self.assertEqual(ordain("keys", "show", private).stdout.strip(), public)
        self.decisions(self.EVENTS, "--db", db, "--key", private, "--checkpoint", elsewhere)
        run = ordain("audit", "verify", "--db", db, "--key", public, "--checkpoint", elsewhere)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("signatures good", run.stdout)
        self.assertEqual(ordain("audit", "prove", "2", "--db", db, "-o", str(self.path / "proof")).returncode, 0)
        run = ordain("audit", "check-proof", str(self.path / "proof"), "--key", keys + "/operator.pub")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("pays.big", run.stdout)
        proof = (self.path / "proof").read_text()
        (self.path / "proof").write_text(proof.replace("index 1", "index 0"))
        self.assertEqual(ordain("audit", "check-proof", str(self.path / "proof")).returncode, 1)
        for _ in range(2):
            run = ordain("audit", "rotate", "--db", db, "--key", private, "--checkpoint", elsewhere)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.decisions(self.EVENTS, "--db", db, "--key", private, "--checkpoint", elsewhere)
        self.assertEqual(ordain("audit", "verify", "--db", db, "--key", public, "--checkpoint", elsewhere).returncode, 0)
        run = ordain("audit", "prune", "--db", db, "--keep", "1", "--key", private)
        self.assertEqual(run.returncode, 0, run.stderr)
        run = ordain("audit", "verify", "--db", db, "--key", public, "--checkpoint", elsewhere)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertIn("were removed", run.stdout)
        (self.path / "keys" / "operator.key").chmod(0o644)
        run = ordain("audit", "rotate", "--db", db, "--key", private)
        self.assertEqual(run.returncode, 2)
        self.assertIn("others may use the key", run.stderr)


class Disasm(Case):
    def test_shows_rules_and_code(self):
        run = ordain("disasm", BANKING)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("payments.unknown_payee", run.stdout)
        self.assertIn("input.recipient", run.stdout)


class Functions(Case):
    def test_lists_the_table(self):
        self.assertIn("startsWith", ordain("functions").stdout)
        rows = json.loads(ordain("functions", "--json").stdout)
        self.assertTrue(any(r["name"] == "matches" for r in rows))


class Approvals(Case):
    RENT = '{"recipient": "UK12345678901234567890", "amount": 750, "subject": "Rent", "date": "2024-05-02"}'

    def call(self, db):
        return subprocess.run([BIN / "banking_assistant", BANKING, db, "send_money", self.RENT], capture_output=True, text=True, timeout=120)

    def pending(self, db):
        lines = ordain("approvals", "list", "--db", db, "--state", "pending", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def test_approve_serves_once(self):
        db = str(self.path / "state")
        self.assertEqual(self.call(db).returncode, 3)
        self.assertEqual(self.call(db).returncode, 3)
        waiting = self.pending(db)
        self.assertEqual(len(waiting), 1)
        shown = ordain("approvals", "show", waiting[0]["id"], "--db", db)
        self.assertIn("750", shown.stdout)
        self.assertIn("payments.large", shown.stdout)
        self.assertEqual(ordain("approvals", "approve", waiting[0]["id"], "--db", db, "--as", "alice").returncode, 0)
        done = self.call(db)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.call(db).returncode, 3)
        self.assertEqual(ordain("approvals", "approve", waiting[0]["id"], "--db", db).returncode, 1)
        self.assertEqual(ordain("audit", "verify", "--db", db).returncode, 0)
        self.assertIn("send_money", ordain("audit", "tail", "--db", db).stdout)

    def test_rejected(self):
        db = str(self.path / "state")
        self.call(db)
        waiting = self.pending(db)[0]["id"]
        self.assertEqual(ordain("approvals", "reject", waiting, "--db", db, "--as", "bob", "--note", "no").returncode, 0)
        self.assertEqual(self.call(db).returncode, 4)
        self.assertEqual(ordain("approvals", "approve", waiting, "--db", db).returncode, 1)

    def test_grants_let_calls_run_until_revoked(self):
        db = str(self.path / "state")
        self.assertEqual(self.call(db).returncode, 3)
        made = ordain("grants", "create", "--db", db, "--capability", "send_money", "--for", "8h", "--as", "ann", "--json")
        self.assertEqual(made.returncode, 0, made.stderr)
        grant = json.loads(made.stdout)
        self.assertEqual((grant["state"], grant["granted_by"]), ("active", "ann"))
        self.assertEqual(self.call(db).returncode, 0)
        self.assertIn(grant["id"][:12], ordain("grants", "list", "--db", db).stdout)
        self.assertEqual(ordain("grants", "revoke", grant["id"][:8], "--db", db, "--as", "bob").returncode, 0)
        self.assertEqual(self.call(db).returncode, 3)
        self.assertEqual(ordain("grants", "revoke", grant["id"], "--db", db).returncode, 1)
        self.assertEqual(ordain("grants", "create", "--db", db, "--for", "ever").returncode, 1)
        self.assertIn(grant["id"], ordain("audit", "tail", "--db", db, "--json").stdout)

    def test_answers_are_signed_with_the_operators_key(self):
        db, keys = str(self.path / "state"), str(self.path / "keys")
        self.assertEqual(ordain("keys", "init", "--dir", keys).returncode, 0)
        self.call(db)
        waiting = self.pending(db)[0]["id"]
        run = ordain("approvals", "approve", waiting, "--db", db, "--trust", keys + "/operator.pub")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no private key", run.stderr)
        self.assertEqual(ordain("approvals", "approve", waiting, "--db", db, "--key", keys + "/operator.key", "--as", "ann").returncode, 0)
        shown = ordain("approvals", "show", waiting, "--db", db, "--trust", keys + "/operator.pub")
        self.assertIn("ann", shown.stdout)
        self.assertIn("signed by operator", shown.stdout)
        self.assertEqual(ordain("approvals", "show", waiting, "--db", db, "--key", keys + "/none").returncode, 2)

    def test_no_database(self):
        run = ordain("approvals", "list", "--db", str(self.path / "nothing"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("ordain:", run.stderr)
        self.assertEqual(ordain("audit", "verify", "--db", str(self.path / "nothing")).returncode, 2)


if __name__ == "__main__":
    unittest.main()
