"""These tests run `ordain new`: the project that it begins passes every check, and nothing is overwritten."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])


def ordain(*args, cwd):
    return subprocess.run([BIN / "ordain", *args], capture_output=True, text=True, timeout=120, cwd=cwd)


class New(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def test_the_project_passes_every_check(self):
        run = ordain("new", "project", cwd=self.path)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        project = self.path / "project"
        for line in run.stdout.splitlines():
            if line.startswith("project"):
                self.assertTrue((self.path / line).is_file(), line)
        for command in (["check", "--strict"], ["fmt", "--check"], ["lint"], ["test"]):
            with self.subTest(command):
                run = ordain(*command, "policies", "tests", cwd=project)
                self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)

    def test_the_workflow_runs_commands_that_pass(self):
        self.assertEqual(ordain("new", "project", cwd=self.path).returncode, 0)
        project = self.path / "project"
        commands = re.findall(r"- run: ordain (.*)", (project / ".github/workflows/policies.yml").read_text(encoding="utf-8"))
        self.assertEqual(len(commands), 4)
        for command in commands:
            self.assertEqual(ordain(*command.split(), cwd=project).returncode, 0, command)

    def test_the_events_show_every_effect(self):
        self.assertEqual(ordain("new", "project", cwd=self.path).returncode, 0)
        run = ordain("eval", "--policies", "policies", "--events", "events/calls.jsonl", "--json", cwd=self.path / "project")
        self.assertEqual(run.returncode, 0, run.stderr)
        effects = [json.loads(line)["effect"] for line in run.stdout.splitlines()]
        self.assertEqual(effects, ["allow", "deny", "allow", "require_approval", "deny", "deny"])

    def test_nothing_is_overwritten(self):
        full = self.path / "full"
        full.mkdir()
        (full / "notes").write_text("mine", encoding="utf-8")
        for name in ("full", "full/notes"):
            run = ordain("new", name, cwd=self.path)
            self.assertEqual((run.returncode, run.stdout), (2, ""))
            self.assertIn("is not an empty directory", run.stderr)
        self.assertEqual([each.name for each in full.iterdir()], ["notes"])
        (self.path / "link").symlink_to(self.path / "nowhere")
        self.assertEqual(ordain("new", "link", cwd=self.path).returncode, 2)
        (self.path / "empty").mkdir()
        self.assertEqual(ordain("new", "empty", cwd=self.path).returncode, 0)
        self.assertEqual(ordain("new", "empty", cwd=self.path).returncode, 2)

    def test_wrong_usage(self):
        self.assertEqual(ordain("new", cwd=self.path).returncode, 2)


if __name__ == "__main__":
    unittest.main()
