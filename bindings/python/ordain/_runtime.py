"""The runtime: governed calls, who makes them, approvals, and the record."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextvars
import datetime
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Optional, ParamSpec, TypeVar, Union

from . import _json, _native
from ._call import Call, stopped
from ._decision import Approval, Authorization, Decision, Health, Verification
from ._policies import Paths, Texts, sources_of
from .errors import ForkedError, OrdainError

if TYPE_CHECKING:
    from ._capability import Capability

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Seconds = Union[int, float, datetime.timedelta]
Resource = Union[str, Mapping[str, Any], None]

# The identities that `with` has put in force here, innermost last. Tasks inherit those of their maker.
_acting: contextvars.ContextVar[tuple["Identity", ...]] = contextvars.ContextVar("ordain_identities", default=())

_open_runtimes: "weakref.WeakSet[Runtime]" = weakref.WeakSet()

# The databases that a parent process had open when it forked this one.
_inherited_databases: set[str] = set()

_FIRST_POLL, _LAST_POLL = 0.05, 1.0  # seconds between two looks at an approval


def seconds_of(time_span: Seconds) -> float:
    return time_span.total_seconds() if isinstance(time_span, datetime.timedelta) else float(time_span)


class Identity:
    """Who acts. Make it once per request, and put it in force with ``with``, or pass it to a call."""

    def __init__(self, runtime: Runtime, address: int) -> None:
        self._handle = _native.Handle("identity", address, "ordain_identity_free")
        self._runtime = weakref.ref(runtime)

    def __enter__(self) -> Identity:
        _acting.set((*_acting.get(), self))
        return self

    def __exit__(self, *_: object) -> None:
        stack = list(_acting.get())
        for at in reversed(range(len(stack))):
            if stack[at] is self:
                del stack[at]
                break
        _acting.set(tuple(stack))


class Approvals:
    """The requests for approval of one runtime."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def list(self, state: Optional[str] = None) -> tuple[Approval, ...]:
        """The requests in this state, or all; oldest first."""
        wanted = None if state is None else state.encode("utf-8")
        return tuple(Approval.of(one) for one in self._runtime._read("ordain_approvals_list", wanted))

    def show(self, id: str) -> Approval:
        """One request; the beginning of its id suffices. Raises RefusedError ``unknown_approval``."""
        return Approval.of(self._runtime._read("ordain_approvals_show", id.encode("utf-8")))

    def approve(self, id: str, *, by: str, group: Optional[str] = None, note: Optional[str] = None) -> Approval:
        """Approves, for one group if the rules name several. With an operator's key, signs the approval."""
        return self._vote(_native.APPROVE, id, by, group, note)

    def reject(self, id: str, *, by: str, group: Optional[str] = None, note: Optional[str] = None) -> Approval:
        """Rejects. One rejection suffices."""
        return self._vote(_native.REJECT, id, by, group, note)

    def wait(self, id: str, timeout: Optional[Seconds] = None) -> Approval:
        """Waits until the request is answered or has expired; this blocks the thread. Raises TimeoutError."""
        for pause in _pauses(timeout):
            found = self.show(id)
            if found.state != "pending":
                return found
            time.sleep(pause)
        raise TimeoutError(f"nobody answered approval {id} in time")

    async def answered(self, id: str, timeout: Optional[Seconds] = None) -> Approval:
        """Waits until the request is answered or has expired, and blocks no thread. Raises TimeoutError."""
        for pause in _pauses(timeout):
            found = await self._runtime._aside(lambda: self.show(id))
            if found.state != "pending":
                return found
            await asyncio.sleep(pause)
        raise TimeoutError(f"nobody answered approval {id} in time")

    def _vote(self, verdict: int, id: str, by: str, group: Optional[str], note: Optional[str]) -> Approval:
        return Approval.of(self._runtime._read("ordain_approvals_vote",
                                               _native.vote_struct(verdict, id, by, group, note)))


def _pauses(timeout: Optional[Seconds]) -> Iterator[float]:
    """The seconds to sleep between looks, until the time is over; the last look is at its end."""
    deadline = None if timeout is None else time.monotonic() + seconds_of(timeout)
    pause = _FIRST_POLL
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            yield 0
            return
        yield pause if left is None else min(pause, left)
        pause = min(pause * 1.5, _LAST_POLL)


