"""An agent of the OpenAI Agents SDK whose tools are governed by Ordain. A fake model stands in for a real one, so the
program needs no key and no network:

    pip install ordain openai-agents
    python openai_agent.py
"""

import asyncio
import json

import ordain
from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from ordain.adapters.openai_agents import GovernedTools

POLICIES = """
package shop;

capability refund { type "tool"; risk high; input { customer: string, amount: double } }

policy refunds on before refund {
  deny negative           when input.amount <= 0.0 because "a refund must be positive";
  require_approval large  when input.amount > 100.0 from "finance" because "a refund above 100";
  allow;
}
"""


class FakeModel(Model):
    """Says what it was given, one answer a turn."""

    def __init__(self, *answers):
        self._answers = list(answers)

    async def get_response(self, *args, **options):
        return ModelResponse(output=[self._answers.pop(0)], usage=Usage(), response_id=None)

    def stream_response(self, *args, **options):
        raise NotImplementedError


def calls_refund(amount):
    arguments = json.dumps({"customer": "c-17", "amount": amount})
    return ResponseFunctionToolCall(arguments=arguments, call_id=f"call{amount}", name="refund", type="function_call")


def says(text):
    content = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(id="m", content=[content], role="assistant", status="completed", type="message")


@function_tool
def refund(customer: str, amount: float) -> str:
    """Gives a customer money back."""
    return f"refunded {amount} to {customer}"


async def main():
    set_tracing_disabled(True)
    model = FakeModel(calls_refund(-5.0), calls_refund(250.0), says("The refund is on its way."))
    with ordain.Runtime.open(texts=POLICIES, agent="support") as runtime:
        governed = GovernedTools(runtime)
        agent = Agent(name="support", model=model, tools=[governed.wrap(refund)])

        # The model tries a negative refund and reads why it is denied. The large one then waits for a person.
        result = await Runner.run(agent, "I want my money back")
        state = result.to_state()
        for item in result.interruptions:
            print("waits:", item.tool_name, item.raw_item.arguments)
            governed.vote(item, approve=True, by="alice", group="finance")
            state.approve(item)
        result = await Runner.run(agent, state)
        for item in result.new_items:
            if item.type == "tool_call_output_item":
                print("tool:", item.output)
        print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
