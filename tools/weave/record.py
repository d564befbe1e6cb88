"""Runs a program and records what it printed, or compares it with what was recorded.

Called by the targets of record_output (record_output.bzl) with a specification that it wrote:

    record.py SPEC            writes the recording, and the files that the program makes, into the
                              workspace
    record.py --check SPEC    runs the program again and fails, with a difference, when it prints
                              something else

The specification is JSON: program, args, recording, files (names of files that the program writes
into the folder that stands for {out} in args), exact_files (those that every run writes alike: they
are compared, too), exit_code, env (variables of the program's
environment), stderr (a regular expression that its standard error must hold), target, and two
tables:

    masks   regular expression -> what is recorded in its place. For what differs in every run, such
            as times. A mask that finds nothing is an error, so none outlives its reason.
    near    regular expression with groups around numbers -> how far they may be from the recorded
            ones: "0.02" (absolute) or "5%". For numbers that are the same in every run of one
            machine, but that another processor rounds differently. The recording keeps the number.

Nothing else is changed, but that spaces at the ends of lines go, and that the name of the temporary
folder for {out} is recorded as the folder of the recording, where its files end up.
"""

import argparse
import dataclasses
import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping


class RecordError(Exception):
    """The program did not do what its record_output says; the text tells what and where."""


@dataclasses.dataclass(frozen=True)
class Spec:
    """What record_output says of a program; see the head of this file."""

    program: str
    recording: str
    target: str
    args: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    exact_files: tuple[str, ...] = ()
    exit_code: int = 0
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    stderr: str = ""
    masks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    near: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @staticmethod
    def load(path: pathlib.Path) -> "Spec":
        values = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(values.get(name, ())) for name in ("args", "files", "exact_files")}
        return Spec(**{**values, **lists})

    @property
    def all_files(self) -> tuple[str, ...]:
        return self.files + self.exact_files


def mask(text: str, masks: Mapping[str, str], target: str) -> str:
    """The text with every mask applied, line by line, in the order in which they were declared."""
    lines = [line.rstrip() for line in text.splitlines()]
    for pattern, replacement in masks.items():
        count = 0
        for index, line in enumerate(lines):
            lines[index], found = re.subn(pattern, replacement, line)
            count += found
        if not count:
            raise RecordError(f"{target}: the mask {pattern!r} finds nothing in the output; remove "
                              "it, or mend its regular expression")
    return "".join(line + "\n" for line in lines)


def _is_near(expected: str, actual: str, tolerance: str) -> bool:
    try:
        distance = abs(float(actual) - float(expected))
        if tolerance.endswith("%"):
            return distance <= float(tolerance[:-1]) / 100 * abs(float(expected))
        return distance <= float(tolerance)
    except ValueError:
        return False


def settle(expected: str, actual: str, near: Mapping[str, str]) -> str:
    """The actual line with each number that is near enough written as it is in the expected line.

    A line that becomes equal but for its runs of spaces (a number may be wider) is the expected one.
    """
    settled = actual
    for pattern, tolerance in near.items():
        found = list(re.finditer(pattern, settled))
        wanted = list(re.finditer(pattern, expected))
        if len(found) != len(wanted):
            continue
        for match, other in reversed(list(zip(found, wanted))):
            for group in range(match.re.groups, 0, -1):
                if match[group] and other[group] and _is_near(other[group], match[group], tolerance):
                    start, end = match.span(group)
                    settled = settled[:start] + other[group] + settled[end:]
    if settled != actual and settled.split() == expected.split():
        return expected
    return settled


def difference(spec: Spec, recorded: str, printed: str) -> str:
    """How the printed text differs from the recording, or "" when it does not."""
    expected = recorded.splitlines()
    actual = printed.splitlines()
    if len(expected) == len(actual):
        actual = [settle(*pair, spec.near) for pair in zip(expected, actual)]
    return _unified(expected, actual, spec.recording)