class Runtime:
    """Governs calls: decides before each, asks people where a rule says so, records, and decides on the output. Any
    number of threads and tasks may use one. Close it, or use it as a context manager; what is still open when the
    interpreter ends is closed then."""

    def __init__(self, address: int, database: Optional[str]) -> None:
        """Use `Runtime.open`."""
        self._database = database
        self._handle = _native.Handle("runtime", address, "ordain_runtime_close")
        self._calls: "weakref.WeakSet[Call]" = weakref.WeakSet()
        self._mutex = threading.Lock()  # protects _calls and _pool
        self._pool: Optional[concurrent.futures.ThreadPoolExecutor] = None
        self.approvals = Approvals(self)
        _open_runtimes.add(self)

    @classmethod
    def open(cls, policies: Optional[Paths] = None, *, texts: Optional[Texts] = None, agent: str = "",
             principal: str = "", tenant: str = "", environment: str = "", session: str = "",
             attributes: Optional[Mapping[str, Any]] = None, database: Union[str, os.PathLike[str], None] = None,
             mode: str = "enforce", fail_mode: str = "closed", durability: str = "group", default: str = "deny",
             budget: Optional[int] = None, approval_expires: Seconds = 3600,
             operator_key: Union[str, os.PathLike[str], None] = None, trusted_keys: tuple[str, ...] = (),
             audit_key: Union[str, os.PathLike[str], None] = None,
             checkpoint_file: Union[str, os.PathLike[str], None] = None, native: bool = True) -> Runtime:
        """Opens a runtime over policy files and directories, or over their texts.

        ``agent``, ``principal``, ``tenant``, ``environment`` and ``session`` say who acts where no identity does, and
        ``attributes`` what policies declare in ``context``: ``{"agent": {"roles": ["banker"]}}``. ``database`` is the
        directory of the record and the approvals; without it nothing is recorded. docs/embedding.md explains the other
        choices. Raises PolicyError or RefusedError."""
        options: dict[str, Any] = {
            **sources_of(policies, texts), "agent": agent, "principal": principal, "tenant": tenant,
            "environment": environment, "session": session, "mode": mode, "fail_mode": fail_mode,
            "durability": durability, "default_before": default,
            "approval_expires_seconds": int(seconds_of(approval_expires)), "trusted_keys": list(trusted_keys),
            "native": native}
        if attributes:
            options["attributes"] = dict(attributes)
        if budget is not None:
            options["budget"] = budget
        files = {"database": database, "operator_key": operator_key, "audit_key": audit_key,
                 "checkpoint_file": checkpoint_file}
        options.update({name: os.fspath(path) for name, path in files.items() if path is not None})
        real = None if database is None else os.path.realpath(database)
        if real in _inherited_databases:
            raise ForkedError(f"{real} was open when this process was forked: open it only after the fork, or start the "
                              "process anew, as multiprocessing does with 'spawn'")
        text = _json.encode(options)
        return cls(_native.library().open("ordain_runtime_open", text, len(text)), real)

    def close(self, timeout: Optional[Seconds] = None) -> None:
        """Writes what is queued and closes the database. Calls that have begun may still end; the database closes with
        the last of them. Waits for threads that are inside the engine, not for tools."""
        with self._mutex:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False)
        self._handle.close(None if timeout is None else seconds_of(timeout))
        _open_runtimes.discard(self)

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- who acts ---

    def identity(self, *, agent: str = "", principal: str = "", tenant: str = "", environment: str = "",
                 session: str = "", attributes: Optional[Mapping[str, Any]] = None) -> Identity:
        """Makes an identity; what it does not say is as the runtime has it.

        >>> with runtime.identity(principal="carol"):   # doctest: +SKIP
        ...     refund("c-17", 25.0)
        """
        who: dict[str, Any] = {"agent": agent, "principal": principal, "tenant": tenant, "environment": environment,
                               "session": session}
        if attributes:
            who["attributes"] = dict(attributes)
        text = _json.encode(who)
        with self._handle as address:
            return Identity(self, _native.library().open("ordain_identity_make", address, text, len(text)))

    def current_identity(self) -> Optional[Identity]:
        """The identity that ``with`` has put in force here; None for the runtime's own."""
        for identity in reversed(_acting.get()):
            if identity._runtime() is self:
                return identity
        return None

    # --- calls ---

    def capability(self, name: str, *, wait: Optional[Seconds] = None, resource: Union[Resource, Callable[..., Resource]] = None,
                   ) -> Callable[[Callable[P, R]], Capability[P, R]]:
        """Makes functions governed calls of a capability: the parameters are the fields of its input, by name.

        >>> @runtime.capability("refund")   # doctest: +SKIP
        ... def refund(customer: str, amount: float) -> dict: ...

        A call raises Denied, Pending or Withheld; exceptions of the function are recorded and raised. With ``wait``, a
        call that needs approval waits so long for it before it raises Pending. ``resource`` is what the call acts on: a
        text, an object, or a function of the same arguments that gives either."""
        from ._capability import capability

        return capability(self, name, wait=wait, resource=resource)

    def begin(self, capability: str, input: Any = None, *, identity: Optional[Identity] = None,
              resource: Resource = None, metadata: Optional[Mapping[str, Any]] = None,
              action: Optional[Mapping[str, str]] = None, risk: Union[str, float, None] = None) -> Call:
        """Begins a call that the caller executes. Raises Denied or Pending. ``metadata``, like the input, is what the
        agent sent; ``resource``, ``action`` (type, target, description, trace_id, parent_id) and ``risk`` are what the
        host knows."""
        call = _native.call_struct(capability, _native.BEFORE, _json.encode({} if input is None else input), None,
                                   None if metadata is None else _json.encode(metadata))
        facts = _native.facts_struct(_facts(resource, action, risk))
        identity = identity or self.current_identity()
        if identity is None:
            with self._handle as address:
                begun, text = _native.library().begin(address, None, facts, call)
        else:
            with self._handle as address, identity._handle as who:
                begun, text = _native.library().begin(address, who, facts, call)
        answer = _json.decode(text)
        if begun is None:
            raise stopped(capability, answer)
        made = Call(capability, begun, answer)
        with self._mutex:
            self._calls.add(made)
        return made

    def authorize(self, capability: str, input: Any = None, *, identity: Optional[Identity] = None,
                  resource: Resource = None, metadata: Optional[Mapping[str, Any]] = None,
                  action: Optional[Mapping[str, str]] = None, risk: Union[str, float, None] = None) -> Authorization:
        """Decides about an action that the caller executes unseen: asks for approval where a rule demands it, uses the
        approval, and records the decision. No rule sees the output; prefer `capability` and `begin`."""
        call = _native.call_struct(capability, _native.BEFORE, _json.encode({} if input is None else input), None,
                                   None if metadata is None else _json.encode(metadata))
        return Authorization.of(self._read_as(identity, "ordain_runtime_authorize",
                                              _native.facts_struct(_facts(resource, action, risk)), call))

    def evaluate(self, capability: str, input: Any = None, *, output: Any = None, after: bool = False,
                 identity: Optional[Identity] = None, resource: Resource = None,
                 metadata: Optional[Mapping[str, Any]] = None, action: Optional[Mapping[str, str]] = None,
                 risk: Union[str, float, None] = None) -> Decision:
        """Decides, and does nothing else. An `output`, or ``after=True``, asks for the after stage."""
        after = after or output is not None
        call = _native.call_struct(
            capability, _native.AFTER if after else _native.BEFORE, _json.encode({} if input is None else input),
            _json.encode(output) if after else None, None if metadata is None else _json.encode(metadata))
        return Decision.of(self._read_as(identity, "ordain_runtime_evaluate",
                                         _native.facts_struct(_facts(resource, action, risk)), call))

    # --- policies ---

    def reload(self, policies: Optional[Paths] = None, *, texts: Optional[Texts] = None) -> None:
        """Replaces the policies. Calls that have begun end with those that they began with. Policies with errors change
        nothing, and raise PolicyError."""
        text = _json.encode(sources_of(policies, texts))
        with self._handle as address:
            _native.library().run("ordain_runtime_reload", address, text, len(text))

    @property
    def warnings(self) -> str:
        """The warnings about the policies in force, for people."""
        with self._handle as address:
            return _native.library().read("ordain_runtime_warnings", address).decode("utf-8")

    # --- the record ---

    def audit(self, *, agent: str = "", principal: str = "", tenant: str = "", capability: str = "",
              session: str = "", action: str = "", rule: str = "", kind: Optional[str] = None,
              effect: Optional[str] = None, since: Optional[datetime.datetime] = None,
              until: Optional[datetime.datetime] = None, first: int = 1, batch: int = 1000) -> Iterator[dict[str, Any]]:
        """The records that match, oldest first, up to those taken when the iterator reaches them. It reads ``batch``
        records at a time, so a long record needs little memory."""
        wanted: dict[str, Any] = {"agent": agent, "principal": principal, "tenant": tenant, "capability": capability,
                                  "session": session, "action": action, "rule": rule}
        wanted.update({name: value for name, value in
                       {"kind": kind, "effect": effect, "from": since, "to": until}.items() if value is not None})
        self.flush()
        return self._records(wanted, first, batch)

    def _records(self, wanted: Mapping[str, Any], first: int, batch: int) -> Iterator[dict[str, Any]]:
        while True:
            text = _json.encode({**wanted, "first": first, "limit": batch})
            with self._handle as address:
                lines = _native.library().read("ordain_audit_query", address, text, len(text)).splitlines()
            for line in lines:
                record = _json.decode(line)
                first = record["id"] + 1
                yield record
            if len(lines) < batch:
                return

    def verify(self) -> Verification:
        """Recomputes the chain of the record."""
        return Verification.of(self._read("ordain_audit_verify"))

    def flush(self) -> None:
        """Waits until every record that was taken so far is on disk."""
        with self._handle as address:
            _native.library().run("ordain_runtime_flush", address)

    def health(self) -> Health:
        return Health.of(self._read("ordain_runtime_health"))

    def metrics(self) -> str:
        """What the runtime has counted, as OpenMetrics text."""
        with self._handle as address:
            return _native.library().read("ordain_runtime_metrics", address).decode("utf-8")

    # --- within ---

    def _read(self, name: str, *arguments: Any) -> Any:
        with self._handle as address:
            return _json.decode(_native.library().read(name, address, *arguments))

    def _read_as(self, identity: Optional[Identity], name: str, *arguments: Any) -> Any:
        identity = identity or self.current_identity()
        if identity is None:
            return self._read(name, None, *arguments)
        with identity._handle as who:
            return self._read(name, who, *arguments)

    async def _aside(self, work: Callable[[], T], undo: Optional[Callable[[T], object]] = None) -> T:
        """Runs what may wait for the disk on a thread of the runtime, so that the event loop goes on. If the task is
        cancelled meanwhile, the work is done nevertheless, and `undo` gets its result."""
        if not self._handle.is_open:
            return work()  # a call that has begun may still end
        with self._mutex:
            if self._pool is None:
                self._pool = concurrent.futures.ThreadPoolExecutor(8, "ordain")
            future = self._pool.submit(work)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            if undo is not None:
                future.add_done_callback(lambda done: None if done.exception() else undo(done.result()))
            raise


def _facts(resource: Resource, action: Optional[Mapping[str, str]], risk: Union[str, float, None]) -> Optional[bytes]:
    facts: dict[str, Any] = {}
    if resource is not None:
        facts["resource"] = resource
    if action is not None:
        facts["action"] = dict(action)
    if risk is not None:
        facts["risk"] = risk
    return _json.encode(facts) if facts else None


def _close_all() -> None:
    """At the end of the interpreter: calls that have begun are recorded as failed, what is queued is written, and the
    databases are closed. A daemon thread that stays inside the engine keeps its runtime open; its records are written
    all the same."""
    for runtime in list(_open_runtimes):
        try:
            runtime.flush()
        except (OrdainError, ValueError):
            pass  # health says so, and nobody is left to hear it
        runtime.close(timeout=2)
        with runtime._mutex:
            calls = list(runtime._calls)
        for call in calls:
            call._end_with_interpreter()


def _forget_threads() -> None:
    """In a child process the threads and the locks of the parent are not there, and SQLite must not open a file that it
    inherited open."""
    for runtime in list(_open_runtimes):
        runtime._mutex = threading.Lock()
        runtime._pool = None
        if runtime._database is not None:
            _inherited_databases.add(runtime._database)


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
