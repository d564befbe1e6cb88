"""Markdown files whose code blocks are filled from sources and from recorded outputs.

A block to be filled is announced by a comment on a line of its own, which no code host shows:

    <!-- region: layers/srelu/srelu_layer.h#layer -->
    <!-- region: layers/srelu/srelu_layer.h#layer without predict, initialize -->
    <!-- region: lessons/quickstart/BUILD -->
    <!-- output: lessons/srelu/output/check.txt -->
    <!-- output: lessons/srelu/output/train.txt lines 1..6, -2.. -->

The fenced block in the very next line belongs to the comment: the weaver replaces it, and puts one
there when there is none. Paths are written from the repository root. `without` shows nested regions
as one line of dots; `lines` picks lines (negative ones count from the end, an open range goes on to
the end) with a line of dots for what lies between.
"""

import dataclasses
import pathlib
import re
from collections.abc import Callable

from tools.weave.source_regions import Source, WeaveError

_DIRECTIVE = re.compile(
    r"^(?P<indent>\s*)<!--\s*(?P<kind>region|output):\s*(?P<path>[^\s#]+)(?:#(?P<name>\S+))?"
    r"(?:\s+(?P<option>without|lines)\s+(?P<value>.+?))?\s*-->\s*$")
_LOOKS_LIKE_DIRECTIVE = re.compile(r"^\s*<!--\s*(region|output)\b")
_FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})")
_RANGE = re.compile(r"^(-?\d+)(?:(\.\.)(-?\d+)?)?$")

_LANGUAGES = {".h": "cpp", ".cc": "cpp", ".cu": "cpp", ".c": "c", ".py": "python", ".bzl": "python",
              ".sh": "sh", ".json": "json", ".md": "markdown", ".m": "matlab"}


