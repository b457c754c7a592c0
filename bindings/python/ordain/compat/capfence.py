"""CapFence's ActionRuntime, over Ordain, for programs that change over step by step.

``ordain import capfence rules.yaml -o rules.policy`` converts the policies. An event asks for the
capability ``RESOURCE.ACTION.SCOPE``, where the scope is ``metadata["scope"]`` or else the environment. Three
things are stricter than in CapFence: what no rule allows is denied also where the policies have no rule for it,
an approval serves one action and is bound to all of it, and an action that cannot be recorded is denied.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
from typing import Any, Mapping, Optional, Union

from .._runtime import Runtime
from ..errors import PolicyError

__all__ = ["ActionEvent", "ActionRuntime", "ApprovalEngine", "AuditLogger", "CapabilitySystem", "ExecutionVerdict"]

_RISKS = ("low", "medium", "high", "critical")

# The keys that metadata may have, and their types.
_METADATA: dict[str, Union[type, tuple[type, ...]]] = {
    "session_id": str, "scope": str, "payload": dict, "require_approval": bool, "payload_hash": str,
    "risk_category": str, "threshold": (int, float), "latency_ms": (int, float), "caller_depth": int, "id": str}


@dataclasses.dataclass(frozen=True)
class ActionEvent:
    """An action that wants to be executed."""

    actor: str
    action: str
    resource: str
    environment: str
    risk: Union[str, float]
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("actor", "action", "resource", "environment"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name} must be a text that is not empty")
        if isinstance(self.risk, str):
            if self.risk.lower() not in _RISKS:
                raise ValueError(f"risk must be one of {', '.join(_RISKS)}, or a number")
        elif isinstance(self.risk, bool) or not isinstance(self.risk, (int, float)) or not self.risk >= 0:
            raise ValueError("risk must be a name or a number from 0")
        for key, value in self.metadata.items():
            expected = _METADATA.get(key)
            if expected is None:
                raise ValueError(f"metadata has no key {key!r}; it may have {', '.join(_METADATA)}")
            mistaken = isinstance(value, bool) and expected is not bool
            if value is not None and (mistaken or not isinstance(value, expected)):
                raise ValueError(f"metadata[{key!r}] has the wrong type")

    @classmethod
    def create(cls, actor: str, action: str, resource: str, environment: str = "development",
               risk: Union[str, float] = "low", payload: Optional[Mapping[str, Any]] = None,
               metadata: Optional[Mapping[str, Any]] = None, **more: Any) -> ActionEvent:
        """Makes an event. What follows ``risk`` is metadata, as a mapping or by keywords."""
        known = {**(metadata or {}), **more}
        if payload is not None:
            known["payload"] = dict(payload)
        return cls(actor, action, resource, environment, risk, known)

    @property
    def capability(self) -> str:
        """The capability that the event asks for."""
        return f"{self.resource}.{self.action}.{self.metadata.get('scope') or self.environment}"


@dataclasses.dataclass(frozen=True)
class ExecutionVerdict:
    """The answer to an event."""

    authorized: bool
    decision: str
    reason: str
    event: ActionEvent
    timestamp: float
    approval_id: Optional[str] = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def confidence(self) -> float:
        risk = self.event.risk
        return (0.2, 0.5, 0.8, 1.0)[_RISKS.index(risk.lower())] if isinstance(risk, str) else float(risk)


class CapabilitySystem:
    """The policies."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def load_policy(self, path: Union[str, pathlib.PurePath]) -> None:
        """Adds a policy file, or a directory of them. Raises PolicyError for a file that must be imported first."""
        text = str(path)
        if text.endswith((".yaml", ".yml", ".json")):
            imported = pathlib.PurePath(text).with_suffix(".policy")
            raise PolicyError(f"{text} is a policy of CapFence: run `ordain import capfence {text} -o {imported}`, and load "
                              "that file")
        self.paths.append(text)


class _File:
    """A database file, of which Ordain knows the directory."""

    name = ""

    def __init__(self, db_path: Union[str, pathlib.PurePath, None] = None) -> None:
        path = pathlib.PurePath(db_path or f"state/{self.name}")
        if path.name != self.name:
            raise ValueError(f"Ordain names this file {self.name}; give the directory by {path.parent / self.name}")
        self.directory = str(path.parent)


class ApprovalEngine(_File):
    """Where approvals are kept."""

    name = "approvals.db"


class AuditLogger(_File):
    """Where the record is kept."""

    name = "audit.db"


class ActionRuntime:
    """Decides about events."""

    def __init__(self, capability_system: CapabilitySystem, approval_engine: ApprovalEngine, audit_trail: AuditLogger,
                 mode: str = "enforce") -> None:
        if approval_engine.directory != audit_trail.directory:
            raise ValueError("Ordain keeps approvals and the record in one directory")
        if mode not in ("enforce", "observe", "stealth"):
            raise ValueError("mode must be enforce, observe or stealth")
        self.mode = mode
        self.ordain = Runtime.open(capability_system.paths, database=audit_trail.directory,
                                   mode="enforce" if mode == "enforce" else "observe")
        """Ordain's runtime, for approvals and the record."""

    @classmethod
    def from_policy(cls, policy_path: Union[str, pathlib.PurePath], mode: str = "enforce",
                    database: str = "state") -> ActionRuntime:
        """Opens a runtime over one policy file or directory."""
        capabilities = CapabilitySystem()
        capabilities.load_policy(policy_path)
        return cls(capabilities, ApprovalEngine(f"{database}/approvals.db"), AuditLogger(f"{database}/audit.db"), mode)

    def close(self) -> None:
        self.ordain.close()

    def __enter__(self) -> ActionRuntime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, event: ActionEvent) -> ExecutionVerdict:
        """Decides about an event and records the decision. The caller executes it."""
        now = time.time()
        known = dict(event.metadata)
        payload = known.pop("payload", None)
        depth = known.pop("caller_depth", None)
        identity = self.ordain.identity(
            agent=event.actor, environment=event.environment, session=known.get("session_id") or "",
            attributes=None if depth is None else {"agent": {"chain_depth": depth}})
        given = {key: value for key, value in known.items() if value is not None}
        answer = self.ordain.authorize(
            event.capability, payload or {}, identity=identity, resource=event.resource, metadata=given or None,
            risk=event.risk.lower() if isinstance(event.risk, str) else float(event.risk))
        if answer.state == "pending":
            decision, reason = "require_approval", f"approval_required:{answer.approval}"
        elif answer.state == "denied":
            codes = {"rule": "policy_deny", "default": "policy_default_deny"}
            decision, reason = "deny", codes.get(answer.code, answer.code)
        elif answer.would:
            decision = answer.would.replace("would_", "", 1)
            reason = f"observed:{answer.would}"
        elif answer.grant:
            decision, reason = "allow", f"approved_grant:{answer.grant}"
        else:
            decision, reason = "allow", "previously_approved" if answer.approval else "policy_allow"
        return ExecutionVerdict(answer.authorized, decision, reason, event, now, answer.approval or answer.grant or None,
                                {"required_capability": event.capability, "rule": answer.rule or answer.decision.rule,
                                 "action": answer.action})
