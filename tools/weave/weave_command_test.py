import contextlib
import io
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from tools.weave import weave


class WeaveCommandTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("README.md", "<!-- region: a.h#f -->\n")
        self.write("docs/plain.md", "no directives\n")
        self.write("a.h", "// [region f]\nint f();\n// [endregion]\n")
        self.write(".hidden/x.md", "<!-- region: none.h -->\n")
        self.write("bazel-out/x.md", "<!-- region: none.h -->\n")

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def run_weave(self, *arguments: str) -> tuple[int, str]:
        """The exit status and all that was printed."""
        text = io.StringIO()
        environment = {"BUILD_WORKSPACE_DIRECTORY": str(self.root), "TEST_TARGET": "//x:y"}
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(text), \
                contextlib.redirect_stderr(text):
            return weave.main(list(arguments)), text.getvalue()

    def test_fills_every_markdown_file_of_the_workspace(self) -> None:
        status, printed = self.run_weave()
        self.assertEqual(status, 0)
        self.assertEqual(printed, "filled README.md\n2 files read, 1 changed, 0 with errors\n")
        self.assertEqual((self.root / "README.md").read_text(),
                         "<!-- region: a.h#f -->\n```cpp\nint f();\n```\n")
        self.assertEqual(self.run_weave()[1], "2 files read, 0 changed, 0 with errors\n")

    def test_check_fails_on_a_stale_block_and_writes_nothing(self) -> None:
        stale = "<!-- region: a.h#f -->\n```cpp\nint old();\n```\n"
        self.write("README.md", stale)
        status, printed = self.run_weave("--check", "README.md")
        self.assertEqual(status, 1)
        self.assertIn("-int old();\n+int f();\n", printed)
        self.assertIn("This brings them together: bazel run //tools/weave\n", printed)
        self.assertEqual((self.root / "README.md").read_text(), stale)

    def test_check_passes_when_prose_and_code_agree(self) -> None:
        self.run_weave()
        self.assertEqual(self.run_weave("--check", "README.md"), (0, ""))

    def test_check_tells_what_the_test_lacks(self) -> None:
        self.write("README.md", "<!-- region: b.h -->\n")
        status, printed = self.run_weave("--check", "README.md")
        self.assertEqual(status, 1)
        self.assertEqual(printed,
                         "README.md:1: there is no file b.h; name it in the data of //x:y\n")

    def test_a_file_with_errors_is_left_as_it_is(self) -> None:
        self.write("README.md", "<!-- region: a.h#f -->\n<!-- region: b.h -->\n")
        status, printed = self.run_weave()
        self.assertEqual(status, 1)
        self.assertIn("README.md:2: there is no file b.h\n", printed)
        self.assertNotIn("int f", (self.root / "README.md").read_text())

    def test_missing_markdown_file(self) -> None:
        self.assertEqual(self.run_weave("none.md")[0], 1)
        self.assertIn("none.md:1: there is no such file", self.run_weave("none.md")[1])


if __name__ == "__main__":
    unittest.main()
