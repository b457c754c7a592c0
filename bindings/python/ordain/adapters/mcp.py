"""Governs the tools of a server made with the MCP Python SDK (`mcp` 2) or with FastMCP.

>>> server = MCPServer("shop", middleware=[ServerMiddleware(runtime)])        # doctest: +SKIP
>>> fastmcp_server.add_middleware(fastmcp_middleware(runtime))                 # doctest: +SKIP

A tool is the capability of its name, and its arguments are the input. The rules see ``output.content`` and
``output.structuredContent``. A denial is a result with ``isError``, whose text the model reads; a call that needs approval
is one too, and names the request. The client makes the call again when the request is answered. `ordain mcp` governs
servers that are not yours.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Awaitable, Callable, Mapping, Optional

from .._call import UNCHANGED, Call
from .._runtime import Identity, Runtime
from ..errors import Denied, Pending

__all__ = ["ServerMiddleware", "fastmcp_middleware"]

Who = Callable[[Any], Optional[Identity]]

_RESULT_TYPES_SINCE = "2026-07-28"


class ServerMiddleware:
    """A middleware of the SDK's ``MCPServer`` or ``Server``. Make it the last, so that nothing changes a call after the
    decision. `capability` names the capability of a tool; `identity` says for whom a request is, by its context, if no
    identity is in force."""

    def __init__(self, runtime: Runtime, *, capability: Callable[[str], str] = str,
                 identity: Optional[Who] = None) -> None:
        self._runtime = runtime
        self._capability = capability
        self._identity = identity

    async def __call__(self, context: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        if context.method != "tools/call":
            return await call_next(context)
        params = dict(context.params or {})
        name = params.get("name")
        if not isinstance(name, str):
            return await call_next(context)  # which refuses it
        given = params.get("arguments")
        try:
            call = await self._begin(context, name, {} if given is None else given)
        except (Denied, Pending) as stopped:
            return _error(context, _said(stopped))
        try:
            result = await call_next(dataclasses.replace(context, params={**params, "arguments": call.input}))
        except BaseException as error:
            failure = error
            await self._runtime._aside(lambda: call.fail(failure))
            raise
        sent = result if isinstance(result, Mapping) else result.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            left = await self._runtime._aside(lambda: call.settle(sent))
        except Denied as withheld:
            return _error(context, _said(withheld))
        return result if left is UNCHANGED else left

    async def _begin(self, context: Any, name: str, given: Any) -> Call:
        found = None if self._identity is None else self._identity(context)
        identity = found or self._runtime.current_identity()
        return await self._runtime._aside(
            lambda: self._runtime.begin(self._capability(name), given, identity=identity),
            undo=lambda unused: unused.give_up("cancelled before it ran"))


def _said(stopped: Any) -> str:
    return f"{stopped.message} (approval {stopped.approval})" if isinstance(stopped, Pending) else str(stopped.message)


def _error(context: Any, text: str) -> dict[str, Any]:
    """The result of a call that was stopped. A middleware says by itself what a revision requires of results."""
    result: dict[str, Any] = {"content": [{"type": "text", "text": text}], "isError": True}
    if context.protocol_version >= _RESULT_TYPES_SINCE:  # both are dates
        result["resultType"] = "complete"
    return result


def fastmcp_middleware(runtime: Runtime, *, capability: Callable[[str], str] = str,
                       identity: Optional[Who] = None) -> Any:
    """A middleware for ``FastMCP.add_middleware``. Add it last. The arguments are those of `ServerMiddleware`."""
    from fastmcp.exceptions import ToolError
    from fastmcp.server.middleware import Middleware
    from fastmcp.tools.base import ToolResult
    from mcp_types import ContentBlock
    from pydantic import TypeAdapter

    governed = ServerMiddleware(runtime, capability=capability, identity=identity)
    blocks: Any = TypeAdapter(list[ContentBlock])

    class OrdainMiddleware(Middleware):
        async def on_call_tool(self, context: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
            message = context.message
            try:
                call = await governed._begin(context, message.name, message.arguments or {})
            except (Denied, Pending) as stopped:
                raise ToolError(_said(stopped)) from None
            try:
                result = await call_next(
                    context.copy(message=message.model_copy(update={"arguments": call.input})))
            except BaseException as error:
                failure = error
                await runtime._aside(lambda: call.fail(failure))
                raise
            plain = isinstance(result, ToolResult)
            sent: Any = {"content": blocks.dump_python(result.content, mode="json", by_alias=True, exclude_none=True),
                         "structuredContent": result.structured_content} if plain else result
            if plain and result.structured_content is None:
                del sent["structuredContent"]
            try:
                left = await runtime._aside(lambda: call.settle(sent))
            except Denied as withheld:
                raise ToolError(_said(withheld)) from None
            if left is UNCHANGED:
                return result
            if not plain:
                raise ToolError("the output was redacted, and cannot be passed on in this form")
            return ToolResult(content=blocks.validate_python(left["content"]),
                              structured_content=left.get("structuredContent"), is_error=result.is_error)

    return OrdainMiddleware()
