"""Runs stories by `ordain test`, and finds the data that is not part of the project."""

import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "history"


def program():
    return pathlib.Path(os.environ.get("ORDAIN_BIN", ROOT / "build" / "release" / "bin")) / "ordain"


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def run_stories(text):
    """Runs the tests of a policy text. @returns {name of the test: [effect of each expectation's decision]}"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "story.policy"
        path.write_text(text, encoding="utf-8")
        run = subprocess.run([program(), "test", "--json", str(path)], capture_output=True, text=True, timeout=300,
                             encoding="utf-8")
    if run.returncode not in (0, 1):
        raise RuntimeError(run.stderr)
    out = {}
    for line in run.stdout.splitlines():
        test = json.loads(line)
        out[test["test"]] = [effect_of(expectation) for expectation in test["expectations"]]
    return out


def effect_of(expectation):
    return expectation["effect"] if expectation["outcome"] == "pass" else "not " + expectation["effect"]
