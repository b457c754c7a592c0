"""Who answers where the policy demands approval: a person at the terminal, or everybody's yes for tests."""

from __future__ import annotations

import asyncio
import getpass
import sys

from .._actions import PolicyDecision


class ApprovalHandler:
    """Answers requests for approval. Subclass it and write `request_approval`; an exception of it is not a yes. It
    answers requests of rules that name no groups; those of a group wait in ``runtime.ordain.approvals``."""

    @property
    def approver(self) -> str:
        """Who answers, for the record."""
        return type(self).__name__

    async def request_approval(self, decision: PolicyDecision) -> bool:
        """Whether the action may be executed, once. Only ``True`` is a yes."""
        raise NotImplementedError


class AutoApprovalHandler(ApprovalHandler):
    """Approves everything. For tests only."""

    async def request_approval(self, decision: PolicyDecision) -> bool:
        return True


class CLIApprovalHandler(ApprovalHandler):
    """Asks at the terminal. Only ``y`` and ``yes`` approve; the end of the input does not. A thread waits for the answer,
    not the event loop."""

    @property
    def approver(self) -> str:
        return getpass.getuser()

    async def request_approval(self, decision: PolicyDecision) -> bool:
        return await asyncio.to_thread(self._ask, decision)

    def _ask(self, decision: PolicyDecision) -> bool:
        action = decision.action
        # What the agent sent is shown quoted, so that it cannot imitate the prompt or steer the terminal.
        asked = [f"Approval required: {action.type!a} on {action.target!a} (risk {decision.risk_level.name.lower()})"]
        asked += [f"  reason: {decision.reason!a}"] if decision.reason else []
        asked += [f"  {name!a} = {value!a}" for name, value in action.params.items()]
        print("\n".join(asked), file=sys.stderr)
        print("Approve? [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")
