"""What happens to calls when the process is forked, and when the interpreter ends."""

import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest
import warnings

import ordain
from support import POLICIES, Case


class Fork(Case):
    def in_child(self, work):
        """What the work, done in a child process, returns as its exit code."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of every fork beside threads
            child = os.fork()
        if child == 0:
            code = 99
            try:
                code = work()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        self.assertTrue(os.WIFEXITED(status), status)
        return os.WEXITSTATUS(status)

    def test_a_child_does_not_use_its_parents_runtime(self):
        runtime = self.open()
        call = runtime.begin("look", {"n": 1})
        identity = runtime.identity(principal="carol")

        def work():
            refused = 0
            for use in (lambda: runtime.begin("look", {"n": 1}), lambda: call.finish(None), runtime.flush,
                        lambda: runtime.approvals.list(), lambda: runtime.begin("mine", {}, identity=identity)):
                try:
                    use()
                except ordain.ForkedError:
                    refused += 1
            runtime.close()
            return refused

        self.assertEqual(self.in_child(work), 5)
        call.finish(None)
        self.assertEqual(self.kinds(runtime), ["intent", "outcome"])

    def test_a_child_opens_only_what_was_not_open(self):
        with tempfile.TemporaryDirectory() as directory:
            runtime = self.open(database=f"{directory}/parent")

            def work():
                try:
                    ordain.Runtime.open(texts=POLICIES, database=f"{directory}/parent")
                    return 1
                except ordain.ForkedError:
                    pass
                with ordain.Runtime.open(texts=POLICIES, database=f"{directory}/child") as own:
                    own.capability("look")(lambda n: n)(2)
                    return 0 if own.verify().ok and len(list(own.audit())) == 2 else 2

            self.assertEqual(self.in_child(work), 0)
            runtime.capability("look")(lambda n: n)(3)
            self.assertEqual(self.kinds(runtime), ["intent", "outcome"])
            runtime.close()

    def test_policies_decide_in_a_child(self):
        policies = ordain.Policies.from_text(POLICIES)
        self.assertTrue(policies.decide("look", {"n": 1}).allowed)
        self.assertEqual(self.in_child(lambda: 0 if policies.decide("look", {"n": 1}).allowed else 1), 0)
        self.assertTrue(policies.decide("look", {"n": 1}).allowed)


class Shutdown(unittest.TestCase):
    def run_program(self, text):
        """Runs a program whose runtime records in a directory; gives its result and what was recorded."""
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory) / "program.py"
            program.write_text(textwrap.dedent(text), encoding="utf-8")
            done = subprocess.run([sys.executable, "-W", "error", program, POLICIES, f"{directory}/state"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            with ordain.Runtime.open(texts=POLICIES, database=f"{directory}/state") as runtime:
                self.assertTrue(runtime.verify().ok)
                return done.stdout, list(runtime.audit())

    def test_what_was_recorded_is_written(self):
        printed, records = self.run_program("""
            import sys, ordain
            runtime = ordain.Runtime.open(texts=sys.argv[1], database=sys.argv[2], durability="async")
            look = runtime.capability("look")(lambda n: n)
            for number in range(1, 101):
                look(number)
        """)
        self.assertEqual((printed, len(records)), ("", 200))

    def test_calls_in_flight_are_recorded_as_failed(self):
        printed, records = self.run_program("""
            import sys, threading, ordain
            runtime = ordain.Runtime.open(texts=sys.argv[1], database=sys.argv[2])
            inside = threading.Event()

            @runtime.capability("look")
            def look(n):
                inside.set()
                threading.Event().wait()

            threading.Thread(target=look, args=(1,), daemon=True).start()
            inside.wait()
            forgotten = runtime.begin("look", {"n": 2})
        """)
        self.assertEqual(printed, "")
        errors = [record["error"] for record in records if record["kind"] == "outcome"]
        self.assertEqual(errors, ["abandoned: the interpreter ended before the call"] * 2)

    def test_threads_inside_the_engine_do_not_hold_the_interpreter(self):
        printed, records = self.run_program("""
            import sys, threading, time, ordain
            runtime = ordain.Runtime.open(texts=sys.argv[1], database=sys.argv[2])
            look = runtime.capability("look")(lambda n: n)

            def work():
                try:
                    while True:
                        look(1)
                except ordain.OrdainError:
                    pass  # the runtime was closed under it

            for _ in range(4):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.2)
        """)
        self.assertEqual(printed, "")
        self.assertGreater(len(records), 0)


if __name__ == "__main__":
    unittest.main()
