"""The middleware for LangChain agents, driven by a fake model."""

import asyncio
import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest

import ordain
from frameworks import Lenient, example, need

agents, fake_models, messages, memory, types, tools, _ = need(
    "langchain.agents", "langchain_core.language_models.fake_chat_models", "langchain_core.messages",
    "langgraph.checkpoint.memory", "langgraph.types", "langchain_core.tools", "langchain.agents.middleware")
from ordain.adapters.langchain import OrdainMiddleware  # noqa: E402  (only if the framework is there)

POLICIES = """
package shop;

capability refund {
  type "tool"; input { customer: string, amount: double, card: optional(string) }
  output { content: dyn, status: string }
}
policy refunds on before refund {
  deny negative when input.amount <= 0.0 because "must be positive";
  require_approval large when input.amount > 100.0;
  redact card input.card when has(input.card) with "***";
  allow;
}
policy leaks on after refund {
  deny key when texts(output).exists(text, text.contains("AKIA")) because "a key in the output";
  redact iban output.content when texts(output).exists(text, text.contains("DE00")) with "***";
}
"""


class FakeModel(fake_models.FakeMessagesListChatModel):
    def bind_tools(self, tools, **options):
        return self


class Middleware(Lenient):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.done = []
        self.runtime = ordain.Runtime.open(texts=POLICIES, agent="support", database=self.directory / "state")
        self.addCleanup(self.runtime.close)
        self.thread = {"configurable": {"thread_id": "1"}}

    def agent(self, *calls, answer=None, **options):
        """An agent whose model makes these calls of refund one after another, then ends."""
        said = [messages.AIMessage("", tool_calls=[{"name": "refund", "args": args, "id": f"call-{number}"}])
                for number, args in enumerate(calls)]

        def refund(customer: str, amount: float, card: str = "") -> str:
            """Gives money back."""
            self.done.append((customer, amount, card))
            return answer or f"refunded {amount}"

        async def refund_later(customer: str, amount: float, card: str = "") -> str:
            return refund(customer, amount, card)

        tool = tools.StructuredTool.from_function(refund, coroutine=refund_later, name="refund", description="Gives money back.",
                                                  **options)
        return agents.create_agent(FakeModel(responses=[*said, messages.AIMessage("end")]), [tool],
                                   middleware=[OrdainMiddleware(self.runtime)], checkpointer=memory.InMemorySaver())

    def start(self, agent):
        return agent.invoke({"messages": [("user", "go")]}, self.thread)

    def resume(self, agent, **answer):
        return agent.invoke(types.Command(resume=answer or {"go": "on"}), self.thread)

    def waiting(self, state):
        """The request that a state is interrupted with; None if it is not."""
        found = state.get("__interrupt__")
        return found[0].value if found else None

    def results(self, state):
        return [(one.content, one.status) for one in state["messages"] if isinstance(one, messages.ToolMessage)]

    def test_denials_are_messages_to_the_model(self):
        state = self.start(self.agent({"customer": "c", "amount": -1.0}, {"customer": "c", "amount": "much"}))
        (first, status), (second, also) = self.results(state)
        self.assertEqual((status, also, self.done), ("error", "error", []))
        self.assertIn("must be positive", first)
        self.assertIn("input.amount", second)
        self.assertEqual([record["kind"] for record in self.runtime.audit()], ["denied", "denied"])

    def test_inputs_and_outputs_are_redacted(self):
        state = self.start(self.agent({"customer": "c", "amount": 1.0, "card": "4111"}, answer="sent to DE00"))
        self.assertEqual(self.done, [("c", 1.0, "***")])
        self.assertEqual(self.results(state), [("***", "success")])

    def test_an_artifact_goes_with_the_content(self):
        for answer, content, artifact in ((("sent to DE00", "DE00"), "***", None), (("sent", "DE00"), "sent", "DE00")):
            self.thread = {"configurable": {"thread_id": content}}
            state = self.start(self.agent({"customer": "c", "amount": 1.0}, answer=answer,
                                          response_format="content_and_artifact"))
            self.assertEqual([(one.content, one.artifact) for one in state["messages"] if one.type == "tool"],
                             [(content, artifact)])

    def test_outputs_are_withheld(self):
        state = self.start(self.agent({"customer": "c", "amount": 1.0}, answer="AKIA"))
        (content, status), = self.results(state)
        self.assertEqual((status, len(self.done)), ("error", 1))
        self.assertIn("a key in the output", content)
        self.assertNotIn("AKIA", content)

    def test_commands_are_judged_by_their_messages(self):
        def command(content, *more):
            return types.Command(update={"messages": [messages.ToolMessage(content, tool_call_id="call-0"), *more]})

        for answer, expected in ((command("fine"), "fine"), (command("AKIA"), "a key in the output")):
            self.thread = {"configurable": {"thread_id": expected}}
            state = self.start(self.agent({"customer": "c", "amount": 1.0}, answer=answer))
            self.assertIn(expected, self.results(state)[0][0])
            self.assertNotIn("AKIA", str(state["messages"]))

    def test_an_exception_of_a_tool_is_recorded(self):
        agent = self.agent({"customer": "c", "amount": 1.0})
        self.done = None  # so that the tool fails
        with self.assertRaises(AttributeError):
            self.start(agent)
        outcome, = self.runtime.audit(kind="outcome")
        self.assertIn("AttributeError", outcome["error"])

    def test_approval_interrupts_and_resumes(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        request = self.waiting(self.start(agent))
        self.assertEqual((request["type"], request["capability"], request["input"], request["rule"]),
                         ("ordain_approval", "refund", {"customer": "c", "amount": 250.0}, "refunds.large"))
        self.assertEqual(self.waiting(self.resume(agent))["approval"], request["approval"])  # nobody has answered
        self.assertEqual(self.done, [])
        state = self.resume(agent, approval=request["approval"], approve=True, by="alice")
        self.assertIsNone(self.waiting(state))
        self.assertEqual((self.results(state), len(self.done)), ([("refunded 250.0", "success")], 1))
        self.assertEqual(self.runtime.approvals.show(request["approval"]).state, "consumed")

    def test_an_approval_given_elsewhere_counts(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        request = self.waiting(self.start(agent))
        self.runtime.approvals.approve(request["approval"], by="alice")
        self.assertEqual(self.results(self.resume(agent)), [("refunded 250.0", "success")])

    def test_a_rejection_is_a_message_to_the_model(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        request = self.waiting(self.start(agent))
        (_, status), = self.results(self.resume(agent, approval=request["approval"], approve=False, by="alice"))
        self.assertEqual((status, self.done), ("error", []))

    def test_only_an_answer_to_this_request_counts(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        approval = self.waiting(self.start(agent))["approval"]
        for wrong in ({"approval": "0" * 32, "approve": True, "by": "alice"}, {"approve": True, "by": "alice"},
                      {"approval": approval, "approve": 1, "by": "alice"}, {"approval": approval, "approve": True},
                      {"decisions": [{"type": "approve"}]}):
            with self.subTest(wrong=wrong):
                self.assertEqual(self.waiting(self.resume(agent, **wrong))["approval"], approval)
        self.assertEqual(self.done, [])

    def test_the_agent_does_not_approve_its_own_call(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        approval = self.waiting(self.start(agent))["approval"]
        with self.assertRaises(ordain.RefusedError):
            self.resume(agent, approval=approval, approve=True, by="support")
        self.assertEqual(self.done, [])

    def test_changed_arguments_need_an_approval_of_their_own(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        first = self.waiting(self.start(agent))
        second = self.waiting(self.resume(agent, approval=first["approval"], args={"customer": "c", "amount": 300.0}))
        self.assertNotEqual(second["approval"], first["approval"])
        self.assertEqual(second["input"]["amount"], 300.0)
        self.assertEqual(self.waiting(self.resume(agent))["approval"], second["approval"])
        self.assertEqual(self.done, [])
        self.resume(agent, approval=second["approval"], approve=True, by="alice")
        self.assertEqual(self.done, [("c", 300.0, "")])

    def test_a_checkpoint_that_is_resumed_twice_executes_once(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        request = self.waiting(self.start(agent))
        checkpoint = agent.get_state(self.thread).config
        answer = types.Command(resume={"approval": request["approval"], "approve": True, "by": "alice"})
        agent.invoke(answer, checkpoint)
        again = self.waiting(agent.invoke(answer, checkpoint))
        self.assertNotEqual(again["approval"], request["approval"])
        self.assertEqual(len(self.done), 1)

    def test_threads_that_resume_at_once_execute_once(self):
        agent = self.agent({"customer": "c", "amount": 250.0})
        request = self.waiting(self.start(agent))
        self.runtime.approvals.approve(request["approval"], by="alice")
        checkpoint = agent.get_state(self.thread).config
        threads = [threading.Thread(target=lambda: agent.invoke(types.Command(resume={"go": "on"}), checkpoint))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.done), 1)

    def test_coroutines(self):
        agent = self.agent({"customer": "c", "amount": -1.0}, {"customer": "c", "amount": 250.0, "card": "4111"},
                           answer="sent to DE00")

        async def main():
            state = await agent.ainvoke({"messages": [("user", "go")]}, self.thread)
            request = self.waiting(state)
            answer = {"approval": request["approval"], "approve": True, "by": "alice"}
            return await agent.ainvoke(types.Command(resume=answer), self.thread)

        (denied, status), (redacted, _) = self.results(asyncio.run(main()))
        self.assertEqual((status, redacted, self.done), ("error", "***", [("c", 250.0, "***")]))
        self.assertIn("must be positive", denied)

    def test_identities(self):
        seen = []
        carol = self.runtime.identity(principal="carol")
        middleware = OrdainMiddleware(self.runtime, capability=lambda name: name.removeprefix("shop_"),
                                      identity=lambda request: seen.append(request.tool_call["name"]) or carol)

        @tools.tool
        def shop_refund(customer: str, amount: float) -> str:
            """Gives money back."""
            return "done"

        call = {"name": "shop_refund", "args": {"customer": "c", "amount": 1.0}, "id": "call"}
        agent = agents.create_agent(FakeModel(responses=[messages.AIMessage("", tool_calls=[call]), messages.AIMessage("end")]),
                                    [shop_refund], middleware=[middleware])
        self.assertEqual(self.results(agent.invoke({"messages": [("user", "go")]})), [("done", "success")])
        self.assertEqual(seen, ["shop_refund"])
        self.assertEqual([record["capability"] for record in self.runtime.audit(principal="carol", kind="intent")], ["refund"])

    def test_another_process_resumes(self):
        need("langgraph.checkpoint.sqlite")
        self.runtime.close()
        program = textwrap.dedent("""
            import sys, ordain
            from langchain.agents import create_agent
            from langchain_core.messages import AIMessage
            from langgraph.checkpoint.sqlite import SqliteSaver
            from langgraph.types import Command
            from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
            from ordain.adapters.langchain import OrdainMiddleware

            class Model(FakeMessagesListChatModel):
                def bind_tools(self, tools, **options):
                    return self

            def refund(customer: str, amount: float) -> str:
                "Gives money back."
                with open(f"{directory}/done", "a") as file:
                    file.write("once ")
                return "done"

            policies, directory, step = sys.argv[1:]
            call = {"name": "refund", "args": {"customer": "c", "amount": 250.0}, "id": "1"}
            first = AIMessage("", tool_calls=[call])
            said = [first, AIMessage("end")] if step == "start" else [AIMessage("end")]
            thread = {"configurable": {"thread_id": "1"}}
            with (ordain.Runtime.open(texts=policies, agent="support", database=f"{directory}/state") as runtime,
                  SqliteSaver.from_conn_string(f"{directory}/graph.db") as saver):
                agent = create_agent(Model(responses=said), [refund], middleware=[OrdainMiddleware(runtime)],
                                     checkpointer=saver)
                go = {"messages": [("user", "go")]} if step == "start" else Command(resume={"go": "on"})
                state = agent.invoke(go, thread)
                for one in state.get("__interrupt__", ()):
                    print(one.value["approval"])
        """)

        def step(name):
            done = subprocess.run([sys.executable, "-W", "ignore", "-c", program, POLICIES, self.directory, name], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=240, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.strip()

        approval = step("start")
        self.assertEqual(len(approval), 32)
        with ordain.Runtime.open(texts=POLICIES, database=self.directory / "state") as runtime:
            runtime.approvals.approve(approval, by="alice")
        self.assertEqual(step("resume"), "")
        self.assertEqual((self.directory / "done").read_text(encoding="utf-8"), "once ")
        step("resume")
        self.assertEqual((self.directory / "done").read_text(encoding="utf-8"), "once ")


class Example(Lenient):
    def test_it_runs(self):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            example("langchain_agent").main()
        self.assertIn("refunded 250.0 to c-17", printed.getvalue())
        self.assertIn("a refund must be positive", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
