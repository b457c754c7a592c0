"""CapFence's interface over Ordain."""

import pathlib
import tempfile
import unittest

import ordain
from ordain.compat.capfence import (ActionEvent, ActionRuntime, ApprovalEngine, AuditLogger, CapabilitySystem,
                                    ExecutionVerdict)

POLICIES = """
package ops;

capability deployment.execute.production { type "tool"; input open { command: optional(string) } }
capability deployment.read.production { type "tool"; input { command: optional(string) } }

policy execute on before deployment.execute.production {
  deny destructive        when has(input.command) && input.command.contains("rm -rf") because "destructive";
  require_approval risky  when action.risk >= "high" from "ops";
  allow;
}
policy read on before deployment.read.production {
  allow near when agent.chain_depth < 2 && environment.id == "production" && resource.id == "deployment";
}
"""


class Capfence(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "ops.policy").write_text(POLICIES, encoding="utf-8")

    def open(self, **options):
        runtime = ActionRuntime.from_policy(self.directory / "ops.policy", database=str(self.directory / "state"), **options)
        self.addCleanup(runtime.close)
        return runtime

    def event(self, command="ls -la", risk="low", action="execute", **metadata):
        return ActionEvent.create(actor="deployment-agent", action=action, resource="deployment", environment="production",
                                  risk=risk, payload={"command": command}, metadata=metadata)

    def test_verdicts(self):
        runtime = self.open()
        event = self.event(session_id="session-123")
        verdict = runtime.execute(event)
        self.assertIsInstance(verdict, ExecutionVerdict)
        self.assertEqual((verdict.authorized, verdict.decision, verdict.reason), (True, "allow", "policy_allow"))
        self.assertIs(verdict.event, event)
        self.assertEqual((verdict.confidence, verdict.approval_id), (0.2, None))
        record, = runtime.ordain.audit()
        self.assertEqual((record["agent"], record["environment"], record["session"], record["kind"]),
                         ("deployment-agent", "production", "session-123", "decision"))
        verdict = runtime.execute(self.event("rm -rf /"))
        self.assertEqual((verdict.authorized, verdict.decision, verdict.reason), (False, "deny", "policy_deny"))
        self.assertEqual(verdict.metadata["rule"], "execute.destructive")
        verdict = runtime.execute(self.event(action="delete"))
        self.assertEqual((verdict.authorized, verdict.reason), (False, "policy_default_deny"))

    def test_approval(self):
        runtime = self.open()
        verdict = runtime.execute(self.event(risk="high"))
        self.assertEqual((verdict.authorized, verdict.decision, verdict.confidence), (False, "require_approval", 0.8))
        self.assertEqual(verdict.reason, f"approval_required:{verdict.approval_id}")
        runtime.ordain.approvals.approve(verdict.approval_id, by="alice")
        again = runtime.execute(self.event(risk="high"))
        self.assertEqual((again.authorized, again.decision, again.reason), (True, "allow", "previously_approved"))
        self.assertEqual(again.approval_id, verdict.approval_id)
        self.assertFalse(runtime.execute(self.event(risk="high")).authorized)

    def test_what_the_caller_knows_reaches_the_rules(self):
        runtime = self.open()
        self.assertTrue(runtime.execute(self.event(action="read", caller_depth=1)).authorized)
        self.assertFalse(runtime.execute(self.event(action="read", caller_depth=2)).authorized)

    def test_observe(self):
        verdict = self.open(mode="observe").execute(self.event("rm -rf /"))
        self.assertEqual((verdict.authorized, verdict.decision, verdict.reason), (True, "deny", "observed:would_deny"))

    def test_constructor(self):
        policies = CapabilitySystem()
        policies.load_policy(self.directory)
        state = self.directory / "state"
        with ActionRuntime(policies, ApprovalEngine(state / "approvals.db"), AuditLogger(state / "audit.db")) as runtime:
            self.assertTrue(runtime.execute(self.event()).authorized)
        with self.assertRaisesRegex(ValueError, "one directory"):
            ActionRuntime(policies, ApprovalEngine("a/approvals.db"), AuditLogger("b/audit.db"))
        with self.assertRaisesRegex(ValueError, "audit.db"):
            AuditLogger("log.db")
        with self.assertRaisesRegex(ordain.PolicyError, "ordain import capfence"):
            policies.load_policy("ops.yaml")
        with self.assertRaises(ValueError):
            self.open(mode="maybe")

    def test_events_are_checked(self):
        good = {"actor": "a", "action": "b", "resource": "c", "environment": "d", "risk": 0.7}
        self.assertEqual(ActionEvent.create(**good).capability, "c.b.d")
        self.assertEqual(ActionEvent.create(**good, scope="s").capability, "c.b.s")
        for wrong in ({"actor": ""}, {"action": 1}, {"risk": "huge"}, {"risk": -1}, {"risk": True}, {"risk": float("nan")},
                      {"metadata": {"unheard": 1}}, {"require_approval": "yes"}, {"caller_depth": True}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                ActionEvent.create(**{**good, **wrong})


if __name__ == "__main__":
    unittest.main()
