"""These tests run every command of `ordain` on hostile text, and where its output cannot be written.

The table below has a row for each command. A test compares it with the commands that the program has,
so that a new command needs a row.
"""

import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import tempfile
import termios
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

# What hides on a terminal, or is obeyed by it. A zero byte is missing: no argument, name or id may hold one.
HIDDEN = [*range(0x01, 0x20), *range(0x7F, 0xA0), 0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F),
          *range(0x2060, 0x2070), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080, 9),
          *range(0xE0100, 0xE01F0, 30)]
HOSTILE = "x" + "".join(chr(c) for c in HIDDEN) + "y"
HARMLESS = "x" + "z" * len(HIDDEN) + "y"
# File names are short, and hold no slash.
HOSTILE_NAME = "n\n\x1b[2J\u202e\u3164\u180e\u009b\U000e0041"
HARMLESS_NAME = "nzzzzzzz"


def ordain(*args, stdin="", **kwargs):
    return subprocess.run([BIN / "ordain", *args], input=stdin.encode("utf-8"), stdout=kwargs.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, timeout=120, env={**os.environ, "USER": "tester"}, **kwargs)


def literal(text):
    """The text as a literal of the policy language."""
    return '"' + "".join(f"\\U{ord(c):08x}" if ord(c) in HIDDEN else c for c in text) + '"'


