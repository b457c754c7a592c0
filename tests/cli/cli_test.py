"""These tests run the `ordain` command and check its output, its streams and its exit codes."""

import hashlib
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
BANKING = str(ROOT / "examples" / "banking")
JIT = os.environ.get("ORDAIN_JIT", "ON") == "ON"
LOADED = (BIN.parent / "lib" / "ordain" / "code-generator.so").exists()  # or the command is linked with it

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


def mask():
    """The bits that new files lack."""
    bits = os.umask(0)
    os.umask(bits)
    return bits


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


class EventsAsStories(Case):
    POLICY = """capability run_tests { input { suite: string } output { passed: bool } }
capability deploy { input { service: string } }
history tested = done run_tests when output.passed by session within 1h;
history deploys = begun deploy by principal within 24h;
policy tests on before run_tests { allow rest; }
policy releases on before deploy {
  deny untested when !tested.seen;
  deny often when deploys.count > 1;
  allow rest;
}
"""

    def decide(self, events, *args):
        return [(d["effect"], d["rule"]) for d in self.decisions(events, *args, policy=self.POLICY)]

    @staticmethod
    def call(capability, session, **more):
        field = {"run_tests": "suite", "deploy": "service"}[capability]
        return {"capability": capability, "input": {field: "x"}, "session": session, "principal": "ann", **more}

    def test_events_are_decided_with_what_those_before_them_left(self):
        tests, deploy = self.call("run_tests", "a"), self.call("deploy", "a")
        passed = {**tests, "stage": "after", "output": {"passed": True}}
        failed = {**tests, "stage": "after", "output": {"passed": False}}
        rest, untested, often = ("allow", "releases.rest"), ("deny", "releases.untested"), ("deny", "releases.often")
        tested, after = ("allow", "tests.rest"), ("allow", None)
        self.assertEqual(self.decide([deploy, tests, deploy, failed, deploy, tests, passed, deploy, deploy], "--stories"),
                         [untested, tested, untested, after, untested, tested, after, rest, often])
        self.assertEqual(self.decide([tests, passed, self.call("deploy", "b"), deploy], "--stories"), [tested, after, untested, rest], "each session is a story")
        begins, late, later = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "2026-01-01T01:00:01Z"
        self.assertEqual(self.decide([{**tests, "now": begins}, {**passed, "now": begins}, {**deploy, "now": late}, {**deploy, "principal": "bob", "now": later}], "--stories"),
                         [tested, after, rest, untested])
        self.assertEqual(self.decide([passed, deploy], "--stories"), [after, untested], "an outcome without a call")

    def test_explain_says_what_the_rules_could_read(self):
        events = self.write("events.jsonl", "".join(json.dumps(self.call("deploy", "a")) + "\n" for _ in range(2)))
        policy = self.write("p.policy", self.POLICY.replace("  deny untested when !tested.seen;\n", ""))
        run = ordain("explain", "--policies", policy, "--events", events, "--stories")
        self.assertEqual(run.returncode, 0, run.stderr)
        read = [line for line in run.stdout.splitlines() if line.startswith("  state ")]
        self.assertEqual(len(read), 2, run.stdout)
        self.assertRegex(read[0], r"deploys: 1 for principal ann within \w+ \(1 running; none before\)")
        self.assertRegex(read[1], r"deploys: 2 for principal ann within \w+ \(2 running; last 20\S+Z\)")
        self.assertIn("deploys.count > 1", run.stdout)
        found = [json.loads(line) for line in ordain("explain", "--policies", policy, "--events", events, "--stories", "--json").stdout.splitlines()]
        self.assertEqual([one["effect"] for one in found], ["allow", "deny"])
        self.assertEqual(found[1]["state"][0].split(" for ")[0], "deploys: 2")
        self.assertEqual(found[1]["changes"], [])

    def test_without_it_no_event_leaves_anything(self):
        alone = self.decisions([self.call("deploy", "a")], policy=self.POLICY)
        self.assertEqual((alone[0]["effect"], alone[0]["code"]), ("deny", "missing_context"))

    def test_stories_follow_one_set_of_policies(self):
        run = self.eval([], "--stories", "--watch", policy=self.POLICY)
        self.assertEqual(run.returncode, 2)


class Help(Case):
    def test_every_command_teaches_itself(self):
        for command in ([], ["check"], ["fmt"], ["lint"], ["help"], ["test"], ["eval"], ["bench"], ["compile"], ["plan"], ["explain"], ["repl"], ["replay"], ["diff"], ["disasm"], ["functions"], ["approvals"], ["approvals", "approve"], ["audit"], ["audit", "verify"], ["mcp"], ["mcp", "init"], ["mcp", "accept"]):
            run = ordain(*command, "--help")
            self.assertEqual(run.returncode, 0, command)
            self.assertGreater(len(run.stdout.splitlines()), 5, command)

    def test_version(self):
        run = ordain("--version")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        lines = run.stdout.splitlines()
        self.assertRegex(lines[0], r"^ordain [0-9]+\.[0-9]+\.[0-9]+$")
        header = (ROOT / "embed" / "include" / "ordain" / "c.h").read_text()
        abi = re.search(r"ORDAIN_ABI_VERSION ([0-9]+)u", header)[1]
        program = re.search(r"version    = fixed32 +; ([0-9]+)", (ROOT / "docs" / "bytecode.md").read_text())[1]
        record = re.search(r"body     = version:u8 field\* +; version ([0-9]+)", (ROOT / "docs" / "audit.md").read_text())[1]
        self.assertEqual(lines[1:4], [f"program format {program}", f"record format {record}", f"C ABI {abi}"])
        self.assertRegex(lines[4], r"^native code by LLVM [0-9]+\.[0-9]+\.[0-9]+" if JIT else "^without native code: this build")
        self.assertEqual(len(lines), 5)

    def test_wrong_usage_exits_2(self):
        for command in ([], ["nonsense"], ["check"], ["fmt"], ["test"], ["eval", "--policies", "x"], ["eval", "--policies", "x", "--events", "-", "--engine", "warp"]):
            run = ordain(*command)
            self.assertEqual(run.returncode, 2, command)
            self.assertIn("ordain:", run.stderr)

    def test_a_misspelt_command_is_named(self):
        for words, message, helps in [
            (["chek", "policies"], "no command `chek`, did you mean `check`?", "`ordain --help`"),
            (["bogus"], "no command `bogus`", "`ordain --help`"),
            (["audit", "verfy"], "no command `verfy`, did you mean `verify`?", "`ordain audit --help`"),
            (["check"], "PATH", "`ordain check --help`"),
        ]:
            run = ordain(*words)
            self.assertEqual(run.returncode, 2)
            self.assertIn(message, run.stderr)
            self.assertIn(helps, run.stderr)


