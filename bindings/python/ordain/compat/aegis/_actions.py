"""Actions, what is decided about them, and what becomes of them."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Mapping, Optional

from ..._decision import Decision


class RiskLevel(enum.IntEnum):
    """How much an action can harm."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Approval(str, enum.Enum):
    """What the policy demands for an action."""

    AUTO = "auto"
    APPROVE = "approve"
    BLOCK = "block"


class ResultStatus(str, enum.Enum):
    """How an action ended."""

    SUCCESS = "success"
    FAILED = "failed"
    """The executor failed, its result did not verify, or the output is withheld."""
    BLOCKED = "blocked"
    """The policy does not allow it."""
    DENIED = "denied"
    """A person did not approve it, or nobody has answered."""
    SKIPPED = "skipped"
    """It was not tried, because an earlier action failed or was denied."""


@dataclasses.dataclass(frozen=True)
class Action:
    """What an agent wants to do. ``type``, ``target``, ``description`` and ``risk`` are the host's words, so they must
    not be copied from what the agent sent; ``params`` is what the agent sent."""

    type: str
    target: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    description: str = ""
    risk: Optional[RiskLevel] = None
    """None: the risk that the policies declare for the capability."""

    def __post_init__(self) -> None:
        for name in ("type", "target"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name} must be a text that is not empty")
        if self.risk is not None:
            object.__setattr__(self, "risk", RiskLevel(self.risk))

    @property
    def capability(self) -> str:
        """The capability that the action asks for."""
        return f"{self.target}.{self.type}"


@dataclasses.dataclass(frozen=True)
class PolicyDecision:
    """The policy's answer to an action, as approval handlers see it. Like Ordain's own decisions it has no truth
    value."""

    action: Action
    approval: Approval
    risk_level: RiskLevel
    """CRITICAL where neither the action nor the policies say a risk."""
    rule: str
    """``""`` if no rule decided."""
    reason: str

    @property
    def is_allowed(self) -> bool:
        return self.approval is Approval.AUTO

    def __bool__(self) -> bool:
        raise TypeError("a decision is not true or false: ask .approval or .is_allowed")

    @classmethod
    def of(cls, action: Action, decision: Decision) -> PolicyDecision:
        approval = (Approval.AUTO if decision.allowed else Approval.APPROVE if decision.needs_approval
                    else Approval.BLOCK)
        return cls(action, approval, _risk(action, decision), decision.rule, decision.reason)


def _risk(action: Action, decision: Decision) -> RiskLevel:
    if action.risk is not None:
        return action.risk
    # The names of risks, as the decision counts them. No known risk must not look like a small one.
    named = {0.2: RiskLevel.LOW, 0.5: RiskLevel.MEDIUM, 0.8: RiskLevel.HIGH}
    return named.get(decision.raw.get("confidence", 1.0), RiskLevel.CRITICAL)


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of an action. An executor returns one with ``SUCCESS`` or ``FAILED``."""

    action: Action
    status: ResultStatus
    data: Any = None
    error: Optional[str] = None
    executed: bool = False
    """Whether the action may have had an effect, even if its output is withheld."""
    approval_id: Optional[str] = None
    """The request that waits for an answer, if one does."""

    @property
    def ok(self) -> bool:
        return self.status is ResultStatus.SUCCESS


@dataclasses.dataclass(frozen=True)
class ExecutionPlan:
    """A forecast: what the policy says now. Executing it decides each action again."""

    decisions: tuple[PolicyDecision, ...]

    @property
    def actions(self) -> tuple[Action, ...]:
        return tuple(decision.action for decision in self.decisions)

    @property
    def size(self) -> int:
        return len(self.decisions)

    def __len__(self) -> int:
        return len(self.decisions)

    @property
    def has_blocked(self) -> bool:
        return self._count(Approval.BLOCK) > 0

    @property
    def requires_approval(self) -> bool:
        return self._count(Approval.APPROVE) > 0

    def summary(self) -> str:
        """How many actions are allowed, need approval and are blocked, and a line for each."""
        counts = ", ".join(f"{self._count(kind)} {kind.value}" for kind in Approval)
        lines = [f"{self.size} action{'' if self.size == 1 else 's'}: {counts}"]
        for number, one in enumerate(self.decisions, 1):
            by = f" by {one.rule}" if one.rule else ""
            lines.append(f"  {number}. {one.action.type} {one.action.target}: {one.approval.value}{by}: {one.reason}")
        return "\n".join(lines)

    def _count(self, approval: Approval) -> int:
        return sum(decision.approval is approval for decision in self.decisions)


class BaseExecutor:
    """Carries out actions. Subclass it and write `execute`; the rest is optional."""

    async def execute(self, action: Action) -> Any:
        """Executes one action, whose ``params`` are what the rules left of them. Gives a Result, or the data of a
        successful one. May raise."""
        raise NotImplementedError

    async def verify(self, action: Action, result: Result) -> bool:
        """Whether the action did what it should; otherwise it has failed. May raise."""
        return True

    async def setup(self) -> None:
        """Called when the runtime's ``async with`` begins."""

    async def teardown(self) -> None:
        """Called when the runtime's ``async with`` ends."""
