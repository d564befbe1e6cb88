"""Doxygen's view of a header: the comments of our style made into comments that Doxygen reads.

    header_filter.py FILE        prints the header as Doxygen should see it

Our headers are written for people. This filter keeps every line in its place, so that Doxygen's
messages name the right ones, and changes comments outside of function bodies only:

- the first comment, above the includes, describes the file;
- `//` and `///` are the same, and a comment behind a declaration (`//`, `///` or `///<`) describes
  that declaration;
- a comment above several functions that follow without an empty line and are alike (overloads, or
  the same types and parameters, as Sin and Cos) describes all of them;
- lines indented by two more spaces below an empty comment line are an example in C++;
- everything else is plain text: characters that are commands to Doxygen are taken as they stand;
- pieces of text that are no headers (`#include "....inc"`) are left out: they are not shown.
"""

import os
import re
import sys

_COMMENT = re.compile(r"^(?P<indent>\s*)//(?P<slash>/?)(?P<text>(?!/).*)$")
_NOT_PROSE = re.compile(r"^\s*(NOLINT|clang-format|IWYU|namespace\b|\[(end)?region\b|#)")
_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s+\"C\"")
_LITERAL = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')


def split_comment(line: str) -> tuple[str, str | None]:
    """The code of a line and the text of the comment behind it (None without one)."""
    blank = _LITERAL.sub(lambda match: "_" * len(match[0]), line)
    at = blank.find("//")
    if at < 0:
        return line, None
    return line[:at], line[at:].lstrip("/").removeprefix("<")


def plain(text: str) -> str:
    """The text with Doxygen's commands and HTML taken as they stand, but for `code`."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") and piece.endswith("`") and len(piece) > 1
                   else re.sub(r"([\\@<>#%&$*])", r"\\\1", piece) for piece in pieces)


class _Scopes:
    """Follows the braces: whether a line stands among declarations or in a function's body."""

    def __init__(self) -> None:
        self._open: list[bool] = []  # Of each open brace: does it hold declarations?
        self._statement = ""
        self._in_parentheses = 0

    @property
    def among_declarations(self) -> bool:
        return all(self._open)

    @property
    def depth(self) -> int:
        return len(self._open)

    @property
    def between_statements(self) -> bool:
        """True when the next line begins a new declaration."""
        return not self._statement.strip() and not self._in_parentheses

    def read(self, code: str) -> None:
        """Takes one line of code, without its comment."""
        if code.lstrip().startswith("#"):
            return
        for character in _LITERAL.sub("_", code):
            if character == "(":
                self._in_parentheses += 1
            elif character == ")":
                self._in_parentheses -= 1
            if character == "{":
                is_scope = bool(_SCOPE.search(re.sub(r"<[^<>]*>", "", self._statement)))
                self._open.append(is_scope and "(" not in self._statement
                                  and "=" not in self._statement)
                self._statement = ""
            elif character == "}" and self._open:
                self._open.pop()
                self._statement = ""
            elif character == ";" and not self._in_parentheses:
                self._statement = ""
            else:
                self._statement += character
        self._statement += " "
        if re.fullmatch(r"\s*(public|private|protected)\s*:\s*", self._statement):
            self._statement = ""


def _comment_block(lines: list[str], start: int) -> int:
    """The index behind the comment lines that begin at `start`."""
    end = start
    while end < len(lines) and _COMMENT.match(lines[end]):
        end += 1
    return end


def _examples(texts: list[str]) -> list[tuple[int, int]]:
    """The first and last index of each example in the lines of a comment."""
    examples = []
    index = 1
    while index < len(texts):
        if texts[index].startswith("   ") and not texts[index - 1].strip():
            last = index
            for later in range(index, len(texts)):
                if texts[later].startswith("   "):
                    last = later
                elif texts[later].strip():
                    break
            examples.append((index, last))
            index = last
        index += 1
    return examples


def _as_doxygen(block: list[str], describes_file: bool) -> list[str]:
    """A block of comment lines in Doxygen's form, as many lines."""
    matches = [match for line in block if (match := _COMMENT.match(line))]
    texts = ["" if _NOT_PROSE.match(match["text"]) else match["text"] for match in matches]
    prefix = matches[0]["indent"] + "///"
    made = [prefix + plain(text) for text in texts]
    for first, last in _examples(texts):
        made[first - 1] = prefix + r" \code{.cpp}"
        made[first:last + 1] = [prefix + text[2:] for text in texts[first:last + 1]]
        made[last] += r" \endcode"
    if describes_file:
        made[-1] += r" \file"
    return made


