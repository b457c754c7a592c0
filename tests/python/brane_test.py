"""Brane's interface over Ordain."""

import asyncio
import pathlib
import re
import tempfile
import threading
import types
import unittest

import ordain
import pages
from ordain.compat.brane import AgentAction, Capability, Decision, Policy, PolicyContext, Runtime
from ordain.testing import denied, pending, withheld


class BraneCase(unittest.TestCase):
    def open(self, *arguments, **options):
        runtime = Runtime(*arguments, **options)
        self.addCleanup(runtime.close)
        return runtime

    def mail(self, judge, stage="before_capability", **options):
        """A runtime with one capability and one policy of the stage; for `after`, also one that allows the call."""
        runtime = self.open("support-agent", "prod", **options)
        sent = []

        @runtime.capability("send_email", type="tool", risk="medium")
        def send_email(to, body=""):
            sent.append(to)
            return {"to": to, "body": body}

        runtime.policy.register(Policy("send_email", stage, judge, "judge", "7"))
        if stage == "after_capability":
            runtime.before_capability("*", name="everything")(lambda ctx: Decision("allow"))
        return runtime, send_email, sent


class Calls(BraneCase):
    def test_policy_functions_decide(self):
        def judge(ctx):
            self.assertIsInstance(ctx, PolicyContext)
            if not ctx.arg("to", "").endswith("@acme.com"):
                return Decision(type="deny", reason="External email addresses are blocked")
            return Decision(type="allow")

        runtime, send_email, sent = self.mail(judge)
        self.assertEqual(send_email("ann@acme.com", body="hello"), {"to": "ann@acme.com", "body": "hello"})
        with denied(by="judge.function_deny") as caught:
            send_email("eve@evil.com")
        self.assertEqual(caught.error.reason, "External email addresses are blocked")
        self.assertEqual(sent, ["ann@acme.com"])
        answer = runtime.evaluate("send_email", {"to": "eve@evil.com"})
        self.assertEqual((answer.type, answer.reason, answer.policy, answer.policy_version, answer.code),
                         ("deny", "External email addresses are blocked", "judge", "7", "rule"))
        self.assertTrue(runtime.evaluate("send_email", {"to": "ann@acme.com"}).allowed)
        with self.assertRaises(TypeError):
            bool(answer)

    def test_what_no_policy_allows_is_denied(self):
        _, send_email, sent = self.mail(lambda ctx: None)
        with denied(code="default"):
            send_email("ann@acme.com")
        self.assertEqual(sent, [])

    def test_the_strictest_verdict_counts(self):
        order = ("allow", "approval_required", "deny")
        for one in order:
            for other in order:
                with self.subTest(one=one, other=other):
                    runtime, _, _ = self.mail(lambda ctx, one=one: Decision(one))
                    runtime.before_capability("*", name="second")(lambda ctx, other=other: Decision(other))
                    found = runtime.evaluate("send_email", {"to": "x"}).type
                    self.assertEqual(found, order[max(order.index(one), order.index(other))])

    def test_a_function_that_fails_denies(self):
        def broken(ctx):
            raise LookupError("no list \udc80")

        wrong = (broken, lambda ctx: True, lambda ctx: "allow", lambda ctx: Decision("permit"))
        for stage, stopped in (("before_capability", denied), ("after_capability", withheld)):
            for number, judge in enumerate(wrong):
                with self.subTest(stage=stage, number=number):
                    runtime, send_email, sent = self.mail(judge, stage)
                    runtime.before_capability("*", name="also")(lambda ctx: Decision("allow"))
                    with stopped(by="judge.function_failed") as caught:
                        send_email("ann@acme.com")
                    self.assertIn("the policy function failed", caught.error.reason)
                    self.assertEqual(len(sent), 0 if stage == "before_capability" else 1)

    def test_a_function_does_not_change_the_call(self):
        def judge(ctx):
            ctx.input["to"] = "eve@evil.com"
            return Decision("allow")

        _, send_email, sent = self.mail(judge)
        send_email("ann@acme.com")
        self.assertEqual(sent, ["ann@acme.com"])

    def test_outputs_are_judged(self):
        def judge(ctx):
            return Decision("deny", "a key") if "AKIA" in ctx.output["body"] else Decision("allow")

        runtime, send_email, sent = self.mail(judge, "after_capability")
        self.assertEqual(send_email("ann", "hello")["body"], "hello")
        with withheld(by="judge.function_deny") as caught:
            send_email("ann", "AKIA")
        self.assertEqual((caught.error.reason, len(sent)), ("a key", 2))
        runtime, send_email, _ = self.mail(lambda ctx: Decision("approval_required"), "after_capability")
        with withheld(by="judge.function_failed"):
            send_email("ann")

    def test_approval(self):
        runtime, send_email, sent = self.mail(lambda ctx: Decision("approval_required", "a person looks at it"))
        with pending(by="judge.function_approval_required") as caught:
            send_email("ann")
        self.assertEqual(caught.error.reason, "a person looks at it")
        runtime.ordain.approvals.approve(caught.error.approval, by="alice")
        with pending():
            send_email("bob")
        send_email("ann")
        with pending():
            send_email("ann")
        self.assertEqual(sent, ["ann"])

    def test_warnings_and_exceptions_pass(self):
        runtime, _, _ = self.mail(lambda ctx: Decision("warn", "odd"))
        runtime.before_capability("*", name="rest")(lambda ctx: Decision("allow"))
        self.assertTrue(runtime.evaluate("send_email", {"to": "x"}).allowed)

        @runtime.capability("broken")
        def broken():
            raise LookupError("gone")

        with self.assertRaisesRegex(LookupError, "gone"):
            broken()

    def test_coroutine_functions(self):
        runtime = self.open("a")
        runtime.before_capability("*", name="all")(lambda ctx: Decision("allow" if ctx.arg("n") > 0 else "deny"))

        @runtime.capability("wait")
        async def wait(n):
            await asyncio.sleep(0)
            return n

        self.assertEqual(asyncio.run(wait(1)), 1)
        with denied():
            asyncio.run(wait(0))

    def test_policies_that_come_later_count_at_once(self):
        runtime, send_email, _ = self.mail(lambda ctx: Decision("allow"))
        send_email("ann")
        runtime.before_capability("send_email", name="closed")(lambda ctx: Decision("deny", "closed"))
        with denied(by="closed.function_deny"):
            send_email("ann")

    def test_policies_that_come_while_calls_run_fail_closed(self):
        runtime, send_email, _ = self.mail(lambda ctx: Decision("allow"))
        problems, stop = [], threading.Event()

        def work():
            while not stop.is_set():
                try:
                    send_email("ann")
                except ordain.Denied as error:  # a verdict that is not there yet
                    if error.code != "evaluation_error" or type(error) is ordain.Withheld:
                        problems.append(error)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(10):
            runtime.after_capability("*", name=f"after_{number}")(lambda ctx: Decision("allow"))
            runtime.before_capability("*", name=f"before_{number}")(lambda ctx: Decision("allow"))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        send_email("ann")


