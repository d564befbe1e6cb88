"""Checks that every name which docs/names.md calls ours stands in a public header.

    names_check.py PAGE HEADER...
"""

import pathlib
import re
import sys


def our_names(page: str) -> list[tuple[int, str]]:
    """The line and the name of all that the column "Lamina" of the page's tables names."""
    names: list[tuple[int, str]] = []
    column: int | None = None
    for number, line in enumerate(page.splitlines(), 1):
        if not line.startswith("|"):
            column = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if column is None:
            column = cells.index("Lamina") if "Lamina" in cells else None
        elif column < len(cells):
            for code in re.findall(r"`([^`]*)`", cells[column]):
                without_text = re.sub(r"\"[^\"]*\"|'[^']*'", "", code)
                names += [(number, name) for name in re.findall(r"\bk?[A-Z]\w*", without_text)]
    return names


def missing_names(page: str, headers: str) -> list[tuple[int, str]]:
    """Those of our names that are no whole word of the headers."""
    words = set(re.findall(r"\w+", headers))
    return [(number, name) for number, name in our_names(page) if name not in words]


def main(arguments: list[str]) -> int:
    page, *headers = map(pathlib.Path, arguments)
    text = page.read_text(encoding="utf-8")
    if not our_names(text):
        print(f"{page}:1: no table has a column named Lamina")
        return 1
    missing = missing_names(text, "\n".join(path.read_text(encoding="utf-8") for path in headers))
    for number, name in missing:
        print(f"{page}:{number}: no public header has the name {name}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
