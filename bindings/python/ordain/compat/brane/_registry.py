"""Which capabilities and policies a runtime has, and the text in which Ordain's engine reads them."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Iterable, Iterator, Optional

from ._types import Capability, Policy

# The verdicts of the functions are facts of the host: of the session before a call, and beside the output after it. A
# function whose verdict is absent is a fault, which denies.
_HEAD = """package brane;
context { session { verdicts: map(string, string), reasons: map(string, string) } }
"""


class CapabilityRegistry:
    """The capabilities, by name."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._mutex = threading.Lock()
        self._known: dict[str, Capability] = {}

    def register(self, capability: Capability) -> Capability:
        """Adds a capability. The same one may be added again; another one of its name is refused."""
        with self._mutex:
            if self._known.get(capability.name, capability) != capability:
                raise ValueError(f"there is another capability {capability.name!r}")
            self._known = {**self._known, capability.name: capability}
        self._changed()
        return capability

    def get(self, name: str) -> Optional[Capability]:
        return self._known.get(name)

    def __getitem__(self, name: str) -> Capability:
        found = self._known.get(name)
        if found is None:
            raise KeyError(f"no capability {name!r} is registered")
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[Capability]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)


class PolicyRegistry:
    """The policies, in the order in which they were registered."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._mutex = threading.Lock()
        self._known: tuple[Policy, ...] = ()

    def register(self, policy: Policy) -> Policy:
        """Adds a policy. Its name must be new, because decisions and records have it."""
        with self._mutex:
            if any(known.name == policy.name for known in self._known):
                raise ValueError(f"there is another policy {policy.name!r}; give this one a name")
            self._known += (policy,)
        self._changed()
        return policy

    def applying(self, capability: str, stage: str) -> tuple[Policy, ...]:
        """The policies that judge a capability in a stage."""
        return tuple(policy for policy in self._known if policy.stage == stage and policy.applies_to(capability))

    def __iter__(self) -> Iterator[Policy]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def policy_text(capabilities: Iterable[Capability], policies: Iterable[Policy]) -> str:
    """The declarations and rules for Ordain's engine."""
    return _HEAD + "".join(map(_declaration, capabilities)) + "".join(map(_rules, policies))


def _declaration(capability: Capability) -> str:
    out = f"capability {_quoted(capability.name)} {{ type {_quoted(capability.type)}; risk {capability.risk};"
    for word in ("effect", "scopes", "tags"):
        listed = getattr(capability, word)
        if listed:
            out += f" {word} {', '.join(map(_quoted if word != 'effect' else str, listed))};"
    for word in ("owner", "description"):
        if getattr(capability, word):
            out += f" {word} {_quoted(getattr(capability, word))};"
    return out + (" input open {} output { value: optional(dyn), verdicts: map(string, string),"
                  " reasons: map(string, string) } }\n")


def _rules(policy: Policy) -> str:
    before = policy.stage == "before_capability"
    facts = "session" if before else "output"
    name = _quoted(policy.name)
    out = f"policy {policy.name} on {'before' if before else 'after'} {_target(policy.target)} {{"
    if policy.version:
        out += f" version {_quoted(policy.version)};"
    kinds = [("deny", "deny"), ("deny", "fault"), ("warn", "warn"), ("allow", "allow")]
    if before:
        kinds.insert(2, ("require_approval", "approval_required"))
    for effect, verdict in kinds:
        rule = "function_failed" if verdict == "fault" else f"function_{verdict}"
        out += (f" {effect} {rule} when {facts}.verdicts[{name}] == {_quoted(verdict)}"
                f" because {facts}.reasons[{name}];")
    return out + " }\n"


def _target(target: str) -> str:
    return "*" if target == "*" else _quoted(target)


def _quoted(text: Any) -> str:
    return json.dumps(text, ensure_ascii=False)
