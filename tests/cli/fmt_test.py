"""These tests run `ordain fmt` on files, directories and standard input."""

import difflib
import os
import pathlib
import stat
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ["ORDAIN_BIN"])

UGLY = "policy p   on before pay { deny a when x; // why\nallow;}"
NICE = "policy p on before pay {\n  deny a when x;  // why\n  allow;\n}\n"
BROKEN = "policy p on before {\n  deny;\n}\n"


def fmt(*args, stdin=b""):
    run = subprocess.run([BIN / "ordain", "fmt", *map(str, args)], input=stdin, capture_output=True, timeout=120)
    return run.returncode, run.stdout.decode("utf-8"), run.stderr.decode("utf-8")


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        return path


class Files(Case):
    def test_a_file_is_rewritten_and_named(self):
        file = self.write("p.policy", UGLY)
        self.assertEqual(fmt(file), (0, f"{file}\n", ""))
        self.assertEqual(file.read_text(), NICE)

    def test_what_is_formatted_already_stays_untouched(self):
        file = self.write("p.policy", NICE)
        before = file.stat()
        self.assertEqual(fmt(file), (0, "", ""))
        after = file.stat()
        self.assertEqual((after.st_ino, after.st_mtime_ns), (before.st_ino, before.st_mtime_ns))

    def test_mode_stays_and_nothing_is_left_behind(self):
        file = self.write("p.policy", UGLY)
        for mode in (0o600, 0o640, 0o755):
            file.write_text(UGLY)
            file.chmod(mode)
            self.assertEqual(fmt(file)[0], 0)
            self.assertEqual(stat.S_IMODE(file.stat().st_mode), mode)
        self.assertEqual(os.listdir(self.path), ["p.policy"])

    def test_the_file_is_replaced_at_once(self):
        """A reader that opened the file before still has the old text, whole."""
        file = self.write("p.policy", UGLY)
        with file.open() as reader:
            self.assertEqual(fmt(file)[0], 0)
            self.assertEqual(reader.read(), UGLY)

    def test_a_link_stays_a_link(self):
        file = self.write("real/p.policy", UGLY)
        link = self.path / "link.policy"
        link.symlink_to("real/p.policy")
        self.assertEqual(fmt(link), (0, f"{link}\n", ""))
        self.assertTrue(link.is_symlink())
        self.assertEqual(file.read_text(), NICE)
        self.assertEqual(os.listdir(self.path / "real"), ["p.policy"])

    def test_a_file_with_two_names_is_refused(self):
        """Replacing it would leave the other name with the old text."""
        file = self.write("p.policy", UGLY)
        other = self.path / "other.policy"
        os.link(file, other)
        code, out, err = fmt(file)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("it has 2 names (hard links)", err)
        self.assertEqual((file.read_text(), other.read_text()), (UGLY, UGLY))
        self.assertTrue(file.samefile(other))
        self.assertEqual(fmt("--check", file)[0], 1, "what writes nothing is not refused")

    def test_directories_are_searched_and_each_file_is_taken_once(self):
        files = [self.write(name, UGLY) for name in ("set/a.policy", "set/deep/b.policy")]
        other = self.write("set/notes.txt", UGLY)
        code, out, err = fmt(self.path / "set", files[1], self.path / "set")
        self.assertEqual((code, out.splitlines(), err), (0, [str(file) for file in files], ""))
        self.assertEqual([file.read_text() for file in files], [NICE, NICE])
        self.assertEqual(other.read_text(), UGLY)

    def test_imported_files_stay_as_they_are(self):
        imported = self.write("b.policy", UGLY)
        file = self.write("a.policy", 'import "b.policy" ;')
        self.assertEqual(fmt(file)[0], 0)
        self.assertEqual(file.read_text(), 'import "b.policy";\n')
        self.assertEqual(imported.read_text(), UGLY)

    def test_a_directory_without_policies(self):
        code, out, err = fmt(self.path)
        self.assertEqual((code, out), (0, ""))
        self.assertIn("no file in", err)


class Mistakes(Case):
    def test_a_file_that_does_not_parse_stays_and_others_are_formatted(self):
        broken = self.write("a.policy", BROKEN)
        good = self.write("b.policy", UGLY)
        code, out, err = fmt(self.path)
        self.assertEqual((code, out), (2, f"{good}\n"))
        self.assertIn(f"{broken}:1:20: error[syntax]", err)
        self.assertEqual(broken.read_text(), BROKEN)
        self.assertEqual(good.read_text(), NICE)

    def test_a_mistake_of_meaning_is_no_obstacle(self):
        file = self.write("p.policy", "let a=b;")
        self.assertEqual(fmt(file)[0], 0)
        self.assertEqual(file.read_text(), "let a = b;\n")

    def test_wrong_usage_and_unreadable_files(self):
        self.assertEqual(fmt()[0], 2)
        code, out, err = fmt(self.path / "absent.policy")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("cannot read", err)
        file = self.write("p.policy", UGLY)
        code, out, err = fmt("-", file)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("standard input", err)
        self.assertEqual(file.read_text(), UGLY)

    def test_a_pipe_is_not_read(self):
        os.mkfifo(self.path / "p.policy")
        code, out, err = fmt(self.path / "p.policy")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("not a regular file", err)

    def test_bytes_that_are_not_text(self):
        file = self.path / "p.policy"
        file.write_bytes(b"let a = \xff;")
        code, out, err = fmt(file)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("error[invalid-utf8]", err)
        self.assertEqual(file.read_bytes(), b"let a = \xff;")