class Stage:
    """A folder with policies, events, a log, approvals and grants, all of whose texts hold `text`."""

    def __init__(self, path, text, name):
        self.path, self.text = path, text
        self.folder = path / name
        self.folder.mkdir()
        self.policy = self.write(name + ".policy", self.policies("true"))
        self.other = self.write(name + "-other.policy", self.policies('agent.id != "nobody"').replace('because "old "', 'because "new "'))
        self.broken = self.write(name + ".broken.policy", f"policy p on before {literal(text)} {{ deny when input.to == 1 + ; }}\n")
        self.failing = self.write(name + ".failing.policy", self.policies("true") + f"test {literal(text)} {{ call {literal(text)} {{ to: {literal(text)} }}; expect allow; }}\n")
        self.events = self.write(name + ".jsonl", "".join(json.dumps(e) + "\n" for e in self.calls()))
        self.yaml = self.write(name + ".yaml", self.capfence())
        self.aegis = self.write(name + ".aegis.yaml", self.rules())
        schema = {"properties": {"a": {"type": text, text: 1}}, text: 1}
        tools = [{"name": text, "inputSchema": schema}, {"name": text, "inputSchema": {}}]
        self.tools = self.write(name + ".tools.json", json.dumps(tools))
        self.kept = str(self.folder / (name + ".kept"))
        self.remembers = self.write(name + "-kept.policy", "capability kept { input { to: string } }\n"
                                    "history sends = begun kept by agent, input.to within 1h;\n"
                                    "policy k on before kept { deny many when sends.count > 100; allow rest; }\n")
        run = subprocess.run([BIN / "banking_assistant", self.remembers, self.kept, "kept", json.dumps({"to": text[:60]})], capture_output=True, timeout=120)
        assert run.returncode == 0, run.stderr
        self.missing = str(self.folder / (name + ".none"))
        self.db, self.state, self.keys = str(self.folder / (name + ".db")), str(self.folder / (name + ".state")), str(self.folder / (name + ".keys"))
        for run in (ordain("eval", "--policies", self.policy, "--events", self.events, "--db", self.db), ordain("keys", "init", "--dir", self.keys)):
            assert run.returncode in (0, 1), run.stderr
        for capability in ("a", "b", "c"):
            run = subprocess.run([BIN / "banking_assistant", self.policy, self.state, text + capability, json.dumps({"to": text})], capture_output=True, timeout=120)
            assert run.returncode == 3, run.stderr
        ordain("audit", "rotate", "--db", self.db, "--key", self.keys + "/operator.key")
        self.proof = str(self.folder / (name + ".proof"))
        assert ordain("audit", "prove", "1", "--db", self.db, "-o", self.proof).returncode == 0
        run = ordain("approvals", "list", "--db", self.state, "--json")
        self.waiting = sorted(json.loads(line)["id"] for line in run.stdout.splitlines())
        run = ordain("grants", "create", "--db", self.state, "--capability", text, "--scope", text, "--agent", text, "--principal", text, "--tenant", text,
                     "--environment", text, "--session", text, "--as", text, "--note", text, "--json")
        assert run.returncode == 0, run.stderr
        self.grant = json.loads(run.stdout)["id"]
        run = ordain("freeze", "--db", self.state, "--capability", text, "--agent", text, "--because", text, "--as", text)
        assert run.returncode == 0, run.stderr

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        return str(self.folder / name)

    def policies(self, condition):
        text = literal(self.text)
        return f"""capability {text} {{ input {{ to: string }} output {{ text: string }} }}
policy p on before {text} {{
  version {text};
  description {text};
  warn noted when {condition} because "old " + {text};
  require_approval asked when input.to == {text} from [{text}, "b"] because "old " + {text};
  deny when input.to == "no" because {text};
}}
policy others on before * {{ require_approval other when capability.name != {text} from [{text}] because {text}; }}
policy outs on after {text} {{ redact output.text when {condition} with {text}; deny when output.text == {text} because {text}; }}
"""

    def calls(self):
        who = {kind: {"id": self.text} for kind in ("agent", "principal", "tenant", "environment", "session")}
        for to in (self.text, "no", 1, "else"):
            yield {"capability": self.text, "input": {"to": to}, **who}
        yield {"capability": self.text, "stage": "after", "input": {"to": "a"}, "output": {"text": self.text}, **who}
        yield {"capability": "undeclared " + self.text, "input": {self.text: 1}, self.text: 1, "resource": {self.text: self.text}, **who}
        yield {"capability": self.text, "input": {self.text: 1, "to": "a"}, "agent": {"id": self.text, self.text: 1}}
        yield {"capability": self.text, "stage": self.text}

    def typed(self):
        """What is typed at the prompt of `repl`."""
        event = json.dumps(next(self.calls()))
        return f"{literal(self.text)}\n:event {event}\n:event\n:explain\n:plan\ninput.to\n:type input.to\nwarn w because input.to;\n"

    def capfence(self):
        text = literal(self.text)
        return f"policy_name: base\ndeny:\n  - capability: pay\n    contains: {text}\n  - capability: mail\n    amount_gte: {text}\n{literal(self.text[:30])}: 1\n"

    def rules(self):
        return f'version: "1"\nrules:\n  - name: {literal(self.text)}\n    match: {{type: pay, agent: {literal(self.text)}}}\n    approval: block\n'

    def rows(self):
        """(words, exit codes that are right, what is typed), in an order in which they may run."""
        p, events, text = ["--policies", self.policy], ["--events", self.events], self.text
        against = ["--policies", self.other, "--against", self.policy]
        db, state, key = ["--db", self.db], ["--db", self.state], ["--key", self.keys + "/operator.key"]
        return [
            (["check", self.policy], (0, 1), ""),
            (["check", self.broken], (1,), ""),
            (["check", self.missing], (2,), ""),
            (["fmt", "--check", self.policy], (0, 1), ""),
            (["fmt", "--diff", self.policy], (0, 1), ""),
            (["fmt", "--check", self.broken], (2,), ""),
            (["fmt", "--check", self.missing], (2,), ""),
            (["lint", self.policy], (0, 1), ""),
            (["lint", self.broken], (1,), ""),
            (["help", text], (2,), ""),
            (["lsp"], (1,), text),
            (["lsp"], (2,), text + "\r\n\r\n"),
            (["test", self.failing], (1, 2), ""),
            (["eval", *p, *events], (1,), ""),
            (["eval", *p, "--events", self.missing], (2,), ""),
            (["eval", *p, "--events", "-"], (1,), text.replace("\n", "") + "\n"),
            (["explain", *p, *events], (1,), ""),
            (["repl", self.policy], (0,), self.typed()),
            (["bench", *p, *events, "--seconds", "0.01", "--threads", "1"], (1,), ""),
            (["bench", *against, *events, "--seconds", "0.01", "--threads", "1", "--repeats", "1"], (1,), ""),
            (["replay", "--audit", self.db, "--policies", self.other], (0, 1), ""),
            (["replay", *against, *events], (1,), ""),
            (["diff", *against, *events], (1,), ""),
            (["plan", self.policy], (0,), ""),
            (["plan", "--dot", self.policy], (0,), ""),
            (["disasm", self.policy], (0,), ""),
            (["functions"], (0,), ""),
            (["approvals", "list", *state], (0,), ""),
            (["approvals", "show", self.waiting[0], *state], (0,), ""),
            (["approvals", "show", text, *state], (1,), ""),
            (["approvals", "approve", self.waiting[0], *state], (1,), "n\n"),
            (["approvals", "approve", self.waiting[0], *state, "--yes", "--as", text, "--group", text, "--note", text], (0,), ""),
            (["approvals", "approve", self.waiting[1], *state, "--yes", "--group", text + "?"], (1,), ""),
            (["approvals", "reject", self.waiting[1], *state, "--as", text, "--note", text], (0,), ""),
            (["approvals", "show", self.waiting[0], *state], (0,), ""),
            (["grants", "create", *state, "--agent", text, "--note", text], (0,), ""),
            (["grants", "list", *state], (0,), ""),
            (["grants", "revoke", self.grant, *state, "--as", text, "--note", text], (0,), ""),
            (["grants", "revoke", text, *state], (1,), ""),
            (["freeze", *state, "--list"], (0,), ""),
            (["freeze", *state, "--capability", "b", "--agent", text, "--because", text, "--as", text], (0,), ""),
            (["freeze", *state, "--because", ""], (2,), ""),
            (["thaw", *state, "--capability", "b", "--agent", text, "--because", text, "--as", text], (0,), ""),
            (["thaw", *state, "--capability", "b", "--agent", text], (1,), ""),
            (["state", "list", "--db", self.kept], (0,), ""),
            (["state", "list", "--db", self.missing], (2,), ""),
            (["state", "show", "sends", "--db", self.kept], (0,), ""),
            (["state", "show", text, "--db", self.kept], (1,), ""),
            (["state", "fill", "--db", self.kept, "--policies", self.remembers], (0,), ""),
            (["state", "fill", "--db", self.kept, "--policies", self.policy], (0,), ""),
            (["state", "fill", "--db", self.kept, "--policies", self.broken], (2,), ""),
            (["state", "fill", "--db", self.missing, "--policies", self.remembers], (2,), ""),
            (["state", "reset", "sends", "--db", self.kept, "--key", text, "--because", text], (1,), ""),
            (["state", "reset", "sends", "--db", self.kept, "--because", text], (2,), ""),
            (["state", "reset", "sends", "--db", self.kept, "--all", "--because", text, "--as", text], (0,), ""),
            (["audit", "tail", "--db", self.kept], (0,), ""),
            (["audit", "tail", *db], (0,), ""),
            (["audit", "tail", *state], (0,), ""),
            (["audit", "query", *db, "--agent", text], (0,), ""),
            (["audit", "count", *db, "--agent", text], (0,), ""),
            (["audit", "verify", *db], (0,), ""),
            (["audit", "verify", "--db", self.missing], (2,), ""),
            (["audit", "check-proof", self.proof], (0,), ""),
            (["audit", "check-proof", self.policy], (1,), ""),
            (["audit", "import", self.events, "--db", str(self.folder / "import")], (1, 2), ""),
            (["audit", "rotate", *db, *key], (0,), ""),
            (["audit", "prune", *db, "--keep", "1"], (0, 2), ""),
            (["import", "capfence", self.yaml], (0, 1), ""),
            (["import", "aegis", self.aegis], (0, 1), ""),
            (["import", "aegis", self.missing], (2,), ""),
            (["schema", "import", self.tools], (1,), ""),
            (["schema", "import", self.tools, "--server", text], (1,), ""),
            (["schema", "import", self.missing], (2,), ""),
            (["new", str(self.folder / "project")], (0,), ""),
            (["new", self.policy], (2,), ""),
            (["compile", self.policy, "-o", str(self.folder / "compiled")], (0,), ""),
            (["compile", self.missing, "-o", str(self.folder / "none")], (2,), ""),
            (["hook", "claude"], (0, 2), text),
            (["hook", "codex"], (0, 2), text),
            (["hook", "gemini"], (0, 2), text),
            (["hook", "install", "claude", "--dry-run"], (0, 2), ""),
            (["mcp", "init", "--server", "demo", "--", self.missing], (2,), ""),
            (["mcp", "accept", *db], (0, 1, 2), ""),
            (["playground", "--listen", text], (2,), ""),
            (["serve", "--check", *p, *db], (0, 2), ""),
            (["serve", "--check", "--policies", self.broken, *db], (2,), ""),
            (["keys", "show", self.keys + "/operator.key"], (0,), ""),
            (["keys", "init", "--dir", str(self.folder / "more")], (0,), ""),
            (["keys", "init", "--dir", self.keys], (2,), ""),
            ([text], (2,), ""),
            (["check", "--" + text], (2,), ""),
            (["audit", "tail", *db, "-n", text], (2,), ""),
        ]

    def data(self):
        """Commands whose output is data for programs, as lines of JSON or as a file's content."""
        p, db = ["--policies", self.policy], ["--db", self.db]
        return [
            ["check", "--json", self.broken],
            ["lint", "--json", self.broken],
            ["eval", *p, "--events", self.events, "--json"],
            ["explain", *p, "--events", self.events, "--json"],
            ["audit", "tail", *db, "--json"],
            ["audit", "export", *db],
            ["approvals", "list", "--db", self.state, "--json"],
            ["grants", "list", "--db", self.state, "--json"],
            ["freeze", "--list", "--db", self.state, "--json"],
            ["state", "list", "--db", self.kept, "--json"],
            ["state", "show", "sends", "--db", self.kept, "--json"],
            ["plan", "--json", self.policy],
        ]

    def files(self):
        """Commands that print a whole file."""
        return [["audit", "prove", "1", "--db", self.db], ["completion", "bash"], ["--version"], ["--help"], ["audit", "--help"]]


