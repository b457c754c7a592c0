"""Holds what the documents refer to: source paths, links and their anchors, tests, and the rooms of
docs/architecture.md.

Usage: references_test.py ROOT
"""

import pathlib
import re
import sys

SOURCE = {".c", ".cc", ".def", ".g4", ".h", ".py"}
# Folders that only a build or a host makes.
MADE = ("build/",)


def documents(root):
    return [*sorted((root / "docs").glob("*.md")), root / "README.md", root / "CONTRIBUTING.md"]


def prose(text):
    """(line number, line) of everything that is not a code block."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    "):
            yield number, line


def is_source_path(code, tops):
    """Whether a code span names a file or folder of this tree."""
    if not re.fullmatch(r"[\w.*-]+(/[\w.*-]*)*", code) or ".." in code or code.startswith(MADE):
        return False
    if pathlib.PurePosixPath(code).suffix in SOURCE or re.fullmatch(r"\w+/", code):
        return True
    return "/" in code and code.split("/", 1)[0] in tops


def exists(root, path):
    if path.startswith("ordain/") or path == "ordain.h":  # a public header, as it is included
        return any(root.glob("*/include/" + path)) or any(root.glob("*/*/include/" + path))
    return any(root.glob(path.rstrip("/")))


def broken_paths(root):
    tops = {entry.name for entry in root.iterdir() if entry.is_dir()}
    seen = 0
    for document in documents(root):
        for number, line in prose(document.read_text(encoding="utf-8")):
            for code in re.findall(r"`([^`]+)`", line):
                code = code.removeprefix("<").removesuffix(">")
                if not is_source_path(code, tops):
                    continue
                seen += 1
                if not exists(root, code):
                    yield f"{document.relative_to(root)}:{number}: `{code}` does not exist"
    if seen < 30:
        yield f"only {seen} source paths found: is this still what documents look like?"


def broken_tests(root):
    """Tests that a document names as `Suite.Name`."""
    tests, suites = set(), set()
    for source in (root / "tests").rglob("*.cc"):
        for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", source.read_text(encoding="utf-8"), re.MULTILINE):
            tests.add(f"{suite}.{name}")
            suites.add(suite)
    seen = 0
    for document in documents(root):
        for number, line in prose(document.read_text(encoding="utf-8")):
            for suite, name in re.findall(r"`([A-Z]\w+)\.([A-Z]\w+)`", line):
                seen += suite in suites
                if suite in suites and f"{suite}.{name}" not in tests:
                    yield f"{document.relative_to(root)}:{number}: there is no test {suite}.{name}"
    if seen < 50:
        yield f"only {seen} tests found: is this still how documents name them?"


def anchors(text):
    """What GitHub makes of the headings."""
    for _, line in prose(text):
        if line.startswith("#"):
            heading = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            yield heading.replace(" ", "-")


def broken_links(root):
    for document in documents(root):
        for number, line in prose(document.read_text(encoding="utf-8")):
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                if "://" in target:
                    continue
                path, _, anchor = target.partition("#")
                file = (document.parent / path).resolve() if path else document
                if not file.exists():
                    yield f"{document.relative_to(root)}:{number}: {target} does not exist"
                elif anchor and anchor not in set(anchors(file.read_text(encoding="utf-8"))):
                    yield f"{document.relative_to(root)}:{number}: {target} has no such heading"


def drawn_rooms(text):
    """Room -> the rooms that the figure says it may include."""
    figure = re.search(r"\n## The rooms\n.*?\n```\n(.*?)\n```\n", text, re.DOTALL)
    rooms = {}
    for line in figure.group(1).splitlines() if figure else []:
        left, _, right = line.partition("->")
        if left.strip():
            name = left.split()[0]
            rooms[name] = set()
        rooms[name] |= set(right.split())
    return rooms


def wrong_rooms(root):
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "tests" / "layering"))
    from check_includes import ROOMS

    drawn = drawn_rooms((root / "docs" / "architecture.md").read_text(encoding="utf-8"))
    held = {room: set(arrows.split()) for room, arrows in ROOMS.items()}
    for room in sorted(held.keys() | drawn.keys()):
        if held.get(room) != drawn.get(room):
            yield f"docs/architecture.md: {room}: drawn {drawn.get(room)}, held {held.get(room)}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    found = [*broken_paths(root), *broken_links(root), *broken_tests(root), *wrong_rooms(root)]
    print("\n".join(found) if found else "all that the documents refer to exists")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
