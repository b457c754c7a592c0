"""The runtime: who acts, approvals, the record, and policies that change."""

import asyncio
import datetime
import threading
import time
import unittest

import ordain
from ordain import testing
from support import POLICIES, Case


class Identities(Case):
    def test_an_identity_is_in_force_within_its_block(self):
        runtime = self.open()
        mine = runtime.capability("mine")(lambda: "ran")
        with testing.denied(code="default"):
            mine()
        carol = runtime.identity(principal="carol", session="s-1")
        with carol:
            self.assertEqual(mine(), "ran")
            with runtime.identity(principal="dave"), testing.denied():
                mine()
            self.assertEqual(mine(), "ran")
        with testing.denied():
            mine()
        self.assertEqual(mine.as_(carol), "ran")
        record = list(runtime.audit(principal="carol", kind="intent"))[0]
        self.assertEqual((record["agent"], record["session"]), ("support", "s-1"))

    def test_tasks_and_threads_have_their_own(self):
        runtime = self.open()

        @runtime.capability("mine")
        async def mine():
            return "ran"

        async def request(name):
            with runtime.identity(principal=name):
                await asyncio.sleep(0.01)
                try:
                    return await mine()
                except ordain.Denied:
                    return "denied"

        async def main():
            return await asyncio.gather(*(request(name) for name in ("carol", "dave") * 10))

        self.assertEqual(asyncio.run(main()), ["ran", "denied"] * 10)
        seen = []
        with runtime.identity(principal="carol"):
            thread = threading.Thread(target=lambda: seen.append(runtime.current_identity()))
            thread.start()
            thread.join()
        self.assertEqual(seen, [None])

    def test_identities_of_other_runtimes_do_not_count(self):
        one, other = self.open(), self.open()
        with one.identity(principal="carol"), testing.denied():
            other.capability("mine")(lambda: "ran")()

    def test_what_does_not_fit_is_refused(self):
        runtime = self.open()
        with self.assertRaises(ordain.RefusedError) as caught:
            runtime.identity(attributes={"agent": 5})
        self.assertEqual(caught.exception.code, "invalid_identity")


