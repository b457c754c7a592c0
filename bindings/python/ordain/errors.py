"""The exceptions of Ordain: why a call did not run, or why its output cannot be seen, and what went
wrong in the engine."""

from __future__ import annotations

from typing import Any, Sequence

__all__ = [
    "ClosedError",
    "Denied",
    "ForkedError",
    "OrdainError",
    "Pending",
    "PolicyError",
    "RefusedError",
    "Stopped",
    "Withheld",
]


def _rebuild(kind: type[OrdainError], state: dict[str, Any]) -> OrdainError:
    made = kind.__new__(kind)
    made.__dict__.update(state)
    BaseException.__init__(made, state["message"])
    return made


class OrdainError(Exception):
    """Anything that Ordain raises."""

    message: str

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> Any:  # so that an exception survives the way between processes
        return _rebuild, (type(self), dict(self.__dict__))


class PolicyError(OrdainError, ValueError):
    """Policies cannot be read, or have errors. The message has every error with its place."""


class RefusedError(OrdainError):
    """The runtime or its database refused something. ``code`` is stable: ``not_pending``,
    ``no_database``, ``invalid_identity`` and so on."""

    code: str

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ClosedError(OrdainError):
    """What is used was closed."""


class ForkedError(ClosedError):
    """The runtime was opened before this process was forked. Open one in the child process."""


class Stopped(OrdainError):
    """A governed call that has no output to give. Its subclasses say why."""

    capability: str
    rule: str
    """Name of the rule that decided, as in ``refunds.over_limit``; ``""`` if no rule did."""
    reason: str
    """For people."""
    action: str
    """Id of the call in the record."""
    warnings: tuple[str, ...]
    """The messages of ``warn`` rules."""

    _verb = "stopped"

    def __init__(self, capability: str, *, rule: str = "", reason: str = "", action: str = "",
                 warnings: Sequence[str] = ()) -> None:
        by = f" by {rule}" if rule else ""
        super().__init__(f"{capability} {self._verb}{by}: {reason}")
        self.capability = capability
        self.rule = rule
        self.reason = reason
        self.action = action
        self.warnings = tuple(warnings)


class Denied(Stopped):
    """The call did not run."""

    code: str
    """``rule``, ``default``, ``invalid_input``, ``missing_context``, ``evaluation_error``, ``missing_scope``,
    ``approval_rejected``, ``audit_unavailable`` and so on."""
    fault: str
    """What failed within a rule, with its place; ``""`` without a fault."""

    _verb = "denied"

    def __init__(self, capability: str, *, code: str = "rule", fault: str = "", **common: Any) -> None:
        super().__init__(capability, **common)
        self.code = code
        self.fault = fault
        if fault:
            self.args = (f"{self.message} ({fault})",)


class Pending(Stopped):
    """The call did not run yet, because it waits for approval. Make it again, with the same arguments, once the
    approval is given; it serves once."""

    approval: str
    """Id of the request."""
    groups: tuple[str, ...]
    """Who must approve."""
    expires: str
    """When the request expires, in RFC 3339."""

    _verb = "waits for approval"

    def __init__(self, capability: str, *, approval: str = "", groups: Sequence[str] = (), expires: str = "",
                 **common: Any) -> None:
        super().__init__(capability, **common)
        self.approval = approval
        self.groups = tuple(groups)
        self.expires = expires


class Withheld(Denied):
    """The call ran and had its effect, but its output may not be seen. Do not retry it."""

    _verb = "ran, but its output is withheld"
