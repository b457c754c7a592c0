"""Python values to the JSON that rules see, and back."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import os
import uuid
from collections.abc import Mapping, Set
from typing import Any


def _duration(value: datetime.timedelta) -> str:
    micros = (value.days * 86400 + value.seconds) * 1_000_000 + value.microseconds
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, rest = divmod(micros, 1_000_000)
    return f"{sign}{seconds}" + (f".{rest:06d}".rstrip("0") if rest else "") + "s"


def _timestamp(value: datetime.datetime) -> str:
    if value.tzinfo is None:
        raise TypeError("a datetime without a time zone says no moment: give it one")
    return value.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _plain(value: Any) -> Any:
    """Turns what json does not know into what it knows. Raises TypeError for what has no form in JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)  # pydantic
    if callable(dump) and not isinstance(value, type):
        return dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value, key=lambda one: (type(one).__name__, one))
    if isinstance(value, datetime.datetime):
        return _timestamp(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (uuid.UUID, os.PathLike)):
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def encode(value: Any) -> bytes:
    """JSON of a value. Raises TypeError or ValueError if it has none: rules must see what the tool sees. Keys that are
    not texts are refused, because json would make texts of them, and two could become one."""
    _check_keys(value)
    return json.dumps(value, default=_checked_plain, allow_nan=False, ensure_ascii=False,
                      separators=(",", ":")).encode("utf-8")


def _checked_plain(value: Any) -> Any:
    plain = _plain(value)
    _check_keys(plain)
    return plain


def _check_keys(value: Any) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a key of an object must be a text, not {type(key).__name__}")
            _check_keys(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _check_keys(part)


def decode(text: bytes) -> Any:
    return json.loads(text)


def same(one: Any, other: Any) -> bool:
    """Whether two decoded values are the same JSON: True is not 1, and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(part, other[key]) for key, part in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
