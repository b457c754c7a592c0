"""These tests hold the policies that are there to be copied or imported, examples/cookbook and
stdlib/packs: each passes the strict check, its own tests with full coverage, the formatter and the
linter, and says what it is for.
"""

import json
import os
import pathlib
import re
import subprocess
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
COOKBOOK = sorted((ROOT / "examples" / "cookbook").glob("*.policy"))
PACKS = sorted((ROOT / "stdlib" / "packs").glob("*.policy"))  # lets, without rules
EXAMPLES = sorted((ROOT / "stdlib" / "packs" / "examples").glob("*.policy"))
TESTED = COOKBOOK + EXAMPLES


def ordain(*args):
    run = subprocess.run([BIN / "ordain", *map(str, args)], capture_output=True, text=True, timeout=120)
    return run.returncode, run.stdout + run.stderr


class EveryPolicy(unittest.TestCase):
    def succeeds(self, paths, *args):
        for path in paths:
            with self.subTest(path=path.name):
                code, text = ordain(*args, path)
                self.assertEqual(code, 0, text)

    def test_passes_the_strict_check(self):
        self.succeeds(TESTED + PACKS, "check", "--strict")

    def test_is_formatted(self):
        self.succeeds(TESTED + PACKS, "fmt", "--check")

    def test_is_free_of_findings(self):
        self.succeeds(TESTED + PACKS, "lint")

    def test_passes_its_own_tests(self):
        self.succeeds(TESTED, "test", "--coverage", "--fail-under", "100")

    def test_the_cookbook_is_one_set(self):
        self.succeeds([ROOT / "examples" / "cookbook"], "test")

    def test_holds_attacks_and_ordinary_calls(self):
        for path in TESTED:
            with self.subTest(path=path.name):
                code, text = ordain("test", "--json", path)
                self.assertEqual(code, 0, text)
                tests = [json.loads(line) for line in text.splitlines()]
                effects = [e["effect"] for t in tests if "test" in t for e in t["expectations"]]
                refused = {"deny", "require_approval", "redact"} & set(effects)
                passed = {"allow", "default", "warn"} & set(effects)
                self.assertTrue(refused, effects)
                # The two-person rule lets nothing run without people.
                self.assertTrue(passed or path.stem == "two_person_rule", effects)

    def test_begins_with_what_it_is_for(self):
        for path in TESTED + PACKS:
            with self.subTest(path=path.name):
                head = path.read_text(encoding="utf-8").split("\npackage ")[0]
                lines = head.splitlines()
                self.assertGreaterEqual(len(lines), 4)
                self.assertTrue(all(line.startswith("//") and len(line) <= 100 for line in lines), head)
                if path in COOKBOOK:
                    self.assertIn("\n// To adapt it: ", head)


class Cookbook(unittest.TestCase):
    def test_the_index_names_every_policy_once(self):
        index = (ROOT / "examples" / "cookbook" / "README.md").read_text(encoding="utf-8")
        linked = re.findall(r"\]\((\w+\.policy)\)", index)
        self.assertEqual(sorted(linked), [path.name for path in COOKBOOK])
        self.assertEqual(len(COOKBOOK), 25)

    def test_every_refusal_gives_a_reason(self):
        for path in COOKBOOK:
            text = path.read_text(encoding="utf-8")
            text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
            policies = re.findall(r"^policy .*?^}", text, re.MULTILINE | re.DOTALL)
            for rule in re.findall(r"^  (?:deny|require_approval) .*?;", "\n".join(policies), re.MULTILINE | re.DOTALL):
                with self.subTest(path=path.name):
                    self.assertIn("because", rule)


class Packs(unittest.TestCase):
    def test_each_has_an_example_and_a_place_on_the_page(self):
        page = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
        self.assertEqual([path.name for path in PACKS], [path.name for path in EXAMPLES])
        self.assertGreaterEqual(len(PACKS), 7)
        for path in PACKS:
            self.assertIn(f"`packs.{path.stem}`", page)

    def test_the_page_names_every_let_that_rules_use(self):
        """What an example uses of a pack is what its readers look for."""
        page = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
        for path in EXAMPLES:
            rules = path.read_text(encoding="utf-8").split("\npolicy ", 1)[1]
            used = set(re.findall(r"\bpacks\.\w+\.(\w+)", rules))
            self.assertTrue(used)
            for name in used:
                with self.subTest(path=path.name, name=name):
                    self.assertIn(f"`{name}`", page)

    def test_there_are_thirty_patterns_of_secrets_and_personal_data(self):
        patterns = []
        for name in ("secrets", "pii"):
            text = (ROOT / "stdlib" / "packs" / f"{name}.policy").read_text(encoding="utf-8")
            found = re.findall(r'^let (\w+) =\s+r"', text, re.MULTILINE)
            listed = re.search(r"^let any = \[(.*?)\]", text, re.MULTILINE | re.DOTALL).group(1)
            self.assertEqual(sorted(re.findall(r"\w+", listed)), sorted(found))
            patterns += found
        self.assertEqual(len(patterns), 30)


if __name__ == "__main__":
    unittest.main()