class HostileText(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        path = pathlib.Path(cls.folder.name)
        cls.hostile, cls.harmless = Stage(path, HOSTILE, HOSTILE_NAME), Stage(path, HARMLESS, HARMLESS_NAME)

    def test_no_command_passes_it_on(self):
        hidden = set(HIDDEN) - {ord("\n")}
        for (words, codes, typed), (plain, _, typed_plain) in zip(self.hostile.rows(), self.harmless.rows(), strict=True):
            with self.subTest(" ".join(plain[:3])):
                run, other = ordain(*words, stdin=typed), ordain(*plain, stdin=typed_plain)
                self.assertIn(run.returncode, codes, run.stdout + run.stderr)
                self.assertEqual(run.returncode, other.returncode, run.stderr + other.stderr)
                for stream in ("stdout", "stderr"):
                    shown = getattr(run, stream).decode("utf-8")
                    raw = sorted({hex(ord(c)) for c in shown if ord(c) in hidden})
                    self.assertEqual(raw, [], shown)
                    self.assertEqual(shown.count("\n"), getattr(other, stream).decode("utf-8").count("\n"), shown)

    def test_json_stays_json_on_one_line(self):
        for words, plain in zip(self.hostile.data(), self.harmless.data(), strict=True):
            with self.subTest(" ".join(plain[:2])):
                run, other = ordain(*words), ordain(*plain)
                lines = run.stdout.decode("utf-8").split("\n")
                self.assertEqual(len(lines), other.stdout.decode("utf-8").count("\n") + 1)
                self.assertGreater(len(lines), 1)
                for line in lines[:-1]:
                    json.loads(line)
                self.assertEqual(lines[-1], "")

    def test_the_fields_are_really_shown(self):
        """The tests above would pass if nothing were printed at all."""
        shown = ordain("audit", "tail", "--db", self.hostile.db).stdout.decode("utf-8")
        self.assertIn("x\\u{1}", shown)
        self.assertIn("\\n", shown)
        self.assertIn("\\u{e0100}", shown)
        shown = ordain("approvals", "show", self.hostile.waiting[0], "--db", self.hostile.state).stdout.decode("utf-8")
        self.assertEqual([line.split()[0] for line in shown.splitlines() if "\\u{202e}" in line][:2], ["call", "input"])

    def test_nothing_is_printed_past_the_one_function(self):
        """Commands print through cli/terminal.h alone, whose functions make texts safe."""
        for file in sorted((ROOT / "cli").glob("*.cc")):
            if file.name != "terminal.cc":
                found = re.findall(r"fmt::print|\bf?puts\(|\bf?printf\(|\bfwrite\(|std::c(?:out|err)\b", file.read_text(encoding="utf-8"))
                self.assertEqual(found, [], file.name)


class OutputThatCannotBeWritten(unittest.TestCase):
    """On a full disk and into a closed pipe. Each way has a stage of its own, as commands change it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    @staticmethod
    def commands(stage):
        return [(words, "") for words in stage.files() + stage.data()] + [(words, typed) for words, _, typed in stage.rows()]

    def check_all(self, open_output, message):
        usual, other = Stage(self.path, "x", "usual"), Stage(self.path, "x", "other")
        printing = 0
        for (plain, typed), (words, _) in zip(self.commands(usual), self.commands(other), strict=True):
            with self.subTest(" ".join(plain[:3])):
                wanted = ordain(*plain, stdin=typed)
                with open_output() as out:
                    run = ordain(*words, stdin=typed, stdout=out)
                stderr = run.stderr.decode("utf-8")
                if wanted.stdout:
                    printing += 1
                    self.assertEqual(run.returncode, 2, stderr)
                    self.assertEqual("cannot write to standard output" in stderr, message is not None, stderr)
                    self.assertIn(message or "", stderr)
                else:
                    self.assertEqual(run.returncode, wanted.returncode, stderr)
        self.assertGreater(printing, 35)

    @unittest.skipUnless(os.path.exists("/dev/full"), "SKIPPED: this system has no /dev/full")
    def test_a_full_disk(self):
        self.check_all(lambda: open("/dev/full", "wb", buffering=0), "No space left on device")

    def test_a_closed_pipe(self):
        def closed_pipe():
            reader, writer = os.pipe()
            os.close(reader)
            return os.fdopen(writer, "wb", buffering=0)

        self.check_all(closed_pipe, None)

    def test_a_closed_stream_is_not_a_database(self):
        """Without standard output, the next file that is opened must not take its number."""
        stage = Stage(self.path, "x", "closed")
        script = 'exec "$0" "$@" >&-'
        run = subprocess.run(["sh", "-c", script, str(BIN / "ordain"), "audit", "tail", "--db", stage.db], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 2)
        self.assertIn("cannot write to standard output", run.stderr)
        self.assertEqual(ordain("audit", "verify", "--db", stage.db).returncode, 0)

    def test_standard_error_that_cannot_be_written(self):
        stage = Stage(self.path, "x", "silent")
        with open("/dev/full", "wb", buffering=0) as full:
            for words, code in ((["check", stage.missing], 2), (["eval", "--policies", stage.policy, "--events", stage.events], 1), (["bogus"], 2)):
                run = subprocess.run([BIN / "ordain", *words], stdout=subprocess.PIPE, stderr=full, timeout=60)
                self.assertEqual(run.returncode, code, words)

    def test_the_table_has_every_command(self):
        def below(*words):
            shown = ordain(*words, "--help").stdout.decode("utf-8")
            section = re.search(r"^subcommands:\n((?:[ \t].*\n)+)", shown, re.MULTILINE | re.IGNORECASE)
            names = re.findall(r"^  (\S+)", section[1], re.MULTILINE) if section else []
            return [leaf for name in names for leaf in below(*words, name)] if names else [words]

        known = set(below())
        self.assertGreater(len(known), 25)
        stage = Stage(self.path, "x", "all")
        found = set()
        for words, _ in self.commands(stage):
            found |= {tuple(words[:length]) for length in (1, 2)}
        self.assertEqual(known - found, set())


class Terminal(unittest.TestCase):
    """What is shown on a terminal of a given width."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.stage = Stage(pathlib.Path(cls.folder.name), "a long text with words " * 6, "stage")

    def on_terminal(self, stream, columns, *words):
        """What the command writes to `stream`, which is a terminal; (text, exit code)."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
        with subprocess.Popen([BIN / "ordain", *words], **streams) as run:
            os.close(theirs)
            shown = b""
            try:
                while piece := os.read(ours, 65536):
                    shown += piece
            except OSError:  # the other end is closed
                pass
            os.close(ours)
            return shown.decode("utf-8").replace("\r\n", "\n"), run.wait(60)

    def lines(self, columns, *words):
        shown, code = self.on_terminal("stdout", columns, *words)
        self.assertIn(code, (0, 1), shown)
        return re.sub("\x1b\\[[0-9;]*m", "", shown).splitlines()

    def test_tables_stay_within_it(self):
        p, db, state = ["--policies", self.stage.policy, "--events", self.stage.events], ["--db", self.stage.db], ["--db", self.stage.state]
        for columns in (80, 116, 200):
            for words in (["audit", "tail", *db], ["audit", "query", *db], ["audit", "tail", *state], ["approvals", "list", *state], ["eval", *p],
                          ["functions"]):
                lines = self.lines(columns, *words)
                self.assertGreater(len(lines), 3, words)
                for line in lines:
                    if "malformed" not in line:
                        self.assertLessEqual(len(line), columns, (words, line))
        tail = self.lines(80, "audit", "tail", *db)
        self.assertIn("reason", tail[1], "what does not fit follows on a second line")
        self.assertIn("require_approval", "".join(tail))
        self.assertRegex("".join(tail), "a long text.*\\.\\.\\.")
        self.assertEqual(len(self.lines(400, "approvals", "list", *state)), 4, "a line for each where there is room")

    def test_excerpts_stay_within_it_and_carets_under_their_text(self):
        for columns in (80, 116):
            shown, code = self.on_terminal("stderr", columns, "check", self.stage.broken)
            self.assertEqual(code, 1, shown)
            lines = re.sub("\x1b\\[[0-9;]*m", "", shown).splitlines()
            excerpts = [i for i, line in enumerate(lines) if re.match(r" +[0-9]+ \|", line)]
            self.assertGreater(len(excerpts), 0, shown)
            for i in excerpts:
                self.assertLessEqual(max(len(lines[i]), len(lines[i + 1])), columns, shown)
                self.assertRegex(lines[i + 1], r"^ +\| .*\^", shown)

    def test_progress_is_cleared_at_the_end(self):
        words = ("bench", "--policies", self.stage.policy, "--events", self.stage.events, "--seconds", "0.01", "--threads", "1")
        shown, code = self.on_terminal("stderr", 80, *words)
        self.assertEqual(code, 1, shown)
        self.assertIn("\r[", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown[-200:]))
        for drawn in shown.split("\r"):
            if drawn.startswith("["):
                self.assertLess(len(drawn), 80)
        self.assertNotIn(b"\r", ordain(*words).stderr, "not a terminal")


if __name__ == "__main__":
    unittest.main()
