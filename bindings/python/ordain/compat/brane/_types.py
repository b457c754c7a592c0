"""Capabilities, policies, actions and decisions as values."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
import re
import uuid
from typing import Any, Callable, Mapping, Optional, Sequence

RISKS = ("none", "low", "medium", "high", "critical")
STAGES = ("before_capability", "after_capability")
VERDICTS = ("allow", "deny", "approval_required", "warn")

# Words of Ordain's language that cannot name a policy.
_RESERVED = frozenset((
    "when because from expires with package import let as true false null in break const continue else for function if "
    "loop namespace return var void while").split())

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_CAPABILITY = re.compile(r"[^\x00-\x1f\x7f\"\\*?\[\]{}]+\Z")


def _text(owner: str, name: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} of {owner} must be a text that is not empty")


@dataclasses.dataclass(frozen=True)
class Capability:
    """What an agent may ask for."""

    name: str
    type: str = "tool"
    risk: str = "none"
    effect: Sequence[str] = ()
    scopes: Sequence[str] = ()
    """What the agent must have been granted; see ``Runtime(scopes=...)``."""
    owner: str = ""
    description: str = ""
    tags: Sequence[str] = ()

    def __post_init__(self) -> None:
        _text("a capability", "name", self.name)
        _text(f"capability {self.name!r}", "type", self.type)
        if _CAPABILITY.match(self.name) is None:
            raise ValueError(f"{self.name!r} cannot name a capability")
        if self.risk not in RISKS:
            raise ValueError(f"risk of capability {self.name!r} must be one of {', '.join(RISKS)}")
        for name in ("effect", "scopes", "tags"):
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
        for word in self.effect:
            if not isinstance(word, str) or _NAME.match(word) is None:
                raise ValueError(f"{word!r} is not an effect of capability {self.name!r}")


@dataclasses.dataclass(frozen=True)
class Decision:
    """What a policy function says, and what the runtime answers. It has no truth value: ask ``type``."""

    type: str
    """``allow``, ``deny``, ``approval_required``, or ``warn``, which a policy function alone may say."""
    reason: str = ""
    policy: str = ""
    """Of an answer: the policy that decided; ``""`` if none did."""
    policy_version: str = ""
    code: str = ""
    """Of an answer: ``rule``, ``default``, ``evaluation_error`` and so on."""

    def __post_init__(self) -> None:
        if self.type not in VERDICTS:
            raise ValueError(f"type of a decision must be one of {', '.join(VERDICTS)}")
        if not isinstance(self.reason, str):
            raise ValueError("reason of a decision must be a text")

    @property
    def allowed(self) -> bool:
        return self.type == "allow"

    def __bool__(self) -> bool:
        raise TypeError("a decision is not true or false: ask .type or .allowed")


PolicyFunction = Callable[["PolicyContext"], Optional[Decision]]


@dataclasses.dataclass(frozen=True)
class Policy:
    """A function that judges the calls of a capability, or of those that a wildcard names."""

    target: str
    stage: str
    function: PolicyFunction
    name: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        _text("a policy", "target", self.target)
        if self.target != "*" and _CAPABILITY.match(self.target.removesuffix(".*")) is None:
            raise ValueError(f"the target {self.target!r} is neither a capability, nor * , nor a prefix with .* at its end")
        if self.stage not in STAGES:
            raise ValueError(f"stage of a policy must be one of {', '.join(STAGES)}")
        if not callable(self.function) or inspect.iscoroutinefunction(self.function):
            raise TypeError("a policy is a function, and not a coroutine function")
        name = self.name or getattr(self.function, "__name__", "")
        if _NAME.match(name) is None or name in _RESERVED:
            raise ValueError(f"{name!r} cannot name a policy; give it a name of letters, digits and _")
        object.__setattr__(self, "name", name)

    def applies_to(self, capability: str) -> bool:
        return self.target in ("*", capability) or (
            self.target.endswith(".*") and capability.startswith(self.target[:-1]))


@dataclasses.dataclass(frozen=True)
class AgentAction:
    """One call that an agent wants to make. ``input`` is what the agent sent; the rest is the host's."""

    capability_name: str
    input: Mapping[str, Any]
    action_type: str
    agent_id: str = ""
    environment: str = ""
    tenant_id: str = ""
    principal_id: str = ""
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    timestamp: datetime.datetime = dataclasses.field(
        default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))


@dataclasses.dataclass(frozen=True)
class PolicyContext:
    """What a policy function sees."""

    action: AgentAction
    capability: Capability
    output: Any = None
    """In the stage ``after_capability``: what the capability gave."""

    @property
    def input(self) -> Mapping[str, Any]:
        return self.action.input

    def arg(self, name: str, default: Any = None) -> Any:
        """One argument of the call."""
        return self.action.input.get(name, default)

    @property
    def is_prod(self) -> bool:
        return self.action.environment == "prod"
