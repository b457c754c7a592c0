"""The record as messages of Python's logging."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import threading
import weakref
from typing import TYPE_CHECKING, Optional, Union

from .audit import FILE, AuditLogger

if TYPE_CHECKING:
    from ...._runtime import Runtime as OrdainRuntime


class LoggingAuditLogger(AuditLogger):
    """Logs each record of the session, as a line of JSON, besides keeping it. Without ``db_path`` it is kept in a
    temporary directory, which is deleted when the runtime closes: so `export_jsonl` works until then."""

    def __init__(self, logger_name: str = "aegis.audit", level: int = logging.INFO, *,
                 db_path: Union[str, "os.PathLike[str]", None] = None) -> None:
        own = tempfile.mkdtemp(prefix="ordain-audit-") if db_path is None else None
        super().__init__(f"{own}/{FILE}" if own is not None else db_path or "")
        self._delete = None if own is None else weakref.finalize(self, shutil.rmtree, own, ignore_errors=True)
        self._logger = logging.getLogger(logger_name)
        self._level = level
        self._mutex = threading.Lock()  # protects _next, and keeps the lines in their order
        self._next = 1
        self._session = ""

    def attach(self, runtime: OrdainRuntime, session: str) -> None:
        super().attach(runtime, session)
        self._session = session
        self._next = 1

    def recorded(self) -> None:
        with self._mutex:
            for record in self._open().audit(session=self._session, first=self._next):
                self._next = record["id"] + 1
                self._logger.log(self._level, "%s", json.dumps(record, ensure_ascii=False))

    def close(self) -> None:
        if self._delete is not None:
            self._delete()
