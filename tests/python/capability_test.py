"""Functions as governed calls: their arguments, results and exceptions."""

import asyncio
import dataclasses
import datetime
import decimal
import enum
import inspect
import pathlib
import pickle
import unittest
import uuid

import ordain
from ordain import testing
from support import Case


class Arguments(Case):
    def test_arguments_are_the_input_by_name(self):
        runtime = self.open()

        @runtime.capability("refund")
        def refund(customer, amount, *, note="none", card=None):
            """Gives money back."""
            return {"message": f"{customer} {amount} {note} {card}"}

        self.assertEqual(refund("c-17", 25.5, note="late"), {"message": "c-17 25.5 late None"})
        self.assertEqual(refund.__name__, "refund")
        self.assertEqual(refund.__doc__, "Gives money back.")
        self.assertEqual(list(inspect.signature(refund).parameters), ["customer", "amount", "note", "card"])
        records = list(runtime.audit())
        self.assertEqual([record["kind"] for record in records], ["intent", "outcome"])
        self.assertEqual(records[0]["input"], {"customer": "c-17", "amount": 25.5, "note": "late"})
        self.assertEqual(records[0]["agent"], "support")
        with self.assertRaises(TypeError):
            refund("c-17")
        self.assertEqual(len(list(runtime.audit())), 2)

    def test_only_what_rules_changed_replaces_the_callers_objects(self):
        runtime = self.open()
        seen = []

        class Name(str):
            pass

        @runtime.capability("refund")
        def refund(customer, amount, card):
            seen.extend([type(customer), amount, card])
            return {"message": "done"}

        refund(Name("c-17"), decimal.Decimal("12.5"), "4111")
        self.assertEqual(seen, [Name, decimal.Decimal("12.5"), "***"])

    def test_further_keywords_are_fields_too(self):
        runtime = self.open()

        @runtime.capability("look")
        def look(n, **more):
            return more

        self.assertEqual(look(3, colour="red", depth=[1]), {"colour": "red", "depth": [1]})
        self.assertEqual(next(runtime.audit())["input"], {"n": 3, "colour": "red", "depth": [1]})

    def test_methods_do_not_send_their_object(self):
        runtime = self.open()

        class Shop:
            prefix = "shop"

            @runtime.capability("refund")
            def refund(self, customer, amount):
                return {"message": f"{self.prefix} {customer} {amount}"}

        self.assertEqual(Shop().refund("c-17", 2.5), {"message": "shop c-17 2.5"})
        self.assertEqual(next(runtime.audit())["input"], {"customer": "c-17", "amount": 2.5})

    def test_functions_that_cannot_be_governed_are_refused_at_once(self):
        runtime = self.open()
        with self.assertRaisesRegex(TypeError, "generator"):
            @runtime.capability("look")
            def generate(n):
                yield n
        with self.assertRaisesRegex(TypeError, "no name"):
            @runtime.capability("look")
            def spread(*n):
                return n

    def test_an_argument_without_a_form_in_json_begins_nothing(self):
        runtime = self.open()
        look = runtime.capability("look")(lambda n: None)
        for wrong in (object(), float("nan"), {1: 2}, "\ud800", datetime.datetime(2026, 1, 1)):
            with self.subTest(wrong=wrong), self.assertRaises((TypeError, ValueError)):
                look(wrong)
        self.assertEqual(list(runtime.audit()), [])

    def test_the_resource_is_the_hosts_to_say(self):
        runtime = self.open()

        @runtime.capability("tag", resource=lambda label: f"fruit:{label}")
        def tag(label):
            return label

        self.assertEqual(tag("apple"), "apple")
        with testing.denied(code="default"):
            runtime.capability("tag", resource="fruit:pear")(lambda label: label)("apple")

    def test_values_have_the_forms_that_rules_know(self):
        @dataclasses.dataclass
        class Point:
            x: int
            tags: set

        class Colour(enum.Enum):
            RED = "red"

        utc = datetime.timezone.utc
        runtime = self.open()
        look = runtime.capability("look")(lambda n, **more: None)
        look(1, point=Point(2, {"b", "a"}), colour=Colour.RED, at=datetime.datetime(2026, 1, 31, 12, tzinfo=utc),
             span=datetime.timedelta(minutes=1, milliseconds=500), data=b"abc", path=pathlib.PurePosixPath("a/b"),
             id=uuid.UUID(int=1), pair=(1, 2))
        self.assertEqual(next(runtime.audit())["input"], {
            "n": 1, "point": {"x": 2, "tags": ["a", "b"]}, "colour": "red", "at": "2026-01-31T12:00:00Z",
            "span": "60.5s", "data": "YWJj", "path": "a/b", "id": str(uuid.UUID(int=1)), "pair": [1, 2]})


