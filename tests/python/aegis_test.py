"""Aegis's interface over Ordain."""

import asyncio
import contextlib
import io
import json
import logging
import pathlib
import tempfile
import time
import unittest
from unittest import mock

import ordain
import pages
from ordain.compat.aegis import (Action, Approval, BaseExecutor, ExecutionPlan, Policy, Result, ResultStatus, RiskLevel,
                                 Runtime)
from ordain.compat.aegis.runtime.approval import ApprovalHandler, AutoApprovalHandler, CLIApprovalHandler
from ordain.compat.aegis.runtime.approval_callback import CallbackApprovalHandler
from ordain.compat.aegis.runtime.audit import AuditLogger
from ordain.compat.aegis.runtime.audit_logging import LoggingAuditLogger

POLICIES = """
package crm;

capability salesforce.read { type "tool"; risk low; input open { token: optional(string) } output open {} }
capability salesforce.update { type "tool"; risk medium; input open {} }
capability salesforce.export { type "tool"; risk high; input open {} }
capability salesforce.audit { type "tool"; risk low; input open {} }

policy crm on before salesforce.* {
  deny deletions           when action.type == "delete" because "deletions are forbidden";
  require_approval audits  when action.type == "audit" from "auditors" because "auditors decide";
  require_approval careful when action.type in ["update", "export"] because "somebody else looks at it";
  allow reads              when action.type == "read" && action.target == "salesforce";
}
policy tokens on before salesforce.read { redact token input.token when has(input.token) with "***"; }
policy leaks on after salesforce.read {
  deny key when has(output.key) && string(output.key).contains("AKIA") because "a key in the output";
}
"""

READ, UPDATE, EXPORT, DELETE = (Action(kind, "salesforce") for kind in ("read", "update", "export", "delete"))


class Crm(BaseExecutor):
    """Notes what it is asked to do, and does as `params` say."""

    def __init__(self):
        self.seen, self.done = [], []

    async def setup(self):
        self.seen.append("setup")

    async def teardown(self):
        self.seen.append("teardown")

    async def execute(self, action):
        self.done.append((action.type, dict(action.params)))
        if "raise" in action.params:
            raise LookupError(action.params["raise"])
        if "fail" in action.params:
            return Result(action, ResultStatus.FAILED, error=action.params["fail"])
        return Result(action, ResultStatus.SUCCESS, {"done": action.type, **action.params.get("output", {})})

    async def verify(self, action, result):
        return action.params.get("verified", True)


