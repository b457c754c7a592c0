"""Where the policies are."""

from __future__ import annotations

import os
import pathlib
from typing import Any, NoReturn, Optional

from ..._policies import PathLike, Paths, Texts, paths_of
from ...errors import PolicyError


class Policy:
    """Policies, by their files and directories or by their texts."""

    def __init__(self, paths: Optional[Paths] = None, *, texts: Optional[Texts] = None) -> None:
        if (paths is None) == (texts is None):
            raise TypeError("give either the paths of policies or their texts")
        found = [] if paths is None else paths_of(paths)
        for path in found:
            if path.endswith((".yaml", ".yml", ".json")):
                _refuse(path)
        self.sources: dict[str, Any] = {"texts": texts} if paths is None else {"policies": found}
        """The arguments of ordain.Runtime.open."""

    @classmethod
    def from_yaml(cls, path: PathLike) -> Policy:
        """Raises PolicyError, which says how to import the file."""
        _refuse(os.fspath(path))


def _refuse(path: str) -> NoReturn:
    imported = pathlib.PurePath(path).with_suffix(".policy")
    raise PolicyError(f"{path} is a policy of Aegis: run `ordain import aegis {path} -o {imported}`, and load that file")
