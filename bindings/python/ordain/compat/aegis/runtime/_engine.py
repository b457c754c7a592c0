"""The runtime: plans actions, asks for approval, executes and records."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any, Iterable, Optional

from ...._call import UNCHANGED, Call
from ...._runtime import Runtime as OrdainRuntime
from ....errors import Denied, Pending, RefusedError, Withheld
from .._actions import Action, Approval, BaseExecutor, ExecutionPlan, PolicyDecision, Result, ResultStatus
from .._policy import Policy
from .approval import ApprovalHandler, CLIApprovalHandler
from .audit import AuditLogger


class Runtime:
    """Executes actions through an executor, each as a governed call of Ordain. ``agent`` says who acts; it may not be
    the approver of its own actions."""

    def __init__(self, *, executor: BaseExecutor, policy: Policy, approval_handler: Optional[ApprovalHandler] = None,
                 audit_logger: Optional[AuditLogger] = None, session_id: Optional[str] = None,
                 agent: str = "") -> None:
        self.executor = executor
        self.approval_handler = approval_handler or CLIApprovalHandler()
        self.audit = audit_logger or AuditLogger()
        self.session_id = session_id or uuid.uuid4().hex
        self.ordain = OrdainRuntime.open(**policy.sources, agent=agent, session=self.session_id,
                                         database=self.audit.directory)
        """Ordain's runtime, for approvals and the record."""
        try:
            self.audit.attach(self.ordain, self.session_id)
        except BaseException:
            self.ordain.close()
            raise

    async def __aenter__(self) -> Runtime:
        try:
            await self.executor.setup()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.executor.teardown()
        finally:
            self.close()

    def close(self) -> None:
        """Closes the record. ``async with`` does so by itself."""
        self.ordain.close()
        self.audit.close()

    def plan(self, actions: Iterable[Action]) -> ExecutionPlan:
        """Decides the actions, and does nothing else: nothing is asked, executed or recorded."""
        return ExecutionPlan(tuple(self._decide(action) for action in actions))

    async def execute(self, plan: ExecutionPlan) -> list[Result]:
        """Executes the plan's actions one after another, each decided again. After one that failed or was denied the
        rest is skipped; a blocked one stops nothing."""
        results: list[Result] = []
        broken = False
        for action in plan.actions:
            if broken:
                results.append(Result(action, ResultStatus.SKIPPED, error="an earlier action failed or was denied"))
                continue
            results.append(await self._run(action))
            broken = results[-1].status in (ResultStatus.FAILED, ResultStatus.DENIED)
        return results

    async def run_one(self, action: Action) -> Result:
        """Executes one action."""
        return await self._run(action)

    def _decide(self, action: Action) -> PolicyDecision:
        return PolicyDecision.of(action, self.ordain.evaluate(action.capability, dict(action.params), **_facts(action)))

    async def _run(self, action: Action) -> Result:
        try:
            try:
                call = await self._begin(action)
            except Pending as pending:
                call = await self._approved(action, pending)
        except Denied as denied:
            status = ResultStatus.DENIED if denied.code == "approval_rejected" else ResultStatus.BLOCKED
            return await self._recorded(Result(action, status, error=str(denied)))
        except _Unapproved as unapproved:
            return await self._recorded(
                Result(action, ResultStatus.DENIED, error=str(unapproved), approval_id=unapproved.approval))
        return await self._recorded(await self._execute(action, call))

    async def _begin(self, action: Action) -> Call:
        return await self.ordain._aside(
            lambda: self.ordain.begin(action.capability, dict(action.params), **_facts(action)),
            undo=lambda unused: unused.give_up("cancelled before it ran"))

    async def _approved(self, action: Action, pending: Pending) -> Call:
        """Asks the handler, records its answer, and begins the call again."""
        if pending.groups:
            raise _Unapproved(pending, f"waits for approval {pending.approval} from {', '.join(pending.groups)}")
        decision = dataclasses.replace(self._decide(action), approval=Approval.APPROVE, rule=pending.rule,
                                       reason=pending.reason)
        try:
            answer = await self.approval_handler.request_approval(decision)
        except Exception as error:
            raise _Unapproved(pending, f"the approval handler failed: {type(error).__name__}: {error}") from error
        approvals = self.ordain.approvals
        vote = approvals.approve if answer is True else approvals.reject
        try:
            await self.ordain._aside(lambda: vote(pending.approval, by=self.approval_handler.approver))
        except RefusedError as error:
            if error.code != "not_pending":  # then somebody else has answered meanwhile, and that answer counts
                raise _Unapproved(pending, f"the answer does not count: {error}") from error
        try:
            return await self._begin(action)
        except Pending as again:
            raise _Unapproved(again, f"waits for approval {again.approval}: {again.reason}") from again

    async def _execute(self, action: Action, call: Call) -> Result:
        allowed = dataclasses.replace(action, params=call.input)
        try:
            made = await self.executor.execute(allowed)
            result = made if isinstance(made, Result) else Result(action, ResultStatus.SUCCESS, made)
            if result.ok and not await self.executor.verify(allowed, result):
                raise VerificationError("the executor could not verify what the action did")
        except BaseException as error:
            failure = error
            await self.ordain._aside(lambda: call.fail(failure))
            if not isinstance(error, Exception):
                raise
            return Result(action, ResultStatus.FAILED, error=f"{type(error).__name__}: {error}", executed=True)
        if not result.ok:
            # Its data, if any, is the output of a failed action, which no rule has seen.
            reason = result.error or f"the executor gave {result.status.value}"
            await self.ordain._aside(lambda: call.fail(ExecutionError(reason)))
            return Result(action, ResultStatus.FAILED, error=reason, executed=True)
        try:
            released = await self.ordain._aside(lambda: call.settle(result.data))
        except Withheld as withheld:
            return Result(action, ResultStatus.FAILED, error=str(withheld), executed=True)
        return Result(action, ResultStatus.SUCCESS, result.data if released is UNCHANGED else released, executed=True)

    async def _recorded(self, result: Result) -> Result:
        await self.ordain._aside(self.audit.recorded)
        return result


class ExecutionError(Exception):
    """An executor gave a result that is not a success."""


class VerificationError(Exception):
    """An executor said that an action did not do what it should."""


class _Unapproved(Exception):
    def __init__(self, pending: Pending, why: str) -> None:
        super().__init__(why)
        self.approval = pending.approval


def _facts(action: Action) -> dict[str, Any]:
    """What the host knows of an action."""
    known = {"type": action.type, "target": action.target}
    if action.description:
        known["description"] = action.description
    return {"action": known, "risk": None if action.risk is None else action.risk.name.lower()}