class Completion(Case):
    """What a shell offers, asked of bash itself."""

    def complete(self, *words):
        """The candidates for the last of `words`, in the test's folder."""
        script = f'''
source <("{BIN / "ordain"}" completion bash)
COMP_WORDS=(ordain "$@"); COMP_CWORD=$#
_ordain
printf '%s\\n' "${{COMPREPLY[@]}}"
'''
        run = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, cwd=self.path, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return sorted(line for line in run.stdout.splitlines() if line)

    def test_commands_and_their_commands(self):
        self.assertLessEqual({"check", "eval", "approvals", "audit", "completion"}, set(self.complete("")))
        self.assertEqual(self.complete("ex"), ["explain"])
        self.assertEqual(self.complete("audit", "pr"), ["prove", "prune"])
        self.assertEqual(self.complete("grants", ""), ["create", "list", "revoke"])
        self.assertEqual(self.complete("bogus", "--js"), [])

    def test_options_of_the_command(self):
        self.assertEqual(self.complete("plan", "-"), ["--dot", "--help", "--json", "--most", "-h"])
        self.assertEqual(self.complete("fmt", "-"), ["--check", "--diff", "--help", "-h"])
        self.assertEqual(self.complete("audit", "verify", "--un"), ["--unsigned-tail"])
        self.assertEqual(self.complete("functions", ""), ["--help", "--json", "-h"])
        self.assertIn("--version", self.complete("--"))

    def test_values(self):
        self.assertEqual(self.complete("eval", "--engine", ""), ["interpreter", "jit"])
        self.assertEqual(self.complete("eval", "--json", "--default", "=", "req"), ["require_approval"])
        self.assertEqual(self.complete("completion", ""), ["bash", "fish", "zsh"])
        self.assertEqual(self.complete("approvals", "reject", "--note", ""), [])

    def test_paths(self):
        self.write("a b.policy", "")
        self.write("calls.jsonl", "")
        (self.path / "state").mkdir()
        everything = ["a b.policy", "calls.jsonl", "state"]
        self.assertEqual(self.complete("check", ""), everything)
        self.assertEqual(self.complete("check", "a b.policy", "ca"), ["calls.jsonl"])
        self.assertEqual(self.complete("eval", "--policies", "x", ""), everything)
        self.assertEqual(self.complete("eval", "--policies", "x", "--events", ""), everything)
        self.assertEqual(self.complete("audit", "tail", "--db", ""), ["state"])
        self.assertEqual(self.complete("import", "aegis", "-o", "c"), ["calls.jsonl"])

    def test_every_command_is_in_every_script(self):
        for shell in ("bash", "zsh", "fish"):
            run = ordain("completion", shell)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            for words in ("ordain check", "ordain fmt", "ordain audit check-proof", "ordain approvals approve", "ordain keys init", "ordain completion"):
                self.assertIn(words, run.stdout)
        self.assertEqual(ordain("completion", "tcsh").returncode, 2)

    def check_line(self, complete):
        """What every shell must offer. `complete` takes a line and returns sorted candidates."""
        self.write("calls.jsonl", "")
        (self.path / "state").mkdir()
        self.assertEqual(complete("ordain audit pr"), ["prove", "prune"])
        self.assertEqual(complete("ordain eval --engine "), ["interpreter", "jit"])
        self.assertEqual(complete("ordain eval --default req"), ["require_approval"])
        self.assertIn("--unsigned-tail", complete("ordain audit verify --un"))
        self.assertEqual(complete("ordain approvals reject --note "), [])
        self.assertEqual([name.rstrip("/") for name in complete("ordain check ")], ["calls.jsonl", "state"])
        self.assertEqual([name.rstrip("/") for name in complete("ordain audit tail --db ")], ["state"])

    def ask(self, *command):
        run = subprocess.run(command, capture_output=True, text=True, cwd=self.path, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return sorted({line.split("\t")[0] for line in run.stdout.splitlines() if line})

    def test_bash(self):
        self.check_line(lambda line: self.complete(*line.split(" ")[1:]))

    @unittest.skipUnless(shutil.which("zsh"), "SKIPPED: zsh is not installed")
    def test_zsh(self):
        self.check_line(lambda line: self.ask("zsh", HERE / "complete.zsh", BIN / "ordain", line))

    @unittest.skipUnless(shutil.which("fish"), "SKIPPED: fish is not installed")
    def test_fish(self):
        script = 'source ($argv[1] completion fish | psub); complete -C $argv[2]'
        self.check_line(lambda line: self.ask("fish", "--no-config", "-c", script, BIN / "ordain", line))


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
        self.assertEqual(run.returncode, 2)
        self.assertIn("none.policy", run.stderr)
        self.assertNotIn("^", run.stderr)

    def test_strict_takes_warnings_for_errors(self):
        path = self.write("warned.policy", "policy p on before pay { deny; }")
        self.assertEqual(ordain("check", path).returncode, 0)
        run = ordain("check", "--strict", path)
        self.assertEqual(run.returncode, 1)
        self.assertIn("error[undeclared-capability]", run.stderr)
        accepted = "// ordain: allow(undeclared-capability) the host declares it\n"
        path = self.write("accepted.policy", accepted + "policy p on before pay { deny; }")
        self.assertEqual(ordain("check", "--strict", path).returncode, 0)


class Compiled(Case):
    """A compiled program stands wherever policies do."""

    EVENTS = [
        {"capability": "pay", "input": {"amount": 2}},
        {"capability": "pay", "input": {"amount": 200}},
        {"capability": "pay", "input": {"amount": 0}},
        {"capability": "pay", "stage": "after", "input": {"amount": 1}, "output": {"text": "x"}},
    ]

    def setUp(self):
        super().setUp()
        self.text = self.write("p.policy", POLICY)
        self.program = str(self.path / "p.ordain")
        self.compiled = ordain("compile", self.text, "-o", self.program)
        self.events = self.write("e.jsonl", "".join(json.dumps(event) + "\n" for event in self.EVENTS))

    def test_it_is_described(self):
        self.assertEqual((self.compiled.returncode, self.compiled.stderr), (0, ""))
        written = pathlib.Path(self.program).read_bytes()
        self.assertEqual(self.compiled.stdout, f"{self.program}: 1 file, 5 rules, {len(written)} bytes\n"
                                          f"digest {hashlib.sha256(written).hexdigest()}\n")
        self.assertEqual(pathlib.Path(self.program).stat().st_mode & 0o777, 0o666 & ~mask())
        again = ordain("compile", self.text, "--output", self.program)
        self.assertEqual((again.returncode, pathlib.Path(self.program).read_bytes()), (0, written))
        self.assertEqual(sorted(file.name for file in self.path.iterdir()), ["e.jsonl", "p.ordain", "p.policy"])

    def test_every_command_that_decides_takes_it(self):
        for command in (["eval", "--json", "--events", self.events, "--policies"],
                        ["diff", "--json", "--events", self.events, "--against", self.text, "--policies"],
                        ["plan"], ["disasm"], ["check"]):
            with self.subTest(command[0]):
                by_text, by_program = ordain(*command, self.text), ordain(*command, self.program)
                self.assertEqual((by_program.returncode, by_program.stdout), (by_text.returncode, by_text.stdout))
                self.assertEqual(by_program.returncode, 0, by_program.stderr)
        bench = ordain("bench", "--json", "--seconds", "0.02", "--events", self.events, "--policies", self.program)
        self.assertEqual((bench.returncode, json.loads(bench.stdout)["rules"]), (0, 5), bench.stderr)

    def test_its_audit_records_name_the_same_program(self):
        for source in (self.text, self.program):
            ordain("eval", "--events", self.events, "--policies", source, "--db", source + ".db")
        digests = [{json.loads(line).get("program") for line in ordain("audit", "export", "--db", source + ".db").stdout.splitlines()[1:]}
                   for source in (self.text, self.program)]
        self.assertEqual(digests[0], digests[1])
        self.assertEqual(digests[0] - {None}, {hashlib.sha256(pathlib.Path(self.program).read_bytes()).hexdigest()})

    def test_damage_is_named(self):
        whole = pathlib.Path(self.program).read_bytes()
        other_version = whole[:8] + b"\xff" + whole[9:]
        for damaged, why in ((whole[:-1], "cut short"), (whole + b"x", "something follows"), (whole[:8], "cut short"),
                             (other_version, "version 255"), (whole[:60] + bytes(40) + whole[100:], "")):
            bad = self.path / "bad.ordain"
            bad.write_bytes(damaged)
            for command in (["eval", "--events", self.events, "--policies", str(bad)], ["check", str(bad)], ["plan", str(bad)],
                            ["bench", "--events", self.events, "--policies", str(bad)]):
                run = ordain(*command)
                self.assertEqual(run.returncode, 2, command)
                self.assertIn("error[bad-program]", run.stderr + run.stdout)
                self.assertIn(why, run.stderr + run.stdout)
                self.assertIn("ordain compile PATH", run.stderr + run.stdout)

    def test_text_is_asked_for_where_it_is_needed(self):
        for command in (["test", self.program], ["lint", self.program], ["check", self.program, self.text],
                        ["explain", "--events", self.events, "--policies", self.program]):
            run = ordain(*command)
            self.assertEqual(run.returncode, 2, command)
            self.assertIn("policy text is needed here", run.stderr + run.stdout, command)

    def test_what_cannot_be_written(self):
        for output in (str(self.path / "none" / "p.ordain"), str(self.path)):
            run = ordain("compile", self.text, "-o", output)
            self.assertEqual(run.returncode, 2)
            self.assertIn(f"cannot write {output}", run.stderr)
        self.assertEqual(ordain("compile", self.text).returncode, 2)
        wrong = ordain("compile", self.write("w.policy", "policy"), "-o", str(self.path / "w.ordain"))
        self.assertEqual(wrong.returncode, 2)
        self.assertFalse((self.path / "w.ordain").exists())


@unittest.skipUnless(LOADED, "the code generator is linked")
class CodeGenerator(Case):
    """LLVM is loaded when native code is first asked for, and only from where Ordain is installed."""

    EVENTS = Compiled.EVENTS

    def loaded(self, *args, **kwargs):
        """The names of the libraries that the command loads."""
        run = subprocess.run([BIN / "ordain", *args], env={**os.environ, "LD_DEBUG": "files"}, capture_output=True, text=True,
                             timeout=120, **kwargs)
        return set(re.findall(r"calling init: (\S+)", run.stderr + run.stdout))

    def test_it_is_loaded_when_it_is_needed(self):
        policies, events = self.write("p.policy", POLICY), self.write("e.jsonl", json.dumps(self.EVENTS[0]) + "\n")
        evaluate = ("eval", "--policies", policies, "--events", events)
        for args in (("--help",), ("check", policies), evaluate, ("test", policies)):
            names = self.loaded(*args)
            self.assertTrue(any("libsqlite3" in name for name in names), names)
            self.assertFalse([name for name in names if "LLVM" in name or "code-generator" in name], args)
        for args in ((*evaluate, "--engine", "jit"), ("--version",)):
            names = self.loaded(*args)
            self.assertTrue(any("LLVM" in name for name in names), args)
            self.assertTrue(any(name.endswith("/ordain/code-generator.so") for name in names), args)

    def copy_of_the_command(self):
        (self.path / "bin").mkdir()
        return shutil.copy2(BIN / "ordain", self.path / "bin" / "ordain")

    def evaluate(self, command, **variables):
        policies, events = self.write("p.policy", POLICY), self.write("e.jsonl", json.dumps(self.EVENTS[1]) + "\n")
        return subprocess.run([command, "eval", "--policies", policies, "--events", events, "--json", "--engine", "jit"],
                              env={**os.environ, **variables}, cwd=BIN.parent / "lib" / "ordain", capture_output=True, text=True,
                              timeout=120)

    def test_without_it_the_interpreter_decides_and_says_so(self):
        command = self.copy_of_the_command()
        # The library lies in the working directory and where these variables lead, and is not found.
        directory = str(BIN.parent / "lib" / "ordain")
        run = self.evaluate(command, LD_LIBRARY_PATH=directory, PATH=directory)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["effect"], "deny")
        self.assertIn("warning: the interpreter decides, because there is no native code: the code generator is not installed",
                      run.stderr)
        self.assertIn("\ninterpreter: ", run.stderr)
        version = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=120)
        self.assertEqual(version.returncode, 0)
        self.assertIn("without native code: the code generator is not installed", version.stdout)

    def test_a_foreign_library_is_not_used(self):
        command = self.copy_of_the_command()
        (self.path / "lib" / "ordain").mkdir(parents=True)
        library = self.path / "lib" / "ordain" / "code-generator.so"
        library.write_bytes(b"no library")
        run = self.evaluate(command)
        self.assertEqual(run.returncode, 0)
        self.assertIn("no native code: cannot load the code generator: " + str(library), run.stderr)
        genuine = (BIN.parent / "lib" / "ordain" / "code-generator.so").read_bytes()
        sources = re.search(rb'kNativeSources\[\] = "([0-9a-f]{64})"', (BIN.parent / "vm/jit/native_sources.h").read_bytes())[1]
        self.assertIn(sources, genuine)
        library.write_bytes(genuine.replace(sources, sources[::-1]))
        run = self.evaluate(command)
        self.assertEqual(run.returncode, 0)
        self.assertIn("does not belong to this build", run.stderr)
        library.write_bytes(genuine)
        run = self.evaluate(command)
        self.assertEqual(run.returncode, 0)
        self.assertIn("\njit: ", run.stderr)
        self.assertNotIn("warning", run.stderr)


class Lint(Case):
    BROAD = "policy p on before * { allow; }"

    def test_findings_and_exit_codes(self):
        path = self.write("broad.policy", self.BROAD)
        self.assertEqual(ordain("check", "--strict", path).returncode, 0)
        run = ordain("lint", path)
        self.assertEqual(run.returncode, 1)
        self.assertIn("broad.policy:1:24: warning[broad-allow]", run.stderr)
        self.assertEqual(run.stdout, "1 finding\n")
        path = self.write("accepted.policy", "policy p on before * {\n  // ordain: allow(broad-allow) a test\n  allow;\n}\n")
        run = ordain("lint", path)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "nothing found\n", ""))
        self.assertEqual(ordain("check", "--strict", path).returncode, 0)
        self.assertEqual(ordain("lint", str(self.path / "none.policy")).returncode, 2)
        self.assertEqual(ordain("lint", self.write("bad.policy", "policy")).returncode, 1)

    def test_json_and_sarif(self):
        path = self.write("broad.policy", self.BROAD)
        run = ordain("lint", "--json", path)
        self.assertEqual([(d["code"], d["line"], d["column"]) for d in map(json.loads, run.stdout.splitlines())], [("broad-allow", 1, 24)])
        run = ordain("lint", "--sarif", path)
        self.assertEqual(run.returncode, 1)
        log = json.loads(run.stdout)
        self.assertEqual([result["ruleId"] for result in log["runs"][0]["results"]], ["broad-allow"])
        self.assertRegex(log["runs"][0]["tool"]["driver"]["version"], r"^[0-9]+\.[0-9]+\.[0-9]+$")
        self.assertEqual(ordain("lint", "--json", "--sarif", path).returncode, 2)


class HelpOfTopics(Case):
    def test_codes(self):
        page = (ROOT / "docs" / "diagnostics.md").read_text()
        rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \|", page, re.MULTILINE)
        self.assertGreater(len(rows), 100)
        for code, severity in rows[::9]:
            run = ordain("help", code)
            self.assertEqual(run.returncode, 0, code)
            self.assertTrue(run.stdout.startswith(f"{code} ({severity})\n"), run.stdout)
        run = ordain("help", "never-matches")
        self.assertIn("`||` joins", run.stdout)
        section = page.split("\n### never-matches\n")[1].split("\n### ")[0].strip()
        self.assertIn(section, run.stdout)
        self.assertNotIn("###", run.stdout)

    def test_commands(self):
        self.assertEqual(ordain("help", "check").stdout, ordain("check", "--help").stdout)
        self.assertEqual(ordain("help").stdout, ordain("--help").stdout)

    def test_a_misspelt_topic(self):
        run = ordain("help", "never-match")
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("did you mean `never-matches`?", run.stderr)


TESTS = """
test "two is noted" {
  call pay { amount: 1 + 1 };
  expect allow by "pays.allow#1";
  expect warn by pays.noted;
}
test "much is too much" { call pay { amount: 50 }; expect deny by pays.big; }
test "one is hidden" {
  call pay { amount: 1 } returns { text: "t" } with now = timestamp("2024-05-01T12:00:00Z");
  expect default; expect allow; expect redact by "outs.redact#1"; expect warn;
}
test "nothing divides" { call pay { amount: 0 }; expect deny by pays.big; }
"""


