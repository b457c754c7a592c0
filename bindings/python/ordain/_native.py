"""The C interface of libordain.so, by ctypes. Every function of it releases the interpreter's lock
while it runs."""

from __future__ import annotations

import ctypes
import os
import pathlib
import threading
from ctypes import POINTER, Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from typing import Any, Callable, Optional

from .errors import ClosedError, ForkedError, OrdainError, PolicyError, RefusedError

ABI_VERSION = 2
NUL_TERMINATED = c_size_t(-1).value
LIBRARY = "libordain.so.0.1"

BEFORE, AFTER = 0, 1
FAILED, DONE, NOT_EXECUTED = 0, 1, 2
REJECT, APPROVE = 0, 1
OK, INVALID_ARGUMENT, BAD_POLICY, BAD_PROGRAM, BAD_CALL, NO_MEMORY, INTERNAL, REFUSED = range(8)


class _Versioned(Structure):
    """A struct that carries its size and version, as the ORDAIN_..._INIT macros set them."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(size=ctypes.sizeof(type(self)), version=ABI_VERSION, **fields)


class _Error(_Versioned):
    _fields_ = [("size", c_size_t), ("version", c_uint32), ("status", c_int32), ("message", c_char_p)]


class _Bytes(_Versioned):
    _fields_ = [("size", c_size_t), ("version", c_uint32), ("data", c_void_p), ("length", c_size_t)]


class _Options(_Versioned):
    _fields_ = [("size", c_size_t), ("version", c_uint32), ("default_before", c_int32), ("native", c_int32)]


class _Facts(_Versioned):
    _fields_ = [("size", c_size_t), ("version", c_uint32), ("json", c_char_p), ("json_length", c_size_t)]


class _Call(_Versioned):
    _fields_ = [
        ("size", c_size_t), ("version", c_uint32), ("stage", c_int32),
        ("capability", c_char_p), ("capability_length", c_size_t),
        ("input", c_char_p), ("input_length", c_size_t),
        ("output", c_char_p), ("output_length", c_size_t),
        ("metadata", c_char_p), ("metadata_length", c_size_t),
    ]


class _Decision(_Versioned):
    _fields_ = [
        ("size", c_size_t), ("version", c_uint32), ("effect", c_int32), ("code", c_char_p), ("reason", c_char_p),
        ("json", c_char_p), ("json_length", c_size_t), ("memory", c_void_p),
    ]


class _Outcome(_Versioned):
    _fields_ = [
        ("size", c_size_t), ("version", c_uint32), ("ending", c_int32),
        ("output", c_char_p), ("output_length", c_size_t),
        ("code", c_char_p), ("code_length", c_size_t),
        ("message", c_char_p), ("message_length", c_size_t),
    ]


class _Vote(_Versioned):
    _fields_ = [
        ("size", c_size_t), ("version", c_uint32), ("verdict", c_int32), ("id", c_char_p), ("approver", c_char_p),
        ("group", c_char_p), ("note", c_char_p),
    ]


_TEXT = [c_char_p, c_size_t]
_ERROR, _BYTES, _FACTS, _CALL = POINTER(_Error), POINTER(_Bytes), POINTER(_Facts), POINTER(_Call)
_OUT = POINTER(c_void_p)

# Each function that returns a status: the types of its arguments.
_FUNCTIONS: dict[str, list[Any]] = {
    "ordain_open": [POINTER(c_char_p), c_size_t, POINTER(_Options), _OUT, _ERROR],
    "ordain_open_program": [*_TEXT, POINTER(_Options), _OUT, _ERROR],
    "ordain_serialise": [c_void_p, _BYTES, _ERROR],
    "ordain_decide": [c_void_p, _FACTS, _CALL, POINTER(_Decision), _ERROR],
    "ordain_compile": [*_TEXT, _BYTES, _ERROR],
    "ordain_runtime_open": [*_TEXT, _OUT, _ERROR],
    "ordain_runtime_reload": [c_void_p, *_TEXT, _ERROR],
    "ordain_runtime_warnings": [c_void_p, _BYTES, _ERROR],
    "ordain_identity_make": [c_void_p, *_TEXT, _OUT, _ERROR],
    "ordain_runtime_evaluate": [c_void_p, c_void_p, _FACTS, _CALL, _BYTES, _ERROR],
    "ordain_runtime_authorize": [c_void_p, c_void_p, _FACTS, _CALL, _BYTES, _ERROR],
    "ordain_runtime_begin": [c_void_p, c_void_p, _FACTS, _CALL, _OUT, _BYTES, _ERROR],
    "ordain_begun_finish": [c_void_p, POINTER(_Outcome), _BYTES, _ERROR],
    "ordain_approvals_list": [c_void_p, c_char_p, _BYTES, _ERROR],
    "ordain_approvals_show": [c_void_p, c_char_p, _BYTES, _ERROR],
    "ordain_approvals_vote": [c_void_p, POINTER(_Vote), _BYTES, _ERROR],
    "ordain_audit_query": [c_void_p, *_TEXT, _BYTES, _ERROR],
    "ordain_audit_verify": [c_void_p, _BYTES, _ERROR],
    "ordain_runtime_flush": [c_void_p, _ERROR],
    "ordain_runtime_health": [c_void_p, _BYTES, _ERROR],
    "ordain_runtime_metrics": [c_void_p, _BYTES, _ERROR],
}
_FREES = ["ordain_close", "ordain_runtime_close", "ordain_identity_free", "ordain_begun_free", "ordain_bytes_free",
          "ordain_decision_free", "ordain_error_free"]


def _failure(status: int, message: str) -> Exception:
    if status == BAD_POLICY:
        return PolicyError(message)
    if status == REFUSED:
        code, _, _ = message.partition(":")
        return RefusedError(message, code)
    if status == NO_MEMORY:
        return MemoryError(message)
    if status in (INVALID_ARGUMENT, BAD_CALL, BAD_PROGRAM):
        return ValueError(message)
    return OrdainError(message)


def _find() -> str:
    """The library that ORDAIN_LIBRARY names, the one within the package, or the system's."""
    named = os.environ.get("ORDAIN_LIBRARY")
    if named:
        return named
    packed = pathlib.Path(__file__).parent / "_lib" / LIBRARY
    return str(packed) if packed.exists() else LIBRARY


