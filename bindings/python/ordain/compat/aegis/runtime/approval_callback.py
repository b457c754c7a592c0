"""Approval by a function of the program."""

from __future__ import annotations

import inspect
from typing import Awaitable, Callable, Union

from .._actions import PolicyDecision
from .approval import ApprovalHandler


class CallbackApprovalHandler(ApprovalHandler):
    """Asks a function, which may be a coroutine function. It runs on the event loop. Only the answer ``True`` approves."""

    def __init__(self, callback: Callable[[PolicyDecision], Union[bool, Awaitable[bool]]], *,
                 approver: str = "callback") -> None:
        self._callback = callback
        self._approver = approver

    @property
    def approver(self) -> str:
        return self._approver

    async def request_approval(self, decision: PolicyDecision) -> bool:
        answer = self._callback(decision)
        return (await answer if inspect.isawaitable(answer) else answer) is True