class Tests(Case):
    """`ordain test`: the test blocks of policies."""

    def run_tests(self, *args, policy=POLICY + TESTS):
        return ordain("test", self.write("p.policy", policy), *args)

    def test_a_line_for_each_and_carets_where_they_fail(self):
        run = self.run_tests()
        self.assertEqual(run.returncode, 1, run.stderr)
        lines = run.stdout.splitlines()
        where = [(line.split()[0], line.split()[1].rsplit("/", 1)[-1], line.split("  ", 2)[2].strip()) for line in lines if line.startswith(("pass", "FAIL"))]
        self.assertEqual(where[:3], [("pass", "p.policy:11:6", "two is noted"), ("FAIL", "p.policy:16:6", "much is too much"), ("FAIL", "p.policy:17:6", "one is hidden")])
        self.assertEqual(where[3][:2], ("pass", "p.policy:21:6"))
        self.assertRegex(where[3][2], r"nothing divides  \(deny by pays\.big \(evaluation_error\): division_by_zero\)$")
        starts = {line.index(name) for line in lines for name in ("two is noted", "much is too much", "one is hidden") if line.startswith(("pass", "FAIL")) and name in line}
        self.assertEqual(len(starts), 1, "names are aligned")
        self.assertIn("p.policy:16:52: error: expected deny by pays.big, decided allow by pays.allow#1\n", run.stdout)
        self.assertIn("\n     |" + " " * 52 + "^" * len("expect deny by pays.big;"), run.stdout)
        self.assertIn("note: `pays.big` does not match: `100 / input.amount < 1` is false\n", run.stdout)
        self.assertIn("p.policy:19:67: error: expected warn, decided allow (default): no rule matched; redact output.text by outs.redact#1\n", run.stdout)
        self.assertEqual(lines[-1], "2 passed, 2 failed")

    def test_all_pass(self):
        passing = POLICY + TESTS.replace("amount: 50 }", "amount: 500 }").replace(" expect warn;", "")
        for engine in ("interpreter", "jit") if JIT else ("interpreter",):
            run = self.run_tests("--engine", engine, policy=passing)
            self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)
            self.assertEqual(run.stdout.splitlines()[-1], "4 passed, 0 failed")
        run = ordain("test", BANKING)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertRegex(run.stdout.splitlines()[-1], r"^[1-9][0-9]* passed, 0 failed$")

    def test_json(self):
        run = self.run_tests("--json")
        self.assertEqual(run.returncode, 1)
        got = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([(t["test"], t["line"], t["column"], t["outcome"]) for t in got],
                         [("two is noted", 11, 6, "pass"), ("much is too much", 16, 6, "fail"), ("one is hidden", 17, 6, "fail"), ("nothing divides", 21, 6, "pass")])
        self.assertTrue(got[0]["file"].endswith("p.policy"))
        self.assertEqual([(e["line"], e["column"], e["effect"], e["rule"], e["outcome"]) for e in got[0]["expectations"]],
                         [(13, 3, "allow", "pays.allow#1", "pass"), (14, 3, "warn", "pays.noted", "pass")])
        failed = got[1]["expectations"][0]
        self.assertEqual(failed["why"], "`pays.big` does not match: `100 / input.amount < 1` is false")
        self.assertEqual(failed["decision"]["rule"], "pays.allow#1")
        events = [t["expectations"][0]["event"] for t in got]
        self.assertEqual(events[2], {"capability": "pay", "stage": "after", "input": {"amount": 1}, "output": {"text": "t"}, "now": "2024-05-01T12:00:00Z"})
        self.assertEqual([d["effect"] for d in self.decisions(events)], [t["expectations"][0]["decision"]["effect"] for t in got])

    def test_the_default_is_the_hosts(self):
        policy = 'capability a {}\npolicy p on before a { deny never when agent.id == "x"; }\ntest "t" { call a; expect allow; expect default; }\n'
        self.assertEqual(self.run_tests(policy=policy).returncode, 1)
        self.assertEqual(self.run_tests("--default", "allow", policy=policy).returncode, 0)

    def test_calls_share_what_is_remembered(self):
        policy = ('capability a { }\nhistory runs = begun a by principal within 1h;\n'
                  'policy p on before a { deny many when runs.count > 1; allow rest; }\n'
                  'test "twice" { call a; expect allow; call a; expect %s; wait 61m; call a; expect allow; }\n')
        for engine in ("interpreter", "jit") if JIT else ("interpreter",):
            run = self.run_tests("--engine", engine, policy=policy % "deny by p.many")
            self.assertEqual((run.returncode, run.stdout.splitlines()[-1]), (0, "1 passed, 0 failed"), run.stderr)
        run = self.run_tests(policy=policy % "allow")
        self.assertEqual(run.returncode, 1)
        self.assertIn("expected allow, decided deny by p.many\n", run.stdout)
        event = json.loads(self.run_tests("--json", policy=policy % "allow").stdout)["expectations"][0]["event"]
        who = {name: {"id": "test"} for name in ("agent", "principal", "tenant", "environment", "session")}
        self.assertEqual({name: event.get(name) for name in who}, who)

    def test_no_tests(self):
        run = self.run_tests(policy=POLICY)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "no tests in 1 file\n", ""))

    def test_cannot_run(self):
        for policy in ("policy p on before x {", POLICY + 'test "t" { call pay { amount: 1 / 0 }; expect deny; }', POLICY + 'test "t" { call pay {}; expect deny; }'):
            run = self.run_tests(policy=policy)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn("error[", run.stderr)
        self.assertEqual(ordain("test", str(self.path / "none")).returncode, 2)

    def test_a_table_shows_the_row_that_fails(self):
        policy = POLICY + """test "limits" {
  rows amount, text {
    2,  "two"   expect warn;
    60, "sixty" expect allow;
  }
  call pay { amount: amount };
  expect require_approval;
}
"""
        run = self.run_tests(policy=policy)
        self.assertEqual((run.returncode, run.stdout.splitlines()[-1]), (1, "0 passed, 1 failed"), run.stderr)
        self.assertIn("p.policy:16:3: error: expected require_approval, decided allow", run.stdout)
        self.assertRegex(run.stdout, r"p\.policy:12:5: note: for this row\n")
        self.assertIn("p.policy:13:17: error: expected allow, decided require_approval by pays.mid: mid\n", run.stdout)
        self.assertEqual(run.stdout.count("for this row"), 1, "an expectation within the row shows it already")
        test = json.loads(self.run_tests("--json", policy=policy).stdout)
        self.assertEqual([(e["line"], e["row"], e["effect"], e["outcome"]) for e in test["expectations"]],
                         [(16, 12, "require_approval", "fail"), (12, 12, "warn", "pass"), (16, 13, "require_approval", "pass"), (13, 13, "allow", "fail")])

    def test_filter_runs_the_tests_that_it_names(self):
        run = self.run_tests("--filter", "*is*n")
        self.assertEqual((run.returncode, run.stdout.splitlines()[-1]), (1, "1 passed, 1 failed, 2 left out by --filter"))
        self.assertEqual(re.findall(r"^(?:pass|FAIL).*  (\w+ is \w+)", run.stdout, re.M), ["two is noted", "one is hidden"])
        run = self.run_tests("--filter", "divides", "--json")
        self.assertEqual((run.returncode, [json.loads(line)["test"] for line in run.stdout.splitlines()]), (0, ["nothing divides"]))
        run = self.run_tests("--filter", "three")
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn('no test\'s name contains "three"', run.stderr)

    def test_junit(self):
        policy = POLICY + TESTS.replace('"nothing divides"', '"nothing <&\'> divides"')
        target = self.path / "report.xml"
        self.assertEqual(self.run_tests("--junit", str(target), policy=policy).returncode, 1)
        suites = xml.etree.ElementTree.parse(target).getroot()
        self.assertEqual((suites.tag, suites.get("tests"), suites.get("failures")), ("testsuites", "4", "2"))
        suite, = suites
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("errors")), ("4", "2", "0"))
        self.assertTrue(suite.get("name").endswith("p.policy"))
        cases = {case.get("name"): case for case in suite}
        self.assertEqual(list(cases), ["two is noted", "much is too much", "one is hidden", "nothing <&'> divides"])
        self.assertEqual(cases["much is too much"].get("line"), "16")
        self.assertGreaterEqual(float(cases["two is noted"].get("time")), 0)
        self.assertEqual({name: len(case) for name, case in cases.items()}, {"two is noted": 0, "much is too much": 1, "one is hidden": 1, "nothing <&'> divides": 0})
        failure = cases["much is too much"].find("failure")
        self.assertEqual(failure.get("message"), "expected deny by pays.big, decided allow by pays.allow#1")
        self.assertIn("note: `pays.big` does not match: `100 / input.amount < 1` is false\n", failure.text)
        run = self.run_tests("--junit", str(self.path / "none" / "report.xml"))
        self.assertEqual((run.returncode, run.stdout), (2, ""))

    def test_reports_of_policies_with_errors(self):
        reports = {option: self.path / f"report{option}" for option in ("--junit", "--lcov", "--html")}
        for file in reports.values():
            file.write_text("of an earlier run")
        options = [str(part) for pair in reports.items() for part in pair]
        run = self.run_tests(*options, policy="policy p on before pay {\n  deny <&'> when 1;\n}\n")
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        suites = xml.etree.ElementTree.parse(reports["--junit"]).getroot()
        self.assertEqual([suites.get(name) for name in ("tests", "failures", "errors")], ["1", "0", "1"])
        error = suites.find("testsuite/testcase/error")
        self.assertTrue(suites.find("testsuite").get("name").endswith("p.policy"))
        self.assertIn(error.get("message"), run.stderr)
        self.assertIn("p.policy:2:", error.text)
        self.assertFalse(reports["--lcov"].exists())
        self.assertFalse(reports["--html"].exists())
        self.assertEqual(sorted(self.path.glob(".*")), [], "no temporary file is left")

    def test_a_report_that_was_asked_for_is_never_an_old_one(self):
        target = self.path / "report.xml"
        target.write_text("of an earlier run")
        self.assertEqual(self.run_tests("--junit", str(target), "--filter", "no such test").returncode, 2)
        self.assertFalse(target.exists())

    def test_the_file_of_standard_output_is_not_replaced(self):
        policy, target = self.write("p.policy", self.COVERED), self.path / "report.xml"
        with target.open("wb") as out:
            run = subprocess.run([BIN / "ordain", "test", policy, "--json", "--junit", "/dev/stdout"], stdout=out, stderr=subprocess.PIPE, timeout=60)
            inode = os.fstat(out.fileno()).st_ino
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        self.assertEqual(target.stat().st_ino, inode)

    def test_says_why_a_report_cannot_be_written(self):
        for option in ("--junit", "--lcov", "--html"):
            run = self.run_tests(option, "/dev/full", policy=self.COVERED)
            self.assertEqual(run.returncode, 2, option)
            self.assertIn("cannot write /dev/full: No space left on device", run.stderr)
        run = self.run_tests("--junit", str(self.path))
        self.assertEqual(run.returncode, 2)
        self.assertIn(": Is a directory", run.stderr)

    COVERED = POLICY + """test "small" { call pay { amount: 2 }; expect allow; }
test "large" { call pay { amount: 60 }; expect require_approval; }
"""

    def test_coverage(self):
        run = self.run_tests("--coverage", policy=self.COVERED)
        self.assertEqual(run.returncode, 0, run.stderr)
        at = run.stdout.index("coverage:")
        # big never matches, the rule on the output is never called; mid and noted do both, allow has no condition
        self.assertEqual(re.sub(r"  \S*/p\.policy", "  p.policy", run.stdout[at:]).splitlines(),
                         ["coverage: 66.6 % (6 of 9)",
                          "  p.policy:4:3  pays.big: never matches",
                          "  p.policy:9:28  outs.redact#1: no test calls its capability"])
        run = self.run_tests("--coverage", "--filter", "small", policy=self.COVERED)
        self.assertIn("coverage: 44.4 % (4 of 9)\n", run.stdout)
        self.assertIn("pays.noted: always matches\n", run.stdout)

    def test_coverage_for_programs(self):
        policy = self.COVERED.replace("big when", "big when agent.id == \"<x>\" &&")
        lcov, page = self.path / "cover.info", self.path / "cover.html"
        run = self.run_tests("--lcov", str(lcov), "--html", str(page), "--json", policy=policy)
        self.assertEqual(run.returncode, 0, run.stderr)
        *tests, last = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([test["outcome"] for test in tests], ["pass", "pass"])
        coverage = last["coverage"]
        self.assertEqual((coverage["percent"], coverage["covered"], coverage["points"]), (61.5, 8, 13))
        big = coverage["rules"][0]
        self.assertEqual((big["rule"], big["line"], big["evaluated"], big["matched"], big["covered"], big["points"]), ("pays.big", 4, 2, 0, 3, 6))
        self.assertEqual([(p["text"], p["true"], p["false"], p["faults"]) for p in big["parts"]],
                         [('agent.id == "<x>"', 0, 2, 0), ("100 / input.amount < 1", 0, 2, 0)])
        trace = lcov.read_text().splitlines()
        self.assertEqual((trace[0], trace[-1]), ("TN:", "end_of_record"))
        self.assertTrue(trace[1].startswith("SF:") and trace[1].endswith("p.policy"))
        self.assertIn("FNDA:0,pays.big", trace)
        self.assertIn("FNDA:2,pays.allow#1", trace)
        self.assertEqual([line for line in trace if line.startswith("BRDA:4,")],
                         ["BRDA:4,0,0,0", "BRDA:4,0,1,2", "BRDA:4,1,0,0", "BRDA:4,1,1,2", "BRDA:4,2,0,0", "BRDA:4,2,1,2"])
        self.assertIn("BRDA:9,0,0,-", trace)
        self.assertIn("DA:7,2", trace)
        self.assertIn("DA:9,0", trace)
        for total in ("FNF:5", "FNH:3", "BRF:12", "BRH:7", "LF:5", "LH:4"):
            self.assertIn(total, trace)
        text = page.read_text()
        tags = Tags()
        tags.feed(text)
        self.assertEqual(tags.open, [])
        self.assertFalse({"script", "link", "img", "iframe"} & tags.seen)
        self.assertIn("<h1>61.5 % covered</h1>", text)
        self.assertIn("agent.id == &quot;&lt;x&gt;&quot;", text)
        self.assertNotIn("<x>", text)

    def test_fail_under(self):
        self.assertEqual(self.run_tests("--fail-under", "66", policy=self.COVERED).returncode, 0)
        run = self.run_tests("--fail-under", "66.7", policy=self.COVERED)
        self.assertEqual((run.returncode, run.stderr), (1, "ordain: less than 66.7 % is covered\n"))
        for percent in ("101", "-1", "nan", "-nan", "NaN(1)", "inf", "x"):
            self.assertEqual(self.run_tests("--fail-under", percent, policy=self.COVERED).returncode, 2, percent)

    def test_watch_runs_the_tests_again(self):
        policy = "capability pay {}\npolicy p on before pay { deny one; }\n"
        path = self.write("p.policy", policy + 'test "first" { call pay; expect deny; }\n')
        process = subprocess.Popen([BIN / "ordain", "test", "--watch", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertRegex(process.stdout.readline(), "^pass .*first")
        self.assertEqual(process.stdout.readline(), "1 passed, 0 failed\n")
        self.write("p.policy", policy + 'test "second" { call pay; expect allow; }\n')  # only the test changes
        self.assertRegex(process.stdout.readline(), "^FAIL .*second")
        while not (line := process.stdout.readline()).endswith("0 passed, 1 failed\n"):
            self.assertNotEqual(line, "", "the command ended")
        self.write("p.policy", policy.replace("deny", "dney"))
        self.assertIn("p.policy:2:", process.stderr.readline())
        self.write("p.next", policy.replace("deny", "allow") + 'test "third" { call pay; expect allow; }\n')
        os.replace(self.path / "p.next", self.path / "p.policy")
        self.assertRegex(process.stdout.readline(), "^pass .*third")


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
                self.assertIsNone(got[2]["expires_seconds"])
                self.assertEqual(["from" in d for d in got], ["expires_seconds" in d for d in got])
                self.assertEqual(got[3]["fault"]["code"], "division_by_zero")
                self.assertEqual((got[3]["fault"]["line"], got[3]["fault"]["column"]), (4, 21))
                self.assertEqual(got[3]["fault"]["rule"], "pays.big")
                self.assertIn("input.amount", got[4]["reason"])
                self.assertIsNone(got[5]["rule"])
                self.assertEqual(got[6]["obligations"], [{"kind": "redact", "path": "output.text", "with": "***", "rule": "outs.redact#1"}])

    @unittest.skipUnless(JIT, "a build without native code")
    def test_native_code_is_kept_for_the_next_run(self):
        cache = self.path / "cache"
        first = self.decisions(self.EVENTS, "--engine", "jit", "--native-cache", str(cache))
        kept = {file: file.read_bytes() for file in cache.iterdir()}
        self.assertNotEqual(kept, {})
        self.assertEqual(self.decisions(self.EVENTS, "--engine", "jit", "--native-cache", str(cache)), first)
        self.assertEqual({file: file.read_bytes() for file in cache.iterdir()}, kept)
        cache.chmod(0o777)
        refused = self.eval(self.EVENTS, "--engine", "jit", "--native-cache", str(cache))
        self.assertEqual(refused.returncode, 2)
        self.assertIn("cache directory", refused.stderr)
        self.assertEqual(self.eval(self.EVENTS, "--native-cache", str(cache)).returncode, 2)

    def test_the_deciding_policy_and_its_version(self):
        policy = POLICY.replace("on before pay {", 'on before pay { version "2.1 \\"b\\""; description "d";')
        engines = ("interpreter", "jit") if JIT else ("interpreter",)
        for engine in engines:
            got = self.decisions(self.EVENTS, "--engine", engine, "--db", str(self.path / engine), policy=policy)
            wanted = [("pays", '2.1 "b"')] * 4 + [(None, None)] * 3
            self.assertEqual([(d["policy"], d["policy_version"]) for d in got], wanted)
            records = [json.loads(line) for line in ordain("audit", "export", "--db", str(self.path / engine)).stdout.splitlines()[1:]]
            self.assertEqual([(r.get("policy"), r.get("policy_version")) for r in records], wanted)
            self.assertEqual(ordain("audit", "verify", "--db", str(self.path / engine)).returncode, 0)
        got = self.decisions(self.EVENTS, "--db", str(self.path / "plain"))
        self.assertEqual([(d["policy"], d["policy_version"]) for d in got], [("pays", None)] * 4 + [(None, None)] * 3)
        for line in ordain("audit", "export", "--db", str(self.path / "plain")).stdout.splitlines()[1:]:
            self.assertNotIn("policy", json.loads(line), "told where a version is declared")
        exported = ordain("audit", "export", "--db", str(self.path / "interpreter")).stdout
        run = ordain("audit", "import", self.write("log.jsonl", exported), "--db", str(self.path / "copy"))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(ordain("audit", "export", "--db", str(self.path / "copy")).stdout, exported)

    def test_the_shortest_expiry_of_those_who_ask(self):
        policy = """capability pay { input { amount: double } }
policy p on before pay {
  require_approval large when input.amount > 10.0 from "a" expires 1h;
  require_approval huge  when input.amount > 100.0 from "b" expires 90s;
  allow;
}
"""
        events = [{"capability": "pay", "input": {"amount": amount}} for amount in (1, 50, 500)]
        got = self.decisions(events, policy=policy)
        self.assertEqual([d.get("expires_seconds", "none") for d in got], ["none", 3600, 90])
        default = self.decisions([{"capability": "else"}], "--default", "require_approval", policy=policy)
        self.assertEqual((default[0]["from"], default[0]["expires_seconds"]), ([], None))

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

    def test_the_budget_of_a_condition(self):
        policy = """capability scan { input { text: string } }
policy p on before scan {
  deny found when input.text.matches("x[0-9]{3}y");
  allow;
}
test "within" { call scan { text: "0123456789012345678901234567890123456789" }; expect allow; }
"""
        event = [{"capability": "scan", "input": {"text": "0123456789" * 8}}]
        for engine in ("interpreter", "jit") if JIT else ("interpreter",):
            engine = ("--engine", engine)
            self.assertEqual(self.decisions(event, *engine, policy=policy)[0]["effect"], "allow")
            self.assertEqual(self.decisions(event, *engine, "--budget", "3", policy=policy)[0]["effect"], "allow")
            past = self.decisions(event, *engine, "--budget", "2", policy=policy)[0]
            self.assertEqual((past["effect"], past["code"], past["rule"]), ("deny", "budget_exceeded", "p.found"))
            self.assertEqual(past["reason"], "cost_budget: the evaluation takes more than 2 steps; let it do less, or raise its budget")
        path = self.write("scan.policy", policy)
        self.assertEqual(ordain("test", path, "--budget", "2").returncode, 0)
        self.assertEqual(ordain("test", path, "--budget", "1").returncode, 1)
        for wrong in ("0", "-1", "1.5", "1000000001", "x"):
            self.assertEqual(self.eval(event, "--budget", wrong, policy=policy).returncode, 2, wrong)

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

    def test_many_events_on_several_threads_stay_in_order(self):
        amounts = [(n * 37) % 150 + 1 for n in range(20000)]
        lines = [json.dumps({"capability": "pay", "input": {"amount": n}, "agent": f"a{n % 50}", "suite": "x" * 30}) for n in amounts]
        lines[77], lines[12345] = "", "{"
        policy = self.write("p.policy", POLICY)
        path = self.write("many.jsonl", "\n".join(lines))  # the last line has no end
        runs = [ordain("eval", "--policies", policy, "--events", path, "--json", "--threads", n) for n in ("1", "2", "5")]
        for run in runs:
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertEqual(run.stdout, runs[0].stdout)
            self.assertEqual(run.stderr.count("`suite`"), 1)
        got = [json.loads(line) for line in runs[0].stdout.splitlines()]
        self.assertEqual([d["event"] for d in got], [n for n in range(1, 20001) if n != 78])
        wanted = ["deny" if n > 100 else "require_approval" if n > 50 else "allow" for n in amounts]
        for decision in got:
            if "error" not in decision:
                self.assertEqual(decision["effect"], wanted[decision["event"] - 1])
        piped = ordain("eval", "--policies", policy, "--events", "-", "--json", stdin="\n".join(lines))
        self.assertEqual(piped.stdout, runs[0].stdout)
        summary = ordain("eval", "--policies", policy, "--events", path, "--summary")
        self.assertEqual((summary.returncode, summary.stdout), (1, ""))
        self.assertIn("19998 decided", summary.stderr)
        self.assertEqual(summary.stderr.splitlines()[-2], runs[0].stderr.splitlines()[-2])

    def test_a_line_may_be_longer_than_a_chunk(self):
        long = {"capability": "none", "input": {"text": "x" * 1000000}}
        for threads in ("1", "2"):
            got = self.decisions([long, {"capability": "pay", "input": {"amount": 2}}, long], "--threads", threads)
            self.assertEqual([d["code"] for d in got], ["default", "rule", "default"])

    def test_a_pipe_is_answered_as_it_comes(self):
        command = [BIN / "ordain", "eval", "--policies", self.write("p.policy", POLICY), "--events", "-", "--json"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
            for amount, effect in ((2, "allow"), (200, "deny"), (60, "require_approval")):
                run.stdin.write(json.dumps({"capability": "pay", "input": {"amount": amount}}) + "\n")
                run.stdin.flush()
                self.assertEqual(json.loads(run.stdout.readline())["effect"], effect)
            run.stdin.close()
            self.assertEqual(run.wait(60), 0)

    def test_callers_are_told_apart_as_they_are_written(self):
        policy = "context { agent { level: dyn } }\ncapability a {}\npolicy p on before a { allow when string(agent.level) == \"1\"; }\n"
        events = [{"capability": "a", "input": {}, "agent": {"level": level}} for level in (1, 1.5, "1", 1, True, [1], {"x": 1}, {"x": 2}, None)]
        got = [d["effect"] for d in self.decisions(events * 2, "--threads", "1", policy=policy)]
        self.assertEqual(got, ["allow", "deny", "allow", "allow", "deny", "deny", "deny", "deny", "deny"] * 2)

    def test_a_byte_order_mark_is_no_part_of_the_events(self):
        policy = self.write("p.policy", POLICY)
        lines = "".join(json.dumps(e) + "\n" for e in self.EVENTS)
        plain, marked = self.write("plain.jsonl", lines), self.write("marked.jsonl", "\ufeff" + lines)
        twice = self.write("twice.jsonl", "\ufeff\ufeff" + lines)
        for command in (["eval", "--json"], ["eval", "--json", "--threads", "1"], ["explain"], ["diff", "--against", policy], ["bench", "--seconds", "0.01", "--json"]):
            runs = [ordain(*command, "--policies", policy, "--events", file) for file in (plain, marked, twice)]
            self.assertEqual([run.returncode for run in runs], [0, 0, 1], (command, runs[1].stderr))
            if command[0] != "bench":
                self.assertEqual(runs[1].stdout, runs[0].stdout)
        run = ordain("eval", "--json", "--policies", policy, "--events", "-", stdin="\ufeff" + lines)
        self.assertEqual(run.returncode, 0, run.stderr)
        db = str(self.path / "db")
        self.assertEqual(ordain("eval", "--policies", policy, "--events", plain, "--db", db).returncode, 0)
        export = self.write("export.jsonl", "\ufeff" + ordain("audit", "export", "--db", db).stdout)
        self.assertEqual(ordain("audit", "import", export, "--db", str(self.path / "copy")).returncode, 0)

    def test_a_file_that_is_not_there(self):
        run = ordain("eval", "--policies", self.write("p.policy", POLICY), "--events", str(self.path / "none"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("none", run.stderr)
        directory = ordain("eval", "--policies", self.write("p.policy", POLICY), "--events", str(self.path))
        self.assertEqual(directory.returncode, 2, directory.stderr)
        self.assertEqual(len(directory.stderr.splitlines()), 1, "the complaint alone, no summary of nothing")

    def test_a_directory_is_no_file_of_events(self):
        policy = self.write("p.policy", POLICY)
        for command in (["eval", "--policies", policy, "--events"], ["explain", "--policies", policy, "--events"], ["bench", "--policies", policy, "--events"],
                        ["diff", "--policies", policy, "--against", policy, "--events"], ["audit", "import", "--db", str(self.path / "db")]):
            run = ordain(*command, str(self.path))
            self.assertEqual((run.returncode, run.stdout), (2, ""), command)
            self.assertIn("directory", run.stderr.lower())

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

    def test_times_that_records_cannot_hold_are_refused(self):
        """A record's time is a 64-bit number of nanoseconds; `now` may be of the years 1 to 9999."""
        event = dict(self.EVENTS[0])
        for time, fits in (("0001-01-01T00:00:00Z", False), ("1677-01-01T00:00:00Z", False), ("1678-01-01T00:00:00Z", True),
                           ("1969-12-31T23:59:59.500Z", True), ("2261-12-31T23:59:59.999999999Z", True), ("2263-01-01T00:00:00Z", False),
                           ("9999-12-31T23:59:59.999999999Z", False)):
            db = str(self.path / time[:4])
            run = self.eval([{**event, "now": time}], "--db", db)
            if not fits:
                self.assertEqual(run.returncode, 2, time)
                self.assertIn("records hold times of the years 1678 to 2261", run.stderr)
                continue
            self.assertIn(run.returncode, (0, 1), run.stderr)
            record = json.loads(ordain("audit", "export", "--db", db).stdout.splitlines()[1])
            self.assertIn(time, json.dumps(record))

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


class Bench(Case):
    EVENTS = [
        {"capability": "pay", "input": {"amount": 2}, "agent": "a"},
        {"capability": "pay", "input": {"amount": 200}, "agent": "b"},
        {"capability": "pay", "input": {"amount": 60}, "agent": "b"},
        {"capability": "pay", "input": {"amount": "x"}},
        {"capability": "none", "input": {}},
        {"capability": "pay", "stage": "after", "input": {"amount": 1}, "output": {"text": "x"}},
    ]
    ENGINE_KEYS = {"p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns", "per_second", "per_second_all"}

    def bench(self, *args, events=None, policy=POLICY):
        lines = "\n".join(e if isinstance(e, str) else json.dumps(e) for e in events or self.EVENTS)
        return ordain("bench", "--policies", self.write("p.policy", policy), "--events", self.write("e.jsonl", lines + "\n"), "--seconds", "0.02", *args)

    def test_what_is_not_a_number_is_wrong_usage(self):
        for option in ("--seconds", "--tolerance"):
            for value in ("nan", "-nan", "inf", "1e300", "-1", ""):
                run = ordain("bench", "--policies", "none", "--events", "none", option, value)
                self.assertEqual((run.returncode, run.stdout), (2, ""), value)
                self.assertIn(option, run.stderr)

    def test_json_has_the_keys_that_scripts_rely_on(self):
        run = self.bench("--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        got = json.loads(run.stdout)
        self.assertEqual((got["rules"], got["events"], got["malformed"], got["contexts"]), (5, 6, 0, 3))
        for key in ("load_ms", "plan_ms", "first_decision_ms", "native_ms", "program_bytes"):
            self.assertGreater(got[key], 0 if JIT or key != "native_ms" else -1, key)
        self.assertGreaterEqual(got["first_decision_ms"], got["load_ms"] - got["read_ms"])
        for engine in ("interpreter", "jit") if JIT else ("interpreter",):
            figures = got[engine]
            self.assertLessEqual(self.ENGINE_KEYS, figures.keys())
            self.assertLessEqual(figures["p50_ns"], figures["p90_ns"])
            self.assertLessEqual(figures["p90_ns"], figures["p99_ns"])
            self.assertLessEqual(figures["p99_ns"], figures["p999_ns"])
            self.assertGreater(figures["p50_ns"], 0)
            self.assertGreater(figures["per_second"], 1000)
        if not JIT:
            self.assertIsNone(got["jit"])
        self.assertEqual({g["name"]: g["count"] for g in got["by_capability"]}, {"pay": 5, "none": 1})
        rules = {g["name"]: g["count"] for g in got["by_rule"]}
        self.assertEqual(rules, {"pays.allow#1": 1, "pays.big": 1, "pays.mid": 1, "(invalid_input)": 1, "(default)": 2})

    def test_text_tells_the_same(self):
        run = self.bench("--threads", "2")
        self.assertEqual(run.returncode, 0, run.stderr)
        for part in ("policy text to first decision", "p99.9", "threads", "memory of the program", "by capability", "pays.big", "####", "33 %"):
            self.assertIn(part, run.stdout)
        self.assertEqual(run.stderr, "")

    def test_it_says_what_was_measured_and_where(self):
        got = json.loads(self.bench("--json", "--repeats", "3").stdout)
        self.assertRegex(got["digest"], "^[0-9a-f]{64}$")
        self.assertRegex(got["version"], r"^\d+\.\d+\.\d+")
        self.assertTrue(got["cpu"])
        self.assertGreater(got["cores"], 0)
        self.assertGreaterEqual(got["load"], 0)
        self.assertIn("warning", got)
        self.assertIsNone(got["against"])
        self.assertEqual(len(got["interpreter"]["rounds_ns"]), 3)
        # The arithmetic has no index, so every call that fits tries it.
        conditions = {rule["name"]: rule["tried"] for rule in got["conditions"]}
        self.assertEqual(conditions.get("pays.big"), 3)
        self.assertLessEqual(conditions.keys(), {"pays.big", "pays.mid", "pays.warn#1", "pays.noted", "outs.redact#1"})

    def test_against_old_policies(self):
        # So much slower that a busy machine cannot hide it.
        numbers = ", ".join(map(str, range(1, 401)))
        slow = POLICY.replace("100 / input.amount < 1", f"[{numbers}].map(x, x * input.amount).exists(y, y == -1) || 100 / input.amount < 1")
        self.assertNotEqual(slow, POLICY)
        old, page = self.write("old.policy", POLICY), self.path / "page.html"
        run = self.bench("--json", "--against", old, "--html", str(page), policy=slow)
        self.assertEqual(run.returncode, 1, run.stderr)
        got = json.loads(run.stdout)
        against = got["against"]
        self.assertEqual(against["verdict"], "slower")
        self.assertGreater(against["low"], 1.02)
        self.assertLessEqual(against["low"], against["ratio"])
        self.assertLessEqual(against["ratio"], against["high"])
        self.assertEqual((len(against["old_ns"]), len(against["new_ns"])), (15, 15))
        self.assertNotEqual(against["digest"], got["digest"])
        self.assertIn("Against the old policies", page.read_text(encoding="utf-8"))
        # One round is no verdict. The other way round, the new ones are faster.
        self.assertEqual(self.bench("--repeats", "1", "--against", old, policy=slow).returncode, 0)
        run = self.bench("--against", self.write("slow.policy", slow))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("against the old policies: faster: 0.", run.stdout)

    def test_old_policies_with_errors(self):
        run = self.bench("--against", self.write("broken.policy", "policy p on before x { deny when 1 + ; }"))
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("broken.policy:1", run.stderr)

    def test_a_page_that_cannot_be_written_is_found_at_once(self):
        run = self.bench("--html", str(self.path / "none" / "page.html"))
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("cannot write", run.stderr)

    def test_html_stands_alone(self):
        page_path = self.path / "page.html"
        hostile = 'capability "a<b>&c" {}\npolicy p on before "a<b>&c" { allow; }\n'
        run = self.bench("--html", str(page_path), policy=hostile, events=[{"capability": "a<b>&c", "input": {}}])
        self.assertEqual(run.returncode, 0, run.stderr)
        page = page_path.read_text(encoding="utf-8")
        for external in ("http:", "https:", "//", "<script", "<link", "@import", "url(", "src="):
            self.assertNotIn(external, page.replace(str(self.path), ""))
        self.assertIn("prefers-color-scheme: dark", page)
        parser = Tags()
        parser.feed(page)
        self.assertEqual(parser.open, [])
        self.assertIn("svg", parser.seen)
        self.assertIn("a<b>&c", parser.texts)
        self.assertNotIn("b", [tag for tag, attributes in parser.with_attributes if attributes])

    def test_malformed_events_are_left_out(self):
        run = self.bench("--json", events=["{", {"capability": "pay", "input": {"amount": 2}}])
        self.assertEqual(run.returncode, 1)
        self.assertEqual(json.loads(run.stdout)["malformed"], 1)
        self.assertIn("event 1", run.stderr)

    def test_callers_without_number_are_all_kept(self):
        events = "".join('{"capability": "pay", "input": {"amount": 3}, "agent": {"id": "a%d"}}\n' % i for i in range(5000))
        run = ordain("bench", "--policies", self.write("p.policy", POLICY), "--events", self.write("many.jsonl", events), "--seconds", "0.05", "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(json.loads(run.stdout)["events"], 5000)

    def test_nothing_to_measure_exits_2(self):
        self.assertEqual(self.bench(events=[" "]).returncode, 2)
        self.assertEqual(self.bench(policy="policy p on before x { deny when 1 + ; }").returncode, 2)
        run = ordain("bench", "--policies", self.write("p.policy", POLICY), "--events", str(self.path / "none.jsonl"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("none.jsonl", run.stderr)


class Tags(html.parser.HTMLParser):
    """Which elements a page has, and whether each is closed."""

    VOID = {"meta", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.texts, self.with_attributes = [], set(), [], []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.with_attributes.append((tag, attrs))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)


class Options(Case):
    """Words on the command line that are no options."""

    def test_a_misspelt_option_is_named(self):
        policy = self.write("p.policy", POLICY)
        for words, message in (
            (["eval", "--policies", policy, "--event", "x"], "no option `--event`, did you mean `--events`?"),
            (["eval", "--policies", policy, "--event=x"], "no option `--event`, did you mean `--events`?"),
            (["check", policy, "--strikt"], "no option `--strikt`, did you mean `--strict`?"),
            (["audit", "verify", "--jsn"], "no option `--jsn`, did you mean `--json`?"),
            (["check", policy, "--quite-another-thing"], "no option `--quite-another-thing`\n"),
        ):
            run = ordain(*words)
            self.assertEqual((run.returncode, run.stdout), (2, ""), words)
            self.assertIn(message, run.stderr)
        self.assertIn("--events is required", ordain("eval", "--policies", policy).stderr)

    def test_grants_before_any_runtime(self):
        run = ordain("grants", "create", "--db", str(self.path), "--capability", "pay")
        self.assertEqual(run.returncode, 2)
        self.assertIn("approvals.db does not exist: no runtime has opened this directory yet. Start the host", run.stderr)


class Explain(Case):
    """What every rule came to."""

    def test_every_rule_with_its_place(self):
        policy = self.write("p.policy", POLICY)
        events = "\n".join(json.dumps({"capability": "pay", "input": {"amount": n}}) for n in (60, 0)) + "\n" + json.dumps({"capability": "pay"}) + "\nx\n"
        run = ordain("explain", "--policies", policy, "--events", "-", stdin=events)
        self.assertEqual(run.returncode, 1, "the last line is malformed")
        self.assertIn("event 1: before pay: require_approval by pays.mid: mid", run.stdout)
        self.assertRegex(run.stdout, r"does not match +deny +pays\.big +\S+p\.policy:4:3: `100 / input\.amount < 1` is false\n +matches +require_approval +pays\.mid +\S+:5:3\n")
        self.assertRegex(run.stdout, r"faults +deny +pays\.big +\S+:4:3: division by zero at \S+p\.policy:4:\d+")
        self.assertIn("event 3: before pay: deny by (invalid_input)", run.stdout)
        self.assertIn("  no rule ran\nevent 4: malformed", run.stdout)
        lines = [json.loads(line) for line in ordain("explain", "--policies", policy, "--events", "-", "--json", stdin=events).stdout.splitlines()]
        self.assertEqual([r["outcome"] for r in lines[0]["rules"]], ["does not match", "matches", "does not match", "matches"])
        self.assertEqual([p["text"] for p in lines[0]["rules"][0]["false"]], ["100 / input.amount < 1"])
        self.assertEqual(lines[1]["rules"][0]["outcome"], "faults")
        self.assertEqual(lines[2]["rules"], [])


    def test_names_what_was_false(self):
        policy = self.write("p.policy", """context { agent { team: string } }
capability pay { input { to: string, cents: int, note: optional(string) } }
capability get { input { to: string, cents: int, note: string } }
let abroad = input.to.startsWith("x")
  && agent.team != "bank";
policy p on before pay, get {
  deny many when input.to == "x" && input.cents > 5
       &&   agent.id in ["a",
                         "b"] ;
  deny let_parts when abroad && input.to != "";
  deny noted when has(input.note) && input.note == "n";
  deny either when (input.to == "x" || input.to == "y") && cel.bind(n, input.cents * 2, n > 1 && n < 4);
  deny faulty when agent.team == "t" && input.cents < 0;
  deny plain when input.to == "z";
}
policy wide on before * { deny tagged when action.type == "t" && agent.id == "q"; }
""")
        event = {"capability": "pay", "input": {"to": "a", "cents": 7}, "agent": {"id": "c"}}
        run = ordain("explain", "--policies", policy, "--events", "-", "--json", stdin=json.dumps(event) + "\n" + json.dumps({"capability": "other", "agent": "q"}))
        self.assertEqual(run.returncode, 0, run.stderr)
        known, other = [json.loads(line)["rules"] for line in run.stdout.splitlines()]
        false = {rule["rule"]: [part["text"] for part in rule["false"]] for rule in known}
        self.assertEqual(false, {
            "p.many": ['input.to == "x"', 'agent.id in ["a", "b"]'],
            "p.let_parts": ['input.to.startsWith("x")'],  # agent.team is missing but no longer read
            "p.noted": ["has(input.note)"],
            "p.either": ['(input.to == "x" || input.to == "y")', "n < 4"],
            "p.faulty": ["input.cents < 0"],
            "p.plain": ['input.to == "z"'],
            "wide.tagged": ['action.type == "t"', 'agent.id == "q"'],
        })
        parts = {part["text"]: part["place"].rsplit("/", 1)[-1] for rule in known for part in rule["false"]}
        self.assertEqual(parts['input.to.startsWith("x")'], "p.policy:4:14", "where the `let` says it")
        self.assertEqual(parts["n < 4"], "p.policy:12:98")
        self.assertEqual([(r["rule"], [p["text"] for p in r["false"]]) for r in other], [("wide.tagged", ['action.type == "t"'])])
        other_get = {"capability": "get", "input": {"to": "a", "cents": 7, "note": "m"}}
        rules = json.loads(ordain("explain", "--policies", policy, "--events", "-", "--json", stdin=json.dumps(other_get)).stdout)["rules"]
        noted = next(rule for rule in rules if rule["rule"] == "p.noted")
        self.assertEqual([part["text"] for part in noted["false"]], ['input.note == "n"'], "there `note` is always present")
        text = ordain("explain", "--policies", policy, "--events", "-", stdin=json.dumps(event)).stdout
        self.assertIn('p.policy:7:3: `input.to == "x"` and `agent.id in ["a", "b"]` are false\n', text)


    def test_says_what_would_change_the_decision(self):
        policy = self.write("p.policy", POLICY)
        event = json.dumps({"capability": "pay", "input": {"amount": 60}})
        command = ("explain", "--policies", policy, "--events", "-")
        run = ordain(*command, stdin=event)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stdout.splitlines()[-2:], ["  would be allowed if `input.amount` were 50",  # 0 faults
                                                        "  would be denied if `input.amount` were at least 101"])
        changes = json.loads(ordain(*command, "--json", stdin=event).stdout)["changes"]
        self.assertEqual([change["effect"] for change in changes], ["allow", "deny"])
        self.assertEqual(changes[0], {"effect": "allow", "rule": "pays.allow#1", "text": "would be allowed if `input.amount` were 50",
                                  "fields": [{"path": "input.amount", "relation": "equals", "value": 50}]})
        run = ordain(*command, "--no-changes", stdin=event)
        self.assertNotIn("would", run.stdout)
        self.assertEqual(json.loads(ordain(*command, "--json", "--no-changes", stdin=event).stdout)["changes"], [])
        invalid = json.loads(ordain(*command, "--json", stdin='{"capability": "pay"}').stdout)
        self.assertEqual(invalid["changes"], [])
        self.assertNotIn("no_change", invalid, "no rule ran, so there was nothing to look for")

    def test_says_that_no_change_was_found(self):
        policy = self.write("p.policy", """capability pay { input { tags: list(string), by: map(string, string) } }
policy p on before pay {
  deny many when size(input.tags) > 3;
  deny keyed when "k" in input.by && input.by["k"] == "v";
  allow;
}
""")
        command = ("explain", "--policies", policy, "--events", "-")
        for given in ({"tags": ["a", "b", "c", "d"], "by": {}}, {"tags": [], "by": {"k": "v"}}):
            event = json.dumps({"capability": "pay", "input": given})
            run = ordain(*command, stdin=event)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(run.stdout.splitlines()[-1], "  no single change was found, and no pair of changes")
            self.assertNotIn("no single", ordain(*command, "--no-changes", stdin=event).stdout)
            found = json.loads(ordain(*command, "--json", stdin=event).stdout)
            self.assertEqual((found["changes"], found["no_change"]), ([], "no single change was found, and no pair of changes"))
            self.assertNotIn("no_change", json.loads(ordain(*command, "--json", "--no-changes", stdin=event).stdout))

    def test_says_what_the_index_skipped(self):
        rules = "".join(
            f'deny r{i} when input.to == "iban{i}" && input.cents > {100 * i};\n'
            f'allow m{i} when "role{i}" in agent.roles && input.to != "x";\n'
            f'warn t{i} when input.cents < {i};\n' for i in range(1, 40)
        )
        policy = self.write("p.policy", "capability pay { input { to: string, cents: int } }\npolicy p on before pay {\n" + rules +
                            "deny odd when input.cents % 2 == 1;\n}\n")
        event = json.dumps({"capability": "pay", "input": {"to": "iban3", "cents": 20}, "agent": {"roles": ["role7", "other"]}})
        run = ordain("explain", "--policies", policy, "--events", "-", "--json", stdin=event)
        self.assertEqual(run.returncode, 0, run.stderr)
        rules = {rule["rule"]: rule for rule in json.loads(run.stdout)["rules"]}
        self.assertEqual(len(rules), 118)
        skipped = {name: rule.get("skipped_by") for name, rule in rules.items()}
        for i in range(1, 40):
            self.assertIn(skipped[f"p.r{i}"], ("input.to", f"input.cents < {100 * i + 1}"), i)
            self.assertEqual(skipped[f"p.m{i}"], None if i == 7 else "members of agent.roles", i)
            self.assertEqual(skipped[f"p.t{i}"] is None, i > 20, i)
            self.assertEqual(rules[f"p.t{i}"]["outcome"], "matches" if i > 20 else "does not match")
        self.assertEqual(rules["p.m7"]["outcome"], "matches")
        self.assertIsNone(skipped["p.odd"], "tried, and false")
        for rule in rules.values():
            if "skipped_by" in rule:
                self.assertEqual(rule["outcome"], "does not match", "only what cannot match is skipped")
        text = ordain("explain", "--policies", policy, "--events", "-", stdin=event).stdout
        self.assertRegex(text, r'does not match +allow +p\.m1 +\S+: `"role1" in agent\.roles` is false; skipped by the index: members of agent\.roles\n')


class Replay(Case):
    """Decides again from what was recorded."""

    EVENTS = [
        {"capability": "pay", "agent": "ann", "input": {"amount": 2}},
        {"capability": "pay", "agent": "ann", "input": {"amount": 60}},
        {"capability": "pay", "agent": "bob", "input": {"amount": 200}},
        {"capability": "pay", "stage": "after", "input": {"amount": 1}, "output": {"text": "t"}},
    ]
    NEW = POLICY.replace("> 50", "> 70").replace('== 2 because "two"', '== 60 because "sixty"')

    def setUp(self):
        super().setUp()
        self.old, self.new = self.write("old.policy", POLICY), self.write("new.policy", self.NEW)
        self.events = self.write("events.jsonl", "\n".join(json.dumps(e) for e in self.EVENTS) + "\n")

    def test_the_record_against_new_policies(self):
        db = str(self.path / "db")
        self.assertEqual(ordain("eval", "--policies", self.old, "--events", self.events, "--db", db).returncode, 0)
        same = ordain("replay", "--audit", db, "--policies", self.old)
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertRegex(same.stdout, r"unchanged +4 +100\.0 %")
        run = ordain("replay", "--audit", db, "--policies", self.new)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stdout, r"newly allowed +1  pays\.mid +pays\.allow#1")
        self.assertRegex(run.stdout, r"obligations +1  pays\.noted +-")
        self.assertIn("record 2  before pay  by ann", run.stdout)
        self.assertIn("old  require_approval by pays.mid: mid", run.stdout)
        self.assertIn("new  allow by pays.allow#1", run.stdout)

    def test_an_export_is_no_file_of_events(self):
        db, copy = str(self.path / "db"), str(self.path / "copy")
        self.assertEqual(ordain("eval", "--policies", self.old, "--events", self.events, "--db", db).returncode, 0)
        whole = ordain("audit", "export", "--db", db).stdout
        some = ordain("audit", "export", "--db", db, "--agent", "ann").stdout
        for export, lines in ((whole, 5), (some, 2)):
            run = ordain("replay", "--events", "-", "--policies", self.new, "--against", self.old, "--json", stdin=export)
            self.assertEqual(run.returncode, 1, run.stderr)
            report = json.loads(run.stdout)
            self.assertEqual((report["decided"], report["malformed"]), (0, lines))
            self.assertIn("line 1: a line of an audit log", run.stderr)
            self.assertIn("--audit", run.stderr)
        # Following the message's advice works.
        self.assertEqual(ordain("audit", "import", self.write("export.jsonl", whole), "--db", copy).returncode, 0)
        run = ordain("replay", "--audit", copy, "--policies", self.new)
        self.assertRegex(run.stdout, r"newly allowed +1 ")

    def test_json_limit_and_against(self):
        for command in ("replay", "diff"):
            run = ordain(command, "--events", self.events, "--policies", self.new, "--against", self.old, "--json", "--limit", "0")
            self.assertEqual(run.returncode, 1, run.stderr)
            report = json.loads(run.stdout)
            self.assertEqual((report["decided"], report["unchanged"], report["newly_allowed"], report["obligations"]), (4, 2, 1, 1))
            self.assertEqual([g["examples"] for g in report["groups"]], [[], []])
        same = ordain("diff", "--events", "-", "--policies", self.new, "--against", self.new, stdin="{\"capability\": \"pay\"}\nnonsense\n")
        self.assertEqual(same.returncode, 1, "a line that is no event is not all well")
        self.assertIn("line 2:", same.stderr)

    def test_who_must_approve_for_how_long_and_what_is_shown(self):
        for old, new, change in [('from ["b", "a"]', 'from ["b"]', "approval_terms"), ('from ["b", "a"]', 'from ["b", "a"] expires 30m', "approval_terms"),
                                 ('because "two"', 'because "2"', "obligations"), ('because "mid"', 'because "middle"', None)]:
            path = self.write("terms.policy", POLICY.replace(old, new))
            run = ordain("diff", "--events", self.events, "--policies", path, "--against", self.old, "--json")
            report = json.loads(run.stdout)
            self.assertEqual([g["change"] for g in report["groups"]], [change] if change else [], new)
            self.assertEqual(run.returncode, 1 if change else 0, new)
            if change == "approval_terms":
                self.assertEqual(report["groups"][0]["examples"][0]["old"]["from"], ["a", "b"])
                text = ordain("diff", "--events", self.events, "--policies", path, "--against", self.old).stdout
                self.assertRegex(text, r"approval terms +1 ")
                self.assertIn("; from a, b", text)

    def test_rules_without_events(self):
        old = self.write("old.policy", POLICY)
        new = self.write("new.policy", POLICY.replace("deny big", "warn big").replace("require_approval mid", "deny mid").replace('from ["b", "a"] ', "")
                         .replace("warn noted when input.amount == 2", "warn noted when input.amount == 3").replace("  allow;\n", "  deny fresh when input.amount == 9;\n"))
        run = ordain("diff", old, new)
        self.assertEqual(run.returncode, 1, run.stderr)
        lines = [re.sub(r"/\S*/", "", line) for line in run.stdout.splitlines()]
        self.assertEqual(lines, ["changed   deny pays.big (old.policy:4:3) -> warn pays.big (new.policy:4:3)",
                                 "stronger  require_approval pays.mid (old.policy:5:3) -> deny pays.mid (new.policy:5:3)",
                                 "changed   warn pays.noted (old.policy:6:3) -> warn pays.noted (new.policy:6:3)",
                                 "added     deny pays.fresh (new.policy:7:3)",
                                 "removed   allow pays.allow#1 (old.policy:7:3)"])
        report = json.loads(ordain("diff", "--against", old, "--policies", new, "--json").stdout)
        self.assertEqual([each["change"] for each in report["rules"]], ["changed", "stronger", "changed", "added", "removed"])
        self.assertEqual((report["rules"][3]["old"], report["rules"][3]["new"]["rule"], report["packages"]), (None, "pays.fresh", []))
        moved = self.write("moved.policy", POLICY.replace("  allow;\n", "").replace("before pay {\n", "before pay {\n  allow;\n"))
        run = ordain("diff", old, moved)
        self.assertEqual((run.returncode, run.stdout), (1, "package t  the rules are the same, but their order, an option, a declaration or a let is not\n"))
        run = ordain("diff", old, old)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "the rules are the same: 5 rules\n", ""))
        self.assertEqual(ordain("diff", old).returncode, 2)
        self.assertEqual(ordain("diff", old, str(self.path / "absent")).returncode, 2)

    def test_time_that_is_not_recorded(self):
        policy = self.write("clock.policy", 'policy p on before go { deny late when now > timestamp("2026-01-01T00:00:00Z"); allow; }')
        command = ("diff", "--events", "-", "--policies", policy, "--against", policy)
        event = json.dumps({"capability": "go"})
        run = ordain(*command, stdin=event)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("p.late reads now, which the event does not say", run.stdout)
        self.assertEqual(ordain(*command, "--strict", stdin=event).returncode, 1)
        self.assertRegex(ordain(*command, "--now", "2026-02-01T00:00:00Z", stdin=event).stdout, r"unchanged +1 ")

    def test_cannot_run(self):
        for rest in ([], ["--events", self.events], ["--audit", str(self.path / "none")], ["--events", str(self.path / "none"), "--against", self.old],
                     ["--events", self.events, "--against", self.old, "--now", "noon"]):
            run = ordain("replay", "--policies", self.new, *rest)
            self.assertEqual(run.returncode, 2, rest)
            self.assertIn("ordain:", run.stderr)


class ReplayState(Case):
    """Tries a limit on the record of policies that had none."""

    FREE = """capability refund { input { customer: string, amount: double } }
policy refunds on before refund { allow rest; }
"""
    LIMITED = FREE.replace("policy", "history refunded = begun refund sum input.amount by tenant, input.customer within 24h;\npolicy").replace(
        "{ allow", '{ deny many when refunded.count > 3; deny much when refunded.sum > 500.0; allow')

    def setUp(self):
        super().setUp()
        self.free, self.limited = self.write("free.policy", self.FREE), self.write("limited.policy", self.LIMITED)
        self.db = str(self.path / "db")

    def record(self, policy, amounts, *options):
        lines = []
        for amount in amounts:
            event = {"capability": "refund", "tenant": "acme", "session": "s", "now": "2026-01-01T12:00:00Z", "input": {"customer": "c1", "amount": amount}}
            lines += [event, dict(event, stage="after", output={})]
        events = self.write("events.jsonl", "".join(json.dumps(e) + "\n" for e in lines))
        self.assertEqual(ordain("eval", "--policies", policy, "--events", events, "--db", self.db, *options).returncode, 0)
        return events

    def test_what_a_new_limit_would_have_stopped(self):
        self.record(self.free, [10] * 5)
        run = ordain("replay", "--audit", self.db, "--policies", self.limited)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertRegex(run.stdout, r"newly denied +2  refunds\.rest +refunds\.many")
        self.assertRegex(run.stdout, r"not reached +2 ")
        self.assertRegex(run.stdout, r"knock-on +0 ")
        wide = self.write("wide.policy", self.LIMITED.replace("> 3", "> 5"))
        run = ordain("replay", "--audit", self.db, "--policies", wide, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        report = json.loads(run.stdout)
        self.assertEqual([report[key] for key in ("decided", "unchanged", "state", "knock_on", "not_reached", "state_reads")], [10, 10, 0, 0, 0, 0])

    def test_what_follows_from_a_denial(self):
        self.record(self.free, [400, 200, 90])
        report = json.loads(ordain("replay", "--audit", self.db, "--policies", self.limited, "--json").stdout)
        self.assertEqual([report[key] for key in ("unchanged", "newly_denied", "knock_on", "not_reached")], [4, 1, 1, 1])

    def test_a_new_limit_gets_its_past(self):
        self.record(self.free, [10] * 5)
        for said in ("5 calls of the record", "is kept already"):
            run = ordain("state", "fill", "--db", self.db, "--policies", self.limited)
            self.assertEqual((run.returncode, run.stdout), (0, f"refunded: {said}\n"), run.stderr)
        listed = ordain("state", "list", "--db", self.db, "--json")
        self.assertEqual([json.loads(line)["state"] for line in listed.stdout.splitlines()], ["refunded"])
        for options, code in ((["--policies", self.free], 0), (["--policies", str(self.path / "none.policy")], 2)):
            self.assertEqual(ordain("state", "fill", "--db", self.db, *options).returncode, code, options)

    def test_events_and_policies_without_state(self):
        events = self.record(self.free, [10] * 5)
        run = ordain("diff", "--events", events, "--against", self.free, "--policies", self.limited, "--json")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(json.loads(run.stdout)["newly_denied"], 2)
        run = ordain("replay", "--audit", self.db, "--policies", self.free, "--json")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("knock_on", json.loads(run.stdout))


class Secrets(Case):
    """Secret fields are decided by their values, and shown by digests."""

    POLICY = """capability login { input { user: string, token: secret string } output { session: secret string } }
policy logins on before login {
  deny weak when input.token == "weak";
  deny odd  when input.user == "odd" && {"a": 1}[input.token] == 2;
  allow;
}
"""
    EVENTS = [
        {"capability": "login", "input": {"user": "ann", "token": "hunter2"}},
        {"capability": "login", "input": {"user": "bob", "token": "hunter2"}},
        {"capability": "login", "input": {"user": "ann", "token": "weak"}},
        {"capability": "login", "input": {"user": "odd", "token": "hunter2"}},
        {"capability": "login", "stage": "after", "input": {"user": "ann", "token": "hunter2"}, "output": {"session": "s3ss10n"}},
    ]

    def setUp(self):
        super().setUp()
        self.policy = self.write("secrets.policy", self.POLICY)
        self.events = self.write("events.jsonl", "\n".join(json.dumps(e) for e in self.EVENTS) + "\n")

    def test_records_hold_digests(self):
        db = self.path / "db"
        run = ordain("eval", "--policies", self.policy, "--events", self.events, "--json", "--db", str(db))
        self.assertEqual([json.loads(line)["effect"] for line in run.stdout.splitlines()], ["allow", "allow", "deny", "deny", "allow"])
        self.assertNotIn("hunter2", run.stdout)
        for file in db.iterdir():
            for value in (b"hunter2", b"s3ss10n"):
                self.assertNotIn(value, file.read_bytes(), file)
        self.assertEqual((db / "secrets.key").stat().st_mode & 0o777, 0o600)
        records = [json.loads(line) for line in ordain("audit", "export", "--db", str(db), "--capability", "login").stdout.splitlines()]
        tokens = [record["input"]["token"] for record in records]
        self.assertRegex(tokens[0], "^secret:[0-9a-f]{16}$")
        self.assertEqual([token == tokens[0] for token in tokens], [True, True, False, True, True])
        self.assertRegex(records[4]["output"]["session"], "^secret:[0-9a-f]{16}$")

    def test_replay_counts_them_as_indeterminate(self):
        db = str(self.path / "db")
        ordain("eval", "--policies", self.policy, "--events", self.events, "--db", db)
        run = ordain("replay", "--audit", db, "--policies", self.policy)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"indeterminate +4 ")
        self.assertRegex(run.stdout, r"unchanged +1 ")
        self.assertIn("logins.weak reads input.token, which is secret", run.stdout)
        self.assertEqual(ordain("replay", "--audit", db, "--policies", self.policy, "--strict").returncode, 1)

    def test_explain_does_not_print_them(self):
        for form in ([], ["--json"]):
            run = ordain("explain", "--policies", self.policy, "--events", self.events, *form)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("no such key", run.stdout)
            for value in ("hunter2", "s3ss10n"):
                self.assertNotIn(value, run.stdout + run.stderr)

    def test_no_message_shows_one_that_equals_a_constant(self):
        policy = self.write("equal.policy", """capability login { input { token: secret string, keys: list(secret string), n: int } }
policy logins on before login {
  deny leaked when input.token == "hunter2" because "this token has leaked";
  deny listed when input.keys.exists(k, k == "k3y-1");
  allow known when !(input.token == "hunter2") && !(input.token in ["hunter3"]) && !("k3y-2" in input.keys);
}
""")
        calls = [{"token": "hunter2", "keys": [], "n": 1}, {"token": "hunter3", "keys": [], "n": 1}, {"token": "t", "keys": ["k3y-1"], "n": 1},
                 {"token": "t", "keys": ["k3y-2"], "n": 1}]
        events = self.write("equal.jsonl", "\n".join(json.dumps({"capability": "login", "input": call}) for call in calls) + "\n")
        for command in (["explain"], ["explain", "--json"], ["eval"], ["eval", "--json"], ["replay", "--against", policy], ["diff", "--against", policy]):
            run = ordain(*command, "--policies", policy, "--events", events)
            self.assertIn(run.returncode, (0, 1), run.stderr)
            for value in ("hunter", "k3y"):
                self.assertNotIn(value, run.stdout + run.stderr, command)
        text = ordain("explain", "--policies", policy, "--events", events).stdout
        self.assertIn("would be allowed if `input.token` were different\n", text)
        self.assertIn("`a condition on input.token, which is secret` is false", text)


class Disasm(Case):
    def test_shows_rules_and_code(self):
        run = ordain("disasm", BANKING)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("payments.unknown_payee", run.stdout)
        self.assertIn("input.recipient", run.stdout)


class Plan(Case):
    RULES = "capability pay { input { to: string, cents: int } }\npolicy p on before pay {\n%s allow odd when input.cents %% 2 == 1;\n}\n" % "".join(
        f'allow r{i} when input.to == "iban{i}";\n' for i in range(30)
    )

    def test_shows_tests_and_rules(self):
        path = self.write("p.policy", self.RULES)
        run = ordain("plan", path, "--most", "3")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn('"iban1": try p.r1 (sure)', run.stdout)
        self.assertIn("not indexed: p.odd", run.stdout)

    def test_graph_and_json(self):
        path = self.write("p.policy", self.RULES)
        self.assertTrue(ordain("plan", path, "--dot").stdout.startswith("digraph plan {"))
        rows = [json.loads(line) for line in ordain("plan", path, "--json").stdout.splitlines()]
        self.assertEqual((rows[0]["rules"], rows[0]["kind"]), (31, "allow"))
        self.assertEqual(rows[0]["unindexed"][0]["rule"], "p.odd")

    def test_broken_policies_exit_2(self):
        self.assertEqual(ordain("plan", self.write("p.policy", "policy {")).returncode, 2)


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
        self.assertEqual(ordain("approvals", "approve", waiting[0]["id"], "--db", db, "--as", "alice", "--yes").returncode, 0)
        done = self.call(db)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.call(db).returncode, 3)
        self.assertEqual(ordain("approvals", "approve", waiting[0]["id"], "--db", db, "--yes").returncode, 1)
        self.assertEqual(ordain("audit", "verify", "--db", db).returncode, 0)
        self.assertIn("send_money", ordain("audit", "tail", "--db", db).stdout)

    def test_rejected(self):
        db = str(self.path / "state")
        self.call(db)
        waiting = self.pending(db)[0]["id"]
        self.assertEqual(ordain("approvals", "reject", waiting, "--db", db, "--as", "bob", "--note", "no").returncode, 0)
        self.assertEqual(self.call(db).returncode, 4)
        self.assertEqual(ordain("approvals", "approve", waiting, "--db", db, "--yes").returncode, 1)

    def test_approve_shows_what_it_signs(self):
        db = str(self.path / "state")
        self.call(db)
        waiting = self.pending(db)[0]
        whole, start = waiting["id"], waiting["id"][:8]
        for answer, code in (("", 2), ("n\n", 1), ("perhaps\n", 1)):
            run = ordain("approvals", "approve", start, "--db", db, stdin=answer)
            self.assertEqual(run.returncode, code, run.stderr)
            self.assertIn("UK12345678901234567890", run.stderr)
            self.assertEqual(len(self.pending(db)), 1)
        self.assertEqual(ordain("approvals", "approve", start, "--db", db, "--yes").returncode, 2)
        self.assertEqual(ordain("approvals", "approve", start, "--db", db, "--binding", "00").returncode, 1)
        self.assertEqual(ordain("approvals", "approve", whole, "--db", db, "--yes", "--binding", waiting["binding"]).returncode, 2)
        self.assertEqual(len(self.pending(db)), 1)
        self.assertEqual(ordain("approvals", "approve", start, "--db", db, "--binding", waiting["binding"]).returncode, 0)
        self.assertEqual(self.call(db).returncode, 0)
        self.call(db)
        again = self.pending(db)[0]["id"]
        self.assertEqual(ordain("approvals", "approve", again[:8], "--db", db, stdin="y\n").returncode, 0)

    def test_two_people_must_agree(self):
        policies, db = self.path / "policies", str(self.path / "state")
        policies.mkdir()
        (policies / "p.policy").write_text('''
capability pay { type "tool"; risk high; input { amount: double } output open { message: optional(string) } }
policy p on before pay { require_approval dual from ["finance_manager", "controller"]; }
''')

        def pay(amount):
            call = [BIN / "banking_assistant", policies, db, "pay", '{"amount": %s}' % amount]
            return subprocess.run(call, capture_output=True, text=True, timeout=120).returncode

        def approve(name, group):
            return ordain("approvals", "approve", waiting, "--db", db, "--as", name, "--group", group, "--yes")

        self.assertEqual(pay("20000"), 3)
        waiting = self.pending(db)[0]["id"]
        self.assertIn("p.dual: controller, finance_manager", ordain("approvals", "show", waiting, "--db", db).stdout)
        run = approve("ann", "finance_manager")
        self.assertEqual((run.returncode, run.stdout.split("; ")[1]), (0, "still to approve: controller\n"))
        for name, why in (("ann", "another person"), ("assistant-1", "cannot give it")):
            run = approve(name, "controller")
            self.assertEqual(run.returncode, 1)
            self.assertIn(why, run.stderr)
            self.assertEqual(pay("20000.0"), 3)
        self.assertEqual(approve("bob", "controller").returncode, 0)
        self.assertEqual(len(json.loads(ordain("approvals", "show", waiting, "--db", db, "--json").stdout)["votes"]), 2)
        self.assertEqual(pay("2e4"), 0)

    def test_a_mistaken_directory_stays_as_it_is(self):
        db = self.path / "typo"
        for command in (["grants", "create"], ["grants", "revoke", "0123"], ["grants", "list"], ["approvals", "approve", "0123"],
                        ["approvals", "reject", "0123"], ["audit", "rotate"], ["audit", "verify"], ["freeze", "--because", "x"], ["freeze", "--list"],
                        ["thaw"], ["state", "list"], ["state", "show", "x"], ["state", "reset", "x", "--all", "--because", "y"]):
            for exists in (False, True):
                if exists:
                    db.mkdir()
                run = ordain(*command, "--db", str(db))
                self.assertEqual(run.returncode, 2, command)
                if exists:
                    self.assertEqual(list(db.iterdir()), [], command)
                    db.rmdir()
                self.assertFalse(db.exists(), command)

    def test_negative_numbers_are_wrong_usage(self):
        db = str(self.path / "state")
        self.call(db)
        for command in (["grants", "create", "--for", "-1h"], ["grants", "create", "--for", "0s"], ["grants", "create", "--for=-1h"],
                        ["audit", "tail", "-n", "-1"], ["audit", "tail", "-n-1"], ["audit", "query", "--count=-1"],
                        ["audit", "verify", "--unsigned-tail", "-1"], ["audit", "verify", "--unsigned-tail=-1"],
                        ["audit", "prune", "--keep", "-1"], ["audit", "prove", "-1"]):
            run = ordain(*command, "--db", db)
            self.assertEqual(run.returncode, 2, (command, run.stdout))
        self.assertEqual(ordain("grants", "list", "--db", db).stdout, "no grants\n")

    def test_an_empty_value_is_wrong_usage(self):
        """It is that of a variable which a script forgot to set, and must not count as an option that is absent."""
        db, policy = str(self.path / "state"), self.write("p.policy", "policy p on before pay { allow; }\n")
        for command in (["serve", "--check", "--policies", policy, "--db", db, "--webhook", ""],
                        ["serve", "--check", "--policies", policy, "--db", db, "--token="],
                        ["audit", "verify", "--db", db, "--key", ""], ["audit", "query", "--db", db, "--agent="],
                        ["grants", "create", "--db", "", "--agent", "a"], ["check", ""]):
            run = ordain(*command)
            self.assertEqual(run.returncode, 2, command)
            self.assertRegex(run.stderr, "must not be empty|1 required TEXT missing")

    def test_numbers_have_one_meaning(self):
        """A blank before the sign, a number past the largest, or a leading zero is wrong usage, never another number."""
        db, keys, events = str(self.path / "state"), str(self.path / "keys"), self.write("e.jsonl", '{"capability": "pay", "input": {}}\n')
        policy = self.write("p.policy", "capability pay { input { } }\npolicy p on before pay { allow; }\ntest \"t\" { call pay { }; expect allow; }\n")
        self.assertEqual(ordain("keys", "init", "--dir", keys).returncode, 0)
        self.assertEqual(ordain("test", policy, "--fail-under", "1").returncode, 0)
        for signed in (["--key", keys + "/operator.key"], []):
            self.assertEqual(ordain("eval", "--policies", policy, "--events", events, "--db", db, *signed).returncode, 0)

        def verify(tail):
            return ordain("audit", "verify", "--db", db, "--key", keys + "/operator.pub", "--unsigned-tail", tail).returncode

        self.assertEqual([verify("0"), verify("1")], [1, 0])
        odd = (" -1", "\t-1", "-1", "", " ", " 1", "1 ", "+1", "01", "0x1", "1e1", "1.0", "1_0", "18446744073709551616", "9" * 30, "one")
        for number in odd:
            with self.subTest(number=number):
                self.assertEqual(verify(number), 2)
                self.assertEqual(ordain("audit", "tail", "--db", db, "-n", number).returncode, 2)
                self.assertEqual(ordain("eval", "--policies", policy, "--events", events, "--budget", number).returncode, 2)
        for number in ("nan", "inf", "-inf", "1e999", "", " 1", "0x1p1", "one"):
            with self.subTest(number=number):
                run = ordain("bench", "--policies", policy, "--events", events, "--seconds", number)
                self.assertEqual(run.returncode, 2, run.stdout)
                self.assertEqual(ordain("test", policy, "--fail-under", number).returncode, 2)

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
        self.assertEqual(ordain("grants", "create", "--db", db, "--for", "ever").returncode, 2)
        self.assertIn(grant["id"], ordain("audit", "tail", "--db", db, "--json").stdout)

    def test_a_freeze_stops_calls_until_it_is_lifted(self):
        db = str(self.path / "state")
        self.assertEqual(self.call(db).returncode, 3)
        ordain("grants", "create", "--db", db, "--for", "8h")
        self.assertEqual(self.call(db).returncode, 0)
        run = ordain("freeze", "--db", db, "--capability", "send_*", "--because", "an incident", "--as", "ann")
        self.assertEqual((run.returncode, run.stdout), (0, "calls of send_*: frozen\n"), run.stderr)
        self.assertEqual(self.call(db).returncode, 4)
        shown = json.loads(ordain("freeze", "--list", "--db", db, "--json").stdout)
        self.assertEqual((shown["capability"], shown["agent"], shown["because"], shown["by"]), ("send_*", "", "an incident", "ann"))
        self.assertIn("calls of send_* since ", ordain("freeze", "--list", "--db", db).stdout)
        self.assertEqual(ordain("thaw", "--db", db).returncode, 1, "nothing is frozen as *")
        self.assertEqual(ordain("thaw", "--db", db, "--capability", "send_*", "--as", "bob").returncode, 0)
        self.assertEqual(self.call(db).returncode, 0)
        self.assertEqual(ordain("freeze", "--list", "--db", db).stdout, "nothing is frozen\n")
        self.assertEqual(ordain("freeze", "--db", db).returncode, 2, "a reason is required")
        acts = [json.loads(line) for line in ordain("audit", "query", "--db", db, "--kind", "act", "--json").stdout.splitlines()]
        self.assertEqual([(act["type"], act["principal"], act["capability"]) for act in acts], [("freeze", "ann", "send_*"), ("thaw", "bob", "send_*")])
        self.assertEqual(acts[0]["reason"], "an incident")
        self.assertEqual(ordain("audit", "verify", "--db", db).returncode, 0)

    def test_state_is_shown_and_forgotten(self):
        db = str(self.path / "state")
        policy = self.write("kept.policy", """capability kept { input { to: string } }
history sends = begun kept by agent within 1h;
policy k on before kept { deny many when sends.count > 1; allow rest; }
""")

        def call():
            return subprocess.run([BIN / "banking_assistant", policy, db, "kept", '{"to": "bob"}'], capture_output=True, text=True, timeout=120).returncode

        self.assertEqual([call(), call()], [0, 4])
        listed = json.loads(ordain("state", "list", "--db", db, "--json").stdout)
        self.assertEqual((listed["state"], listed["kind"], listed["what"], listed["by"], listed["keys"]), ("sends", "history", "begun calls within 3600s", "agent", 1))
        shown = json.loads(ordain("state", "show", "sends", "--db", db, "--json").stdout)
        self.assertEqual((shown["key"], shown["count"], shown["running"]), ("assistant-1", 1, 0))
        self.assertLess(shown["last"], shown["frees"])
        self.assertIn("assistant-1", ordain("state", "show", "sends", "--db", db).stdout)
        self.assertEqual(ordain("state", "show", "other", "--db", db).returncode, 1)
        reset = ["state", "reset", "sends", "--db", db, "--because", "a mistake", "--as", "ann"]
        self.assertEqual(ordain(*reset).returncode, 2, "neither a key nor --all")
        self.assertEqual(ordain(*reset, "--key", "nobody").returncode, 1)
        run = ordain(*reset, "--key", "assistant-1")
        self.assertEqual((run.returncode, run.stdout), (0, "1 share of sends forgotten\n"), run.stderr)
        self.assertEqual(call(), 0)
        act = json.loads(ordain("audit", "query", "--db", db, "--kind", "act", "--json").stdout)
        self.assertEqual((act["type"], act["principal"], act["target"], act["description"], act["reason"]), ("reset", "ann", "sends", "assistant-1", "a mistake"))

    def test_answers_are_signed_with_the_operators_key(self):
        db, keys = str(self.path / "state"), str(self.path / "keys")
        self.assertEqual(ordain("keys", "init", "--dir", keys).returncode, 0)
        self.call(db)
        waiting = self.pending(db)[0]["id"]
        run = ordain("approvals", "approve", waiting, "--db", db, "--yes", "--trust", keys + "/operator.pub")
        self.assertEqual(run.returncode, 1)
        self.assertIn("no private key", run.stderr)
        self.assertEqual(ordain("approvals", "approve", waiting, "--db", db, "--yes", "--key", keys + "/operator.key", "--as", "ann").returncode, 0)
        shown = ordain("approvals", "show", waiting, "--db", db, "--trust", keys + "/operator.pub")
        self.assertIn("ann", shown.stdout)
        self.assertIn("signed by operator", shown.stdout)
        self.assertEqual(ordain("approvals", "show", waiting, "--db", db, "--key", keys + "/none").returncode, 2)

    def test_no_database(self):
        run = ordain("approvals", "list", "--db", str(self.path / "nothing"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("ordain:", run.stderr)
        self.assertEqual(ordain("audit", "verify", "--db", str(self.path / "nothing")).returncode, 2)


class EarlierApprovals(Case):
    """A file of approvals that an earlier version wrote."""

    def setUp(self):
        super().setUp()
        self.db = self.path / "db"
        shutil.copytree(ROOT / "tests/versions/fixtures/approvals-2", self.db)
        self.file = self.db / "approvals.db"

    def test_is_shown_and_left_as_it_is(self):
        before = self.file.read_bytes()
        run = ordain("approvals", "list", "--db", str(self.db))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertRegex(run.stdout, r"37df38ee7c17 +from an earlier version +refund_customer")
        listed = json.loads(ordain("approvals", "list", "--db", str(self.db), "--json").stdout)
        self.assertEqual(listed["state"], "from an earlier version")
        for state, count in (("earlier", 1), ("pending", 0), ("all", 1)):
            run = ordain("approvals", "list", "--db", str(self.db), "--state", state, "--json")
            self.assertEqual((run.returncode, len(run.stdout.splitlines())), (0, count), (state, run.stderr))
        shown = ordain("approvals", "show", "37df", "--db", str(self.db))
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("it cannot be approved", shown.stdout)
        self.assertIn("c-17", shown.stdout)
        self.assertEqual(self.file.read_bytes(), before)

    def test_cannot_be_approved(self):
        whole = "37df38ee7c177072e5b2f0e4dc716f17"
        run = ordain("approvals", "approve", whole, "--db", str(self.db), "--as", "ann", "--yes")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("from an earlier version", run.stderr)
        self.assertIn(whole[:12], ordain("approvals", "list", "--db", str(self.db)).stdout)


class Watch(Case):
    """`eval --watch` is a conversation: an event, its answer, a change on disk, the next event."""

    def setUp(self):
        super().setUp()
        self.policy = self.write("p.policy", self.text("one"))
        command = [BIN / "ordain", "eval", "--policies", self.policy, "--events", "-", "--json", "--watch"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    @staticmethod
    def text(rule):
        return f"policy p on before pay {{ deny {rule} when true; }}\n"

    def decide(self):
        self.process.stdin.write('{"capability": "pay"}\n')
        return json.loads(self.process.stdout.readline())

    def wait_for(self, text):
        seen = ""
        while text not in seen:
            line = self.process.stderr.readline()
            self.assertNotEqual(line, "", seen)
            seen += line
        return seen

    def test_policies_change_between_events(self):
        self.assertEqual(self.decide()["rule"], "p.one")
        self.write("p.policy", self.text("two"))
        self.wait_for("ordain: reloaded")
        self.assertEqual(self.decide()["rule"], "p.two")
        self.write("p.policy", "policy p on before pay { deny three when 1 +; }\n")
        told = self.wait_for("not reloaded")
        self.assertIn("p.policy:1:", told)
        self.assertIn("^", told)
        self.assertEqual(self.decide()["rule"], "p.two")
        self.write("p.next", self.text("four"))
        os.replace(self.path / "p.next", self.path / "p.policy")
        self.wait_for("ordain: reloaded")
        self.assertEqual(self.decide()["rule"], "p.four")
        self.process.stdin.close()
        self.process.stdin = None
        self.assertEqual(self.process.wait(timeout=30), 0)
        self.assertIn("4 decided", self.process.stderr.read())


if __name__ == "__main__":
    unittest.main()
