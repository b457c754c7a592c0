"""Builds and runs programs that know Ordain only as it is installed, packed, or built.

Run by ctest, which sets the environment; see CMakeLists.txt.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/embed"
BUILD = pathlib.Path(os.environ["ORDAIN_BUILD"])
VERSION = os.environ["ORDAIN_VERSION"]
SERIES = VERSION.rsplit(".", 1)[0]
PUBLIC, PRIVATE = f"ORDAIN_{SERIES}", f"ORDAIN_PRIVATE_{VERSION}"
JIT = os.environ["ORDAIN_JIT"] == "ON"
SANITIZE = os.environ.get("ORDAIN_SANITIZE", "")
REFUND = ("refund_customer", '{"customer_id": "c-17", "amount_usd": 25}')


def run(*command, cwd=None, **variables):
    """What the command prints. Fails the test if the command fails."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, env={**os.environ, **variables}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def install(prefix):
    run(os.environ["CMAKE"], "--install", BUILD, "--prefix", prefix)


def flags_of(package, prefix):
    """What pkg-config says of a package in a tree."""
    path = ":".join(str(found.parent) for found in prefix.rglob("ordain*.pc"))
    return shlex.split(run("pkg-config", "--cflags", "--libs", package, PKG_CONFIG_PATH=path))


