"""Tests the package for Node that the build has made in BUILD_DIRECTORY/node/node_modules/ordain: its tests by Node's own
runner, its types by the compiler of TypeScript, its example with the SDK of MCP, and the archive that npm makes of it.
What needs npm's registry is skipped where that is out of reach, and the output says so. Exit code 77 means that all of it
was skipped.

Usage: run.py SOURCE_DIRECTORY BUILD_DIRECTORY NODE
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

SKIPPED = 77
TOOLS = {"typescript": "7.0.2", "@types/node": "18.19.130"}


def fetch_packages(folder, packages):
    """Installs packages below the folder, if they are within reach."""
    wanted = json.dumps({"private": True, "dependencies": packages})
    manifest = folder / "package.json"
    if (folder / "node_modules").exists() and manifest.exists() and manifest.read_text(encoding="utf-8") == wanted:
        return True
    if shutil.which("npm") is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    manifest.write_text(wanted, encoding="utf-8")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--fetch-retries=1",
               "--fetch-timeout=20000"]
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180,
                              check=False).returncode == 0
    except subprocess.TimeoutExpired:
        done = False
    if not done:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
    return done


def run_tests(source, place, node, environment):
    """Node finds the package from a folder beside node_modules, and not from the source tree."""
    tests = place / "tests"
    shutil.rmtree(tests, ignore_errors=True)
    tests.mkdir(parents=True)
    for file in [*(source / "tests/node").glob("*.js"), source / "docs/node.md"]:
        shutil.copy(file, tests)
    files = sorted(str(file) for file in tests.glob("*.test.js"))
    return subprocess.run([node, "--test", *files], env=environment, check=False).returncode == 0


def check_types(source, place, node):
    tools = place / "tools"
    if not fetch_packages(tools, TOOLS):
        print("skipped: TypeScript is out of reach, so the types are not checked")
        return True
    types = tools / "types"
    shutil.rmtree(types, ignore_errors=True)
    shutil.copytree(source / "tests/node/types", types)
    done = subprocess.run([node, tools / "node_modules/typescript/bin/tsc", "-p", types], check=False)
    print("types: checked" if done.returncode == 0 else "types: FAILED")
    return done.returncode == 0


def run_example(source, place, node, environment):
    folder = place / "example"
    needs = json.loads((source / "examples/node/package.json").read_text(encoding="utf-8"))["dependencies"]
    if not fetch_packages(folder, {name: version for name, version in needs.items() if name != "ordain"}):
        print("skipped: the SDK of MCP is out of reach, so the example is not run")
        return True
    program = folder / "program"
    shutil.rmtree(program, ignore_errors=True)
    shutil.copytree(source / "examples/node", program)
    done = subprocess.run([node, program / "assistant.mjs"], env=environment, stdout=subprocess.PIPE, text=True, timeout=120,
                          check=False)
    good = done.returncode == 0 and done.stdout == (program / "expected.txt").read_text(encoding="utf-8")
    print("example: as expected" if good else f"example: FAILED, exit code {done.returncode}\n{done.stdout}")
    return good


def check_archive(source, build):
    """Whether npm packs what the package needs."""
    if shutil.which("npm") is None:
        print("skipped: there is no npm, so no archive is made")
        return True
    made = subprocess.run([source / "scripts/build-node-package", build], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        print("archive: FAILED")
        return False
    with tarfile.open(made.stdout.strip()) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
    wanted = {"package.json", "README.md", "index.js", "index.d.ts", "native/ordain.node"}
    wanted |= {f"lib/{file.name}" for file in (source / "bindings/node/lib").glob("*.js")}
    missing = sorted(wanted - names)
    engine = any(name.startswith("native/libordain.so.") for name in names)
    print("archive: whole" if engine and not missing else f"archive: FAILED, it lacks {missing or 'the engine'}")
    return engine and not missing


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    node = sys.argv[3]
    if not node:
        print("skipped: the build has no package for Node, because Node or its headers were not found")
        return SKIPPED
    environment = {name: value for name, value in os.environ.items() if name not in ("NODE_PATH", "NODE_OPTIONS")}
    place = build / "node"
    results = [run_tests(source, place, node, environment), check_types(source, place, node),
               run_example(source, place, node, environment), check_archive(source, build)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