def _signature(declaration: str) -> tuple[str, str, str] | None:
    """What a function returns, its name and its parameters; None for what is no function."""
    text = re.sub(r"\btemplate\s*<[^<>]*>|\b(inline|constexpr|static|virtual|explicit)\b", " ",
                  declaration)
    match = re.match(r"\s*(?P<returns>.*?)\s*(?P<name>\boperator\s*(?:\(\)|[^\s(]+)|\b\w+)\s*"
                     r"\((?P<parameters>[^()]*(?:\([^()]*\)[^()]*)*)\)", text)
    if not match:
        return None
    returns, name, parameters = (" ".join(match[group].split())
                                 for group in ("returns", "name", "parameters"))
    return returns, name, parameters


def _are_alike(first: tuple[str, str, str], other: tuple[str, str, str] | None) -> bool:
    """True for functions that one comment describes: overloads, and a family such as Sin and Cos."""
    if other is None:
        return False
    return first[1] == other[1] or (first[0] == other[0] and first[2] == other[2] != "")


def _alike_below(lines: list[str], start: int) -> list[int]:
    """Where the functions begin that share the comment above `start` with the function there.

    They follow it without an empty line or a comment between them and are alike.
    """
    scopes = _Scopes()
    first: tuple[str, str, str] | None = None
    alike: list[int] = []
    declaration = ""
    begin = start
    for index in range(start, len(lines)):
        if not declaration and (not lines[index].strip() or _COMMENT.match(lines[index])
                                or re.match(r"\s*[}#]", lines[index])):
            break
        begin = begin if declaration else index
        code, _ = split_comment(lines[index])
        scopes.read(code)
        declaration += code + " "
        if scopes.depth or not scopes.between_statements:
            continue
        signature = _signature(declaration)
        declaration = ""
        if first is None:
            if signature is None:
                break
            first = signature
        elif _are_alike(first, signature):
            alike.append(begin)
    return alike


def _with_comment(line: str, text: str) -> str:
    """The line of code with a comment in front of its code."""
    indent = line[:len(line) - len(line.lstrip())]
    return f"{indent}/** {text} */ {line.lstrip()}"


def convert(text: str, name: str) -> str:
    """The header as Doxygen should see it, each line where it was; `name` is its path."""
    lines = text.splitlines()
    made = list(lines)
    scopes = _Scopes()
    seen_include = described_file = False
    subject: str | None = None  # The class that the first comment is about, until it is met.
    index = 0
    while index < len(lines):
        line = lines[index]
        if _COMMENT.match(line):
            end = _comment_block(lines, index)
            is_prose = any((match := _COMMENT.match(each)) and match["text"].strip()
                           and not _NOT_PROSE.match(match["text"]) for each in lines[index:end])
            if scopes.among_declarations and is_prose:
                is_head = not seen_include and not described_file
                if is_head and (about := re.match(r"//+ (\w+): ", line)):
                    subject = about[1]
                described_file = described_file or is_head
                made[index:end] = block = _as_doxygen(lines[index:end], is_head)
                if not is_head and r"\code" not in "".join(block):
                    shared = " ".join(each.strip()[3:].strip() for each in block)
                    for begin in _alike_below(lines, end):
                        made[begin] = _with_comment(made[begin], shared)
                if subject and end < len(lines) and _declares(lines[end], subject):
                    subject = None  # It has a comment of its own.
            index = end
            continue
        if subject and _declares(line, subject):
            made[index] = _with_comment(line, rf"\copydoc {name}")
            subject = None
        code, comment = split_comment(line)
        seen_include = seen_include or code.startswith("#include")
        if (comment is not None and code.strip() and code.strip()[0] not in "}#"
                and scopes.among_declarations and not _NOT_PROSE.match(comment)):
            made[index] = (made[index][:len(made[index]) - len(line) + len(code)] + "///<"
                           + plain(comment))
        if re.match(r'#include "[^"]*\.inc"', code):
            made[index] = ""
        scopes.read(code)
        index += 1
    return "\n".join(made) + "\n"


def _declares(line: str, class_name: str) -> bool:
    return bool(re.match(rf"(class|struct)\s+{class_name}\b[^;]*$", line))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.write(convert(file.read(), os.path.relpath(sys.argv[1])))
