"""Help for tests of programs that use Ordain. It needs no test framework; with pytest, load its fixtures by
``pytest_plugins = ["ordain.testing"]``.

>>> def test_strangers_get_no_refund(ordain_runtime):   # doctest: +SKIP
...     runtime = ordain_runtime("policies/", agent="support")
...     with denied(by="refunds.stranger"):
...         make_refund(runtime)("c-17", 25.0)
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any, Callable, Iterator, Optional

from ._runtime import Runtime
from .errors import Denied, Pending, Stopped, Withheld

__all__ = ["approving", "denied", "pending", "temporary_runtime", "withheld"]


class Caught:
    """The exception that a block raised; set when the block is over."""

    error: Any = None


@contextlib.contextmanager
def denied(by: Optional[str] = None, code: Optional[str] = None) -> Iterator[Caught]:
    """Expects that the block raises Denied, by this rule and with this code if they are given."""
    with _stopped(Denied, by) as caught:
        yield caught
    if code is not None and caught.error.code != code:
        raise AssertionError(f"denied with code {caught.error.code}, not {code}: {caught.error}")


@contextlib.contextmanager
def withheld(by: Optional[str] = None) -> Iterator[Caught]:
    """Expects that the block raises Withheld."""
    with _stopped(Withheld, by) as caught:
        yield caught


@contextlib.contextmanager
def pending(by: Optional[str] = None) -> Iterator[Caught]:
    """Expects that the block raises Pending."""
    with _stopped(Pending, by) as caught:
        yield caught


@contextlib.contextmanager
def _stopped(kind: type[Stopped], by: Optional[str]) -> Iterator[Caught]:
    caught = Caught()
    try:
        yield caught
    except Stopped as error:
        if type(error) is not kind:
            raise AssertionError(f"expected {kind.__name__}, got {type(error).__name__}: {error}") from error
        caught.error = error
    if caught.error is None:
        raise AssertionError(f"expected {kind.__name__}, but nothing was stopped")
    if by is not None and caught.error.rule != by:
        raise AssertionError(f"expected rule {by}, got {caught.error.rule or 'none'}: {caught.error}")


def approving(runtime: Runtime, function: Callable[..., Any], *args: Any, by: str = "approver", **kwargs: Any) -> Any:
    """Calls a function that must need approval, approves for every group that the rules name, and calls it again."""
    with pending() as caught:
        function(*args, **kwargs)
    for number, group in enumerate(caught.error.groups or (None,)):
        runtime.approvals.approve(caught.error.approval, by=f"{by}-{number}", group=group)
    return function(*args, **kwargs)


@contextlib.contextmanager
def temporary_runtime(*policies: Any, **options: Any) -> Iterator[Runtime]:
    """A runtime that is recorded in a directory of its own, which is deleted afterwards. The arguments are those of
    Runtime.open."""
    with tempfile.TemporaryDirectory(prefix="ordain-") as directory:
        options.setdefault("database", f"{directory}/state")
        with Runtime.open(*policies, **options) as runtime:
            yield runtime


try:
    import pytest
except ImportError:  # the helpers above need no framework
    pass
else:
    @pytest.fixture
    def ordain_runtime() -> Iterator[Callable[..., Runtime]]:
        """Opens runtimes as temporary_runtime does, and closes them after the test."""
        with contextlib.ExitStack() as stack:
            yield lambda *policies, **options: stack.enter_context(temporary_runtime(*policies, **options))

    __all__ += ["ordain_runtime"]
