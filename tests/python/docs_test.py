"""Runs the examples of docs/python.md, as one program, with the policies that the page shows."""

import contextlib
import io
import os
import pathlib
import re
import tempfile
import unittest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/python.md"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


class Examples(unittest.TestCase):
    def test_they_run(self):
        policies, = blocks("policy")
        examples = blocks("python")
        self.assertGreater(len(examples), 6)
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as directory:
            os.chdir(directory)
            self.addCleanup(os.chdir, before)
            pathlib.Path("policies").mkdir()
            pathlib.Path("policies/support.policy").write_text(policies, encoding="utf-8")
            names, printed = {}, io.StringIO()
            try:
                with contextlib.redirect_stdout(printed):
                    for number, example in enumerate(examples, 1):
                        exec(compile(example, f"docs/python.md, example {number}", "exec"), names)
            finally:
                if "runtime" in names:
                    names["runtime"].close()
                os.chdir(before)
            self.assertIn("released", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
