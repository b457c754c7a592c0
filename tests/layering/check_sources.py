#!/usr/bin/env python3
"""Checks that a build compiles every source file. CMake lists sources by name, so a file that nobody
listed would not be built, and a test in it would not run.

Usage: check_sources.py ROOT BUILD [OPTIONAL...], where OPTIONAL are patterns of files that this
build leaves out.
"""

import fnmatch
import json
import pathlib
import re
import sys

# Projects of their own, built trees, and the alternatives of which each build has one.
ELSEWHERE = ["build/*", "bench/peers/*", "examples/embed/*", "embed/code_generator_*.cc"]


def main(root, build, *optional):
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    compiled = {pathlib.Path(command["file"]) for command in commands}
    for batch in [path for path in compiled if path.parent.name == "Unity"]:  # a file that includes sources
        compiled |= {pathlib.Path(name) for name in re.findall(r'^#include "(.+)"', batch.read_text(encoding="utf-8"), re.M)}
    sources = [path for path in sorted(root.rglob("*.cc"))
               if not any(fnmatch.fnmatch(str(path.relative_to(root)), pattern) for pattern in [*ELSEWHERE, *optional])]
    missing = [path for path in sources if path not in compiled]
    for path in missing:
        print(f"{path.relative_to(root)}: no CMakeLists.txt lists it")
    if not missing:
        print(f"the build compiles each of {len(sources)} source files")
    return 1 if missing or not sources else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), *sys.argv[3:]))
