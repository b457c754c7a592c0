"""Policies that only decide, and what the package is made of."""

import pathlib
import tempfile
import threading
import unittest

import ordain
from ordain import _json
from support import POLICIES


class Policies(unittest.TestCase):
    def test_decide(self):
        with ordain.Policies.from_text(POLICIES) as policies:
            decision = policies.decide("refund", {"customer": "c", "amount": 600.0})
            self.assertTrue(decision.needs_approval)
            self.assertEqual((decision.rule, decision.groups, decision.code), ("refunds.large", ("finance",), "rule"))
            decision = policies.decide("refund", {"customer": "c", "amount": 100.0, "card": "4111"})
            self.assertTrue(decision.allowed)
            self.assertEqual({(one.kind, one.path or one.reason, one.replacement) for one in decision.obligations},
                             {("redact", "input.card", "***"), ("warn", "a round sum", None)})
            self.assertTrue(policies.decide("refund", {"customer": "c", "amount": 1.0},
                                            output={"message": "AKIA"}).denied)
            self.assertIn("<text>:", policies.decide("look", {"n": 0}).fault)
            self.assertTrue(policies.decide("unheard of").denied)
            self.assertTrue(policies.decide("mine", facts={"principal": "carol"}).allowed)
            self.assertTrue(policies.decide("mine", {"principal": "carol"}).denied)
            with self.assertRaises(ValueError):
                policies.decide("mine", facts={"agnet": "x"})
            with self.assertRaises(TypeError):
                bool(policies.decide("mine"))
        with self.assertRaises(ordain.ClosedError):
            policies.decide("mine")

    def test_from_files(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "shop.policy"
            path.write_text(POLICIES, encoding="utf-8")
            for given in (path, str(path), directory, [path]):
                with self.subTest(given=given):
                    self.assertTrue(ordain.Policies.load(given).decide("look", {"n": 1}).allowed)
            path.write_text("policy look", encoding="utf-8")
            with self.assertRaises(ordain.PolicyError) as caught:
                ordain.Policies.load(path)
            self.assertIn("shop.policy", str(caught.exception))

    def test_texts_import_each_other(self):
        policies = ordain.Policies.from_text({
            "a.policy": 'import "b.policy";\npolicy a on before look { allow; }',
            "b.policy": "capability look { type \"tool\"; risk low; input { n: int } }"})
        self.assertTrue(policies.decide("look", {"n": 1}).allowed)
        self.assertEqual(policies.decide("look", {"n": "1"}).code, "invalid_input")

    def test_saved_policies_decide_alike(self):
        policies = ordain.Policies.from_text(POLICIES)
        again = ordain.Policies(policies.save())
        self.assertEqual(again.decide("look", {"n": 1}), policies.decide("look", {"n": 1}))
        self.assertTrue(ordain.Policies(policies.save(), default="allow").decide("unheard of").allowed)
        with self.assertRaises(ValueError):
            ordain.Policies(b"not a program")
        with self.assertRaises(ValueError):
            ordain.Policies(policies.save(), default="maybe")

    def test_threads_share_policies(self):
        policies = ordain.Policies.from_text(POLICIES)
        wrong = []

        def work():
            for number in range(1, 200):
                if not policies.decide("look", {"n": number}).allowed:
                    wrong.append(number)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Json(unittest.TestCase):
    def test_same_tells_what_python_does_not(self):
        for one, other in ((1, True), (1, 1.0), (0, False), ([1], [1.0]), ({"a": 1}, {"a": True}), ("1", 1), (None, 0)):
            with self.subTest(one=one, other=other):
                self.assertFalse(_json.same(one, other))
                self.assertTrue(_json.same(one, one))

    def test_two_keys_never_become_one(self):
        for wrong in ({1: "a", "1": "b"}, {"deep": [{True: 1}]}, {None: 1}):
            with self.subTest(wrong=wrong), self.assertRaises(TypeError):
                _json.encode(wrong)


class Package(unittest.TestCase):
    def test_it_says_that_it_is_typed(self):
        self.assertTrue((pathlib.Path(ordain.__file__).parent / "py.typed").exists())

    def test_every_name_that_it_offers_has_a_description(self):
        for name in ordain.__all__:
            with self.subTest(name=name):
                self.assertTrue(getattr(ordain, name).__doc__)


if __name__ == "__main__":
    unittest.main()
