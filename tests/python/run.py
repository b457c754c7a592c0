"""Builds the Python package from the shared libraries of a build tree, installs it into a fresh virtual environment, and
runs its tests there. Exit code 77 means that it was skipped.

Usage: run.py SOURCE_DIRECTORY BUILD_DIRECTORY
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

SKIPPED = 77


def has_pytest(python):
    """Installs pytest into the virtual environment, if it is within reach."""
    try:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout",
                   "5", "pytest"]
        return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main():
    source, build = map(pathlib.Path, sys.argv[1:])
    if importlib.util.find_spec("ensurepip") is None:
        print("skipped: this Python makes no virtual environments (Debian: python3-venv)")
        return SKIPPED
    made = subprocess.run([source / "scripts/build-wheel", build], check=False)
    if made.returncode != 0:
        return made.returncode
    if not has_pytest(build / "venv/bin/python"):
        print("pytest is out of reach, so the test of its fixture is skipped")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ORDAIN_LIBRARY")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run([build / "venv/bin/python", "-W", "error", "-m", "unittest", "discover", "-s",
                           source / "tests/python", "-p", "*_test.py"], cwd=build, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
