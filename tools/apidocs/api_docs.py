"""Makes the pages of the public headers with Doxygen. Any warning is an error.

    bazel run //docs:api            makes the pages and prints where they are
    api_docs.py --check FILE...     makes them in a temporary folder, for the test
    api_docs.py --missing FILE...   makes none; fails where a public header is not among them

FILE... are the front page and the headers, named from the repository root.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

_FOLDERS = ("framework", "layers", "checks")
_STYLE = pathlib.Path("/usr/share/doxygen-awesome-css")
_HERE = pathlib.Path("tools/apidocs")


class DocsError(Exception):
    """Why there are no pages, and what to do."""


def is_public(header: pathlib.PurePath) -> bool:
    """True for the headers that people include: not helpers of tests or faulty layers."""
    hidden = {"internal", "testing", "faulty"}
    return header.suffix == ".h" and not hidden.intersection(header.parts)


def is_for_tests(header: pathlib.Path) -> bool:
    """True for the headers with tests, and helpers of tests that stand beside them."""
    return re.search(r'^#include ["<]g(test|mock)/', header.read_text(encoding="utf-8"),
                     re.MULTILINE) is not None


def public_headers(root: pathlib.Path) -> set[str]:
    """The public headers below `root`, named from there."""
    found = (path for folder in _FOLDERS for path in (root / folder).rglob("*.h"))
    return {str(path.relative_to(root)) for path in found
            if is_public(path.relative_to(root)) and not is_for_tests(path)}


def check_complete(root: pathlib.Path, files: list[str]) -> None:
    """Raises DocsError with the public headers below `root` that are not among `files`."""
    missing = sorted(public_headers(root) - set(files))
    if missing:
        raise DocsError("These headers are in no library that docs/BUILD names in "
                        "public_headers:\n  " + "\n  ".join(missing))


def configuration(files: list[str], output: pathlib.Path) -> str:
    """The text that Doxygen reads: the shared part, then what this run and machine add."""
    front = [name for name in files if name.endswith(".md")]
    if len(front) != 1:
        raise DocsError(f"one front page is needed, a markdown file; came: {front}")
    added = {
        "INPUT": " ".join(f'"{name}"' for name in sorted(files)),
        "USE_MDFILE_AS_MAINPAGE": front[0],
        "OUTPUT_DIRECTORY": output,
        "STRIP_FROM_PATH": pathlib.Path.cwd(),
        "STRIP_FROM_INC_PATH": pathlib.Path.cwd(),
        "FILTER_PATTERNS": f'"*.h=/usr/bin/python3 {_HERE / "header_filter.py"}"',
        "HAVE_DOT": "YES" if shutil.which("dot") else "NO",
    }
    if _STYLE.is_dir():
        added["HTML_EXTRA_STYLESHEET"] = (f"{_STYLE / 'doxygen-awesome.css'} "
                                          f"{_STYLE / 'doxygen-awesome-sidebar-only.css'}")
    lines = [f"{name} = {value}" for name, value in added.items()]
    return (_HERE / "Doxyfile").read_text() + "\n".join(lines) + "\n"


def make_pages(files: list[str], output: pathlib.Path) -> pathlib.Path:
    """Runs Doxygen; the path of the front page. Raises DocsError with Doxygen's warnings."""
    if not shutil.which("doxygen"):
        raise DocsError("doxygen is missing; run: tools/setup")
    output.mkdir(parents=True, exist_ok=True)
    # The diagrams' fonts are looked up in a cache, and it is a warning when none can be written.
    # Several diagrams are drawn at once; each would make fontconfig's folder in it, and those that
    # come second take its being there for a failure. So it is there before.
    with tempfile.TemporaryDirectory() as cache:
        (pathlib.Path(cache) / "fontconfig").mkdir()
        result = subprocess.run(["doxygen", "-"], input=configuration(files, output), text=True,
                                env={**os.environ, "XDG_CACHE_HOME": cache},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    index = output / "html" / "index.html"
    if result.returncode or result.stdout.strip() or not index.exists():
        raise DocsError(f"{result.stdout}\ndoxygen ended with exit status {result.returncode}")
    return index


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="keep no pages")
    parser.add_argument("--missing", action="store_true", help="only see whether all are named")
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        if options.missing:
            # A test sees links to the files of the workspace.
            named = pathlib.Path(options.files[0])
            check_complete(pathlib.Path(str(named.resolve()).removesuffix(str(named))),
                           options.files)
            return 0
        if options.check:
            with tempfile.TemporaryDirectory() as output:
                make_pages(options.files, pathlib.Path(output))
            return 0
        workspace = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
        index = make_pages(options.files, workspace / "docs" / "api")
        print(f"The pages begin at {index}")
        return 0
    except DocsError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