class Approvals(Case):
    def refund(self, runtime, **options):
        return runtime.capability("refund", **options)(lambda customer, amount: {"message": "done"})

    def test_an_approval_serves_once(self):
        runtime = self.open()
        refund = self.refund(runtime)
        with testing.pending(by="refunds.large") as caught:
            refund("c-17", 600.0)
        self.assertEqual(caught.error.groups, ("finance",))
        request, = runtime.approvals.list("pending")
        self.assertEqual((request.id, request.missing), (caught.error.approval, ("finance",)))
        self.assertEqual(request.input, {"customer": "c-17", "amount": 600.0})
        self.assertEqual(runtime.approvals.approve(request.id, by="alice", note="fine").state, "approved")
        self.assertEqual(refund("c-17", 600.0), {"message": "done"})
        self.assertEqual(runtime.approvals.show(request.id[:8]).state, "consumed")
        with testing.pending():
            refund("c-17", 600.0)

    def test_a_rejection_denies(self):
        runtime = self.open()
        with testing.pending() as caught:
            self.refund(runtime)("c-17", 600.0)
        runtime.approvals.reject(caught.error.approval, by="alice", note="no")
        with testing.denied(code="approval_rejected"):
            self.refund(runtime)("c-17", 600.0)
        with self.assertRaises(ordain.RefusedError) as refused:
            runtime.approvals.approve(caught.error.approval, by="alice")
        self.assertEqual(refused.exception.code, "not_pending")

    def test_the_agent_cannot_approve_its_own_call(self):
        runtime = self.open()
        with testing.pending() as caught:
            self.refund(runtime)("c-17", 600.0)
        with self.assertRaises(ordain.RefusedError) as refused:
            runtime.approvals.approve(caught.error.approval, by="support")
        self.assertEqual(refused.exception.code, "not_eligible")

    def test_a_call_waits_for_its_approval(self):
        runtime = self.open()
        refund = self.refund(runtime, wait=30)

        def answer():
            while not (found := runtime.approvals.list("pending")):
                time.sleep(0.01)
            runtime.approvals.approve(found[0].id, by="alice")

        helper = threading.Thread(target=answer)
        helper.start()
        self.assertEqual(refund("c-17", 600.0), {"message": "done"})
        helper.join()
        with testing.pending():
            self.refund(runtime, wait=0.1)("c-18", 600.0)

    def test_tasks_wait_without_a_thread(self):
        runtime = self.open()

        @runtime.capability("refund", wait=datetime.timedelta(seconds=30))
        async def refund(customer, amount):
            return {"message": customer}

        async def main():
            tasks = [asyncio.create_task(refund(f"c-{number}", 600.0)) for number in range(20)]
            while len(runtime.approvals.list("pending")) < 20:
                await asyncio.sleep(0.01)
            threads = threading.active_count()
            for number, request in enumerate(runtime.approvals.list("pending")):
                vote = runtime.approvals.reject if number == 0 else runtime.approvals.approve
                vote(request.id, by="alice")
            return threads, await asyncio.gather(*tasks, return_exceptions=True)

        threads, results = asyncio.run(main())
        self.assertLess(threads, 20)
        self.assertEqual(sum(isinstance(result, ordain.Denied) for result in results), 1)
        self.assertEqual(sum(isinstance(result, dict) for result in results), 19)

    def test_nobody_answers(self):
        runtime = self.open()
        with testing.pending() as caught:
            self.refund(runtime)("c-17", 600.0)
        with self.assertRaises(TimeoutError):
            runtime.approvals.wait(caught.error.approval, timeout=0.1)

        async def main():
            await runtime.approvals.answered(caught.error.approval, timeout=datetime.timedelta(milliseconds=100))

        with self.assertRaises(TimeoutError):
            asyncio.run(main())

    def test_help_for_tests(self):
        runtime = self.open()
        self.assertEqual(testing.approving(runtime, self.refund(runtime), "c-17", 600.0), {"message": "done"})
        with self.assertRaisesRegex(AssertionError, "nothing was stopped"), testing.denied():
            pass
        with self.assertRaisesRegex(AssertionError, "expected rule other"), testing.denied(by="other"):
            self.refund(runtime)("c-17", -1.0)
        with self.assertRaisesRegex(AssertionError, "expected Pending, got Denied"), testing.pending():
            self.refund(runtime)("c-17", -1.0)


class Record(Case):
    def test_it_is_read_in_batches_and_filtered(self):
        runtime = self.open()
        look = runtime.capability("look")(lambda n: n)
        for number in range(1, 8):
            look(number)
        with testing.denied():
            runtime.capability("mine")(lambda: None)()
        ids = [record["id"] for record in runtime.audit(batch=4)]
        self.assertEqual(ids, list(range(1, 16)))
        self.assertEqual([record["id"] for record in runtime.audit(first=14, batch=1)], [14, 15])
        self.assertEqual(self.kinds(runtime, capability="mine"), ["denied"])
        self.assertEqual(self.kinds(runtime, effect="deny"), ["denied"])
        self.assertEqual(len(self.kinds(runtime, kind="outcome")), 7)
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        self.assertEqual(self.kinds(runtime, until=now - day), [])
        self.assertEqual(len(self.kinds(runtime, since=now - day, until=now + day)), 15)
        with self.assertRaises(ValueError):
            list(runtime.audit(kind="rumour"))

    def test_it_is_whole(self):
        runtime = self.open()
        runtime.capability("look")(lambda n: n)(1)
        runtime.flush()
        found = runtime.verify()
        self.assertEqual((found.ok, found.records, found.problem), (True, 2, ""))
        health = runtime.health()
        self.assertTrue(health.audit_available)
        self.assertEqual((health.records_written, health.records_lost, len(health.program)), (2, 0, 64))
        self.assertIn("# EOF", runtime.metrics())

    def test_without_a_database_there_is_none(self):
        with ordain.Runtime.open(texts=POLICIES) as runtime:
            self.assertEqual(runtime.capability("look")(lambda n: n)(1), 1)
            with self.assertRaises(ordain.RefusedError) as caught:
                list(runtime.audit())
            self.assertEqual(caught.exception.code, "no_database")


