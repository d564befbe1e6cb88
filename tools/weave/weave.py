"""Fills the code blocks of the repository's prose from its sources and its recorded outputs.

    bazel run //tools/weave                    every markdown file of the workspace
    bazel run //tools/weave -- README.md ...   these, named from the repository root

With --check (used by weave_test) nothing is written: a difference is printed and is a failure.
How blocks are marked is told in woven_markdown.py, how regions are marked in source_regions.py.
"""

import argparse
import difflib
import os
import pathlib
import sys
import tempfile

from tools.weave.woven_markdown import WeaveErrors, Weaver

_FILL_COMMAND = "bazel run //tools/weave"


def find_markdown(root: pathlib.Path) -> list[str]:
    """Every markdown file below `root`, but those in hidden folders and in Bazel's links."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders
                            if not name.startswith((".", "bazel-")))
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files
                  if name.endswith(".md")]
    return sorted(found)


def replace_file(path: pathlib.Path, text: str) -> None:
    """Writes a whole file at once: another reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, mode)
    os.replace(file.name, path)


def weave_files(root: pathlib.Path, names: list[str], check: bool) -> int:
    """Fills (or checks) the files; returns the process's exit status."""
    target = os.environ.get("TEST_TARGET")
    hint = f"name it in the data of {target}" if check and target else ""
    weaver = Weaver(lambda name: (root / name).read_text(encoding="utf-8"), hint)
    changed = failed = 0
    for name in names:
        try:
            text = (root / name).read_text(encoding="utf-8")
            woven = weaver.weave(name, text)
        except FileNotFoundError:
            print(f"{name}:1: there is no such file", file=sys.stderr)
            failed += 1
            continue
        except WeaveErrors as errors:
            print(errors, file=sys.stderr)
            failed += 1
            continue
        if woven == text:
            continue
        changed += 1
        if check:
            sys.stdout.writelines(difflib.unified_diff(
                text.splitlines(keepends=True), woven.splitlines(keepends=True),
                f"{name} (as written)", f"{name} (as its sources say)"))
        else:
            replace_file(root / name, woven)
            print(f"filled {name}")
    if check and changed:
        print(f"\nProse and code differ. This brings them together: {_FILL_COMMAND}")
    elif not check:
        print(f"{len(names)} files read, {changed} changed, {failed} with errors")
    return 1 if failed or (check and changed) else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=_FILL_COMMAND, description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args(arguments)
    root = pathlib.Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."))
    return weave_files(root, options.files or find_markdown(root), options.check)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