class Endings(Case):
    def refund(self, runtime, output):
        return runtime.capability("refund")(lambda customer, amount: output)

    def test_a_denial_names_rule_and_reason(self):
        runtime = self.open()
        ran = []
        refund = runtime.capability("refund")(lambda customer, amount: ran.append(1))
        with self.assertRaises(ordain.Denied) as caught:
            refund("c-17", -1.0)
        error = caught.exception
        self.assertEqual((error.rule, error.reason, error.code, error.fault),
                         ("refunds.negative", "the amount must be positive", "rule", ""))
        self.assertEqual(str(error), "refund denied by refunds.negative: the amount must be positive")
        self.assertEqual(error.action, next(runtime.audit())["action"])
        self.assertEqual(ran, [])
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((type(copy), str(copy), copy.rule), (ordain.Denied, str(error), error.rule))

    def test_input_that_does_not_fit_is_denied(self):
        runtime = self.open()
        with testing.denied(code="invalid_input") as caught:
            self.refund(runtime, None)("c-17", "much")
        self.assertIn("input.amount", caught.error.reason)

    def test_a_fault_denies_with_its_place(self):
        runtime = self.open()
        with testing.denied(by="looks.broken", code="evaluation_error") as caught:
            runtime.capability("look")(lambda n: None)(0)
        self.assertIn("<text>:", caught.error.fault)

    def test_output_is_redacted_or_withheld(self):
        runtime = self.open()
        output = {"message": "done", "iban": "DE00"}
        self.assertEqual(self.refund(runtime, output)("c-17", 20.0), {"message": "done", "iban": "***"})
        self.assertEqual(output["iban"], "DE00")
        with testing.withheld(by="leaks.key_leak"):
            self.refund(runtime, {"message": "AKIA"})("c-17", 20.0)
        untouched = {"message": "done"}
        self.assertIs(self.refund(runtime, untouched)("c-17", 20.0), untouched)

    def test_an_output_that_no_rule_can_read_is_withheld(self):
        runtime = self.open()
        with testing.withheld() as caught:
            self.refund(runtime, object())("c-17", 20.0)
        self.assertEqual(caught.error.code, "bad_output")
        self.assertIn("bad_output", list(runtime.audit(kind="outcome"))[0]["error"])

    def test_exceptions_pass_and_are_recorded(self):
        runtime = self.open()

        @runtime.capability("refund")
        def refund(customer, amount):
            raise LookupError("no such customer")

        with self.assertRaisesRegex(LookupError, "no such customer"):
            refund("c-17", 20.0)
        outcome, = runtime.audit(kind="outcome")
        self.assertEqual((outcome["status"], outcome["error"]), ("failed", "LookupError: no such customer"))

    def test_warnings_and_observe(self):
        runtime = self.open(mode="observe")
        with runtime.begin("refund", {"customer": "c", "amount": 100.0}) as call:
            self.assertEqual(call.warnings, ("a round sum",))
            call.finish({"message": "done"})
        with runtime.begin("refund", {"customer": "c", "amount": -1.0}) as call:
            self.assertEqual(call.would, "would_deny")
            call.finish({"message": "done"})

    def test_a_call_by_hand_ends_as_it_says(self):
        runtime = self.open()
        with runtime.begin("look", {"n": 1}) as call:
            self.assertEqual(call.finish([1, 2]), [1, 2])
            call.fail(RuntimeError("late"))  # the first end holds
        with self.assertRaises(RuntimeError), runtime.begin("look", {"n": 2}):
            raise RuntimeError("broken")
        with runtime.begin("look", {"n": 3}) as call:
            call.give_up("not needed")
        with runtime.begin("look", {"n": 4}):
            pass
        runtime.begin("look", {"n": 5})
        errors = [record.get("error", "").split(":")[0] for record in runtime.audit(kind="outcome")]
        self.assertEqual(errors, ["", "RuntimeError", "not_executed", "abandoned", "abandoned"])


class Asynchronous(Case):
    def test_coroutine_functions_stay_coroutine_functions(self):
        runtime = self.open()

        @runtime.capability("refund")
        async def refund(customer, amount):
            await asyncio.sleep(0)
            return {"message": customer}

        self.assertTrue(asyncio.iscoroutinefunction(refund))
        self.assertEqual(asyncio.run(refund("c-17", 20.0)), {"message": "c-17"})
        with testing.denied(by="refunds.negative"):
            asyncio.run(refund("c-17", -1.0))

    def test_many_at_once_hold_no_threads(self):
        runtime = self.open(durability="async")
        inside, most = 0, 0

        @runtime.capability("look")
        async def look(n):
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.05)
            inside -= 1
            return n

        async def all_of_them():
            return await asyncio.gather(*(look(n) for n in range(1, 201)))

        self.assertEqual(asyncio.run(all_of_them()), list(range(1, 201)))
        self.assertGreater(most, 8)
        self.assertEqual(len(list(runtime.audit(kind="outcome"))), 200)

    def test_a_cancelled_task_is_recorded(self):
        runtime = self.open()
        started = asyncio.Event

        async def main():
            begun = started()

            @runtime.capability("look")
            async def look(n):
                begun.set()
                await asyncio.sleep(60)

            task = asyncio.create_task(look(1))
            await begun.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        outcome, = runtime.audit(kind="outcome")
        self.assertTrue(outcome["error"].startswith("CancelledError"))


if __name__ == "__main__":
    unittest.main()
