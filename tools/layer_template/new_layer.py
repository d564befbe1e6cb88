#!/usr/bin/env python3
"""Writes a new layer that builds and passes at once; you replace its formula by yours.

    tools/new_layer soft_sign                        # SoftSignLayer
    tools/new_layer gate --inputs 2 --outputs 2      # two arrays come, two go
    tools/new_layer mine --all                       # every part of the contract, explained

Makes layers/NAME/ (header, test, BUILD with a check target) and lessons/NAME/README.md (the stub
of a lesson) in the workspace in which you stand: Lamina's own, or yours that depends on it. Then:

    bazel test //layers/NAME/...
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

_HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

from layer_files import build_file, lesson, test_source  # pylint: disable=wrong-import-position
from layer_header import header  # pylint: disable=wrong-import-position
from layer_parts import Parts  # pylint: disable=wrong-import-position

_LAMINA = _HERE.parent.parent
_MOST = 8  # More inputs or outputs than this are better taken as one DlArrays.


class NewLayerError(Exception):
    """What keeps a layer from being written, and what to do."""


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/new_layer", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="NAME",
                        help="in small letters, as in layers/srelu: the class is SreluLayer")
    parser.add_argument("--inputs", type=int, default=1, metavar="N", help="number of inputs")
    parser.add_argument("--outputs", type=int, default=1, metavar="N", help="number of outputs")
    parser.add_argument("--state", action="store_true",
                        help="a state: what is carried from call to call")
    parser.add_argument("--formatted", action="store_true",
                        help="the layer gets and returns labelled arrays")
    parser.add_argument("--backward", action="store_true", help="a derivative of its own")
    parser.add_argument("--nested", action="store_true", help="a network inside the layer")
    parser.add_argument("--all", action="store_true",
                        help="the complete template: everything above but --nested, explained")
    parser.add_argument("--folder", default="layers", help="where layers live (default: layers)")
    parser.add_argument("--workspace", type=pathlib.Path,
                        help="(default: the one in which you stand)")
    return parser.parse_args(arguments)


def find_workspace(start: pathlib.Path) -> pathlib.Path:
    for folder in [start, *start.parents]:
        if (folder / "WORKSPACE").is_file():
            return folder
    raise NewLayerError(f"{start} is in no Bazel workspace: no WORKSPACE file there or above. Go to "
                        "the folder of yours, or of Lamina.")


def check_name(name: str, class_name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise NewLayerError(f"{name!r} is no name for a layer: small letters, digits and single "
                            "underscores, beginning with a letter. For example: soft_sign")
    if name == "layer" or name.endswith("_layer"):
        stem = name[: -len("layer")].rstrip("_") or "soft_sign"
        raise NewLayerError(f"{name!r}: leave out 'layer', it is added. For example: {stem}")
    if len(name) > 40:
        raise NewLayerError(f"{name!r} has {len(name)} letters; at most 40.")
    for path in sorted((_LAMINA / "framework").glob("**/*.h")):
        if re.search(rf"^(struct|class) {class_name}\b(?!;)", path.read_text(encoding="utf-8"),
                     re.MULTILINE):
            raise NewLayerError(f"{class_name} is there already: {path.relative_to(_LAMINA)}. "
                                "Choose another name.")


def parts_of(options: argparse.Namespace, lamina: str) -> Parts:
    for flag, count in (("--inputs", options.inputs), ("--outputs", options.outputs)):
        if not 1 <= count <= _MOST:
            raise NewLayerError(f"{flag} {count}: from 1 to {_MOST}. A layer with more, or with a "
                                "number that is known only at run time, takes or returns one "
                                "DlArrays: see framework/layers/layer.h.")
    if options.nested and (options.backward or options.all):
        other = "--all" if options.all else "--backward"
        raise NewLayerError(f"--nested and {other} exclude each other: a layer with a network inside "
                            "has no Backward of its own.")
    several = 2 if options.all else 1
    return Parts(name=options.name, inputs=max(options.inputs, several),
                 outputs=max(options.outputs, several), state=options.state or options.all,
                 formatted=options.formatted or options.all,
                 backward=options.backward or options.all, nested=options.nested, all=options.all,
                 folder=options.folder.strip("/"), lamina=lamina)


def formatted(source: str, path: str) -> str:
    """In the format of Lamina's sources, where clang-format is installed."""
    if shutil.which("clang-format") is None:
        return source
    style = "{BasedOnStyle: Google, ColumnLimit: 100}"
    return subprocess.run(["clang-format", f"-style={style}", f"--assume-filename={path}"],
                          input=source, capture_output=True, text=True, check=True).stdout


def files_of(parts: Parts) -> dict[str, str]:
    """Path in the workspace -> text."""
    test = parts.header.replace("_layer.h", "_layer_test.cc")
    return {
        parts.header: formatted(header(parts), parts.header),
        test: formatted(test_source(parts), test),
        f"{parts.package}/BUILD": build_file(parts),
        f"lessons/{parts.name}/README.md": lesson(parts),
    }


def write(workspace: pathlib.Path, files: dict[str, str]) -> None:
    for folder in sorted({pathlib.PurePosixPath(path).parent for path in files}):
        if (workspace / folder).exists():
            raise NewLayerError(f"{folder} is there already. Choose another name, or remove it.")
    for path, text in files.items():
        target = workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(f"wrote {path}")


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    try:
        start = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd())).resolve()
        workspace = options.workspace.resolve() if options.workspace else find_workspace(start)
        parts = parts_of(options, "" if workspace == _LAMINA else "@lamina")
        check_name(parts.name, parts.class_name)
        write(workspace, files_of(parts))
    except NewLayerError as error:
        print(f"tools/new_layer: {error}", file=sys.stderr)
        return 1
    print(f"now: bazel test //{parts.package}/...")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
