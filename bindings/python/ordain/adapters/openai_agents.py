"""Governs the function tools of the OpenAI Agents SDK.

>>> governed = GovernedTools(runtime)                                          # doctest: +SKIP
>>> agent = Agent(name="support", tools=[governed.wrap(refund)])               # doctest: +SKIP

A tool is the capability of its name, and its arguments are the input. The model reads denials. A call that needs approval
interrupts the run, as the SDK's own ``needs_approval`` does:

>>> for item in result.interruptions:                                          # doctest: +SKIP
...     governed.vote(item, approve=True, by="alice")
...     state.approve(item)
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from typing import Any, Callable, Optional

from agents import FunctionTool, ToolGuardrailFunctionOutput, ToolInputGuardrail, ToolInputGuardrailData
from agents.items import ToolApprovalItem

from .. import _json
from .._call import UNCHANGED, Call
from .._decision import Approval
from .._runtime import Identity, Runtime
from ..errors import Denied, OrdainError, Pending

__all__ = ["GovernedTools"]


class GovernedTools:
    """Wraps tools, so that each call is decided before it runs and after. `capability` names the capability of a tool;
    `identity` says for whom a run is, by its context, if no identity is in force."""

    def __init__(self, runtime: Runtime, *, capability: Callable[[str], str] = str,
                 identity: Optional[Callable[[Any], Optional[Identity]]] = None) -> None:
        self._runtime = runtime
        self._capability = capability
        self._identity = identity

    def wrap(self, tool: FunctionTool) -> FunctionTool:
        """The tool, governed. Do not give the agent the tool itself. The rules see ``output.content``."""
        name = self._capability(tool.name)

        async def needs_approval(context: Any, args: dict[str, Any], call_id: str) -> bool:
            identity = self._who(context)
            decision = await self._runtime._aside(lambda: self._runtime.evaluate(name, args, identity=identity))
            if decision.needs_approval:
                return True
            own: Any = tool.needs_approval
            if callable(own):
                own = own(context, args, call_id)
            return bool(await own if inspect.isawaitable(own) else own)

        async def invoke(context: Any, text: str) -> Any:
            try:
                call = await self._begin(name, _arguments(text), self._who(context))
            except (Denied, Pending) as stopped:
                return stopped.message
            except ValueError as error:
                return f"{name}: the arguments are not valid: {error}"
            try:
                output = await tool.on_invoke_tool(context, json.dumps(call.input))
            except BaseException as error:
                failure = error
                await self._runtime._aside(lambda: call.fail(failure))
                raise
            try:
                left = await self._runtime._aside(lambda: call.settle({"content": output}))
            except Denied as withheld:
                return withheld.message
            return output if left is UNCHANGED else left["content"]

        return dataclasses.replace(tool, on_invoke_tool=invoke, needs_approval=needs_approval)

    def input_guardrail(self) -> ToolInputGuardrail[Any]:
        """For a tool that cannot be wrapped: decides and records each call, and rejects what is not authorized. No rule
        sees the output, and an input that rules would redact is rejected, because a guardrail cannot change it."""
        async def authorize(data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
            name = self._capability(data.context.tool_name)
            try:
                given = _arguments(data.context.tool_arguments)
                answer = await self._runtime._aside(
                    lambda: self._runtime.authorize(name, given, identity=self._who(data.context)))
            except (OrdainError, ValueError) as error:
                return ToolGuardrailFunctionOutput.reject_content(f"{name}: {error}")
            if answer.state == "pending":
                return ToolGuardrailFunctionOutput.reject_content(f"{name} waits for approval {answer.approval}: {answer.reason}")
            if not answer.authorized:
                return ToolGuardrailFunctionOutput.reject_content(f"{name} denied by {answer.rule or 'default'}: {answer.reason}")
            if not _json.same(answer.input, given):
                return ToolGuardrailFunctionOutput.reject_content(f"{name}: the rules redact its input; wrap the tool")
            return ToolGuardrailFunctionOutput.allow()

        return ToolInputGuardrail(guardrail_function=authorize, name="ordain")

    def vote(self, item: ToolApprovalItem, *, approve: bool, by: str, group: Optional[str] = None,
             note: Optional[str] = None, identity: Optional[Identity] = None) -> Approval:
        """Answers the request for approval of an interruption, for the exact call and once; then tell the SDK by
        ``state.approve(item)`` or ``state.reject(item)``. What the SDK approves without such an answer does not run. Pass
        the identity for which the run is, if it is not in force here."""
        raw: Any = item.raw_item
        text = raw.get("arguments") if isinstance(raw, dict) else raw.arguments
        name, given = self._capability(str(item.tool_name)), _arguments(text or "")
        for known in self._runtime.approvals.list("approved"):
            if approve and known.capability == name and _json.same(known.input, given):
                return known
        try:
            call = self._runtime.begin(name, given, identity=identity)
        except Pending as pending:
            vote = self._runtime.approvals.approve if approve else self._runtime.approvals.reject
            return vote(pending.approval, by=by, group=group, note=note)
        call.give_up("only its approval was asked for")
        raise ValueError(f"{name} with these arguments needs no approval now")

    def _who(self, context: Any) -> Optional[Identity]:
        given = None if self._identity is None else self._identity(context)
        return given or self._runtime.current_identity()

    async def _begin(self, name: str, given: Any, identity: Optional[Identity]) -> Call:
        return await self._runtime._aside(lambda: self._runtime.begin(name, given, identity=identity),
                                          undo=lambda unused: unused.give_up("cancelled before it ran"))


def _arguments(text: str) -> Any:
    return json.loads(text) if text else {}
