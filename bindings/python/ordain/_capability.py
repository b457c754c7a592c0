"""Functions as governed calls."""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING, Any, Callable, Generic, Mapping, Optional, ParamSpec, TypeVar, Union, cast

from . import _json
from ._call import UNCHANGED, Call
from .errors import Pending

if TYPE_CHECKING:
    from ._runtime import Identity, Resource, Runtime, Seconds

P = ParamSpec("P")
R = TypeVar("R")


class Capability(Generic[P, R]):
    """A function whose calls are governed. Call it as the function; a coroutine function stays one.

    A method's ``self`` is no part of the input: it is the parameter that the capability is bound to."""

    def __init__(self, runtime: Runtime, name: str, function: Callable[P, R], *, wait: Optional[Seconds],
                 resource: Union[Resource, Callable[..., Resource]]) -> None:
        from ._runtime import seconds_of

        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("the rules decide on a whole output, so a capability cannot be a generator")
        self._signature = inspect.signature(function)
        for parameter in self._signature.parameters.values():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                raise TypeError(f"*{parameter.name} has no name in the input; give the parameters of {name} names")
        self.runtime = runtime
        self.name = name
        self._function: Callable[..., Any] = function
        self._wait = None if wait is None else seconds_of(wait)
        self._resource = resource
        self.is_async = inspect.iscoroutinefunction(function)
        functools.update_wrapper(self, function)
        if self.is_async:
            _mark_coroutine_function(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, self._start(None, args, kwargs))

    def as_(self, identity: Identity, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls it for another identity than the one in force."""
        return cast(R, self._start(identity, args, kwargs))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        bound = self.__class__.__new__(self.__class__)
        bound.__dict__.update(self.__dict__)
        bound._function = self._function.__get__(instance, owner)
        bound._signature = inspect.signature(bound._function)
        return bound

    def _start(self, identity: Optional[Identity], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        identity = identity or self.runtime.current_identity()
        made = _Arguments(self._signature.bind(*args, **kwargs))
        resource = self._resource(*args, **kwargs) if callable(self._resource) else self._resource
        run = self._run_async if self.is_async else self._run
        return run(made, lambda: self.runtime.begin(self.name, made.input, identity=identity, resource=resource))

    def _run(self, arguments: _Arguments, begin: Callable[[], Call]) -> Any:
        deadline = self._deadline()
        while True:
            try:
                call = begin()
                break
            except Pending as pending:
                if not self._may_wait(deadline):
                    raise
                try:
                    self.runtime.approvals.wait(pending.approval, _left(deadline))
                except TimeoutError:
                    raise pending from None
        try:
            output = self._function(*arguments.args(call), **arguments.kwargs(call))
        except BaseException as error:
            call.fail(error)
            raise
        released = call.settle(output)
        return output if released is UNCHANGED else released

    async def _run_async(self, arguments: _Arguments, begin: Callable[[], Call]) -> Any:
        deadline = self._deadline()
        aside = self.runtime._aside
        while True:
            try:
                call = await aside(begin, undo=lambda unused: unused.give_up("cancelled before it ran"))
                break
            except Pending as pending:
                if not self._may_wait(deadline):
                    raise
                try:
                    await self.runtime.approvals.answered(pending.approval, _left(deadline))
                except TimeoutError:
                    raise pending from None
        try:
            output = await self._function(*arguments.args(call), **arguments.kwargs(call))
        except BaseException as error:
            failure = error
            await aside(lambda: call.fail(failure))
            raise
        released = await aside(lambda: call.settle(output))
        return output if released is UNCHANGED else released

    def _deadline(self) -> Optional[float]:
        return None if self._wait is None else time.monotonic() + self._wait

    @staticmethod
    def _may_wait(deadline: Optional[float]) -> bool:
        return deadline is not None and time.monotonic() < deadline


class _Arguments:
    """The arguments of one call, as the input that rules see, and back."""

    def __init__(self, bound: inspect.BoundArguments) -> None:
        bound.apply_defaults()
        self._bound = bound
        self._spread = next((name for name, parameter in bound.signature.parameters.items()
                             if parameter.kind is inspect.Parameter.VAR_KEYWORD), None)
        given = dict(bound.arguments)
        if self._spread is not None:
            given.update(given.pop(self._spread))
        # An argument of None is one that was not given: its field is optional, and absent.
        self.input = {name: value for name, value in given.items() if value is not None}
        self._sent: Mapping[str, Any] = _json.decode(_json.encode(self.input))
        self._ready: Optional[inspect.BoundArguments] = None

    def args(self, call: Call) -> tuple[Any, ...]:
        return self._redacted(call).args

    def kwargs(self, call: Call) -> dict[str, Any]:
        return self._redacted(call).kwargs

    def _redacted(self, call: Call) -> inspect.BoundArguments:
        """The arguments with what the rules left of them. What they did not touch is the caller's own object."""
        if self._ready is None:
            for name, value in call.input.items():
                if name in self._sent and _json.same(value, self._sent[name]):
                    continue
                if self._spread is not None and name not in self._bound.signature.parameters:
                    self._bound.arguments[self._spread][name] = value
                else:
                    self._bound.arguments[name] = value
            self._ready = self._bound
        return self._ready


def _left(deadline: Optional[float]) -> Optional[float]:
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


def _mark_coroutine_function(capability: Capability[..., Any]) -> None:
    """So that inspect.iscoroutinefunction is true of it, as frameworks ask."""
    mark = getattr(inspect, "markcoroutinefunction", None)  # since Python 3.12
    if mark is not None:
        mark(capability)
    else:
        import asyncio.coroutines

        capability._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]


def capability(runtime: Runtime, name: str, *, wait: Optional[Seconds],
               resource: Union[Resource, Callable[..., Resource]]) -> Callable[[Callable[P, R]], Capability[P, R]]:
    def wrap(function: Callable[P, R]) -> Capability[P, R]:
        return Capability(runtime, name, function, wait=wait, resource=resource)

    return wrap
