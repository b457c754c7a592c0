"""Installs the engine that colours text in Visual Studio Code into the build tree, and runs grammar_test.mjs with it.
Exit code 77 means that it was skipped: there is no Node.js, or npm's registry is out of reach.

Usage: run.py SOURCE_DIRECTORY BUILD_DIRECTORY
"""

import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77


def install(folder, npm):
    """Installs what package.json names, once."""
    wanted = (folder / "package.json").read_text(encoding="utf-8")
    done = folder / "installed.json"
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return True
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--fetch-retries=1",
               "--fetch-timeout=10000"]
    try:
        run = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return False
    if run.returncode != 0:
        return False
    done.write_text(wanted, encoding="utf-8")
    return True


def main():
    source, build = map(pathlib.Path, sys.argv[1:])
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("skipped: there is no Node.js, or no npm")
        return SKIPPED
    build.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tests/editors/package.json", build / "package.json")
    if not install(build, npm):
        print("skipped: npm cannot install vscode-textmate and vscode-oniguruma")
        return SKIPPED
    return subprocess.run([node, source / "tests/editors/grammar_test.mjs", source], cwd=build, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
