"""Regions of source files: the pieces of real, tested code that prose shows.

A region begins at a comment line of its own, `// [region NAME]`, and ends at `// [endregion]` (or
`// [endregion NAME]`); in files whose comments begin with `#`, so do the markers. Regions nest.
The markers themselves are never shown.
"""

import dataclasses
import re
import textwrap

_MARKER = re.compile(r"^(?P<indent>\s*)(?P<comment>//|#)\s*\[(?P<what>(?:end)?region)\b(?P<rest>.*)$")
_NAME_AND_BRACKET = re.compile(r"^(?:\s+(?P<name>[A-Za-z0-9_.-]+))?\s*\]\s*$")


class WeaveError(Exception):
    """Something that the author of a file has to mend, with the file and the line where it stands."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line


@dataclasses.dataclass(frozen=True)
class Region:
    """The lines between two markers; `first` and `last` are the markers' line numbers, from 1."""

    name: str
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class _Marker:
    opens: bool
    name: str | None
    indent: str
    comment: str


def _parse_marker(path: str, number: int, line: str) -> _Marker | None:
    match = _MARKER.match(line)
    if not match:
        return None
    opens = match["what"] == "region"
    rest = _NAME_AND_BRACKET.match(match["rest"])
    if not rest or (opens and rest["name"] is None):
        raise WeaveError(path, number, f"cannot read the marker {line.strip()!r}; write "
                         f"'{match['comment']} [region NAME]' or '{match['comment']} [endregion]', "
                         "where NAME is made of letters, digits, '_', '.' and '-'")
    return _Marker(opens, rest["name"], match["indent"], match["comment"])


class Source:
    """A source file and the regions in it. Raises WeaveError where its markers are wrong."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._lines = text.splitlines()
        self._markers = {number: marker for number, line in enumerate(self._lines, 1)
                         if (marker := _parse_marker(path, number, line))}
        self.regions: dict[str, Region] = {}
        self._match_markers()

    def _match_markers(self) -> None:
        opened: list[tuple[str, int]] = []
        first_line: dict[str, int] = {}
        for number, marker in self._markers.items():
            if marker.opens:
                name = str(marker.name)
                if name in first_line:
                    raise WeaveError(self.path, number, f"the region '{name}' was already opened "
                                     f"in line {first_line[name]}; a name is used once in a file")
                first_line[name] = number
                opened.append((name, number))
                continue
            if not opened:
                raise WeaveError(self.path, number, "this [endregion] closes nothing")
            name, start = opened.pop()
            if marker.name not in (None, name):
                raise WeaveError(self.path, number, f"[endregion {marker.name}] stands where the "
                                 f"region '{name}' of line {start} is to be closed")
            self.regions[name] = Region(name, start, number)
        if opened:
            name, start = opened[-1]
            raise WeaveError(self.path, start, f"the region '{name}' is never closed; add a line "
                             "with [endregion]")

    def whole(self) -> str:
        """The whole file without its markers."""
        return self._show(1, len(self._lines), {})

    def show(self, name: str, without: tuple[str, ...] = ()) -> str:
        """The region `name`, dedented; each region in `without` becomes one comment with dots.

        Raises KeyError with the missing name when the file has no such region.
        """
        region = self.regions[name]
        hidden = {self.regions[other].first: self.regions[other] for other in without}
        return self._show(region.first + 1, region.last - 1, hidden)

    def _show(self, first: int, last: int, hidden: dict[int, Region]) -> str:
        shown: list[str] = []
        number = first
        after_marker = False
        while number <= last:
            line = self._lines[number - 1]
            marker = self._markers.get(number)
            if marker and number in hidden:
                shown.append(f"{marker.indent}{marker.comment} ...")
                number = hidden[number].last
                after_marker = False
            elif marker:
                after_marker = True
            elif line.strip() or not after_marker or (shown and shown[-1].strip()):
                # A blank line on both sides of a marker leaves one blank line, not two.
                shown.append(line)
                after_marker = False
            number += 1
        return textwrap.dedent("\n".join(shown)).strip("\n") + "\n"