class Consumer(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def build_example(self, **variables):
        """Builds examples/embed, a project that finds Ordain by find_package."""
        flags = [f"-D{name}={value}" for name, value in variables.items()]
        if SANITIZE:
            flags.append(f"-DCMAKE_CXX_FLAGS=-fsanitize={SANITIZE}")
        out = self.scratch / "build"
        run(os.environ["CMAKE"], "-S", EXAMPLE, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS_DEBUG=-O0", f"-DCMAKE_CXX_COMPILER={os.environ['CXX']}",
            f"-DCMAKE_C_COMPILER={os.environ['CC']}", *flags)
        run(os.environ["CMAKE"], "--build", out)
        return out

    def check_embed(self, program, **variables):
        printed = run(program, EXAMPLE / "policies", self.scratch / "state", **variables)
        self.assertIn("refunded 25 to c-17", printed)
        self.assertIn("waits for team-lead: refunds.large", printed)
        self.assertIn("denied by refunds.over_limit: refunds above 1000", printed)

    def check_decide(self, program, **variables):
        printed = run(program, EXAMPLE / "policies", *REFUND, **variables)
        self.assertIn('"rule": "refunds.small"', printed)
        return printed


class InstalledTree(Consumer):
    def test_find_package(self):
        prefix = self.scratch / "prefix"
        install(prefix)
        out = self.build_example(CMAKE_PREFIX_PATH=prefix)
        self.check_embed(out / "embed")
        self.check_decide(out / "decide")
        run(prefix / "bin/ordain", "audit", "verify", "--db", self.scratch / "state")


class BuildTree(Consumer):
    def test_find_package(self):
        out = self.build_example(ordain_DIR=BUILD)
        self.check_embed(out / "embed")
        self.check_decide(out / "decide")


class SharedLibrary(Consumer):
    def setUp(self):
        super().setUp()
        self.prefix = self.scratch / "prefix"
        install(self.prefix)
        self.libraries = next(self.prefix.rglob("libordain.so")).parent

    def test_from_c_by_pkg_config(self):
        program = self.scratch / "decide"
        run(os.environ["CC"], "-std=c11", EXAMPLE / "decide.c", "-o", program, *flags_of("ordain", self.prefix))
        printed = self.check_decide(program, LD_LIBRARY_PATH=str(self.libraries), LD_DEBUG="files")
        self.assertRegex(printed, rf"calling init: \S*libordain\.so\.{SERIES}")
        native = re.search(rf"calling init: \S*libordain-jit\.so\.{SERIES}", printed)
        self.assertEqual(native is not None, JIT, "libordain-jit.so is loaded where it is built")

    def test_from_c_with_static_libraries(self):
        program = self.scratch / "decide"
        run(os.environ["CC"], "-std=c11", EXAMPLE / "decide.c", "-o", program, *flags_of("ordain-static", self.prefix))
        self.check_decide(program)

    def test_from_cpp(self):
        program = self.scratch / "embed"
        run(os.environ["CXX"], "-std=c++20", EXAMPLE / "main.cc", "-o", program, *flags_of("ordain", self.prefix))
        self.check_embed(program, LD_LIBRARY_PATH=str(self.libraries))

    @unittest.skipUnless(JIT, "a build without native code")
    def test_native_code_refuses_another_release(self):
        other = self.scratch / "other"
        other.mkdir()
        (other / "map").write_text(f"{PUBLIC} {{ global: ordain_*; }};\nORDAIN_PRIVATE_0.0.9 {{}};\n")
        (other / "stub.c").write_text("void ordain_open(void) {}\n")
        run(os.environ["CC"], "-shared", "-fPIC", other / "stub.c", "-o", other / f"libordain.so.{SERIES}",
            f"-Wl,-soname,libordain.so.{SERIES}", f"-Wl,--version-script={other / 'map'}")
        load = f"import ctypes; ctypes.CDLL({str(self.libraries / 'libordain-jit.so')!r})"
        done = subprocess.run([sys.executable, "-c", load], env={**os.environ, "LD_LIBRARY_PATH": str(other)},
                              text=True, stderr=subprocess.PIPE, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"version `{PRIVATE}' not found", done.stderr)


class Exports(unittest.TestCase):
    @staticmethod
    def symbols(library, *options):
        """Pairs of demangled name and version."""
        printed = run("nm", "-D", "-C", *options, BUILD / "lib" / library)
        for line in printed.splitlines():
            name, _, version = re.sub(r"^[0-9a-f]* +\w ", "", line).replace("@@", "@").rpartition("@")
            if name:
                yield re.sub(r"^(vtable|typeinfo|typeinfo name|guard variable) for ", "", name), version

    def check(self, library):
        seen = set()
        for name, version in self.symbols(library, "--defined-only"):
            seen.add((name, version))
            internal = re.match(r"ordain::(vm|ops)::|ordain_private_", name)
            self.assertEqual(version, PRIVATE if internal else PUBLIC, name)
            self.assertRegex(name, r"^(ordain::|ordain_)")
            self.assertNotRegex(name, r"::(Impl|State|Parts)::|^ordain::(native|format|grammar|importer::detail)::")
        return seen

    def test_everything_but_native_code(self):
        names = {name for name, _ in self.check("libordain.so")}
        header = (ROOT / "embed/include/ordain/c.h").read_text(encoding="utf-8")
        functions = set(re.findall(r"^ORDAIN_API .*?\b(ordain_\w+)\(", header, re.MULTILINE))
        self.assertGreater(len(functions), 8)
        self.assertEqual({name for name in names if re.fullmatch(r"ordain_\w+", name)}, functions)

    @staticmethod
    def declared_names():
        """The names that public headers declare in namespaces: classes, functions and constants."""
        names = set()
        for header in [*ROOT.glob("*/include/ordain/*.h"), *ROOT.glob("vm/jit/include/ordain/*.h")]:
            space = []
            for line in header.read_text(encoding="utf-8").splitlines():
                opened = re.fullmatch(r"namespace ([\w:]+) {", line)
                if opened:
                    space.append(opened[1])
                elif line.startswith("}  // namespace"):
                    space.pop()
                line = line.partition("//")[0]
                for found in re.findall(r"^(?:struct|class) .*?(\w+)(?: final)?(?: :[^:].*)? {|^\w[^(){}=]*?(\w+)\(", line):
                    names.add("::".join([*space, found[0] or found[1]]))
                for constants in re.findall(r"^(?:ORDAIN_API )?extern [\w:<>]+ (.*)", line):
                    names |= {"::".join([*space, name]) for name in re.findall(r"\w+", constants)}
        return names

    def test_what_public_headers_declare_is_exported(self):
        declared = self.declared_names()
        self.assertLess({"ordain::Runtime", "ordain::compile", "ordain::types::kDyn", "ordain::detail::g_epoch"}, declared)
        libraries = ("libordain.so", "libordain-jit.so") if JIT else ("libordain.so",)
        exported = {name for library in libraries for name, _ in self.symbols(library, "--defined-only")}
        missing = []
        for archive in BUILD.rglob("libordain-*.a"):
            for line in run("nm", "-C", "--defined-only", archive).splitlines():
                # A function, a constant, or a member of a class; members of nested classes are not public.
                found = re.fullmatch(r"[0-9a-f]+ [TBDR] ((ordain::.*?\w)(?:::~?\w+)??(?:\[abi:cxx11\])?(?:\(.*)?)", line)
                if found and found[2] in declared and found[1] not in exported:
                    missing.append(found[1])
        self.assertEqual("\n".join(missing), "", "ORDAIN_API is missing")

    @unittest.skipUnless(JIT, "a build without native code")
    def test_native_code(self):
        names = {re.split(r"[(\[]", name)[0] for name, _ in self.check("libordain-jit.so")}
        self.assertEqual(names, {"ordain::compile_native", "ordain::compile_native_in_background",
                                 "ordain::check_native_cache", "ordain::llvm_version",
                                 "ordain_private_code_generator"})
        given = {name for name, version in self.symbols("libordain.so", "--defined-only") if version == PRIVATE}
        taken = {name for name, version in self.symbols("libordain-jit.so", "--undefined-only") if version == PRIVATE}
        self.assertEqual(given, taken, "what is exported for libordain-jit.so alone is what it uses")


class Packages(Consumer):
    def test_deb_and_tarball(self):
        run(os.environ["CPACK"], "-G", "TGZ;DEB", "-B", self.scratch, "--config", BUILD / "CPackConfig.cmake")
        trees = [self.scratch / "tar", self.scratch / "deb"]
        for tree in trees:
            tree.mkdir()
        run("tar", "-xf", *self.scratch.glob("*.tar.gz"), "-C", trees[0])
        run("dpkg-deb", "-x", *self.scratch.glob("*.deb"), trees[1])
        depends = run("dpkg-deb", "-f", *self.scratch.glob("*.deb"), "Depends")
        self.assertIn("libsimdjson", depends)
        for tree in trees:
            with self.subTest(tree=tree.name):
                library = next(tree.rglob("libordain.so")).parent
                self.assertIn(VERSION, run(next(tree.rglob("bin/ordain")), "--version"))
                program = self.scratch / f"decide-{tree.name}"
                run(os.environ["CC"], EXAMPLE / "decide.c", "-o", program, *flags_of("ordain", tree))
                self.check_decide(program, LD_LIBRARY_PATH=str(library))
                project = self.scratch / f"find-{tree.name}"
                project.mkdir()
                (project / "CMakeLists.txt").write_text(
                    "cmake_minimum_required(VERSION 3.25)\nproject(found LANGUAGES CXX C)\n"
                    f"find_package(ordain {SERIES} REQUIRED COMPONENTS shared)\nadd_executable(decide {EXAMPLE / 'decide.c'})\n"
                    "target_link_libraries(decide PRIVATE ordain::shared)\n")
                run(os.environ["CMAKE"], "-S", project, "-B", project / "build", "-G", "Ninja",
                    "-DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON",  # the shared library is enough
                    f"-Dordain_DIR={next(tree.rglob('ordain-config.cmake')).parent}")
                run(os.environ["CMAKE"], "--build", project / "build")
                self.check_decide(project / "build/decide")


if __name__ == "__main__":
    unittest.main()