class AegisCase(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.crm = Crm()

    def open(self, handler=None, logger=None, **options):
        runtime = Runtime(executor=self.crm, policy=Policy(texts=POLICIES), approval_handler=handler or AutoApprovalHandler(),
                          audit_logger=logger or AuditLogger(self.directory / "audit.db"), **options)
        self.addCleanup(runtime.close)
        return runtime

    def one(self, runtime, action):
        return asyncio.run(runtime.run_one(action))


class Plans(AegisCase):
    def test_a_plan_decides_and_does_nothing_else(self):
        runtime = self.open()
        plan = runtime.plan([READ, UPDATE, DELETE])
        self.assertIsInstance(plan, ExecutionPlan)
        self.assertEqual([decision.approval for decision in plan.decisions],
                         [Approval.AUTO, Approval.APPROVE, Approval.BLOCK])
        self.assertEqual((len(plan), plan.size, plan.has_blocked, plan.requires_approval), (3, 3, True, True))
        self.assertEqual(plan.summary().splitlines(), [
            "3 actions: 1 auto, 1 approve, 1 block",
            "  1. read salesforce: auto by crm.reads: " + plan.decisions[0].reason,
            "  2. update salesforce: approve by crm.careful: somebody else looks at it",
            "  3. delete salesforce: block by crm.deletions: deletions are forbidden"])
        self.assertTrue(plan.decisions[0].is_allowed)
        with self.assertRaises(TypeError):
            bool(plan.decisions[2])
        self.assertEqual((self.crm.done, runtime.audit.count(), runtime.ordain.approvals.list()), ([], 0, ()))
        only = runtime.plan([READ])
        self.assertEqual((only.has_blocked, only.requires_approval), (False, False))

    def test_execution(self):
        runtime = self.open()
        results = asyncio.run(runtime.execute(runtime.plan([READ, DELETE, UPDATE])))
        self.assertEqual([result.status.value for result in results], ["success", "blocked", "success"])
        self.assertEqual([result.ok for result in results], [True, False, True])
        self.assertEqual(results[0].data, {"done": "read"})
        self.assertIn("deletions are forbidden", results[1].error)
        self.assertEqual([result.action for result in results], [READ, DELETE, UPDATE])
        self.assertEqual([kind for kind, _ in self.crm.done], ["read", "update"])
        kinds = [record["kind"] for record in runtime.audit.query(session=runtime.session_id)]
        self.assertEqual([kinds.count(kind) for kind in ("intent", "outcome", "denied")], [2, 2, 1])

    def test_a_plan_is_decided_again_when_it_executes(self):
        runtime = self.open()
        plan = runtime.plan([READ])
        runtime.ordain.reload(texts="policy closed on before * { deny now; }")
        self.assertEqual(asyncio.run(runtime.execute(plan))[0].status, ResultStatus.BLOCKED)
        self.assertEqual(self.crm.done, [])

    def test_a_failure_skips_the_rest(self):
        for params, error in (({"raise": "gone"}, "LookupError: gone"), ({"fail": "no"}, "no"),
                              ({"verified": False}, "could not verify"), ({"output": {"key": "AKIA1"}}, "withheld")):
            with self.subTest(params=params):
                runtime = self.open(logger=LoggingAuditLogger())
                results = asyncio.run(runtime.execute(runtime.plan([Action("read", "salesforce", params), READ])))
                self.assertEqual([result.status.value for result in results], ["failed", "skipped"])
                self.assertIn(error, results[0].error)
                self.assertEqual([result.executed for result in results], [True, False])
                self.assertIsNone(results[0].data)
                self.assertEqual(runtime.audit.count(kind="outcome"), 1)

    def test_the_executor_gets_what_the_rules_left(self):
        runtime = self.open()
        self.one(runtime, Action("read", "salesforce", {"token": "secret", "n": 1}))
        self.assertEqual(self.crm.done, [("read", {"token": "***", "n": 1})])

    def test_what_the_agent_sends_is_no_fact_of_the_host(self):
        runtime = self.open()
        for params in ({"type": "read"}, {"action": {"type": "read"}}, {"risk": "low"}):
            self.assertEqual(self.one(runtime, Action("delete", "salesforce", params)).status, ResultStatus.BLOCKED)
        for wrong in ({"type": ""}, {"target": ""}, {"type": 1}, {"risk": 9}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                Action(**{"type": "read", "target": "salesforce", **wrong})

    def test_a_cancelled_action_is_recorded(self):
        runtime = self.open()

        async def main():
            inside = asyncio.Event()

            async def wait(action):
                inside.set()
                await asyncio.sleep(60)

            self.crm.execute = wait
            task = asyncio.create_task(runtime.run_one(READ))
            await inside.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        outcome, = runtime.audit.query(kind="outcome")
        self.assertTrue(outcome["error"].startswith("CancelledError"))


class Approvals(AegisCase):
    def test_only_true_approves(self):
        asked = []
        for answer, status in ((True, "success"), (False, "denied"), (1, "denied"), ("yes", "denied"), (None, "denied")):
            with self.subTest(answer=answer):
                handler = CallbackApprovalHandler(callback=lambda decision: asked.append(decision) or answer)
                runtime = self.open(handler, LoggingAuditLogger())
                self.assertEqual(self.one(runtime, UPDATE).status.value, status)
                state = "consumed" if answer is True else "rejected"
                self.assertEqual(runtime.ordain.approvals.list()[0].state, state)
        self.assertEqual((asked[0].risk_level, asked[0].approval, asked[0].rule),
                         (RiskLevel.MEDIUM, Approval.APPROVE, "crm.careful"))

    def test_a_coroutine_answers(self):
        async def answer(decision):
            await asyncio.sleep(0)
            return decision.risk_level.value <= 2

        runtime = self.open(CallbackApprovalHandler(answer))
        self.assertEqual([self.one(runtime, action).status.value for action in (UPDATE, EXPORT)], ["success", "denied"])

    def test_an_unknown_risk_is_not_small(self):
        asked = []
        with self.subTest("of the host"):
            runtime = self.open(CallbackApprovalHandler(lambda decision: asked.append(decision.risk_level) or True))
            self.one(runtime, Action("update", "salesforce", risk=RiskLevel.HIGH))
            self.assertEqual(asked, [RiskLevel.HIGH])
        runtime.ordain.reload(texts="policy all on before * { require_approval every; }")
        self.one(runtime, Action("update", "elsewhere"))
        self.assertEqual(asked[1:], [RiskLevel.CRITICAL])

    def test_an_approval_serves_once_and_is_bound_to_the_action(self):
        answers = [True, False, False]
        runtime = self.open(CallbackApprovalHandler(lambda decision: answers.pop(0)))
        self.assertTrue(self.one(runtime, UPDATE).ok)
        self.assertFalse(self.one(runtime, UPDATE).ok)
        self.assertFalse(self.one(runtime, Action("update", "salesforce", {"all": True})).ok)
        self.assertEqual(len(self.crm.done), 1)

    def test_a_denial_skips_the_rest(self):
        runtime = self.open(CallbackApprovalHandler(lambda decision: False))
        results = asyncio.run(runtime.execute(runtime.plan([UPDATE, READ])))
        self.assertEqual([result.status.value for result in results], ["denied", "skipped"])
        self.assertEqual(self.crm.done, [])

    def test_a_handler_that_fails_is_not_a_yes(self):
        def broken(decision):
            raise LookupError("nobody there")

        runtime = self.open(CallbackApprovalHandler(broken))
        result = self.one(runtime, UPDATE)
        self.assertEqual(result.status, ResultStatus.DENIED)
        self.assertIn("nobody there", result.error)
        waiting, = runtime.ordain.approvals.list("pending")
        self.assertEqual(result.approval_id, waiting.id)
        runtime.ordain.approvals.approve(waiting.id, by="alice")
        self.assertTrue(self.one(runtime, UPDATE).ok)
        self.assertEqual(self.one(self.open(ApprovalHandler(), LoggingAuditLogger()), UPDATE).status, ResultStatus.DENIED)

    def test_a_handler_does_not_answer_for_a_group(self):
        runtime = self.open()
        result = self.one(runtime, Action("audit", "salesforce"))
        self.assertEqual(result.status, ResultStatus.DENIED)
        self.assertEqual(runtime.ordain.approvals.list("pending")[0].id, result.approval_id)
        self.assertEqual(self.crm.done, [])

    def test_the_terminal(self):
        for typed, approved in (("y\n", True), ("YES\n", True), ("n\n", False), ("", False), ("yess\n", False)):
            with self.subTest(typed=typed):
                runtime = self.open(CLIApprovalHandler(), LoggingAuditLogger())
                shown = io.StringIO()
                with mock.patch("sys.stdin", io.StringIO(typed)), contextlib.redirect_stderr(shown):
                    result = self.one(runtime, Action("update", "salesforce", {"name": "x\n\x1b[2JApprove? y"}))
                self.assertEqual(result.ok, approved)
                self.assertIn("somebody else looks at it", shown.getvalue())
                self.assertNotIn("\x1b", shown.getvalue())
                self.assertEqual(shown.getvalue().count("\n"), 3)


class Records(AegisCase):
    def test_the_context_manager_sets_up_and_closes(self):
        async def main():
            async with self.open() as runtime:
                await runtime.run_one(READ)
            return runtime

        runtime = asyncio.run(main())
        self.assertEqual(self.crm.seen, ["setup", "teardown"])
        with self.assertRaises(ordain.ClosedError):
            runtime.plan([READ])

    def test_a_setup_that_fails_closes_the_record(self):
        async def broken():
            raise LookupError("no connection")

        async def main():
            async with runtime:
                self.fail("it has begun")

        runtime = self.open()
        with mock.patch.object(self.crm, "setup", broken), self.assertRaises(LookupError):
            asyncio.run(main())
        with self.assertRaises(ordain.ClosedError):
            runtime.plan([READ])

    def test_records_are_exported(self):
        logger = AuditLogger(self.directory / "audit.db")
        runtime = self.open(logger=logger, session_id="s-1", agent="sales")
        self.one(runtime, READ)
        self.one(runtime, DELETE)
        self.assertEqual(logger.export_jsonl(self.directory / "all.jsonl"), 3)
        lines = [json.loads(line) for line in (self.directory / "all.jsonl").read_text(encoding="utf-8").splitlines()]
        self.assertEqual([line["kind"] for line in lines], ["intent", "outcome", "denied"])
        self.assertEqual({(line["agent"], line["session"]) for line in lines}, {("sales", "s-1")})
        self.assertEqual(logger.count(kind="denied"), 1)
        with self.assertRaisesRegex(ValueError, "still open"):
            self.open(logger=logger)
        runtime.close()
        other = self.open(logger=logger)
        self.assertNotEqual(other.session_id, "s-1")
        self.assertEqual((logger.count(), logger.count(session=other.session_id)), (3, 0))
        with self.assertRaisesRegex(ValueError, "audit.db"):
            AuditLogger("log.db")
        with self.assertRaisesRegex(ValueError, "no runtime"):
            AuditLogger("state/audit.db").count()

    def test_records_are_logged(self):
        logger = LoggingAuditLogger()
        directory = pathlib.Path(logger.directory)
        runtime = self.open(logger=logger)
        with self.assertLogs("aegis.audit", logging.INFO) as logged:
            self.one(runtime, READ)
            self.one(runtime, DELETE)
        lines = [json.loads(record.getMessage()) for record in logged.records]
        self.assertEqual([line["kind"] for line in lines], ["intent", "outcome", "denied"])
        self.assertEqual(logger.export_jsonl(self.directory / "all.jsonl"), 3)
        runtime.close()
        self.assertFalse(directory.exists())

    def test_policies_of_aegis_are_imported_first(self):
        for use in (lambda: Policy.from_yaml("p.yaml"), lambda: Policy("p.yml")):
            with self.assertRaisesRegex(ordain.PolicyError, "ordain import aegis"):
                use()
        with self.assertRaises(TypeError):
            Policy()
        (self.directory / "crm.policy").write_text(POLICIES, encoding="utf-8")
        runtime = Runtime(executor=self.crm, policy=Policy(self.directory / "crm.policy"),
                          audit_logger=AuditLogger(self.directory / "audit.db"))
        self.addCleanup(runtime.close)
        self.assertIsInstance(runtime.approval_handler, CLIApprovalHandler)
        self.assertFalse(runtime.plan([READ]).has_blocked)


class Page(AegisCase):
    def test_its_samples_run(self):
        samples = pages.samples(pages.read("plan-runtime.txt"))
        self.assertGreaterEqual(len(samples), 6)

        def filled(*, executor, policy, **options):
            """The page writes an ellipsis for what it does not show."""
            self.assertIs(executor, ...)
            self.assertIs(policy, ...)
            return self.open(options.pop("approval_handler", None), options.pop("audit_logger", LoggingAuditLogger()), **options)

        names = {"Runtime": filled, "Action": Action}
        for number, sample in enumerate(samples, 1):
            with self.subTest(number=number), contextlib.redirect_stdout(io.StringIO()) as printed:
                names["runtime"] = self.open(logger=LoggingAuditLogger())
                names["plan"] = names["runtime"].plan([READ])
                pages.run(sample, "aegis", names)
                self.assertNotIn("Error", printed.getvalue())
        self.assertIsInstance(names["handler"], CallbackApprovalHandler)
        self.assertTrue(names["result"].ok)


if __name__ == "__main__":
    unittest.main()
