"""The fixture for pytest. Skipped where pytest is not installed; run.py installs it if it can."""

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

from support import POLICIES


@unittest.skipIf(importlib.util.find_spec("pytest") is None, "pytest is not installed")
class Fixture(unittest.TestCase):
    def test_runtimes_are_opened_and_closed(self):
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "shop.policy").write_text(POLICIES, encoding="utf-8")
            (pathlib.Path(directory) / "test_shop.py").write_text(textwrap.dedent("""
                import ordain, pytest
                from ordain.testing import denied

                pytest_plugins = ["ordain.testing"]
                opened = []

                def test_strangers_get_nothing(ordain_runtime):
                    runtime = ordain_runtime("shop.policy", agent="support")
                    opened.append(runtime)
                    with denied():
                        runtime.capability("mine")(lambda: None)()

                def test_it_was_closed():
                    with pytest.raises(ordain.ClosedError):
                        opened[0].flush()
            """), encoding="utf-8")
            done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop.py"],
                                  cwd=directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("2 passed", done.stdout)


if __name__ == "__main__":
    unittest.main()
