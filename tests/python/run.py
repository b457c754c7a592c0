"""Builds the Python package from the shared libraries of a build tree, installs it into a fresh virtual environment, and
runs its tests there. Exit code 77 means that it was skipped.

Usage: run.py SOURCE_DIRECTORY BUILD_DIRECTORY
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import time

SKIPPED = 77

# Each is installed by itself: together they make pip search for long for versions that suit all.
FRAMEWORKS = (("langchain", "langgraph-checkpoint-sqlite"), ("openai-agents",), ("fastmcp",))
SECONDS = 300  # for all frameworks


def install(python, *packages, seconds=30):
    """Installs packages into the virtual environment, if they are within reach."""
    try:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout",
                   "5", *packages]
        return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def install_frameworks(python):
    """Installs the agent frameworks that the adapters are for, if that is wished: they are hundreds of megabytes, and
    pip may take minutes. The tests of those that are out of reach are skipped."""
    if os.environ.get("ORDAIN_TEST_FRAMEWORKS") != "1":
        print("the tests of the adapters for agent frameworks are skipped; ORDAIN_TEST_FRAMEWORKS=1 installs the frameworks")
        return
    end = time.monotonic() + SECONDS
    for packages in FRAMEWORKS:
        left = end - time.monotonic()
        if left <= 0 or not install(python, *packages, seconds=left):
            print(f"{packages[0]} is out of reach, so the tests of its adapter are skipped")


def main():
    source, build = map(pathlib.Path, sys.argv[1:])
    if importlib.util.find_spec("ensurepip") is None:
        print("skipped: this Python makes no virtual environments (Debian: python3-venv)")
        return SKIPPED
    made = subprocess.run([source / "scripts/build-wheel", build], check=False)
    if made.returncode != 0:
        return made.returncode
    if install(build / "venv/bin/python", "pytest"):
        install_frameworks(build / "venv/bin/python")
    else:
        print("pytest is out of reach, so the tests of its fixture and of the adapters for frameworks are skipped")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "ORDAIN_LIBRARY")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run([build / "venv/bin/python", "-W", "error", "-m", "unittest", "discover", "-s",
                           source / "tests/python", "-p", "*_test.py"], cwd=build, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
