"""Reads the code samples of other engines' published pages, which are not part of this project. Tests that run them are
skipped where the pages are absent."""

import ast
import asyncio
import inspect
import pathlib
import re
import unittest

PAGES = pathlib.Path(__file__).resolve().parents[3] / "shared/reference"


def read(name):
    """The text of a page; skips the test if it is absent."""
    page = PAGES / name
    if not page.exists():
        raise unittest.SkipTest(f"the page {name} is not beside the project")
    return page.read_text(encoding="utf-8")


def samples(text):
    """The paragraphs of a page that are Python programs, which prose and signatures are not. Imports may follow prose."""
    cut = [re.sub(r"\A.*?^(?=from \w+[.\w]* import )", "", paragraph, flags=re.MULTILINE | re.DOTALL)
           for paragraph in text.split("\n\n")]
    return [paragraph for paragraph in cut if _is_program(paragraph)]


def _is_program(paragraph):
    try:
        parsed = ast.parse(paragraph)
    except SyntaxError:
        return False
    return any(not (isinstance(one, ast.Expr) and isinstance(one.value, (ast.Name, ast.Constant))) for one in parsed.body)


def indented(lines):
    """Gives lines that lost their indentation a new one: a colon opens a block, and `return` or `raise` closes it."""
    depth, out = 0, []
    for line in lines:
        out.append("    " * depth + line)
        code = line.split("#")[0].strip()
        if code.endswith(":"):
            depth += 1
        elif code.split(" ")[0] in ("return", "raise"):
            depth -= 1
    return "\n".join(out)


def run(source, package, names):
    """Runs a sample whose imports name the compat module instead of `package`. It may await."""
    changed = source.replace(f"from {package}", f"from ordain.compat.{package}")
    code = compile(changed, "sample", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if inspect.iscoroutine(made):
        async def wait():
            await made

        asyncio.run(wait())
