"""Runs policy functions, and makes governed calls of actions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, ParamSpec, TypeVar

from ... import _capability
from ..._call import UNCHANGED, Call, Unchanged
from ..._decision import Decision as OrdainDecision
from ..._runtime import Identity, Runtime as OrdainRuntime
from ._types import AgentAction, Capability, Decision, PolicyContext

if TYPE_CHECKING:
    from ._runtime import Runtime

P = ParamSpec("P")
R = TypeVar("R")

_BEFORE, _AFTER = "before_capability", "after_capability"


class PolicyEngine:
    """Evaluates actions against the registered policies."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def evaluate(self, action: AgentAction) -> Decision:
        """Decides an action before it runs, and does nothing else: nothing is asked or recorded."""
        engine = self._runtime.ordain
        decision = engine.evaluate(action.capability_name, dict(action.input), identity=self.identity(engine, action),
                                   action=_facts(action))
        return _answer(decision)

    def identity(self, engine: OrdainRuntime, action: AgentAction) -> Identity:
        """Who acts, with what the policy functions say of the action."""
        attributes: dict[str, Any] = {"session": self.verdicts(_BEFORE, action)}
        if self._runtime.scopes:
            attributes["agent"] = {"scopes": list(self._runtime.scopes)}
        return engine.identity(agent=action.agent_id, principal=action.principal_id, tenant=action.tenant_id,
                               environment=action.environment, attributes=attributes)

    def verdicts(self, stage: str, action: AgentAction, output: Any = None) -> dict[str, dict[str, str]]:
        """Asks the functions of a stage. What they raise is a fault, which denies."""
        context = PolicyContext(action, self._runtime.capabilities[action.capability_name], output)
        verdicts: dict[str, str] = {}
        reasons: dict[str, str] = {}
        for policy in self._runtime.policy.applying(action.capability_name, stage):
            try:
                said = policy.function(context)
                kind, reason = _verdict(stage, said)
            except Exception as error:
                kind, reason = "fault", f"the policy function failed: {type(error).__name__}: {error}"
            verdicts[policy.name] = kind
            reasons[policy.name] = reason.encode("utf-8", "backslashreplace").decode("utf-8")
        return {"verdicts": verdicts, "reasons": reasons}


def _verdict(stage: str, said: Optional[Decision]) -> tuple[str, str]:
    if said is None:
        return "none", ""
    if not isinstance(said, Decision):
        raise TypeError(f"it must give a Decision or None, not {type(said).__name__}")
    if stage == _AFTER and said.type == "approval_required":
        raise ValueError("nothing can be approved after a call: allow or deny the output")
    return said.type, said.reason or f"said by a function ({said.type})"


def _answer(decision: OrdainDecision) -> Decision:
    kind = "approval_required" if decision.needs_approval else decision.effect
    return Decision(kind, decision.reason, decision.policy, decision.raw.get("policy_version") or "", decision.code)


def _facts(action: AgentAction) -> dict[str, str]:
    return {"type": action.action_type, "trace_id": action.id}


class CapabilityInterceptor:
    """Intercepts a call, evaluates it, executes it, and evaluates the output."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def begin(self, action: AgentAction) -> GovernedCall:
        """Begins a call that the caller executes. Raises ordain.Denied or ordain.Pending."""
        engine = self._runtime.ordain
        call = engine.begin(action.capability_name, dict(action.input),
                            identity=self._runtime.policies.identity(engine, action), action=_facts(action))
        return GovernedCall(call, self._runtime.policies, action)

    def intercept(self, action: AgentAction, execute: Callable[[Mapping[str, Any]], R]) -> R:
        """Executes an action by a function of its input. Raises ordain.Denied, Pending or Withheld, and what the
        function raises."""
        call = self.begin(action)
        try:
            output = execute(call.input)
        except BaseException as error:
            call.fail(error)
            raise
        call.settle(output)
        return output


class GovernedCall:
    """A call that has begun."""

    def __init__(self, call: Call, policies: PolicyEngine, action: AgentAction) -> None:
        self._call = call
        self._policies = policies
        self._action = action
        self.input: Any = call.input

    def settle(self, output: Any) -> Unchanged:
        """Ends the call with its output. Raises ordain.Withheld."""
        judged: dict[str, Any] = dict(self._policies.verdicts(_AFTER, self._action, output))
        if output is not None:
            judged["value"] = output
        self._call.settle(judged)
        return UNCHANGED

    def fail(self, error: BaseException) -> None:
        """Ends the call with the failure of the capability."""
        self._call.fail(error)

    def give_up(self, why: str) -> None:
        """Ends a call that was not executed after all."""
        self._call.give_up(why)


class CallableCapabilityInterceptor:
    """Makes governed calls of the calls of functions: the parameters are the fields of the input, by name."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def wrap(self, function: Callable[P, R], capability: Capability) -> Callable[P, R]:
        """Wraps a function or a coroutine function; the policy functions of the latter run on other threads."""
        return _capability.Capability(_Governed(self._runtime), capability.name, function,  # type: ignore[arg-type]
                                      wait=None, resource=None)


@dataclasses.dataclass(frozen=True)
class _Governed:
    """What ordain.Capability needs of a runtime."""

    runtime: Runtime

    def current_identity(self) -> None:
        return None

    def begin(self, name: str, input: Mapping[str, Any], **_: Any) -> GovernedCall:
        return self.runtime.interceptor.begin(self.runtime.create_action(name, input))

    async def _aside(self, work: Callable[[], R], undo: Optional[Callable[[R], None]] = None) -> R:
        return await self.runtime.ordain._aside(work, undo)
