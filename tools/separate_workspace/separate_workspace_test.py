"""A workspace of one's own that depends on Lamina, made as docs/building.md says, works.

Two reference layers are copied into it with their tests and BUILD files, and `bazel test //...` is
run there. It builds what they need of the framework once more, without optimisation: minutes.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

LAYERS = ("srelu", "channel_dropout")
# Each layer has a test of its mathematics and a check.
TESTS = 2 * len(LAYERS)

# Lamina itself: what the links in the runfiles lead to.
LAMINA = pathlib.Path("docs/building.md").resolve().parent.parent


def code_block(page: str, begin: str) -> str:
    """The code block of a page that begins so."""
    for block in re.findall(r"^```[a-z]*\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        if block.startswith(begin):
            return block
    raise AssertionError(f"docs/building.md has no code block that begins with {begin!r}")


def write_workspace(folder: pathlib.Path) -> None:
    """WORKSPACE and .bazelrc from the page, with the path of this Lamina; copies of the layers."""
    page = (LAMINA / "docs/building.md").read_text(encoding="utf-8")
    for name, begin in (("WORKSPACE", "workspace("), (".bazelrc", "import ")):
        text = code_block(page, begin)
        if "/home/me/lamina" not in text:
            raise AssertionError(f"{name} of docs/building.md does not name /home/me/lamina")
        (folder / name).write_text(text.replace("/home/me/lamina", str(LAMINA)), encoding="utf-8")
    for layer in LAYERS:
        copy = folder / "layers" / layer
        shutil.copytree(LAMINA / "layers" / layer, copy)
        build = copy / "BUILD"
        # All that changes: what is Lamina's is named with @lamina in front.
        text = re.sub(r'"//(framework|checks)', r'"@lamina//\1', build.read_text(encoding="utf-8"))
        build.write_text(text, encoding="utf-8")


class SeparateWorkspaceTest(unittest.TestCase):
    def test_copied_layers_pass_their_tests(self):
        scratch = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        workspace, root = scratch / "my_layers", scratch / "bazel"
        workspace.mkdir()
        write_workspace(workspace)
        environment = {
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "USER": os.environ.get("USER", "lamina"),
        }
        result = subprocess.run(
            ["bazel", "--nohome_rc", f"--output_user_root={root}", "--batch", "test",
             # Quick to build; what it computes is tested elsewhere.
             "--compilation_mode=fastbuild", "--test_output=errors", "--noshow_progress",
             "--color=no", "--curses=no", "//..."],
            cwd=workspace, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        subprocess.run(["chmod", "-R", "u+w", str(scratch)], check=False)
        shutil.rmtree(scratch, ignore_errors=True)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(f"Executed {TESTS} out of {TESTS} tests: {TESTS} tests pass.", result.stdout)


if __name__ == "__main__":
    unittest.main()
