"""A LangChain agent whose tools are governed by Ordain. A fake model stands in for a real one, so the program needs no
key and no network:

    pip install ordain langchain
    python langchain_agent.py
"""

import ordain
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from ordain.adapters.langchain import OrdainMiddleware

POLICIES = """
package shop;

capability refund { type "tool"; risk high; input { customer: string, amount: double } }

policy refunds on before refund {
  deny negative           when input.amount <= 0.0 because "a refund must be positive";
  require_approval large  when input.amount > 100.0 from "finance" because "a refund above 100";
  allow;
}
"""


class FakeModel(FakeMessagesListChatModel):
    """Says what it was given, whichever tools it may call."""

    def bind_tools(self, tools, **options):
        return self


def refund(customer: str, amount: float) -> str:
    """Gives a customer money back."""
    return f"refunded {amount} to {customer}"


def calls_refund(amount):
    return AIMessage("", tool_calls=[{"name": "refund", "args": {"customer": "c-17", "amount": amount}, "id": f"call-{amount}"}])


def main():
    model = FakeModel(responses=[calls_refund(-5.0), calls_refund(250.0), AIMessage("The refund is on its way.")])
    with ordain.Runtime.open(texts=POLICIES, agent="support") as runtime:
        agent = create_agent(model, [refund], middleware=[OrdainMiddleware(runtime)], checkpointer=InMemorySaver())
        thread = {"configurable": {"thread_id": "1"}}

        # The model tries a negative refund and reads why it is denied. The large one then waits for a person.
        state = agent.invoke({"messages": [("user", "I want my money back")]}, thread)
        waiting = state["__interrupt__"][0].value
        print("waits:", waiting["capability"], waiting["input"], "because", waiting["reason"])

        # A person of the finance group approves exactly this call, and the agent goes on.
        answer = {"approval": waiting["approval"], "approve": True, "by": "alice", "group": "finance"}
        state = agent.invoke(Command(resume=answer), thread)
        for message in state["messages"]:
            print(f"{message.type}: {message.content}")


if __name__ == "__main__":
    main()
