"""Imports of agent frameworks, which are not part of the package. Their tests are skipped where they are absent."""

import importlib
import importlib.util
import pathlib
import unittest
import warnings

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples/python"


def need(*modules):
    """Imports modules, and skips the tests of the file that calls this if one is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the frameworks' own
            return [importlib.import_module(name) for name in modules]
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] not in {name.split(".")[0] for name in modules}:
            raise
        raise unittest.SkipTest(f"{error.name} is not installed") from error


class Lenient(unittest.TestCase):
    """A test in which warnings of a framework are not errors."""

    def run(self, result=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return super().run(result)


def example(name):
    """One of the programs in examples/python, as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
