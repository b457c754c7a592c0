"""The record in a database."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any, Iterator, Optional, Union

if TYPE_CHECKING:
    from ...._runtime import Runtime as OrdainRuntime

FILE = "audit.db"


class AuditLogger:
    """Keeps the record in ``audit.db`` of a directory, beside the approvals. It serves one open runtime at a time."""

    def __init__(self, db_path: Union[str, "os.PathLike[str]"] = f"state/{FILE}") -> None:
        path = pathlib.PurePath(db_path)
        if path.name != FILE:
            raise ValueError(f"Ordain names this file {FILE}; give the directory by {path.parent / FILE}")
        self.directory = str(path.parent)
        self._runtime: Optional[OrdainRuntime] = None

    def attach(self, runtime: OrdainRuntime, session: str) -> None:
        """Called by a runtime that begins to use it."""
        if self._runtime is not None and self._runtime._handle.is_open:
            raise ValueError("this audit logger serves another runtime that is still open; make one for each")
        self._runtime = runtime

    def recorded(self) -> None:
        """Called by the runtime when it has recorded something."""

    def close(self) -> None:
        """Called by the runtime after it has closed."""

    def query(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """The records that match, oldest first. The filters are those of ordain.Runtime.audit: session, capability,
        agent, kind, effect, since, until and so on."""
        return self._open().audit(**filters)

    def count(self, **filters: Any) -> int:
        """How many records match."""
        return sum(1 for _ in self.query(**filters))

    def export_jsonl(self, path: Union[str, "os.PathLike[str]"]) -> int:
        """Writes every record of the database as a line of JSON, and gives their number."""
        written = 0
        with open(path, "w", encoding="utf-8") as file:
            for record in self.query():
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                written += 1
        return written

    def _open(self) -> OrdainRuntime:
        if self._runtime is None:
            raise ValueError("no runtime uses this audit logger")
        return self._runtime