class Actions(BraneCase):
    def test_who_acts_is_the_hosts_to_say(self):
        seen = []
        runtime = self.open("support-agent", "prod", "tenant_acme", "user_sarah", [Capability("look")])
        runtime.before_capability("look", name="all")(lambda ctx: seen.append(ctx) or Decision("allow"))
        runtime.evaluate("look", {"agent_id": "root", "principal_id": "root"})
        context = seen[0]
        self.assertEqual((context.action.agent_id, context.action.environment, context.action.tenant_id,
                          context.action.principal_id, context.is_prod),
                         ("support-agent", "prod", "tenant_acme", "user_sarah", True))
        self.assertEqual(context.capability, Capability("look"))
        self.assertFalse(PolicyContext(AgentAction("look", {}, "tool"), Capability("look")).is_prod)

    def test_records_say_who_acted(self):
        with tempfile.TemporaryDirectory() as directory:
            runtime = self.open("support-agent", "prod", "tenant_acme", "user_sarah", [Capability("look")],
                                database=pathlib.Path(directory) / "state")
            runtime.before_capability("look", name="all")(lambda ctx: Decision("allow"))
            action = runtime.create_action("look", {"n": 1}, tenant_id="tenant_other")
            self.assertEqual(runtime.interceptor.intercept(action, lambda input: input["n"] + 1), 2)
            record = next(runtime.ordain.audit())
            self.assertEqual((record["agent"], record["environment"], record["tenant"], record["principal"]),
                             ("support-agent", "prod", "tenant_other", "user_sarah"))
            self.assertEqual(record["input"], {"n": 1})
            runtime.close()

    def test_intercepted_failures_are_recorded(self):
        runtime = self.open(capabilities=[Capability("look")])
        runtime.before_capability("look", name="all")(lambda ctx: Decision("allow"))
        with self.assertRaises(ZeroDivisionError):
            runtime.interceptor.intercept(runtime.create_action("look", {}), lambda input: 1 / 0)

    def test_scopes_are_those_that_the_agent_was_granted(self):
        for scopes, kind in (((), "deny"), (("mail.read",), "deny"), (("mail.send",), "allow")):
            runtime = self.open("a", capabilities=[Capability("send", scopes=["mail.send"])], scopes=scopes)
            runtime.before_capability("*", name="all")(lambda ctx: Decision("allow"))
            call = runtime.callables.wrap(lambda: 1, runtime.capabilities["send"])
            if kind == "allow":
                self.assertEqual(call(), 1)
            else:
                with denied(code="missing_scope"):
                    call()


