"""Policies that only decide: no runtime, no record, nobody is asked."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping, Optional, Union

from . import _json, _native
from ._decision import Decision

PathLike = Union[str, "os.PathLike[str]"]
Paths = Union[PathLike, Iterable[PathLike]]
Texts = Union[str, Mapping[str, str]]

_EFFECTS = {"deny": 0, "require_approval": 1, "allow": 2}


def paths_of(paths: Paths) -> list[str]:
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    return [os.fspath(path) for path in given]


def texts_of(texts: Texts) -> dict[str, str]:
    return {"<text>": texts} if isinstance(texts, str) else dict(texts)


def sources_of(policies: Optional[Paths], texts: Optional[Texts]) -> dict[str, Any]:
    if (policies is None) == (texts is None):
        raise TypeError("give either the paths of policies or their texts")
    return {"policies": paths_of(policies)} if policies is not None else {"texts": texts_of(texts or "")}


class Policies:
    """A set of policies, ready to decide. Any number of threads may use one, and processes that were forked from this
    one too.

    >>> policies = Policies.from_text("policy p on before look { allow; }")
    >>> policies.decide("look", {}).allowed
    True
    """

    def __init__(self, program: bytes, *, default: str = "deny", native: bool = True) -> None:
        """Loads a program that `save` made."""
        if default not in _EFFECTS:
            raise ValueError(f"default must be one of {', '.join(_EFFECTS)}")
        self._how = (_EFFECTS[default], native)
        self._process = os.getpid()
        self._engine = self._open(program)

    def _open(self, program: bytes) -> _native.Handle:
        address = _native.library().open("ordain_open_program", program, len(program), _native.options_struct(*self._how))
        return _native.Handle("set of policies", address, "ordain_close")

    @classmethod
    def load(cls, paths: Paths, *, default: str = "deny", native: bool = True) -> Policies:
        """Compiles policy files, or directories that are searched for ``*.policy``. Raises PolicyError."""
        return cls(_compile(sources_of(paths, None)), default=default, native=native)

    @classmethod
    def from_text(cls, texts: Texts, *, default: str = "deny", native: bool = True) -> Policies:
        """Compiles one text, or several by name."""
        return cls(_compile(sources_of(None, texts)), default=default, native=native)

    def save(self) -> bytes:
        """The compiled policies, for `Policies`; loading them needs no compiler's time."""
        with self._current() as engine:
            return _native.library().read("ordain_serialise", engine)

    def decide(self, capability: str, input: Any = None, *, output: Any = None, after: bool = False,
               metadata: Optional[Mapping[str, Any]] = None, facts: Optional[Mapping[str, Any]] = None) -> Decision:
        """Decides one call. `input`, `output` and `metadata` are what the agent sent; `facts` are what the host
        knows, by the names ``agent``, ``principal``, ``tenant``, ``environment``, ``session``, ``resource``,
        ``action``, ``risk`` and ``now``. An `output`, or ``after=True``, asks for the after stage."""
        after = after or output is not None
        call = _native.call_struct(
            capability, _native.AFTER if after else _native.BEFORE, _json.encode({} if input is None else input),
            _json.encode(output) if after else None, None if metadata is None else _json.encode(metadata))
        host = _native.facts_struct(None if facts is None else _json.encode(facts))
        with self._current() as engine:
            return Decision.of(_json.decode(_native.library().decide(engine, host, call)))

    def close(self) -> None:
        """Frees the policies, once no thread decides with them."""
        self._engine.close()

    def __enter__(self) -> Policies:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _current(self) -> _native.Handle:
        """The engine. In a child process a new one is made from the program, which nothing changes, because a thread
        that is not there may have held a lock of the old one."""
        if self._process != os.getpid():
            inherited = self._engine._address
            if inherited is not None:
                self._engine = self._open(_native.library().read("ordain_serialise", inherited))
            self._process = os.getpid()
        return self._engine


def _compile(sources: Mapping[str, Any]) -> bytes:
    text = _json.encode(sources)
    return _native.library().read("ordain_compile", text, len(text))
