"""One governed call between its beginning and its end."""

from __future__ import annotations

import enum
import threading
from typing import Any, Mapping, Optional

from . import _json, _native
from .errors import Denied, OrdainError, Pending, Stopped, Withheld

_FORGOTTEN = "the call was forgotten before it had ended"


class Unchanged(enum.Enum):
    """Says that rules did not change a value."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED


def stopped(capability: str, answer: Mapping[str, Any]) -> Stopped:
    """Why a call may not run, as an exception."""
    common = {"action": answer["action"], "warnings": answer["warnings"], "rule": answer["rule"],
              "reason": answer["reason"]}
    if answer["state"] == "pending":
        return Pending(capability, approval=answer["approval"], groups=answer["groups"], expires=answer["expires"],
                       **common)
    kind = Withheld if answer["state"] == "withheld" else Denied
    return kind(capability, code=answer["code"], fault=answer["fault"], **common)


class Call:
    """A call that has begun: execute it once, with `input`, and say how it ended. As a context manager it
    records an exception as the tool's failure:

    >>> with runtime.begin("refund", {"order": 7}) as call:   # doctest: +SKIP
    ...     result = call.finish(pay_back(**call.input))

    A call that is forgotten without an end is recorded as failed with code ``abandoned``.
    """

    def __init__(self, capability: str, address: int, answer: Mapping[str, Any]) -> None:
        self._handle = _native.Handle("call", address, "ordain_begun_free")
        self._mutex = threading.Lock()
        self._ended = False
        self.capability = capability
        self.input: Any = answer["input"]
        """The input to execute the call with: what remained after the rules redacted it."""
        self.action: str = answer["action"]
        """Id of the call in the record."""
        self.warnings: tuple[str, ...] = tuple(answer["warnings"])
        self.would: str = answer["would"]
        """Under observe: what enforce would have done (``would_deny`` ...), or ``""``."""

    def finish(self, output: Any = None) -> Any:
        """Ends the call with the output of the tool. Gives what may be passed on: `output` itself, unless rules
        redacted it. Raises Withheld."""
        released = self.settle(output)
        return output if released is UNCHANGED else released

    def settle(self, output: Any = None) -> Any:
        """Like `finish`, but gives UNCHANGED if no rule changed the output."""
        try:
            text = _json.encode(output)
        except (TypeError, ValueError, RecursionError) as error:
            reason = f"no rule can read the output: {error}"
            self._end(_native.FAILED, None, "bad_output", reason)
            raise Withheld(self.capability, code="bad_output", reason=reason, action=self.action,
                           warnings=self.warnings) from error
        answer = self._end(_native.DONE, text, "", "")
        self.warnings = tuple(answer["warnings"])
        self.would = answer["would"]
        if answer["state"] == "withheld":
            raise stopped(self.capability, answer)
        if answer["state"] != "done":
            reason = f"the call has already ended: {answer['code']}: {answer['message']}"
            raise Withheld(self.capability, code=answer["code"], reason=reason, action=self.action)
        return answer["output"] if answer["redacted"] else UNCHANGED

    def fail(self, error: BaseException) -> None:
        """Ends the call with the failure of the tool."""
        self._end(_native.FAILED, None, type(error).__name__, str(error))

    def give_up(self, why: str) -> None:
        """Ends a call that was not executed after all, and had no effect."""
        self._end(_native.NOT_EXECUTED, None, "", why)

    def _end_with_interpreter(self) -> None:
        """Records what has not ended, and gives the database back. A thread that still executes the call finds it
        closed."""
        try:
            if not self._ended:
                self._end(_native.FAILED, None, "abandoned", "the interpreter ended before the call")
        except (OrdainError, ValueError):
            pass  # it belongs to a parent process
        self._handle.close(timeout=1)

    def __enter__(self) -> Call:
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> None:
        if self._ended:
            return
        if error is not None:
            self.fail(error)
        else:
            self._end(_native.FAILED, None, "abandoned", _FORGOTTEN)

    def _end(self, ending: int, output: Optional[bytes], code: str, message: str) -> Any:
        outcome = _native.outcome_struct(ending, output, _text(code), _text(message))
        with self._handle as address, self._mutex:
            answer = _native.library().read("ordain_begun_finish", address, outcome)
            self._ended = True
        return _json.decode(answer)


def _text(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
