"""Compares what editors colour and complete with the words of the language: those that the parser takes for the
beginning of a statement must be known to the grammar for Visual Studio Code, to Vim's, and to the language server.
"""

import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def openers(block):
    """The words that open statements in a block, as compiler/parse/file.cc lists them."""
    grammar = dict(re.findall(r"^(K_\w+) : '(\w+)' ;", (ROOT / "grammar/Ordain.g4").read_text(encoding="utf-8"), re.MULTILINE))
    source = (ROOT / "compiler/parse/file.cc").read_text(encoding="utf-8")
    words = re.search(r"const Block " + block + r"\{\s*\{(.*?)\}", source, re.DOTALL).group(1)
    return [grammar[name] for name in re.findall(r"P::(K_\w+)", words)]


class Words(unittest.TestCase):
    BLOCKS = {"kFile": 12, "kPolicy": 9, "kCapability": 10, "kTest": 8}

    def words(self):
        for block, least in self.BLOCKS.items():
            found = openers(block)
            self.assertGreaterEqual(len(found), least, block)
            yield from found

    def missing(self, *files):
        text = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
        return [word for word in self.words() if not re.search(r"(?<!\w)" + word + r"(?!\w)", text)]

    def test_editors_know_every_word(self):
        self.assertEqual(self.missing("editors/vscode/syntaxes/ordain.tmLanguage.json"), [])
        self.assertEqual(self.missing("editors/vim/syntax/ordain.vim"), [])
        self.assertEqual(self.missing("lsp/completion.cc"), [])
        self.assertEqual(self.missing("lsp/place.cc", "lsp/semantic_tokens.cc"), [])

    def test_the_grammar_has_patterns_that_compile(self):
        """Python's expressions are near enough to Oniguruma's for what the grammar uses."""
        def patterns(value):
            if isinstance(value, dict):
                yield from (value[key] for key in ("match", "begin", "end") if key in value)
            for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
                yield from patterns(part)

        grammar = json.loads((ROOT / "editors/vscode/syntaxes/ordain.tmLanguage.json").read_text(encoding="utf-8"))
        found = list(patterns(grammar))
        self.assertGreater(len(found), 20)
        for pattern in found:
            re.compile(pattern)
        included = set(re.findall(r'"#(\w+)"', json.dumps(grammar)))
        self.assertEqual(included, set(grammar["repository"]))

    def test_the_extension_names_files_that_exist(self):
        folder = ROOT / "editors/vscode"
        package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        contributes = package["contributes"]
        named = [package["main"], *(each["configuration"] for each in contributes["languages"]),
                 *(each["path"] for kind in ("grammars", "snippets") for each in contributes[kind])]
        for name in named:
            self.assertTrue((folder / name).is_file(), name)


if __name__ == "__main__":
    unittest.main()
