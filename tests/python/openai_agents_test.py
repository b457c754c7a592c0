"""The adapter for the OpenAI Agents SDK, driven by a fake model."""

import asyncio
import contextlib
import dataclasses
import io
import json
import pathlib
import tempfile
import unittest

import ordain
from frameworks import Lenient, example, need

agents, responses = need("agents", "openai.types.responses")
from ordain.adapters.openai_agents import GovernedTools  # noqa: E402  (only if the framework is there)

POLICIES = """
package shop;

capability refund {
  type "tool"; input { customer: string, amount: double, card: optional(string) }
  output { content: dyn }
}
policy refunds on before refund {
  deny negative when input.amount <= 0.0 because "must be positive";
  require_approval large when input.amount > 100.0;
  redact card input.card when has(input.card) && input.card != "" with "***";
  allow;
}
policy leaks on after refund {
  deny key when texts(output).exists(text, text.contains("AKIA")) because "a key in the output";
  redact iban output.content when texts(output).exists(text, text.contains("DE00")) with "***";
}
"""


class Model(agents.Model):
    """Calls refund with each of the arguments, one a turn, then ends."""

    def __init__(self, *calls):
        self._answers = [responses.ResponseFunctionToolCall(arguments=call, call_id=f"call-{number}", name="refund",
                                                            type="function_call") for number, call in enumerate(calls)]
        content = responses.ResponseOutputText(text="end", type="output_text", annotations=[])
        self._answers.append(responses.ResponseOutputMessage(id="m", content=[content], role="assistant", status="completed",
                                                             type="message"))

    async def get_response(self, *args, **options):
        return agents.ModelResponse(output=[self._answers.pop(0)], usage=agents.Usage(), response_id=None)

    def stream_response(self, *args, **options):
        raise NotImplementedError


def call(amount, **more):
    return json.dumps({"customer": "c", "amount": amount, **more})


class Adapter(Lenient):
    def setUp(self):
        agents.set_tracing_disabled(True)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.done = []
        self.runtime = ordain.Runtime.open(texts=POLICIES, agent="support", database=pathlib.Path(directory.name) / "state")
        self.addCleanup(self.runtime.close)
        self.governed = GovernedTools(self.runtime)

    def tool(self, answer=None):
        @agents.function_tool
        def refund(customer: str, amount: float, card: str = "") -> str:
            """Gives money back."""
            self.done.append((customer, amount, card))
            return answer or f"refunded {amount}"

        return refund

    def agent(self, *calls, answer=None):
        return agents.Agent(name="support", model=Model(*calls), tools=[self.governed.wrap(self.tool(answer))])

    def run_agent(self, agent, start="go"):
        return asyncio.run(agents.Runner.run(agent, start))

    def outputs(self, result):
        return [item.output for item in result.new_items if item.type == "tool_call_output_item"]

    def test_denials_are_outputs(self):
        first, second, third = self.outputs(self.run_agent(self.agent(call(-1.0), call(0.0), call("much"))))
        self.assertIn("must be positive", first)
        self.assertIn("must be positive", second)
        self.assertIn("input.amount", third)
        self.assertEqual(self.done, [])
        self.assertEqual([record["kind"] for record in self.runtime.audit()], ["denied"] * 3)

    def test_inputs_and_outputs_are_redacted(self):
        outputs = self.outputs(self.run_agent(self.agent(call(1.0, card="4111"), answer="sent to DE00")))
        self.assertEqual((outputs, self.done), (["***"], [("c", 1.0, "***")]))

    def test_outputs_are_withheld(self):
        output, = self.outputs(self.run_agent(self.agent(call(1.0), answer="AKIA")))
        self.assertIn("a key in the output", output)
        self.assertEqual(len(self.done), 1)

    def test_an_interruption_is_approved_once(self):
        agent = self.agent(call(250.0), call(250.0))
        result = self.run_agent(agent)
        state = result.to_state()
        item, = result.interruptions
        self.assertEqual(self.governed.vote(item, approve=True, by="alice").state, "approved")
        self.assertEqual(self.governed.vote(item, approve=True, by="alice").state, "approved")
        state.approve(item)
        result = self.run_agent(agent, state)
        self.assertEqual((self.outputs(result)[0], len(self.done)), ("refunded 250.0", 1))
        self.assertEqual(len(result.interruptions), 1)  # the same call again

    def test_a_rejection_denies_also_if_the_sdk_approves(self):
        agent = self.agent(call(250.0))
        result = self.run_agent(agent)
        state = result.to_state()
        self.governed.vote(result.interruptions[0], approve=False, by="alice")
        state.approve(result.interruptions[0])
        self.run_agent(agent, state)
        self.assertEqual(self.done, [])

    def test_what_only_the_sdk_approves_does_not_run(self):
        agent = self.agent(call(250.0))
        result = self.run_agent(agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        output = self.outputs(self.run_agent(agent, state))[-1]
        self.assertIn("waits for approval", output)
        self.assertEqual(self.done, [])

    def test_the_agent_does_not_approve_its_own_call(self):
        result = self.run_agent(self.agent(call(250.0)))
        with self.assertRaises(ordain.RefusedError):
            self.governed.vote(result.interruptions[0], approve=True, by="support")

    def test_a_state_that_is_resumed_twice_executes_once(self):
        result = self.run_agent(self.agent(call(250.0)))
        state = result.to_state()
        self.governed.vote(result.interruptions[0], approve=True, by="alice")
        state.approve(result.interruptions[0])
        saved = state.to_string()
        for _ in range(2):
            agent = self.agent()
            self.run_agent(agent, asyncio.run(agents.RunState.from_string(agent, saved)))
        self.assertEqual(len(self.done), 1)

    def test_the_tools_own_approval_still_counts(self):
        async def always(context, args, call_id):
            return True

        for own in (True, always):
            wrapped = self.governed.wrap(dataclasses.replace(self.tool(), needs_approval=own))
            result = self.run_agent(agents.Agent(name="support", model=Model(call(1.0)), tools=[wrapped]))
            self.assertEqual((len(result.interruptions), self.done), (1, []))
            with self.assertRaisesRegex(ValueError, "needs no approval"):
                self.governed.vote(result.interruptions[0], approve=True, by="alice")

    def test_a_guardrail_authorizes(self):
        tool = dataclasses.replace(self.tool(), tool_input_guardrails=[self.governed.input_guardrail()])
        model = Model(call(-1.0), call(250.0), call(1.0, card="4111"), call(1.0))
        outputs = self.outputs(self.run_agent(agents.Agent(name="support", model=model, tools=[tool])))
        for output, expected in zip(outputs, ("must be positive", "waits for approval", "redact", "refunded 1.0")):
            self.assertIn(expected, output)
        self.assertEqual(self.done, [("c", 1.0, "")])


class Example(Lenient):
    def test_it_runs(self):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            asyncio.run(example("openai_agent").main())
        self.assertIn("refunded 250.0 to c-17", printed.getvalue())
        self.assertIn("a refund must be positive", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
