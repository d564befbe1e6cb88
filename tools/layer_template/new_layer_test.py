"""What new_layer refuses, and what it writes where."""

import contextlib
import io
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import new_layer


def run(*arguments: str) -> tuple[int, str, str]:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = new_layer.main(list(arguments))
    return status, out.getvalue(), errors.getvalue()


class NewLayerTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.workspace = pathlib.Path(folder.name).resolve()
        (self.workspace / "WORKSPACE").touch()

    def make(self, *arguments: str) -> tuple[int, str, str]:
        return run(*arguments, f"--workspace={self.workspace}")

    def read(self, path: str) -> str:
        return (self.workspace / path).read_text(encoding="utf-8")

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.workspace))
                      for path in self.workspace.rglob("*") if path.is_file())

    def test_writes_four_files_and_says_what_to_do(self):
        status, out, errors = self.make("soft_sign")
        self.assertEqual((status, errors), (0, ""))
        self.assertEqual(self.files(), [
            "WORKSPACE", "layers/soft_sign/BUILD", "layers/soft_sign/soft_sign_layer.h",
            "layers/soft_sign/soft_sign_layer_test.cc", "lessons/soft_sign/README.md"])
        self.assertIn("bazel test //layers/soft_sign/...", out)
        self.assertIn("struct SoftSignLayer : Layer", self.read("layers/soft_sign/soft_sign_layer.h"))

    def test_another_workspace_names_lamina(self):
        self.make("soft_sign", "--nested")
        build = self.read("layers/soft_sign/BUILD")
        self.assertIn('load("@lamina//checks:check_layer.bzl", "check_layer")', build)
        labels = re.findall(r'"([@/:][^"]*)"', build)
        self.assertTrue(all(re.match(r"@lamina//|@gtest//|:|//visibility:public$", label)
                            for label in labels), labels)

    def test_laminas_own_workspace_does_not(self):
        options = new_layer.parse(["soft_sign"])
        build = new_layer.files_of(new_layer.parts_of(options, ""))["layers/soft_sign/BUILD"]
        self.assertNotIn("@lamina", build)

    def test_finds_the_workspace_from_below(self):
        below = self.workspace / "some" / "where"
        below.mkdir(parents=True)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(below)
        os.environ.pop("BUILD_WORKING_DIRECTORY", None)
        self.assertEqual(run("soft_sign")[0], 0)
        self.assertIn("layers/soft_sign/BUILD", self.files())

    def test_says_where_there_is_no_workspace(self):
        with self.assertRaisesRegex(new_layer.NewLayerError, "no WORKSPACE file"):
            new_layer.find_workspace(pathlib.Path("/"))

    def refuses(self, message: str, *arguments: str):
        before = self.files()
        status, out, errors = self.make(*arguments)
        self.assertEqual((status, out), (1, ""), arguments)
        self.assertRegex(errors, message)
        self.assertEqual(self.files(), before)

    def test_refuses_bad_names(self):
        for name in ["SoftSign", "soft-sign", "soft__sign", "_soft", "9lives", "soft_", "", "../x",
                     "soft sign", "größe"]:
            with self.subTest(name):
                self.refuses("is no name for a layer: small letters", name)
        self.refuses("leave out 'layer'.*For example: soft_sign$", "soft_sign_layer")
        self.refuses("leave out 'layer'", "layer")
        self.refuses("has 41 letters", "a" * 41)

    def test_refuses_classes_that_are_there(self):
        self.refuses(r"DropoutLayer is there already: framework/layers/utility_layers.h", "dropout")
        self.refuses(r"Convolution2dLayer is there already", "convolution2d")

    def test_refuses_to_write_over_anything(self):
        self.assertEqual(self.make("soft_sign")[0], 0)
        self.refuses("layers/soft_sign is there already", "soft_sign")
        (self.workspace / "lessons" / "mine").mkdir()
        self.refuses("lessons/mine is there already", "mine")

    def test_refuses_what_does_not_go_together(self):
        self.refuses("has no Backward of its own", "mine", "--nested", "--backward")
        self.refuses("--nested and --all", "mine", "--nested", "--all")
        self.refuses("--inputs 0: from 1 to 8", "mine", "--inputs=0")
        self.refuses("--outputs 9: .* one DlArrays", "mine", "--outputs=9")

    def test_the_complete_template_names_every_part_of_the_contract(self):
        self.make("mine", "--all")
        header = self.read("layers/mine/mine_layer.h")
        for word in ["Formattable", "Acceleratable", "Learnable scale", "State mean",
                     "Property<double>", "LearnableNetwork", "LearnableStateNetwork", "SetNumInputs",
                     "SetInputNames", "SetNumOutputs", "Initialize(", "Predict(", "Forward(",
                     "Backward(", "Memory", "Unused", "ResetState(", "DlArrays",
                     "SetLearnRateFactor", "JoinsObservations", "DrawsRandomNumbers",
                     "NotDifferentiableAtPoints"]:
            self.assertIn(word, header)

    def test_the_lesson_shows_regions_that_are_there(self):
        for flags in [[], ["--all"], ["--nested"]]:
            name = "mine" + "".join(flags).replace("--", "_")
            self.make(name, *flags)
            shown = re.findall(r"<!-- region: (\S+)#(\S+) -->", self.read(f"lessons/{name}/README.md"))
            self.assertGreaterEqual(len(shown), 3)
            for path, region in shown:
                self.assertIn(f"// [region {region}]", self.read(path))

    def test_the_link_in_tools_runs(self):
        link = pathlib.Path(new_layer.__file__).resolve().parent.parent / "new_layer"
        if not link.exists():
            self.skipTest("tools/new_layer is not among the files of this test")
        result = subprocess.run([link, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("tools/new_layer soft_sign", result.stdout)


if __name__ == "__main__":
    unittest.main()