def _refuse_subinterpreter() -> None:
    """A subinterpreter ends without the promises that the package makes for the end of the interpreter, and objects of
    the library would outlive it."""
    state = ctypes.pythonapi.PyInterpreterState_Get
    state.restype, state.argtypes = c_void_p, []
    number = ctypes.pythonapi.PyInterpreterState_GetID
    number.restype, number.argtypes = c_int64, [c_void_p]
    if number(state()) != 0:
        raise ImportError("Ordain runs in the main interpreter only, and this is a subinterpreter")


class Library:
    """The functions of one libordain.so. They raise instead of returning a status."""

    def __init__(self, path: str) -> None:
        _refuse_subinterpreter()
        try:
            self._loaded = ctypes.CDLL(path)
        except OSError as error:
            raise ImportError(f"Ordain's library cannot be loaded: {error}") from error
        for name, arguments in _FUNCTIONS.items():
            function = getattr(self._loaded, name, None)
            if function is None:
                raise ImportError(f"{path} has no {name}: it is an older release than this package")
            function.restype = c_int32
            function.argtypes = arguments
        for name in _FREES:
            function = getattr(self._loaded, name)
            function.restype = None
            function.argtypes = [c_void_p]

    def run(self, name: str, *arguments: Any) -> None:
        error = _Error()
        status = getattr(self._loaded, name)(*arguments, byref(error))
        if status == OK:
            return
        message = (error.message or b"out of memory").decode("utf-8", "replace")
        self._loaded.ordain_error_free(byref(error))
        raise _failure(status, message)

    def read(self, name: str, *arguments: Any) -> bytes:
        """Runs a function whose last result is an ordain_bytes, and gives its content."""
        out = _Bytes()
        self.run(name, *arguments, byref(out))
        return self.take(out)

    def take(self, out: _Bytes) -> bytes:
        data = ctypes.string_at(out.data, out.length) if out.data else b""
        self._loaded.ordain_bytes_free(byref(out))
        return data

    def open(self, name: str, *arguments: Any) -> int:
        """Runs a function that opens something, and gives its address."""
        out = c_void_p()
        self.run(name, *arguments, byref(out))
        assert out.value is not None
        return out.value

    def free(self, name: str, address: int) -> None:
        getattr(self._loaded, name)(address)

    def begin(self, runtime: int, identity: Optional[int], facts: Any, call: Any) -> tuple[Optional[int], bytes]:
        begun = c_void_p()
        answer = self.read("ordain_runtime_begin", runtime, identity, facts, call, byref(begun))
        return begun.value, answer

    def decide(self, engine: int, facts: Any, call: Any) -> bytes:
        decision = _Decision()
        self.run("ordain_decide", engine, facts, call, byref(decision))
        json = decision.json or b""  # a copy: JSON has no NUL
        self._loaded.ordain_decision_free(byref(decision))
        return json


