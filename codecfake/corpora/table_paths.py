"""Files that a table names: in either Unicode form, with forward slashes, and no hidden ones."""

import unicodedata
from collections import defaultdict
from functools import cache
from pathlib import Path, PurePosixPath, PureWindowsPath

from codecfake.base.hidden_files import is_hidden
from codecfake.corpora.listing import CorpusError, Rejection


class TablePaths:
    """The files under `root`, for a table that names them."""

    def __init__(self, root: Path, table: str) -> None:
        self._root, self._table = root, table
        self._places: dict[str, tuple[str, str]] = {}  # file -> its path as the table writes it, and where

    def find(self, path: str, where: str) -> str | None:
        """The path of a file as its disk writes it, relative to the root; None if it does not exist.

        macOS writes names in another Unicode form (NFD) than most tables (NFC); they look the same. Raises CorpusError
        for a path with backslashes, for several files of one name, and for one file that is written in two forms.
        """
        if is_hidden(PurePosixPath(PurePosixPath(path).name)):
            return None
        file = self._on_disk(path, where)
        if file is None and "\\" in path:
            right = PureWindowsPath(path).relative_to(PureWindowsPath(path).anchor).as_posix()
            raise CorpusError(
                f"{where}: path {path!r} has backslashes, as on Windows; write paths with forward slashes, relative to "
                f"the corpus's root: {right!r}"
            )
        if file is not None:
            self._check_form(file, path, where)
        return file

    def rejection(self, path: str) -> Rejection:
        """Why `find` gives no file for a path."""
        if is_hidden(PurePosixPath(PurePosixPath(path).name)):
            return Rejection(path, f"listed in {self._table}, but a hidden file is no recording", expected=True)
        if (self._root / path).is_symlink():
            return Rejection(path, f"listed in {self._table}, but it is a link that leads nowhere; restore its target")
        other = self._in_other_case(PurePosixPath(path))
        hint = f"; the folder has {other!r}, so correct the case of letters in the table" if other else ""
        return Rejection(path, f"listed in {self._table} but the file is absent{hint}")

    def _on_disk(self, path: str, where: str) -> str | None:
        parts = PurePosixPath(path).parts
        if path.isascii() or ".." in parts:  # the forms of ASCII are the same
            return path if (self._root / path).exists() else None
        file = PurePosixPath()
        for part in parts:
            names = self._names(file).get(unicodedata.normalize("NFC", part), [])
            if not names:
                return None
            if len(names) > 1:
                raise CorpusError(
                    f"{where}: {path}: {self._root / file} has {len(names)} files of this name, in different Unicode "
                    f"forms ({' and '.join(map(ascii, sorted(names)))}); remove or rename the wrong one"
                )
            file /= names[0]
        return file.as_posix()

    def _in_other_case(self, path: PurePosixPath) -> str | None:
        """The name of a file in the same folder that macOS and Windows would take for this one."""
        if ".." in path.parts:
            return None
        other_case = unicodedata.normalize("NFC", path.name).casefold()
        return next(
            (names[0] for name, names in self._names(path.parent).items() if name.casefold() == other_case), None
        )

    @cache  # noqa: B019 - the cache lives as long as the reading of a table
    def _names(self, folder: PurePosixPath) -> dict[str, list[str]]:
        """The names in a folder, by their composed form."""
        names: dict[str, list[str]] = defaultdict(list)
        if (self._root / folder).is_dir():
            for path in (self._root / folder).iterdir():
                names[unicodedata.normalize("NFC", path.name)].append(path.name)
        return names

    def _check_form(self, file: str, path: str, where: str) -> None:
        other_path, place = self._places.setdefault(file, (path, where))
        if other_path != path:
            raise CorpusError(
                f"{where}: {path} is the same file as at {place}, in another Unicode form; remove one of the two rows"
            )
        if place != where:
            raise CorpusError(f"{where}: {path} is listed twice, first at {place}; remove one row")
