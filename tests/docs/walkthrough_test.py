"""Does what a page of the documents says: writes its files, runs its commands, and compares what they print.

Usage: walkthrough_test.py PAGE BIN LEAST

A block becomes the file that the paragraph before it names in bold, if it does; lines of a console that begin with `$` are
run, and what follows them is what they must print. There must be LEAST commands. The program of docs/tutorial.md is
BIN/tutorial_example, whose text docs_test.cc compares with the page.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

FILES = {"policy", "story", "json", "yaml"}
ID = re.compile(r"\b[0-9a-f]{12}\b")


def blocks(text):
    """(line number, language, name of the file, lines) of each block."""
    out, language, name = [], None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if language is None:
                language = line[3:]
                out.append((number, language, name, []))
            else:
                language, name = None, ""
        elif language is not None:
            out[-1][3].append(line)
        elif found := re.findall(r"\*\*(\S+\.\w+)\*\*", line):
            name = found[-1]
    return out


def commands(lines):
    """(command, what it prints) of a console."""
    out = []
    for line in lines:
        if line.startswith("$ "):
            out.append((line[2:], []))
        else:
            out[-1][1].append(line)
    return out


def comparable(lines):
    """What is the same in every run: without times, ids, figures and the blanks at the ends of lines."""
    text = "\n".join(line.rstrip() for line in lines)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{12,}\b", "ID", text)
    text = re.sub(r"\d+ (decisions/s|ns\b)", r"N \1", text)
    # On a terminal the answer ends the line of the question.
    return text.replace("[y/N] y\n", "[y/N] ")


class Reader:
    """Somebody who follows the page in an empty folder."""

    def __init__(self, folder, bin_folder):
        self.folder = pathlib.Path(folder)
        self.program = bin_folder / "tutorial_example"
        self.approval = ""
        self.environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "NO_COLOR": "1"}

    def write(self, name, lines):
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run(self, command):
        """What the command prints, and how it exits."""
        if command.startswith("cd "):
            self.folder /= command[3:]
            return [], 0
        command = ID.sub(self.approval, command).replace("./mailer", str(self.program))
        done = subprocess.run(["sh", "-c", command], input="y\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, cwd=self.folder, env=self.environment)
        if found := ID.search(done.stdout):
            self.approval = found.group()
        return done.stdout.splitlines(), done.returncode


def follow(text, reader):
    """The differences between the page and what happens. The second value is how many commands ran."""
    wrong, ran = [], 0
    for number, language, name, lines in blocks(text):
        if language in FILES and name:
            reader.write(name, lines)
        elif language == "console":
            for command, expected in commands(lines):
                printed, code = reader.run(command)
                ran += 1
                fails = any(re.match(r"FAIL|\d+ errors?,|[1-9]\d* findings?$", line) for line in expected)
                if code != (1 if fails else 0):
                    wrong.append(f"line {number}: `{command}` exits with {code}")
                if comparable(printed) != comparable(expected):
                    wrong.append("\n".join([f"line {number}: `{command}` prints", *printed]))
    return wrong, ran


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        wrong, ran = follow(text, Reader(folder, pathlib.Path(sys.argv[2]).resolve()))
    if ran < int(sys.argv[3]):
        wrong.append(f"only {ran} commands found: is this still what the page looks like?")
    print("\n".join(wrong) if wrong else f"{ran} commands print what the page shows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
