"""Runs the inputs that once failed in the hands of others, and compares with what is right.

The inputs are not part of the project. They are looked for in the folder `../shared/cases` beside it;
where that is absent, every test is skipped and says so. Each of their folders has a policy, events
and `expect.txt`, whose lines read `event N: EFFECT [by RULE]`, `deny(CODE)`, `^REGEX` or `?`.
"""

import json
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = ROOT.parent / "shared" / "cases"
ORDAIN = pathlib.Path(os.environ.get("ORDAIN_BIN", ROOT / "build/release/bin")) / "ordain"


def ordain(*args):
    return subprocess.run([ORDAIN, *map(str, args)], capture_output=True, text=True, timeout=120)


def answers(folder):
    """Line number of the event -> its answer, or the text of the error."""
    run = ordain("eval", "--policies", folder / "policy.policy", "--events", folder / "events.jsonl", "--json")
    found = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        found[answer["event"]] = answer
    for line in run.stderr.splitlines():
        at = re.search(r":(\d+):", line)
        if at and int(at.group(1)) not in found:
            found[int(at.group(1))] = "error " + line
    return found, run


def fits(expected, answer):
    if expected == "?":
        return True
    if answer is None:
        return False
    if isinstance(answer, str):
        return expected.startswith("^") and re.search(expected, answer) is not None
    by = f" by {answer['rule']}" if answer.get("rule") else ""
    shown = [answer["effect"], answer["effect"] + by, f"{answer['effect']}({answer['code']})"]
    return any(re.search(expected, text) for text in shown) if expected.startswith("^") else expected in shown


@unittest.skipUnless(CASES.is_dir(), f"{CASES} is not here")
class Trials(unittest.TestCase):
    def test_events_are_answered_rightly(self):
        checked = 0
        for expectations in sorted(CASES.glob("*/expect.txt")):
            folder = expectations.parent
            rows = re.findall(r"^event (\d+): (.*)$", expectations.read_text(), re.M)
            if not rows:
                continue
            check = ordain("check", folder / "policy.policy")
            if "error[unguarded-optional]" in check.stderr:  # then no event of the case is decided
                checked += 1
                continue
            found, run = answers(folder)
            for number, expected in rows:
                with self.subTest(case=folder.name, event=number):
                    answer = found.get(int(number))
                    self.assertTrue(fits(expected.strip(), answer), f"expected {expected}, got {answer}\n{run.stderr}")
                checked += 1
        self.assertGreater(checked, 0)

    def test_guards_that_are_right_compile(self):
        folder = CASES / "50-optional-guards"
        rows = re.findall(r"^([01])  (.*)$", (folder / "expect.txt").read_text(), re.M)
        for number, (must_compile, condition) in enumerate(rows):
            with self.subTest(condition=condition):
                run = ordain("check", folder / f"g{number:02}.policy")
                if must_compile == "1":
                    self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertGreater(len(rows), 0)

    def test_programs_that_crashed_do_no_harm(self):
        programs = sorted((CASES / "programs").glob("*.bin"))
        self.assertGreater(len(programs), 0)
        for program in programs:
            with self.subTest(program=program.name):
                run = subprocess.run([ORDAIN.parent / "program_replay", program], capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
