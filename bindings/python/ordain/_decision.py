"""Decisions, authorizations, approvals and health as immutable values."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Optional


@dataclasses.dataclass(frozen=True)
class Obligation:
    """What a decision demands besides its effect: ``redact`` or ``warn``."""

    kind: str
    rule: str
    path: str = ""
    replacement: Any = None
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Decision:
    """The answer of the rules to one call. It has no truth value, because there are three effects: ask
    ``allowed``, ``denied`` or ``needs_approval``."""

    effect: str
    """``allow``, ``deny`` or ``require_approval``."""
    code: str
    rule: str
    """``""`` if no rule decided."""
    reason: str
    fault: str
    policy: str
    matched: tuple[str, ...]
    """Every rule that matched."""
    groups: tuple[str, ...]
    """Who must approve."""
    obligations: tuple[Obligation, ...]
    raw: Mapping[str, Any] = dataclasses.field(repr=False, compare=False)
    """The decision as JSON has it, with everything else."""

    @property
    def allowed(self) -> bool:
        return self.effect == "allow"

    @property
    def denied(self) -> bool:
        return self.effect == "deny"

    @property
    def needs_approval(self) -> bool:
        return self.effect == "require_approval"

    def __bool__(self) -> bool:
        raise TypeError("a decision is not true or false: ask .allowed, .denied or .needs_approval")

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Decision:
        return cls(
            effect=raw["effect"], code=raw["code"], rule=raw.get("rule") or "", reason=raw.get("reason") or "",
            fault=_fault(raw.get("fault")), policy=raw.get("policy") or "", matched=tuple(raw.get("matched") or ()),
            groups=tuple(raw.get("from") or ()),
            obligations=tuple(
                Obligation(one["kind"], one["rule"], one.get("path", ""), one.get("with"), one.get("reason", ""))
                for one in raw.get("obligations") or ()),
            raw=raw)


def _fault(fault: Any) -> str:
    if not fault:
        return ""
    if isinstance(fault, str):
        return fault
    place = f" at {fault['file']}:{fault['line']}:{fault['column']}" if fault.get("file") else ""
    return f"{fault.get('message', '')}{place}"


@dataclasses.dataclass(frozen=True)
class Authorization:
    """The answer about an action that the host executes by itself, unseen. It has no truth value: ask ``state`` or
    ``authorized``."""

    state: str
    """``authorized``, ``denied`` or ``pending``."""
    decision: Decision
    """The rules' own; under observe it may deny although the state is ``authorized``."""
    input: Any
    """What to execute the action with, after the rules redacted it; None unless it is authorized."""
    rule: str
    reason: str
    code: str
    """Why it is denied, as in Denied; ``""`` otherwise."""
    approval: str
    """Id of the approval that it used, or for which it waits."""
    grant: str
    """Id of the grant that was used instead of an approval."""
    action: str
    """Id of the decision in the record."""
    would: str

    @property
    def authorized(self) -> bool:
        return self.state == "authorized"

    def __bool__(self) -> bool:
        raise TypeError("an authorization is not true or false: ask .authorized")

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Authorization:
        return cls(
            state=raw["state"], decision=Decision.of(raw["decision"]), input=raw.get("input"), rule=raw.get("rule", ""),
            reason=raw.get("reason", ""), code=raw.get("code", ""), approval=raw.get("approval", ""), grant=raw["grant"],
            action=raw["action"], would=raw["would"])


@dataclasses.dataclass(frozen=True)
class Approval:
    """A request for approval and what became of it."""

    id: str
    state: str
    """``pending``, ``approved``, ``rejected``, ``expired``, ``consumed`` or ``from an earlier version``."""
    capability: str
    input: Any
    agent: str
    principal: str
    rule: str
    reason: str
    groups: tuple[str, ...]
    missing: tuple[str, ...]
    """The groups whose approval is still missing."""
    expires: Optional[str]
    raw: Mapping[str, Any] = dataclasses.field(repr=False, compare=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Approval:
        return cls(
            id=raw["id"], state=raw["state"], capability=raw["capability"], input=raw["input"], agent=raw["agent"],
            principal=raw["principal"], rule=raw["rule"], reason=raw["reason"], groups=tuple(raw["groups"]),
            missing=tuple(raw["missing"]), expires=raw["expires"], raw=raw)


@dataclasses.dataclass(frozen=True)
class Health:
    """The state of a runtime."""

    audit_available: bool
    audit_error: str
    records_written: int
    records_lost: int
    queue_depth: int
    checkpoint_error: str
    program: str
    """Digest of the policies in force."""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Health:
        return cls(**{field.name: raw[field.name] for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class Verification:
    """Whether the record is as it was written."""

    ok: bool
    records: int
    problem: str

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Verification:
        return cls(ok=raw["ok"], records=raw["records"], problem=raw["problem"])
