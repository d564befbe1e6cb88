import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from tools.weave import record

_PROGRAM = """\
#!/bin/sh
echo "Running"
echo "loss 0.693 after $(date +%N) ns  "
echo "wrote $1/curve.svg"
echo "<svg/>" > $1/curve.svg
exit ${STATUS:-0}
"""
_MASKS = {r"\d+ ns": "<time> ns"}
_RECORDED = "Running\nloss 0.693 after <time> ns\nwrote lessons/x/output/curve.svg\n"


class RecordTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)
        pathlib.Path("program.sh").write_text(_PROGRAM)
        os.chmod("program.sh", 0o755)

    def run_record(self, *arguments: str, **changes: object) -> tuple[int, str]:
        """The exit status and all that was printed."""
        spec = {"program": "program.sh", "args": ["{out}"], "files": ["curve.svg"], "exit_code": 0,
                "recording": "lessons/x/output/run.txt", "masks": _MASKS, "near": {},
                "target": "//lessons/x:run", **changes}
        pathlib.Path("spec.json").write_text(json.dumps(spec))
        text = io.StringIO()
        with mock.patch.dict(os.environ, {"BUILD_WORKSPACE_DIRECTORY": os.getcwd()}), \
                contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            return record.main([*arguments, "spec.json"]), text.getvalue()

    def test_records_output_and_files_and_finds_them_again(self) -> None:
        status, printed = self.run_record()
        self.assertEqual(status, 0)
        self.assertEqual(printed, "recorded lessons/x/output/run.txt\n"
                                  "recorded lessons/x/output/curve.svg\n")
        self.assertEqual(pathlib.Path("lessons/x/output/run.txt").read_text(), _RECORDED)
        self.assertEqual(pathlib.Path("lessons/x/output/curve.svg").read_text(), "<svg/>\n")
        self.assertEqual(self.run_record("--check"), (0, ""))

    def test_a_change_fails_with_a_difference_and_the_command(self) -> None:
        self.run_record()
        pathlib.Path("program.sh").write_text(_PROGRAM.replace("0.693", "0.7"))
        status, printed = self.run_record("--check")
        self.assertEqual(status, 1)
        self.assertIn("-loss 0.693 after <time> ns\n+loss 0.7 after <time> ns\n", printed)
        self.assertIn("bazel run //lessons/x:run && bazel run //tools/weave", printed)

    def test_only_what_is_declared_is_masked(self) -> None:
        self.run_record(masks={})
        self.assertEqual(self.run_record("--check", masks={})[0], 1)

    def test_a_mask_that_finds_nothing_is_an_error(self) -> None:
        status, printed = self.run_record(masks={**_MASKS, "hours": "<h>"})
        self.assertEqual(status, 1)
        self.assertIn("//lessons/x:run: the mask 'hours' finds nothing", printed)

    def test_a_program_that_fails_shows_what_it_printed(self) -> None:
        pathlib.Path("program.sh").write_text("#!/bin/sh\necho said\necho wrong >&2\nexit 3\n")
        status, printed = self.run_record()
        self.assertEqual(status, 1)
        self.assertIn("ended with exit status 3, not 0; it printed\nsaid\nwrong\n", printed)
        self.assertFalse(pathlib.Path("lessons").exists())

    def test_env_is_the_program_s_and_stderr_must_be_found(self) -> None:
        pathlib.Path("program.sh").write_text(
            _PROGRAM.replace("exit", 'echo "checked $CHECKS calls" >&2\nexit'))
        self.assertEqual(self.run_record(env={"CHECKS": "3"}, stderr="checked [1-9]")[0], 0)
        status, printed = self.run_record(env={"CHECKS": "0"}, stderr="checked [1-9]")
        self.assertEqual(status, 1)
        self.assertIn("does not hold 'checked [1-9]'; it is\nchecked 0 calls\n", printed)

    def test_a_program_that_is_meant_to_fail(self) -> None:
        with mock.patch.dict(os.environ, {"STATUS": "3"}):
            self.assertEqual(self.run_record(exit_code=3)[0], 0)
        self.assertEqual(self.run_record("--check", exit_code=3)[0], 1)

    def test_a_check_does_not_report_in_place_of_the_test(self) -> None:
        pathlib.Path("program.sh").write_text('#!/bin/sh\necho "report: ${XML_OUTPUT_FILE-none}"\n')
        with mock.patch.dict(os.environ, {"XML_OUTPUT_FILE": "test.xml"}):
            self.run_record(files=[], masks={})
        self.assertEqual(pathlib.Path("lessons/x/output/run.txt").read_text(), "report: none\n")

    def test_a_promised_file_that_is_not_written(self) -> None:
        status, printed = self.run_record(files=["curve.svg", "loss.svg"])
        self.assertEqual(status, 1)
        self.assertIn("did not write loss.svg into {out}", printed)

    def test_exact_files_are_compared(self) -> None:
        exact = {"files": [], "exact_files": ["curve.svg"]}
        self.assertEqual(self.run_record(**exact)[0], 0)
        self.assertEqual(self.run_record("--check", **exact), (0, ""))
        pathlib.Path("lessons/x/output/curve.svg").write_text("<svg>old</svg>\n")
        self.assertEqual(self.run_record("--check")[0], 0)
        status, printed = self.run_record("--check", **exact)
        self.assertEqual(status, 1)
        self.assertIn("-<svg>old</svg>\n+<svg/>\n", printed)
        pathlib.Path("lessons/x/output/curve.svg").unlink()
        self.assertEqual(self.run_record("--check", **exact)[0], 1)

    def test_a_missing_recording(self) -> None:
        status, printed = self.run_record("--check")
        self.assertEqual(status, 1)
        self.assertIn("there is no recording lessons/x/output/run.txt; make it: "
                      "bazel run //lessons/x:run", printed)

    def test_numbers_that_may_be_near(self) -> None:
        near = {r"loss ([\d.]+)": "0.01", r"accuracy ([\d.]+) of ([\d.]+)": "5%"}
        for expected, actual, same in (
                ("loss 0.693", "loss 0.699", True), ("loss 0.693", "loss 0.713", False),
                ("loss 9.999", "loss 10.001", True), ("| loss  9.999 |", "| loss 10.001 |", False),
                ("| loss 9.99  |", "| loss 9.991 |", True), ("lost 0.693", "lost 0.694", False),
                ("accuracy 97 of 100", "accuracy 96 of 101", True),
                ("accuracy 97 of 100", "accuracy 97 of 110", False),
                ("loss 0.693 at 1 s", "loss 0.694 at 2 s", False)):
            with self.subTest(actual):
                self.assertEqual(record.settle(expected, actual, near) == expected, same)

    def test_near_numbers_keep_the_recording(self) -> None:
        near = {r"loss ([\d.]+)": "0.01"}
        self.run_record()
        pathlib.Path("program.sh").write_text(_PROGRAM.replace("0.693", "0.694"))
        self.assertEqual(self.run_record("--check", near=near), (0, ""))
        self.assertEqual(self.run_record("--check", near={r"loss ([\d.]+)": "0.0001"})[0], 1)


if __name__ == "__main__":
    unittest.main()
