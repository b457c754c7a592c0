"""These tests run `ordain repl`: with piped input, and at a terminal for what only a terminal has."""

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

POLICY = """package shop;
capability pay { input { to: string, amount: double, note: optional(string) } output open { receipt: string } }
capability ping { input {} }
capability log_in { input { user: string, token: secret string } }
let payees = ["alice", "bob"];
policy payments on before pay {
  deny stranger when !(input.to in payees) because input.to + " is not a payee";
  allow rest;
}
policy others on before ping, log_in { allow all; }
"""
EVENT = {"capability": "pay", "input": {"to": "alice", "amount": 20}, "now": "2026-05-04T09:00:00Z"}


def event_line(**fields):
    return ":event " + json.dumps({**EVENT, **fields})


class Prompt(unittest.TestCase):
    """A folder with policies and an event."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.policy, self.event = self.path / "p.policy", self.path / "event.json"
        self.policy.write_text(POLICY, encoding="utf-8")
        self.event.write_text(json.dumps(EVENT, indent=2), encoding="utf-8")

    def repl(self, *entries, code=0, arguments=None):
        """What is printed for the entries."""
        arguments = [self.policy, "--event", self.event] if arguments is None else arguments
        run = subprocess.run([BIN / "ordain", "repl", *arguments], input="\n".join(entries) + "\n", capture_output=True,
                             text=True, timeout=120, cwd=self.path)
        self.assertEqual((run.returncode, run.stderr), (code, ""), run.stdout)
        return run.stdout


class Piped(Prompt):
    def test_expressions_have_values(self):
        for entry, value in (("input.to.size()", "5"), ("payees", '["alice","bob"]'), ("input.amount > 10.0", "true"),
                             ("1 + 2", "3"), ("has(input.note)", "false"), ('{"a": input.to}', '{"a":"alice"}'),
                             ("input.to // who", '"alice"'), ("agent.id", '""')):
            with self.subTest(entry):
                self.assertEqual(self.repl(entry), value + "\n")

    def test_the_output_of_a_call(self):
        after = event_line(stage="after", output={"receipt": "r-1"})
        self.assertEqual(self.repl(after, "output.receipt", "output.receipt.size()"), '"r-1"\n3\n')

    def test_types(self):
        for entry, shown in (("input.amount", "double"), ("payees", "list(string)"), ('input.to == "x"', "bool"), ("now", "timestamp")):
            with self.subTest(entry):
                self.assertEqual(self.repl(":type " + entry), shown + "\n")

    def test_mistakes_are_shown_where_they_were_typed(self):
        shown = self.repl("input.amuont", "1 + 2", code=1)
        self.assertIn("<prompt>:1:7: error[unknown-field]", shown)
        self.assertIn("did you mean `amount`?", shown)
        self.assertTrue(shown.endswith("\n3\n"), shown)
        self.assertIn("<prompt>:1:", self.repl("1 + )", code=1))
        self.assertIn("<prompt>:1:", self.repl(":type input.amuont", code=1))
        # Nothing but one expression is an expression.
        self.assertIn("error", self.repl("1); } policy q on before pay { deny (", "", code=1))

    def test_faults(self):
        self.assertIn("fault: division by zero", self.repl("1 / (input.to.size() - 5)", code=1))

    def test_a_rule_is_decided(self):
        shown = self.repl('deny big when input.amount > 5.0 because "too big";')
        self.assertEqual(shown, "prompt.big matches\ndeny by prompt.big: too big\n")
        shown = self.repl("deny big", "  when input.amount > 500.0", ";")
        self.assertEqual(shown, "prompt.big does not match: `input.amount > 500.0` is false\nallow by payments.rest: payments.rest\n")
        shown = self.repl("deny odd when 1 / (input.to.size() - 5) > 0;")
        self.assertTrue(shown.startswith("prompt.odd faults: division by zero\ndeny by prompt.odd: "), shown)
        shown = self.repl('warn noted when input.to == "alice" because "hello";')
        self.assertIn("  warn: hello\n", shown)
        # It is not kept.
        self.assertNotIn("prompt.", self.repl("deny big when input.amount > 5.0;", ":plan").split("\n", 2)[2])

    def test_an_entry_may_have_several_lines(self):
        self.assertEqual(self.repl("input.amount >", "10.0"), "true\n")
        self.assertEqual(self.repl("[1,", "2].size()", "3"), "2\n3\n")
        # An empty line ends what cannot be complete.
        self.assertIn("error", self.repl("[1,", "", code=1))

    def test_declarations_stay(self):
        self.assertEqual(self.repl("let limit = 10.0;", "input.amount > limit"), "declared\ntrue\n")
        shown = self.repl("let limit = 10.0;", "let limit = 11.0;", "limit == 10.0", code=1)
        self.assertTrue(shown.startswith("declared\n") and shown.endswith("\ntrue\n"), shown)
        shown = self.repl("policy night on before pay { deny always; }", ":explain")
        self.assertIn("deny by night.always", shown)

    def test_explain(self):
        shown = self.repl(event_line(input={"to": "eve", "amount": 1}), ":explain")
        self.assertIn("event 1: before pay: deny by payments.stranger: eve is not a payee\n", shown)
        self.assertIn('would be allowed if `input.to` were "alice"', shown)

    def test_plan_and_disasm(self):
        plan = subprocess.run([BIN / "ordain", "plan", self.policy], capture_output=True, text=True, timeout=60)
        self.assertEqual(self.repl(":plan"), plan.stdout)
        self.assertIn("payments.stranger", self.repl(":disasm"))

    def test_other_events(self):
        self.assertEqual(self.repl(event_line(input={"to": "bob", "amount": 1}), "input.to"), '"bob"\n')
        other = self.path / "other.json"
        other.write_text(json.dumps({**EVENT, "input": {"to": "carol", "amount": 1}}), encoding="utf-8")
        self.assertEqual(self.repl(f":event {other}", "input.to"), '"carol"\n')
        self.assertEqual(json.loads(self.repl(":event")), EVENT)
        self.assertIn("the event is invalid: input.to: expected string", self.repl(event_line(input={"to": 1, "amount": 1}), "input.to", code=1))
        shown = self.repl(":event {", ":event none.json", ":event {}", "input.to", code=1)
        self.assertTrue(shown.endswith('"alice"\n'), shown)  # the old one stays

    def test_other_policies(self):
        other = self.path / "q.policy"
        other.write_text("capability pay { input open {} }\npolicy q on before pay { allow it; }\n", encoding="utf-8")
        self.assertEqual(self.repl(f":load {other}", "allow it;").splitlines()[0], "1 rule")
        broken = self.path / "broken.policy"
        broken.write_text("policy q on before pay { deny when x; }\n", encoding="utf-8")
        shown = self.repl(f":load {broken}", ":load none.policy", "payees.size()", code=1)
        self.assertTrue(shown.endswith("\n2\n"), shown)  # the old ones stay
        self.assertEqual(self.repl("let x = 1;", ":load", "1").splitlines(), ["declared", "3 rules", "1"])

    def test_without_policies(self):
        self.assertEqual(self.repl("1 + 2", "let x = 4;", "x * 2", '"A".lowerAscii()', arguments=[]), '3\ndeclared\n8\n"a"\n')

    def test_a_call_without_input(self):
        ping = json.dumps({"capability": "ping", "input": {}})
        self.assertEqual(self.repl(":event " + ping, 'capability.name == "ping"'), "true\n")
        # There is no place for another value.
        self.assertIn("type-mismatch", self.repl(":event " + ping, "1 + 2", code=1))

    def test_secrets_are_not_shown(self):
        log_in = json.dumps({"capability": "log_in", "input": {"user": "ann", "token": "hunter2"}})
        for entry in ("input.token", "input", '{"t": input.token}'):
            shown = self.repl(":event " + log_in, entry, code=1)
            self.assertIn("secret-shown", shown)
            self.assertNotIn("hunter2", shown)
        self.assertEqual(self.repl(":event " + log_in, "input.user"), '"ann"\n')

    def test_commands(self):
        self.assertIn(":explain", self.repl(":help"))
        self.assertEqual(self.repl("1", ":quit", "2"), "1\n")
        self.assertIn("did you mean `:explain`?", self.repl(":explian", code=1))

    def test_it_needs_policies_without_errors_and_an_event(self):
        for arguments in ([self.path / "none"], [self.policy, "--event", self.path / "none"], [self.policy, "--event", self.policy]):
            run = subprocess.run([BIN / "ordain", "repl", *arguments], input="1\n", capture_output=True, text=True, timeout=60)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertNotEqual(run.stderr, "")


def edits_lines():
    """Whether the command was built with libedit."""
    linked = subprocess.run(["ldd", BIN / "ordain"], capture_output=True, text=True, timeout=60)
    return "libedit" in linked.stdout


class Terminal:
    """`ordain repl` at a terminal of its own."""

    def __init__(self, *arguments):
        self.unread = ""  # was shown behind what somebody waited for
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.environ.update(TERM="xterm", NO_COLOR="1", LC_ALL="C.UTF-8")
            os.execv(BIN / "ordain", ["ordain", "repl", *map(str, arguments)])

    def read_until(self, text, seconds=60):
        """Reads until `text` is shown after what was read before. Returns what was shown, up to its end."""
        end, shown = time.monotonic() + seconds, self.unread
        while text not in shown:
            if not select.select([self.terminal], [], [], max(0.0, end - time.monotonic()))[0]:
                raise AssertionError(f"{text!r} was not shown, but {shown!r}")
            shown += os.read(self.terminal, 4096).decode("utf-8", "replace")
        length = shown.index(text) + len(text)
        self.unread = shown[length:]
        return shown[:length]

    def type(self, keys):
        os.write(self.terminal, keys.encode("utf-8"))

    def close(self):
        """Ends the input. Returns the exit code."""
        end, ended = time.monotonic() + 60, 0
        while ended == 0 and time.monotonic() < end:
            # The prompt is shown a little before the editor takes keys. Until then the terminal takes control-D, and hands
            # the editor a NUL for it, so the line is emptied first.
            self.type("\x15\x04")
            if select.select([self.terminal], [], [], 0.2)[0]:
                try:
                    os.read(self.terminal, 4096)
                except OSError:
                    pass  # the command has closed its side
            ended, status = os.waitpid(self.child, os.WNOHANG)
        if ended == 0:
            raise AssertionError("the end of the input did not end the command")
        self.child = None
        return os.waitstatus_to_exitcode(status)

    def release(self):
        """Ends the command if it still runs: a test has failed."""
        if self.child is not None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.terminal)


class AtATerminal(Prompt):
    def open(self):
        terminal = Terminal(self.policy, "--event", self.event)
        self.addCleanup(terminal.release)
        terminal.read_until("ordain> ")
        return terminal

    def test_several_lines(self):
        terminal = self.open()
        terminal.type("[7,\r")
        terminal.read_until("...> ")
        terminal.type("8].map(x, x * 111)\r")
        terminal.read_until("[777,888]")
        terminal.read_until("ordain> ")
        self.assertEqual(terminal.close(), 0)

    @unittest.skipUnless(edits_lines(), "SKIPPED: the command was built without libedit")
    def test_completion(self):
        terminal = self.open()
        terminal.type("input.am\t")
        terminal.read_until("ount")
        terminal.type(" * 500.0 > 9999.0\r")
        terminal.read_until("true")
        terminal.read_until("ordain> ")
        terminal.type(":exp\t")
        terminal.read_until("lain")
        terminal.type("\r")
        terminal.read_until("event 1: before pay: allow by payments.rest")
        terminal.read_until("ordain> ")
        self.assertEqual(terminal.close(), 0)

    @unittest.skipUnless(edits_lines(), "SKIPPED: the command was built without libedit")
    def test_history(self):
        terminal = self.open()
        terminal.type("111 * 7\r")
        terminal.read_until("777")
        terminal.read_until("ordain> ")
        terminal.type("\x10 + 1\r")  # control-P: the line before
        terminal.read_until("778")
        terminal.read_until("ordain> ")
        self.assertEqual(terminal.close(), 0)

    def test_mistakes_do_not_change_the_exit_code(self):
        terminal = self.open()
        terminal.type("1 +)\r")
        terminal.read_until("error")
        terminal.read_until("ordain> ")
        self.assertEqual(terminal.close(), 0)


if __name__ == "__main__":
    unittest.main()