class Registries(BraneCase):
    def test_capabilities(self):
        runtime = self.open(capabilities=[Capability("look", risk="low")])
        runtime.register_capability(Capability("look", risk="low"))
        self.assertEqual((len(runtime.capabilities), "look" in runtime.capabilities, "see" in runtime.capabilities),
                         (1, True, False))
        self.assertEqual((runtime.capabilities.get("see"), list(runtime.capabilities)), (None, [Capability("look", risk="low")]))
        with self.assertRaisesRegex(ValueError, "another"):
            runtime.register_capability(Capability("look", risk="high"))
        with self.assertRaises(KeyError):
            runtime.evaluate("see", {})

    def test_policies(self):
        runtime = self.open()
        allow = runtime.before_capability("mail.*", name="mails")(lambda ctx: Decision("allow"))
        self.assertEqual(allow(None), Decision("allow"))
        self.assertEqual(len(runtime.policy), 1)
        policy, = runtime.policy
        self.assertEqual([policy.applies_to(name) for name in ("mail.send", "mail", "mailbox.send", "mail.send.now")],
                         [True, False, False, True])
        with self.assertRaisesRegex(ValueError, "another"):
            runtime.after_capability("*", name="mails")(lambda ctx: None)

    def test_no_name_becomes_policy_text(self):
        hostile = 'x" { } policy evil on before * { allow; } capability "y'
        for wrong in ({"name": hostile}, {"name": ""}, {"name": 7}, {"name": "a*"}, {"name": "a\n"}, {"risk": "huge"}, {"type": ""},
                      {"effect": hostile}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                Capability(**{"name": "look", **wrong})
        good = {"target": "look", "stage": "before_capability", "function": lambda ctx: None, "name": "p"}
        for wrong in ({"target": hostile}, {"target": "a*b"}, {"target": ""}, {"stage": "before"}, {"name": hostile},
                      {"name": "a.b"}, {"name": ""}, {"name": "when"}, {"name": "let"}, {"name": "namespace"}):
            with self.subTest(wrong=wrong), self.assertRaises(ValueError):
                Policy(**{**good, **wrong})

        async def coroutine(ctx):
            return None

        for wrong in (None, coroutine):
            with self.assertRaises(TypeError):
                Policy(**{**good, "function": wrong})
        for wrong in ({"type": "permit"}, {"type": "deny", "reason": 7}):
            with self.assertRaises(ValueError):
                Decision(**wrong)
        words = Capability("odd name/x", type=hostile, owner=hostile, description=hostile + "\n\x01é\U0001f600", tags=[hostile],
                           scopes=["s"], effect="external")
        runtime = self.open("a", capabilities=[words], policies=[Policy(**{**good, "target": "*", "version": hostile})],
                            scopes=["s"])
        self.assertEqual(runtime.evaluate("odd name/x", {}).type, "deny")

    def test_words_of_the_language_can_name_policies(self):
        runtime = self.open("a", capabilities=[Capability("look")])
        for word in ("policy", "on", "before", "after", "deny", "allow", "version", "capability", "test", "verdicts"):
            runtime.before_capability("look", name=word)(lambda ctx: Decision("allow"))
        self.assertTrue(runtime.evaluate("look", {}).allowed)


class Page(BraneCase):
    def samples(self):
        """The longest runs of lines that are programs, which the page does not set apart from its prose."""
        text = pages.read("capability-runtime.txt")
        lines = re.sub(r"^(\)|runtime = .*\))[A-Z].*", r"\1\n.", text, flags=re.MULTILINE).splitlines()
        at, found = 0, []
        while at < len(lines):
            best = 0
            if re.match(r"from brane import |runtime = Runtime\(|def \w+\(", lines[at]):
                for end in range(at + 1, min(at + 60, len(lines)) + 1):
                    try:
                        compile(pages.indented(lines[at:end]), "sample", "exec")
                        best = end
                    except SyntaxError:
                        pass
            if best:
                found.append(pages.indented(lines[at:best]))
            at = best or at + 1
        return found

    def test_its_samples_run(self):
        samples = self.samples()
        self.assertGreaterEqual(len(samples), 5)
        request = types.SimpleNamespace(tenant_id="tenant_acme", user_id="user_sarah")
        names = {"request": request, "SHARED_REFUND_CAP": Capability(name="refund_customer", type="tool", risk="high")}
        names["refund_policy"] = Policy("refund_customer", "before_capability", lambda ctx: Decision("allow"), "refunds").function
        names["refund_policy"].__name__ = "refund_policy"
        for number, sample in enumerate(samples, 1):
            with self.subTest(number=number):
                names.pop("runtime", None)
                pages.run(sample, "brane", names)
                if "runtime" in names:
                    self.addCleanup(names["runtime"].close)
                    self.assertIsInstance(names["runtime"], Runtime)
                if "policy" in names:
                    self.assertEqual(names["runtime"].evaluate("send_email", {"to": "eve@evil.com"}).type, "deny")
                    self.assertEqual(names["runtime"].evaluate("send_email", {"to": "ann@acme.com"}).type, "allow")
                    del names["policy"]
        names["handle_request"](request)


if __name__ == "__main__":
    unittest.main()
