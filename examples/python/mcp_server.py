"""An MCP server whose tools are governed by Ordain, and a client within the same process that calls them:

    pip install ordain fastmcp
    python mcp_server.py
"""

import asyncio

import ordain
from fastmcp import Client, FastMCP
from ordain.adapters.mcp import fastmcp_middleware

POLICIES = """
package shop;

capability refund { type "tool"; risk high; input { customer: string, amount: double } }

policy refunds on before refund {
  deny negative           when input.amount <= 0.0 because "a refund must be positive";
  require_approval large  when input.amount > 100.0 from "finance" because "a refund above 100";
  allow;
}
"""


def make_server(runtime):
    server = FastMCP("shop")

    @server.tool
    def refund(customer: str, amount: float) -> str:
        """Gives a customer money back."""
        return f"refunded {amount} to {customer}"

    server.add_middleware(fastmcp_middleware(runtime))
    return server


async def main():
    with ordain.Runtime.open(texts=POLICIES, agent="support") as runtime:
        async with Client(make_server(runtime)) as client:
            for amount in (-5.0, 250.0):
                result = await client.call_tool("refund", {"customer": "c-17", "amount": amount}, raise_on_error=False)
                print("error:" if result.is_error else "tool:", result.content[0].text)

            # A person of the finance group approves exactly this call, and the client makes it again.
            for request in runtime.approvals.list("pending"):
                runtime.approvals.approve(request.id, by="alice", group="finance")
            result = await client.call_tool("refund", {"customer": "c-17", "amount": 250.0})
            print("tool:", result.content[0].text)


if __name__ == "__main__":
    asyncio.run(main())