def _unified(expected: list[str], actual: list[str], recording: object) -> str:
    return "\n".join(difflib.unified_diff(expected, actual, f"{recording} (recorded)",
                                          "what the program prints now", lineterm=""))


def file_difference(spec: Spec, name: str, out: pathlib.Path) -> str:
    """How a file that should be as it was recorded differs, or "" when it does not."""
    recorded = pathlib.Path(spec.recording).parent / name
    expected = recorded.read_text(encoding="utf-8").splitlines() if recorded.is_file() else []
    return _unified(expected, (out / name).read_text(encoding="utf-8").splitlines(), recorded)


def run_program(spec: Spec, out: pathlib.Path) -> str:
    """Runs the program with {out} set to `out`; its standard output, masked."""
    command = [os.path.abspath(spec.program)]
    command += [argument.replace("{out}", str(out)) for argument in spec.args]
    # Not where this script writes, nor the file in which a test reports: a check would report there.
    own = ("BUILD_WORKSPACE_DIRECTORY", "BUILD_WORKING_DIRECTORY", "XML_OUTPUT_FILE")
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment.setdefault("RUNFILES_DIR", str(pathlib.Path.cwd().parent))
    environment.update(spec.env)
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            env=environment, check=False)
    if result.returncode != spec.exit_code:
        raise RecordError(f"{spec.target}: {spec.program} ended with exit status "
                          f"{result.returncode}, not {spec.exit_code}; it printed\n"
                          f"{result.stdout[-4000:]}{result.stderr[-4000:]}")
    if not re.search(spec.stderr, result.stderr):
        raise RecordError(f"{spec.target}: the standard error of {spec.program} does not hold "
                          f"{spec.stderr!r}; it is\n{result.stderr[-4000:]}")
    for name in spec.all_files:
        if not (out / name).is_file() or not (out / name).stat().st_size:
            raise RecordError(f"{spec.target}: {spec.program} did not write {name} into {{out}}, "
                              "which its 'files' promise")
    shown = result.stdout.replace(str(out), str(pathlib.PurePosixPath(spec.recording).parent))
    return mask(shown, spec.masks, spec.target)


def record(spec: Spec, workspace: pathlib.Path) -> None:
    """Writes the recording and the program's files into the workspace."""
    with tempfile.TemporaryDirectory() as out:
        printed = run_program(spec, pathlib.Path(out))
        target = workspace / spec.recording
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(printed, encoding="utf-8")
        print(f"recorded {spec.recording}")
        for name in spec.all_files:
            shutil.copyfile(pathlib.Path(out) / name, target.parent / name)
            print(f"recorded {target.parent.relative_to(workspace) / name}")


def check(spec: Spec) -> None:
    """Raises RecordError when the program prints something else than what was recorded."""
    recording = pathlib.Path(spec.recording)
    command = f"bazel run {spec.target}"
    if not recording.is_file():
        raise RecordError(f"{spec.target}: there is no recording {recording}; make it: {command}")
    with tempfile.TemporaryDirectory() as out:
        printed = run_program(spec, pathlib.Path(out))
        found = [difference(spec, recording.read_text(encoding="utf-8"), printed)]
        found += [file_difference(spec, name, pathlib.Path(out)) for name in spec.exact_files]
    if any(found):
        differences = "\n".join(filter(None, found))
        raise RecordError(f"{differences}\n\nThe program prints something else than what was recorded. If "
                          f"that is right:\n    {command} && bazel run //tools/weave")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with what was recorded")
    parser.add_argument("spec", type=pathlib.Path)
    options = parser.parse_args(arguments)
    try:
        spec = Spec.load(options.spec)
        if options.check:
            check(spec)
            return 0
        workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
        if workspace is None:
            raise RecordError(f"{spec.target}: call this by 'bazel run {spec.target}', which says "
                              "where the workspace is")
        record(spec, pathlib.Path(workspace))
        return 0
    except RecordError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