class Changes(Case):
    def test_policies_are_replaced(self):
        runtime = self.open()
        look = runtime.capability("look")(lambda n: n)
        before = runtime.health().program
        with runtime.begin("look", {"n": 1}) as call:
            runtime.reload(texts={"closed.policy": "policy all on before * { deny closed because \"we are closed\"; }"})
            call.finish(None)
        with testing.denied(by="all.closed"):
            look(1)
        with self.assertRaises(ordain.PolicyError) as caught:
            runtime.reload(texts={"broken.policy": "policy"})
        self.assertIn("broken.policy", str(caught.exception))
        with testing.denied(by="all.closed"):
            look(1)
        runtime.reload(texts=POLICIES)
        self.assertEqual(runtime.health().program, before)
        runtime.reload(texts="policy odd on before undeclared { allow; }")
        self.assertIn("undeclared-capability", runtime.warnings)

    def test_options_are_checked(self):
        for wrong in ({"mode": "obsreve"}, {"durability": "soon"}, {"default": "maybe"}, {"budget": 0}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                ordain.Runtime.open(texts=POLICIES, **wrong)
        with self.assertRaises(ordain.RefusedError) as caught:
            ordain.Runtime.open(texts=POLICIES, operator_key="/no/such/key")
        self.assertEqual(caught.exception.code, "key_unreadable")
        with self.assertRaises(TypeError):
            ordain.Runtime.open()
        with self.assertRaises(ordain.PolicyError):
            ordain.Runtime.open("no/such/policies")

    def test_a_closed_runtime_says_so_and_calls_still_end(self):
        runtime = self.open()
        call = runtime.begin("look", {"n": 1})
        runtime.close()
        runtime.close()
        with self.assertRaises(ordain.ClosedError):
            runtime.begin("look", {"n": 1})
        self.assertEqual(call.finish(7), 7)

    def test_evaluating_asks_and_records_nothing(self):
        runtime = self.open()
        decision = runtime.evaluate("refund", {"customer": "c", "amount": 600.0})
        self.assertTrue(decision.needs_approval)
        self.assertEqual((decision.rule, decision.groups), ("refunds.large", ("finance",)))
        self.assertTrue(runtime.evaluate("refund", {"customer": "c", "amount": 1.0}, output={"message": "AKIA"}).denied)
        with runtime.identity(principal="carol"):
            self.assertTrue(runtime.evaluate("mine").allowed)
        self.assertTrue(runtime.evaluate("mine").denied)
        self.assertEqual(list(runtime.audit()), [])
        self.assertEqual(runtime.approvals.list(), ())


class Threads(Case):
    def test_threads_share_a_runtime(self):
        runtime = self.open()
        look = runtime.capability("look")(lambda n: n)
        wrong = []

        def work(start):
            for number in range(start, start + 50):
                if look(number) != number:
                    wrong.append(number)

        threads = [threading.Thread(target=work, args=(1 + 50 * at,)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(len(self.kinds(runtime)), 800)
        self.assertTrue(runtime.verify().ok)

    def test_closing_waits_for_threads_inside_the_engine(self):
        runtime = self.open(durability="sync")
        stopped = []

        def work():
            try:
                for number in range(1, 10_000):
                    runtime.evaluate("look", {"n": number})
            except ordain.ClosedError:
                stopped.append(True)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        runtime.close()
        for thread in threads:
            thread.join()
        self.assertEqual(stopped, [True] * 4)


if __name__ == "__main__":
    unittest.main()