_library: Optional[Library] = None
_library_mutex = threading.Lock()


def library() -> Library:
    """The library, loaded when it is first needed."""
    global _library
    if _library is None:
        with _library_mutex:
            if _library is None:
                _library = Library(_find())
    return _library


def call_struct(capability: str, stage: int, input: Optional[bytes], output: Optional[bytes],
                metadata: Optional[bytes]) -> Any:
    name = capability.encode("utf-8")
    return byref(_Call(
        stage=stage, capability=name, capability_length=len(name), input=input, input_length=len(input or b""),
        output=output, output_length=len(output or b""), metadata=metadata, metadata_length=len(metadata or b"")))


def facts_struct(json: Optional[bytes]) -> Any:
    return None if json is None else byref(_Facts(json=json, json_length=len(json)))


def options_struct(default_before: int, native: bool) -> Any:
    return byref(_Options(default_before=default_before, native=int(native)))


def outcome_struct(ending: int, output: Optional[bytes], code: bytes, message: bytes) -> Any:
    return byref(_Outcome(ending=ending, output=output, output_length=len(output or b""), code=code,
                          code_length=len(code), message=message, message_length=len(message)))


def vote_struct(verdict: int, id: str, approver: str, group: Optional[str], note: Optional[str]) -> Any:
    def text(value: Optional[str]) -> Optional[bytes]:
        return None if value is None else _without_nul(value)

    return byref(_Vote(verdict=verdict, id=text(id), approver=text(approver), group=text(group), note=text(note)))


def _without_nul(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("a NUL within a text")
    return text.encode("utf-8")


def paths_array(paths: list[str]) -> Any:
    return (c_char_p * len(paths))(*(os.fsencode(path) for path in paths))


class Handle:
    """An object of the library. It counts the threads that are inside the library with it, so that it is
    never freed under one of them, and it is dead in a child process that was forked after it was made."""

    def __init__(self, what: str, address: int, free: str) -> None:
        self._what = what
        self._address: Optional[int] = address
        self._free = free
        self._users = 0
        self._changed = threading.Condition()
        self._process = os.getpid()

    def __enter__(self) -> int:
        if self._process != os.getpid():
            raise ForkedError(f"the {self._what} was opened before this process was forked; open one in this process")
        with self._changed:
            if self._address is None:
                raise ClosedError(f"the {self._what} is closed")
            self._users += 1
            return self._address

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._users -= 1
            if self._users == 0:
                self._changed.notify_all()

    @property
    def is_open(self) -> bool:
        return self._address is not None and self._process == os.getpid()

    def close(self, timeout: Optional[float] = None) -> bool:
        """Lets no further thread in, waits until all have left, and frees the object. Gives false if one is still
        inside after ``timeout`` seconds; the object is then never freed."""
        if self._process != os.getpid():
            return False  # it belongs to the parent, whose threads and locks are not here
        with self._changed:
            address, self._address = self._address, None
            if address is None:
                return True
            if not self._changed.wait_for(lambda: self._users == 0, timeout):
                return False
        library().free(self._free, address)
        return True

    def __del__(self, _getpid: Callable[[], int] = os.getpid) -> None:
        address, self._address = getattr(self, "_address", None), None
        if address is not None and self._process == _getpid() and _library is not None:
            _library.free(self._free, address)
