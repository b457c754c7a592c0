"""These tests run `ordain hook install` on temporary homes: what it writes, what it leaves alone, and that
the command it writes denies when the hook cannot run."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"]).resolve()
FILES = {"claude": ".claude/settings.json", "codex": ".codex/hooks.json", "gemini": ".gemini/settings.json"}
EVENTS = {"claude": ["PreToolUse", "PostToolUse", "PostToolUseFailure"], "codex": ["PreToolUse", "PostToolUse"],
          "gemini": ["BeforeTool", "AfterTool"]}
SOCKET = "/run/user/1/ordain.sock"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name) / "home"
        self.project = pathlib.Path(folder.name) / "project"
        self.home.mkdir()
        self.project.mkdir()

    def install(self, *arguments, socket=SOCKET, program=BIN / "ordain", **environment):
        options = ["--socket", socket] if socket else []
        return subprocess.run([program, "hook", "install", *arguments, *options], capture_output=True, text=True, timeout=60,
                              cwd=self.project, env={"PATH": os.environ["PATH"], "HOME": str(self.home), **environment})

    def installed(self, *arguments, **kwargs):
        run = self.install(*arguments, **kwargs)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout

    def settings(self, client, root=None):
        return json.loads(((root or self.home) / FILES[client]).read_text())

    def write(self, client, text):
        path = self.home / FILES[client]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def everything(self):
        return {str(path.relative_to(self.home)): path.read_bytes() for path in self.home.rglob("*") if path.is_file()}


class Install(Case):
    def test_new_settings(self):
        for client, file in FILES.items():
            self.installed(client)
            settings = self.settings(client)
            self.assertEqual(list(settings), ["hooks"])
            self.assertEqual(list(settings["hooks"]), EVENTS[client])
            for groups in settings["hooks"].values():
                (group,) = groups
                (hook,) = group["hooks"]
                self.assertEqual(hook["type"], "command")
                self.assertTrue(hook["command"].endswith(f"' '{BIN / 'ordain-hook'}' {client} --socket '{SOCKET}'"))
                self.assertEqual(hook["timeout"], 30000 if client == "gemini" else 30)
                self.assertEqual(hook.get("onFailure"), "block" if client == "claude" else None)
                self.assertEqual(group.get("matcher"), {"claude": "*", "codex": None, "gemini": ".*"}[client])
            self.assertEqual(stat.S_IMODE((self.home / file).stat().st_mode), 0o600)

    def test_it_is_idempotent(self):
        for client in FILES:
            self.installed(client)
            before = self.everything()
            self.assertIn("already", self.installed(client))
            self.assertEqual(self.everything(), before)

    def test_what_was_there_stays(self):
        other = {"type": "command", "command": "other.sh"}
        for client, file in FILES.items():
            event = EVENTS[client][0]
            old = {"zeta": 1, "model": "m", "hooks": {"Stop": [{"hooks": [other]}], event: [{"matcher": "X", "hooks": [other]}]},
                   "alpha": [1.5, None, True, "\u00e4\n", {}, []]}
            text = json.dumps(old, indent=7)
            path = self.write(client, text)
            path.chmod(0o640)
            self.installed(client)
            new = self.settings(client)
            self.assertEqual(list(new), list(old))
            self.assertEqual({key: new[key] for key in ("zeta", "model", "alpha")}, {key: old[key] for key in ("zeta", "model", "alpha")})
            self.assertEqual(new["hooks"]["Stop"], old["hooks"]["Stop"])
            self.assertEqual(new["hooks"][event][:1], old["hooks"][event])
            self.assertEqual(len(new["hooks"][event]), 2)
            self.assertEqual(pathlib.Path(str(path) + ".before-ordain").read_text(), text)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o640)
            self.assertIn("already", self.installed(client))
            self.assertEqual(sorted(each.name for each in path.parent.iterdir()), sorted([path.name, path.name + ".before-ordain"]))

    def test_an_earlier_installation_is_replaced(self):
        for client in FILES:
            self.installed(client, socket="/old.sock")
            self.installed(client)
            text = (self.home / FILES[client]).read_text()
            self.assertNotIn("/old.sock", text)
            self.assertEqual(text.count("--socket"), len(EVENTS[client]))
            self.assertTrue((self.home / (FILES[client] + ".before-ordain")).exists())
            self.installed(client, socket="/third.sock")
            self.assertTrue((self.home / (FILES[client] + ".before-ordain-2")).exists())

    def test_our_hook_beside_others_in_one_group(self):
        other = {"type": "command", "command": "other.sh"}
        ours = {"type": "command", "command": "/old/ordain-hook claude"}
        self.write("claude", json.dumps({"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [ours, other]}]}}))
        self.installed("claude")
        first, second = self.settings("claude")["hooks"]["PreToolUse"]
        self.assertEqual(first, {"matcher": "Bash", "hooks": [other]})
        self.assertIn(SOCKET, second["hooks"][0]["command"])

    def test_dry_run_writes_nothing(self):
        for client in FILES:
            shown = self.installed(client, "--dry-run")
            self.assertEqual(list(json.loads(shown)["hooks"]), EVENTS[client])
            self.assertEqual(self.everything(), {})

    def test_project_and_directories_of_the_environment(self):
        for client in FILES:
            self.installed(client, "--project")
            self.assertEqual(list(self.settings(client, self.project)["hooks"]), EVENTS[client])
        self.assertEqual(self.everything(), {})
        self.installed("codex", CODEX_HOME=str(self.home / "codex"))
        self.installed("claude", CLAUDE_CONFIG_DIR=str(self.home / "claude"))
        self.assertEqual(sorted(self.everything()), ["claude/settings.json", "codex/hooks.json"])

    def test_settings_that_cannot_be_kept_are_refused(self):
        for client in FILES:
            for text in ('{\n  // a comment\n  "a": 1\n}', '{"a": 1,}', "[]", "null", '{"hooks": []}', '{"a": 1, "a": 2}',
                         json.dumps({"hooks": {EVENTS[client][0]: {}}}), "\xff"):
                with self.subTest(client=client, text=text):
                    path = self.write(client, text)
                    before = self.everything()
                    run = self.install(client)
                    self.assertEqual((run.returncode, run.stdout), (2, ""))
                    self.assertIn(FILES[client], run.stderr)
                    self.assertEqual(self.everything(), before)
                    path.unlink()
        self.write("claude", "// x\n{}")
        self.assertIn("Comments", self.install("claude").stderr)

    def test_a_link_to_the_settings_stays_a_link(self):
        real = self.home / "dotfiles.json"
        real.write_text("{}")
        path = self.home / FILES["claude"]
        path.parent.mkdir()
        path.symlink_to(real)
        self.installed("claude")
        self.assertTrue(path.is_symlink())
        self.assertEqual(list(json.loads(real.read_text())["hooks"]), EVENTS["claude"])

    def test_hooks_that_are_switched_off_are_reported(self):
        self.write("claude", '{"disableAllHooks": true}')
        self.assertIn("disableAllHooks", self.install("claude").stderr)

    def test_wrong_usage(self):
        for arguments in ([], ["cursor"], ["claude", "--user", "--project"], ["claude", "--owner", "no such user"]):
            run = self.install(*arguments)
            self.assertEqual(run.returncode, 2, arguments)
            self.assertIn("ordain:", run.stderr)
        self.assertIn("--socket", self.install("claude", socket=None).stderr)
        self.assertIn("absolute", self.install("claude", socket="relative.sock").stderr)
        self.assertIn("HOME", self.install("claude", HOME="").stderr)
        self.assertEqual(self.everything(), {})
        self.installed("claude", socket=None, XDG_RUNTIME_DIR="/run/user/7")
        self.assertIn("'/run/user/7/ordain.sock'", json.dumps(self.settings("claude")))

    def test_owners_are_numbers(self):
        self.installed("claude", "--owner", "root")
        self.assertIn(' --owner 0"', json.dumps(self.settings("claude")))


class Command(Case):
    """The command that is written, as the clients' shells run it."""

    SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish") if shutil.which(shell)]

    def command(self, **kwargs):
        self.installed("codex", **kwargs)
        return self.settings("codex")["hooks"]["PreToolUse"][0]["hooks"][0]["command"]

    def run_in(self, shell, command):
        call = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}}
        return subprocess.run([shell, "-c", command], input=json.dumps(call), capture_output=True, text=True, timeout=60,
                              cwd=self.project)

    def test_it_denies_without_a_daemon(self):
        command = self.command(socket=str(self.home / "it's a $HOME \"socket\""))
        for shell in self.SHELLS:
            run = self.run_in(shell, command)
            self.assertEqual((run.returncode, run.stderr), (0, ""), shell)
            self.assertIn("it's a $HOME", json.loads(run.stdout)["hookSpecificOutput"]["permissionDecisionReason"])

    def test_a_program_that_is_gone_or_crashes_is_a_denial(self):
        copies = self.home / "bin"
        copies.mkdir()
        for name in ("ordain", "ordain-hook"):
            shutil.copy(BIN / name, copies / name)
        command = self.command(program=copies / "ordain")
        crash = copies / "ordain-hook"
        for text in (None, "#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexit 1\n", "#!/bin/sh\nkill -KILL $$\n"):
            crash.unlink()
            if text is not None:
                crash.write_text(text)
                crash.chmod(0o755)
            for shell in self.SHELLS:
                with self.subTest(shell=shell, text=text):
                    run = self.run_in(shell, command)
                    self.assertEqual((run.returncode, run.stdout), (2, ""))
                    self.assertIn("denied", run.stderr)
            crash.touch()

    def test_ordain_denies_without_its_neighbour(self):
        copy = self.home / "ordain"
        shutil.copy(BIN / "ordain", copy)
        run = subprocess.run([copy, "hook", "codex"], input="{}", capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stdout), (2, ""))
        self.assertIn("denied", run.stderr)
        run = self.install("codex", program=copy)
        self.assertEqual(run.returncode, 2)
        self.assertIn("ordain-hook", run.stderr)


if __name__ == "__main__":
    unittest.main()
