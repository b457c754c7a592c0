"""What many calls leave behind, and what cancelled tasks, failing callbacks and subinterpreters do.

ORDAIN_ENDURANCE_CALLS sets the number of calls of each kind; 2,000 unless set. 100,000 take some minutes."""

import asyncio
import contextlib
import gc
import importlib
import os
import pathlib
import sys
import tempfile
import textwrap
import unittest

import ordain
from support import POLICIES, Case

CALLS = int(os.environ.get("ORDAIN_ENDURANCE_CALLS", "2000"))


def resident_bytes():
    """The memory of this process."""
    return int(pathlib.Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fits(left):
    """Whether calls may leave so much behind. A hundred bytes a call would not fit."""
    blocks, memory = left
    return blocks < 500 and memory < 192 * 1024


class Leaks(Case):
    def test_calls_leak_nothing(self):
        # Without native code, because the thread that makes it needs memory at its own times.
        runtime = ordain.Runtime.open(texts=POLICIES, agent="support", native=False)
        self.addCleanup(runtime.close)
        policies = ordain.Policies.from_text(POLICIES, native=False)
        self.addCleanup(policies.close)

        @runtime.capability("refund")
        def refund(customer, amount):
            if customer == "nobody":
                raise LookupError("no such customer")
            return {"message": customer, "iban": "DE00"}

        @runtime.capability("refund")
        async def refund_later(customer, amount):
            return {"message": customer}

        def stopped(*arguments):
            with contextlib.suppress(ordain.Stopped, LookupError):
                refund(*arguments)

        def forgotten():
            runtime.begin("look", {"n": 1})

        def identity():
            with runtime.identity(principal="carol"):
                runtime.evaluate("mine")

        kinds = {
            "decided": lambda: policies.decide("refund", {"customer": "c", "amount": 5.0}),
            "released": lambda: refund("c", 5.0), "denied": lambda: stopped("c", -1.0),
            "invalid": lambda: stopped("c", "much"), "failed": lambda: stopped("nobody", 5.0),
            "withheld": lambda: stopped("AKIA", 5.0), "forgotten": forgotten, "identity": identity}

        async def await_many(calls):
            for _ in range(calls):
                await refund_later("c", 5.0)

        def make(work, calls):
            """Makes calls; gives how many objects of Python and bytes of memory are left behind."""
            gc.collect()
            blocks, memory = sys.getallocatedblocks(), resident_bytes()
            if work is None:
                asyncio.run(await_many(calls))
            else:
                for _ in range(calls):
                    work()
            gc.collect()
            return sys.getallocatedblocks() - blocks, resident_bytes() - memory

        for name, work in (*kinds.items(), ("awaited", None)):
            with self.subTest(name=name):
                make(work, 200)  # what is made once
                # A leak is in every trial; what the allocator keeps for later is not.
                trials = [make(work, CALLS)]
                while len(trials) < 3 and not fits(trials[-1]):
                    trials.append(make(work, CALLS))
                self.assertTrue(fits(trials[-1]), f"objects and bytes that {CALLS} calls leave behind: {trials}")


class Interruptions(Case):
    def test_a_task_that_is_cancelled_while_it_waits_for_approval_executes_nothing(self):
        runtime = self.open()
        done = []

        @runtime.capability("refund", wait=60)
        async def refund(customer, amount):
            done.append(customer)

        async def main():
            task = asyncio.create_task(refund("c-17", 600.0))
            while not runtime.approvals.list("pending"):
                await asyncio.sleep(0.01)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        self.assertEqual((done, self.kinds(runtime, kind="outcome")), ([], []))

    def test_an_exception_of_the_resource_function_begins_nothing(self):
        runtime = self.open()
        tag = runtime.capability("tag", resource=lambda label: {}["missing"])(lambda label: label)
        with self.assertRaises(KeyError):
            tag("apple")
        self.assertEqual(self.kinds(runtime), [])

    def test_exceptions_that_end_the_program_are_recorded_too(self):
        runtime = self.open()
        wanted = []

        @runtime.capability("look")
        def look(n):
            raise wanted[-1]

        for error in (KeyboardInterrupt, SystemExit, GeneratorExit):
            wanted.append(error)
            with self.assertRaises(error):
                look(1)
        errors = [record["error"].split(":")[0] for record in runtime.audit(kind="outcome")]
        self.assertEqual(errors, ["KeyboardInterrupt", "SystemExit", "GeneratorExit"])


class Subinterpreters(unittest.TestCase):
    def test_subinterpreters_are_refused(self):
        for name in ("_interpreters", "_xxsubinterpreters"):
            with contextlib.suppress(ImportError):
                interpreters = importlib.import_module(name)
                break
        else:
            self.skipTest("this Python has no subinterpreters")
        with tempfile.TemporaryDirectory() as directory:
            said = pathlib.Path(directory) / "said"
            program = textwrap.dedent(f"""
                import sys
                sys.path[:] = {sys.path!r}
                try:
                    import ordain
                    ordain.Policies.from_text("policy p on before look {{ allow; }}")
                    said = "it decides"
                except ImportError as error:
                    said = str(error)
                with open({str(said)!r}, "w") as file:
                    file.write(said)
            """)
            made = interpreters.create()
            try:
                interpreters.run_string(made, program)
            finally:
                interpreters.destroy(made)
            text = said.read_text(encoding="utf-8")
        self.assertIn("subinterpreter", text)
        self.assertTrue(ordain.Policies.from_text("policy p on before look { allow; }").decide("look").allowed)


if __name__ == "__main__":
    unittest.main()
