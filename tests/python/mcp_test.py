"""The adapter for MCP servers, with clients in the same process."""

import asyncio
import contextlib
import io
import logging
import pathlib
import tempfile
import unittest

import ordain
from frameworks import Lenient, example, need

_, = need("mcp.server.mcpserver")
from ordain.adapters.mcp import ServerMiddleware, fastmcp_middleware  # noqa: E402  (only if the SDK is there)

POLICIES = """
package shop;

capability refund {
  type "tool"; input { customer: string, amount: double, card: optional(string) } output open { content: dyn }
}
policy refunds on before refund {
  deny negative when input.amount <= 0.0 because "must be positive";
  require_approval large when input.amount > 100.0;
  redact card input.card when has(input.card) && input.card != "" with "***";
  allow;
}
policy leaks on after refund {
  deny key when texts(output).exists(text, text.contains("AKIA")) because "a key in the output";
}
"""


class Servers(Lenient):
    def setUp(self):
        logging.disable(logging.CRITICAL)  # the servers log what tools raise
        self.addCleanup(logging.disable, logging.NOTSET)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.done = []
        self.runtime = ordain.Runtime.open(texts=POLICIES, agent="support", database=pathlib.Path(directory.name) / "state")
        self.addCleanup(self.runtime.close)

    def add_tools(self, server):
        @server.tool()
        def refund(customer: str, amount: float, card: str = "") -> str:
            """Gives money back."""
            self.done.append((customer, amount, card))
            if customer == "nobody":
                raise LookupError("no such customer")
            return "AKIA" if customer == "leaky" else f"refunded {amount} {card}"

        return server

    async def check(self, call):
        """Calls the tool by `call`, which gives whether the result is an error and its text."""
        for arguments, is_error, text in (
                ({"customer": "c", "amount": 1.0}, False, "refunded 1.0"),
                ({"customer": "c", "amount": 1.0, "card": "4111"}, False, "refunded 1.0 ***"),
                ({"customer": "c", "amount": -1.0}, True, "must be positive"),
                ({"customer": "leaky", "amount": 1.0}, True, "a key in the output"),
                ({"customer": "c", "amount": 250.0}, True, "waits for approval")):
            with self.subTest(arguments=arguments):
                was_error, said = await call(arguments)
                self.assertEqual(was_error, is_error)
                self.assertIn(text, said)
                self.assertNotIn("AKIA", said)
        request, = self.runtime.approvals.list("pending")
        self.assertIn(request.id, said)
        self.runtime.approvals.approve(request.id, by="alice")
        self.assertEqual((await call({"customer": "c", "amount": 300.0}))[0], True)
        self.assertEqual((await call({"customer": "c", "amount": 250.0}))[0], False)
        self.assertEqual((await call({"customer": "c", "amount": 250.0}))[0], True)
        self.assertEqual([amount for _, amount, _ in self.done], [1.0, 1.0, 1.0, 250.0])
        self.assertTrue((await call({"customer": "nobody", "amount": 1.0}))[0])
        self.assertEqual(len(list(self.runtime.audit(kind="outcome"))), 5)

    def test_servers_of_the_sdk(self):
        client, servers = need("mcp.client", "mcp.server.mcpserver")
        for mode in ("legacy", "auto"):  # the revisions of MCP before 2026-07-28, and since
            with self.subTest(mode=mode):
                self.setUp()
                self.check_sdk(client, servers, mode)

    def check_sdk(self, client, servers, mode):
        server = self.add_tools(servers.MCPServer("shop", middleware=[ServerMiddleware(self.runtime)]))

        async def main():
            async with client.Client(server, mode=mode) as connected:
                self.assertEqual([tool.name for tool in (await connected.list_tools()).tools], ["refund"])

                async def call(arguments):
                    result = await connected.call_tool("refund", arguments)
                    return bool(result.is_error), result.content[0].text

                await self.check(call)

        asyncio.run(main())

    def test_fastmcp_servers(self):
        fastmcp, = need("fastmcp")
        server = self.add_tools(fastmcp.FastMCP("shop"))
        server.add_middleware(fastmcp_middleware(self.runtime))

        async def main():
            async with fastmcp.Client(server) as connected:
                self.assertEqual([tool.name for tool in await connected.list_tools()], ["refund"])

                async def call(arguments):
                    result = await connected.call_tool("refund", arguments, raise_on_error=False)
                    return result.is_error, result.content[0].text

                await self.check(call)

        asyncio.run(main())


class Example(Lenient):
    def test_it_runs(self):
        need("fastmcp")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            asyncio.run(example("mcp_server").main())
        self.assertIn("tool: refunded 250.0 to c-17", printed.getvalue())
        self.assertIn("a refund must be positive", printed.getvalue())


if __name__ == "__main__":
    unittest.main()