class WeaveErrors(Exception):
    """Everything that is wrong with a woven file, one message a line."""

    def __init__(self, errors: list[WeaveError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


@dataclasses.dataclass(frozen=True)
class _Directive:
    kind: str
    path: str
    name: str | None
    option: str | None
    values: tuple[str, ...]
    indent: str
    line: int


def _parse_directive(path: str, number: int, line: str) -> _Directive | None:
    if not _LOOKS_LIKE_DIRECTIVE.match(line):
        return None
    match = _DIRECTIVE.match(line)
    if not match:
        raise WeaveError(path, number, f"cannot read {line.strip()!r}; write "
                         "'<!-- region: PATH#NAME -->' (with 'without OTHER' behind the name to "
                         "leave out nested regions) or '<!-- output: PATH -->' (with 'lines 1..5, "
                         "-2..' to pick lines)")
    values = tuple(value.strip() for value in (match["value"] or "").split(",") if value.strip())
    directive = _Directive(match["kind"], match["path"], match["name"], match["option"], values,
                           match["indent"], number)
    if directive.kind == "output" and (directive.name or directive.option == "without"):
        raise WeaveError(path, number, "an output has no regions; pick its lines with 'lines 1..5'")
    if directive.kind == "region" and directive.option == "lines":
        raise WeaveError(path, number, "code is picked by regions, not by line numbers, which would "
                         "change silently; mark a region there")
    if directive.option == "without" and not directive.name:
        raise WeaveError(path, number, "'without' leaves out regions of a region; name that one")
    return directive


def _pick_lines(path: str, directive: _Directive, text: str) -> str:
    lines = text.splitlines()
    picked: list[str] = []
    previous_last = 0
    for value in directive.values:
        match = _RANGE.match(value)
        if not match:
            raise WeaveError(path, directive.line, f"cannot read the lines '{value}'; write 3, "
                             "1..5, 7.. or -2..")
        start = int(match[1])
        stop = (-1 if match[3] is None else int(match[3])) if match[2] else start
        first = start + len(lines) + 1 if start < 0 else start
        last = stop + len(lines) + 1 if stop < 0 else stop
        if not previous_last < first <= last <= len(lines):
            raise WeaveError(path, directive.line, f"the lines '{value}' are not in "
                             f"{directive.path}, which has {len(lines)} lines, or they stand before "
                             "lines that were already shown")
        if first > previous_last + 1:
            picked.append("...")
        picked.extend(lines[first - 1:last])
        previous_last = last
    if previous_last < len(lines):
        picked.append("...")
    return "\n".join(picked) + "\n"


class Weaver:
    """Fills markdown files; `read` gives the text of a file by its path from the repository root.

    `read` raises FileNotFoundError for a missing file; `missing_hint` then tells what to do.
    """

    def __init__(self, read: Callable[[str], str], missing_hint: str = "") -> None:
        self._read = read
        self._missing_hint = missing_hint
        self._sources: dict[str, Source] = {}

    def weave(self, path: str, text: str) -> str:
        """The text with every block filled. Raises WeaveErrors with all that is wrong."""
        errors: list[WeaveError] = []
        woven: list[str] = []
        lines = text.splitlines()
        index = 0
        while index < len(lines):
            line = lines[index]
            index += 1
            woven.append(line)
            try:
                if _FENCE.match(line):  # Hand-written code: what stands in it is no directive.
                    end = self._fence_end(path, lines, index - 1)
                    woven.extend(lines[index:end])
                    index = end
                elif directive := _parse_directive(path, index, line):
                    end = index
                    if index < len(lines) and _FENCE.match(lines[index]):
                        end = self._fence_end(path, lines, index)
                    index = end
                    woven.extend(self._block(path, directive))
            except WeaveError as error:
                errors.append(error)
                if "is never closed" in str(error) and error.path == path:
                    break  # Nothing behind an open fence can be told apart from code.
        if errors:
            raise WeaveErrors(errors)
        return "\n".join(woven) + "\n"

    def _fence_end(self, path: str, lines: list[str], start: int) -> int:
        """The index behind the last line of the fenced block that begins at `start`."""
        match = _FENCE.match(lines[start])
        assert match
        fence = match["fence"]
        for index in range(start + 1, len(lines)):
            closing = lines[index].strip()
            if len(closing) >= len(fence) and set(closing) == {fence[0]}:
                return index + 1
        raise WeaveError(path, start + 1, f"the code block that begins with {fence} is never closed")

    def _block(self, path: str, directive: _Directive) -> list[str]:
        body = self._body(path, directive).splitlines()
        longest = max((len(match["fence"]) for line in body if (match := _FENCE.match(line))),
                      default=2)
        fence = "`" * max(3, longest + 1)
        block = [fence + self._language(directive), *body, fence]
        return [(directive.indent + line).rstrip() if line.strip() else "" for line in block]

    def _language(self, directive: _Directive) -> str:
        if directive.kind == "output":
            return "text"
        file = pathlib.PurePosixPath(directive.path)
        if file.name in ("BUILD", "WORKSPACE"):
            return "python"
        return _LANGUAGES.get(file.suffix, "text")

    def _body(self, path: str, directive: _Directive) -> str:
        try:
            if directive.kind == "output":
                text = self._read(directive.path)
                return _pick_lines(path, directive, text) if directive.values else text
            if directive.path not in self._sources:
                self._sources[directive.path] = Source(directive.path, self._read(directive.path))
            source = self._sources[directive.path]
            if directive.name is None:
                return source.whole()
            return source.show(directive.name, directive.values)
        except (FileNotFoundError, IsADirectoryError) as error:
            hint = f"; {self._missing_hint}" if self._missing_hint else ""
            raise WeaveError(path, directive.line, f"there is no file {directive.path}{hint}") \
                from error
        except KeyError as error:
            in_order = sorted(source.regions.values(), key=lambda region: region.first)
            there = ", ".join(region.name for region in in_order) or "none"
            raise WeaveError(path, directive.line, f"{directive.path} has no region "
                             f"'{error.args[0]}'; its regions: {there}") from error
