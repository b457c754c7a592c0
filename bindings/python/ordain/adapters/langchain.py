"""Governs the tools of LangChain and LangGraph agents.

>>> agent = create_agent(model, tools, middleware=[OrdainMiddleware(runtime)], checkpointer=saver)   # doctest: +SKIP

A tool is the capability of its name, and its arguments are the input. A denial is a tool message with status ``error``,
which the model reads. A call that needs approval interrupts the graph; `OrdainMiddleware` says how it is resumed.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Awaitable, Callable, Mapping, Optional, Union

from langchain.agents.middleware import AgentMiddleware
from langchain.tools.tool_node import ToolCallRequest
from langchain_core.messages import BaseMessage, ToolMessage
from langgraph.types import Command, interrupt

from .._call import UNCHANGED, Call
from .._runtime import Identity, Runtime
from ..errors import Denied, Pending, RefusedError, Withheld

__all__ = ["OrdainMiddleware"]

Answer = Union[ToolMessage, "Command[Any]"]


class OrdainMiddleware(AgentMiddleware[Any, Any]):
    """Decides each call of a tool before it runs and after. Make it the last of the middleware, so that nothing changes a
    call after the decision. `capability` names the capability of a tool; `identity` says for whom a request is, if no
    identity is in force.

    **Approval.** The graph is interrupted with ``{"type": "ordain_approval", "approval": ID, "capability", "input",
    "rule", "reason", "groups", "expires"}``, which needs a checkpointer. Answer the request in ``runtime.approvals``, of
    any process, and resume with any value; or resume with one of these, which the agent never sees:

    - ``{"approval": ID, "approve": True or False, "by": NAME, "group": ..., "note": ...}``: answers the request
    - ``{"approval": ID, "args": {...}}``: other arguments, which are decided anew and need an approval of their own;
      an approval of the first request would still serve the first arguments

    The ID binds the answer to the interrupted call: an answer to another request changes nothing, and the graph is
    interrupted again. An approval serves one call, whichever process resumes it.
    """

    def __init__(self, runtime: Runtime, *, capability: Callable[[str], str] = str,
                 identity: Optional[Callable[[ToolCallRequest], Optional[Identity]]] = None) -> None:
        super().__init__()
        self._runtime = runtime
        self._capability = capability
        self._identity = identity

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Answer]) -> Answer:
        while True:
            try:
                call = self._begin(request)
                break
            except Denied as denied:
                return _refusal(request, denied)
            except Pending as pending:
                request = self._resumed(request, pending)
        try:
            answer = handler(_with_args(request, call.input))
        except BaseException as error:
            call.fail(error)
            raise
        return _released(request, answer, lambda: call.settle(_output(answer)))

    async def awrap_tool_call(self, request: ToolCallRequest,
                              handler: Callable[[ToolCallRequest], Awaitable[Answer]]) -> Answer:
        aside = self._runtime._aside
        while True:
            now = request
            identity = self._who(now)
            try:
                call = await aside(lambda: self._begin_as(now, identity),
                                   undo=lambda unused: unused.give_up("cancelled before it ran"))
                break
            except Denied as denied:
                return _refusal(request, denied)
            except Pending as pending:
                request = self._resumed(request, pending)
        try:
            answer = await handler(_with_args(request, call.input))
        except BaseException as error:
            failure = error
            await aside(lambda: call.fail(failure))
            raise
        settled = await aside(lambda: _caught(lambda: call.settle(_output(answer))))
        return _released(request, answer, settled)

    def _who(self, request: ToolCallRequest) -> Optional[Identity]:
        given = None if self._identity is None else self._identity(request)
        return given or self._runtime.current_identity()

    def _begin(self, request: ToolCallRequest) -> Call:
        return self._begin_as(request, self._who(request))

    def _begin_as(self, request: ToolCallRequest, identity: Optional[Identity]) -> Call:
        made = request.tool_call
        return self._runtime.begin(self._capability(made["name"]), made["args"], identity=identity)

    def _resumed(self, request: ToolCallRequest, pending: Pending) -> ToolCallRequest:
        """Interrupts the graph. When it is resumed, takes the answer, and gives what to begin then."""
        said = interrupt({
            "type": "ordain_approval", "approval": pending.approval, "capability": pending.capability,
            "input": request.tool_call["args"], "rule": pending.rule, "reason": pending.reason,
            "groups": list(pending.groups), "expires": pending.expires})
        if not isinstance(said, Mapping) or said.get("approval") != pending.approval:
            return request
        if isinstance(said.get("args"), Mapping):
            return _with_args(request, dict(said["args"]))
        if isinstance(said.get("by"), str) and isinstance(said.get("approve"), bool):
            approvals = self._runtime.approvals
            vote = approvals.approve if said["approve"] else approvals.reject
            try:
                vote(pending.approval, by=said["by"], group=said.get("group"), note=said.get("note"))
            except RefusedError as error:
                if error.code != "not_pending":  # then it is answered already, and that answer counts
                    raise
        return request


def _with_args(request: ToolCallRequest, args: Any) -> ToolCallRequest:
    return request.override(tool_call={**request.tool_call, "args": args})


def _message(request: ToolCallRequest, text: str) -> ToolMessage:
    return ToolMessage(text, name=request.tool_call["name"], tool_call_id=request.tool_call["id"], status="error")


def _refusal(request: ToolCallRequest, denied: Denied) -> ToolMessage:
    return _message(request, denied.message)


def _messages(answer: Command[Any]) -> list[Any]:
    """The messages that a command adds, which the model will read."""
    found = answer.update.get("messages", []) if isinstance(answer.update, Mapping) else []
    return found if isinstance(found, list) else [found]


def _output(answer: Answer) -> dict[str, Any]:
    """What rules see of an answer: its content, and its status. Of a command they see the contents of its messages."""
    if isinstance(answer, ToolMessage):
        return {"content": answer.content, "status": answer.status}
    contents = [one.content if isinstance(one, BaseMessage) else one for one in _messages(answer)]
    return {"content": contents, "status": "success"}


def _caught(settle: Callable[[], Any]) -> Callable[[], Any]:
    """The result of a function, as a function that gives or raises it."""
    try:
        result = settle()
    except Withheld as error:
        withheld = error

        def stop() -> Any:
            raise withheld

        return stop
    return lambda: result


def _released(request: ToolCallRequest, answer: Answer, settle: Callable[[], Any]) -> Answer:
    """What the graph may see of an answer."""
    try:
        left = settle()
    except Withheld as withheld:
        return _refusal(request, withheld)
    if left is UNCHANGED:
        return answer
    if isinstance(answer, ToolMessage):
        # An artifact repeats what the content says, and no rule has seen it.
        return answer.model_copy(update={"content": left["content"], "artifact": None})
    messages, contents = _messages(answer), left["content"]
    if len(messages) != len(contents) or not all(isinstance(one, ToolMessage) for one in messages):
        return _message(request, "the output was redacted, and cannot be passed on in this form")
    redacted = [one.model_copy(update={"content": content, "artifact": None})
                for one, content in zip(messages, contents)]
    return dataclasses.replace(answer, update={**answer.update, "messages": redacted})
