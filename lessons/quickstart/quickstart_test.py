"""The quickstart does all that it says: report, accuracy, pictures, the network in its file."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = os.path.abspath(sys.argv.pop(1))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    variables = {name: value for name, value in os.environ.items()
                 if name != "BUILD_WORKING_DIRECTORY"}
    variables.setdefault("RUNFILES_DIR", str(pathlib.Path.cwd().parent))
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False,
                          env={**variables, **environment})


class QuickstartTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        # A relative folder is meant from where the person stands.
        result = run("--out=shown/here", BUILD_WORKING_DIRECTORY=cls.folder.name)
        cls.out = pathlib.Path(cls.folder.name) / "shown" / "here"
        cls.status, cls.text, cls.errors = result.returncode, result.stdout, result.stderr

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_succeeds(self):
        self.assertEqual(self.status, 0, self.text[-3000:] + self.errors)
        self.assertEqual(self.errors, "")

    def test_the_layer_passes_its_check(self):
        found = re.search(r"(\d+) Passed, (\d+) Failed, (\d+) Incomplete, (\d+) Skipped", self.text)
        self.assertIsNotNone(found, self.text[:3000])
        self.assertGreaterEqual(int(found[1]), 20)
        self.assertEqual([found[2], found[3]], ["0", "0"])

    def test_the_network_learns_the_digits(self):
        accuracy = re.fullmatch(r"test accuracy: ([0-9.]+)", self.text.strip().splitlines()[-1])
        self.assertIsNotNone(accuracy, self.text[-3000:])
        self.assertGreaterEqual(float(accuracy[1]), 0.97)
        self.assertLessEqual(float(accuracy[1]), 1)

    def test_the_parts_of_the_data_are_told(self):
        found = re.search(r"(\d+) to train with, (\d+) to validate, (\d+) to test", self.text)
        self.assertIsNotNone(found, self.text)
        self.assertEqual(sum(int(part) for part in found.groups()), 1797)

    def test_the_progress_table_has_rows(self):
        heads = next(line for line in self.text.splitlines() if "TrainingLoss" in line).split()
        rows = [line.split() for line in self.text.splitlines()
                if re.match(r"\s*\d+\s+\d+\s+\d\d:\d\d:\d\d", line)]
        self.assertGreaterEqual(len(rows), 5)
        loss = heads.index("TrainingLoss")
        self.assertLess(float(rows[-1][loss]), 0.2 * float(rows[0][loss]))

    def test_the_pictures_are_valid(self):
        for name in ["training.svg", "srelu_shapes.svg"]:
            with self.subTest(name):
                root = xml.etree.ElementTree.parse(self.out / name).getroot()
                self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
                lines = root.findall(".//{http://www.w3.org/2000/svg}polyline") + root.findall(
                    ".//{http://www.w3.org/2000/svg}path")
                self.assertGreaterEqual(len(lines), 2)
                self.assertIn(f"wrote {self.out / name}", self.text)

    def test_the_loaded_network_is_the_same(self):
        self.assertIn("The loaded network predicts the same numbers, bit for bit.", self.text)
        self.assertGreater((self.out / "digits.safetensors").stat().st_size, 10_000)

    def test_a_folder_that_cannot_be_made_is_an_error(self):
        file = pathlib.Path(self.folder.name) / "file"
        file.write_text("not a folder", encoding="utf-8")
        result = run(f"--out={file}/below")
        self.assertEqual(result.returncode, 1)
        self.assertIn("quickstart: ", result.stderr)
        self.assertIn(str(file), result.stderr)


if __name__ == "__main__":
    unittest.main()
