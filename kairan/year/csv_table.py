"""A CSV file with a header: its columns at once, or its rows one by one with their lines; and words for its faults."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class BadInput(Exception):
    """A file cannot be used; the text names file, line and fault."""

    def __init__(self, path: Path, line: int | None, fault: str) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {fault}")


class Table:
    """The text of a file, read once (a pipe can be read only once).

    `needed` columns must stand in the header, `allowed` ones may; each at most once. Other columns are passed over.
    """

    def __init__(self, path: Path, needed: Sequence[str], allowed: Sequence[str]) -> None:
        """Raises `BadInput` where the file cannot be read or is not UTF-8."""
        self.path = path
        self._needed, self._allowed = needed, allowed
        try:
            self._text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(path, error.object[: error.start].count(b"\n") + 1, "is not UTF-8") from None
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL
            raise BadInput(path, None, f"cannot be read: {getattr(error, 'strerror', error)}") from None

    def columns(self) -> Mapping[str, Sequence[str]] | None:
        """All cells of the named columns, as they stand; None where `rows` has to look closer."""
        try:
            cells = [row for row in csv.reader(self._lines(), strict=True) if row]
        except csv.Error:
            return None
        if not cells:
            return None
        names = [name.strip() for name in cells.pop(0)]
        wanted = [name for name in (*self._needed, *self._allowed) if name in names]
        if any(names.count(name) > 1 for name in wanted) or set(map(len, cells)) != {len(names)}:
            return None
        return {name: [row[place] for row in cells] for name in wanted for place in (names.index(name),)}

    def rows(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Line (where the row begins) and stripped cells of every row that is not empty. Raises `BadInput`."""
        rows = self._cells()
        header_line, header = next(rows, (1, []))
        names = [name.strip() for name in header]
        self._check_header(header_line, names)
        for line, cells in rows:
            if len(cells) != len(names):
                raise BadInput(self.path, line, f"{len(cells)} cells, but the header has {len(names)}")
            yield line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)}

    def _check_header(self, line: int, names: Sequence[str]) -> None:
        missing = [name for name in self._needed if name not in names]
        if missing:
            what = "is empty" if not names else f"misses the column {', '.join(missing)}"
            raise BadInput(self.path, line if names else None, f"{what}; it needs {','.join(self._needed)}")
        for name in (*self._needed, *self._allowed):
            if names.count(name) > 1:
                raise BadInput(self.path, line, f"the column {name} stands there twice")

    def _cells(self) -> Iterator[tuple[int, list[str]]]:
        line = 1
        try:
            reader = csv.reader(self._lines(), strict=True)
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise BadInput(self.path, line, f"is not CSV: {error}") from None

    def _lines(self) -> io.StringIO:
        return io.StringIO(self._text, newline="")