class StandardInput(Case):
    def test_is_written_to_standard_output(self):
        self.assertEqual(fmt("-", stdin=UGLY.encode()), (0, NICE, ""))
        self.assertEqual(fmt("-", stdin=NICE.encode()), (0, NICE, ""))
        self.assertEqual(fmt("-"), (0, "", ""))

    def test_is_longer_than_a_pipe_holds(self):
        text = "".join(f"let a{i}=[{i},2];\n" for i in range(20_000))
        want = "".join(f"let a{i} = [{i}, 2];\n" for i in range(20_000))
        self.assertEqual(fmt("-", stdin=text.encode()), (0, want, ""))

    def test_nothing_is_written_if_it_does_not_parse(self):
        code, out, err = fmt("-", stdin=BROKEN.encode())
        self.assertEqual((code, out), (2, ""))
        self.assertIn("standard input:1:20: error[syntax]", err)

    def test_with_check(self):
        self.assertEqual(fmt("--check", "-", stdin=UGLY.encode()), (1, "standard input\n", ""))
        self.assertEqual(fmt("--check", "-", stdin=NICE.encode()), (0, "", ""))


class Check(Case):
    def test_names_what_would_change_and_changes_nothing(self):
        ugly, nice = self.write("a.policy", UGLY), self.write("b.policy", NICE)
        self.assertEqual(fmt("--check", self.path), (1, f"{ugly}\n", ""))
        self.assertEqual((ugly.read_text(), nice.read_text()), (UGLY, NICE))
        self.assertEqual(fmt("--check", nice), (0, "", ""))

    def test_a_mistake_outweighs_a_change(self):
        self.write("a.policy", BROKEN)
        ugly = self.write("b.policy", UGLY)
        code, out, _ = fmt("--check", self.path)
        self.assertEqual((code, out), (2, f"{ugly}\n"))


class Diff(Case):
    def test_shows_changes_and_makes_none(self):
        file = self.write("p.policy", "let a=1;\nlet b = 2;")
        want = (f"--- {file}\n+++ {file}\n@@ -1,2 +1,2 @@\n-let a=1;\n-let b = 2;\n\\ No newline at end of file\n"
                "+let a = 1;\n+let b = 2;\n")
        self.assertEqual(fmt("--diff", file), (1, want, ""))
        self.assertEqual(fmt("--diff", "--check", file), (1, want, ""))
        self.assertEqual(file.read_text(), "let a=1;\nlet b = 2;")

    def test_nothing_to_show(self):
        self.assertEqual(fmt("--diff", self.write("p.policy", NICE)), (0, "", ""))

    def test_is_the_diff_of_everybody(self):
        """For every distance between two changes, and changes at the beginning and the end."""
        for changed in ([0], [39], [0, 39], *([10, 10 + gap] for gap in range(1, 12))):
            nice = [f"let a{i} = {i};\n" for i in range(40)]
            ugly = [line.replace(" = ", "=") if i in changed else line for i, line in enumerate(nice)]
            file = self.write("p.policy", "".join(ugly))
            want = "".join(difflib.unified_diff(ugly, nice, str(file), str(file)))
            self.assertEqual(fmt("--diff", file), (1, want, ""), changed)

    def test_lines_that_only_come_or_go(self):
        file = self.write("p.policy", "\n\n\nlet a = 1;\nlet b = 2; let c = 3;\n")
        before, after = file.read_text().splitlines(True), ["let a = 1;\n", "let b = 2;\n", "let c = 3;\n"]
        code, out, _ = fmt("--diff", file)
        self.assertEqual(code, 1)
        self.assertEqual(apply(before, out), after)

    def test_thousands_of_changes(self):
        text = "".join(f"let a{i}={i};\nlet b{i} = {i};\n" for i in range(4000))
        file = self.write("p.policy", text)
        code, out, _ = fmt("--diff", file)
        self.assertEqual(code, 1)
        self.assertEqual(apply(text.splitlines(True), out), text.replace("=", " = ").replace("  =  ", " = ").splitlines(True))


def apply(before, diff):
    """The lines of `before`, changed as the diff says, which must agree with them."""
    out, at = [], 0
    for line in diff.splitlines(True)[2:]:
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            begin = int(start) - (count != "0")
            out += before[at:begin]
            at = begin
        elif line.startswith("+"):
            out.append(line[1:])
        else:
            assert before[at] == line[1:], (at, line)
            out += [line[1:]] if line.startswith(" ") else []
            at += 1
    return out + before[at:]


if __name__ == "__main__":
    unittest.main()
