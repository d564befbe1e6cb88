import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

from tools.apidocs import api_docs

_GOOD = "// Things.\n#ifndef A_H_\n#define A_H_\n// How many, in <units>.\nint Count();\n#endif\n"


class ApiDocsTest(unittest.TestCase):

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(os.chdir, os.getcwd())
        shutil.copytree("tools/apidocs", pathlib.Path(folder.name) / "tools/apidocs")
        os.chdir(folder.name)
        pathlib.Path("front.md").write_text("# The front page\n\nHello.\n")
        pathlib.Path("framework/internal").mkdir(parents=True)

    def make(self, header: str) -> str:
        """The front page made from one header; raises what make_pages raises."""
        pathlib.Path("framework/a.h").write_text(header)
        return api_docs.make_pages(["front.md", "framework/a.h"], pathlib.Path("out")).read_text()

    def test_pages_of_a_header(self) -> None:
        self.assertIn("The front page", self.make(_GOOD))
        self.assertIn("How many, in &lt;units&gt;.", pathlib.Path("out/html/a_8h.html").read_text())

    def test_a_warning_is_an_error_that_names_the_place(self) -> None:
        pathlib.Path("front.md").write_text("# The front page\n\nSee @ref nowhere.\n")
        with self.assertRaises(api_docs.DocsError) as caught:
            self.make(_GOOD)
        self.assertIn("front.md:3: ", str(caught.exception))
        self.assertIn("nowhere", str(caught.exception))

    def test_a_front_page_is_needed(self) -> None:
        with self.assertRaises(api_docs.DocsError):
            api_docs.make_pages(["framework/a.h"], pathlib.Path("out"))

    def test_public_headers(self) -> None:
        for name in ("framework/a.h", "framework/internal/b.h", "framework/c.cc"):
            pathlib.Path(name).write_text("")
        pathlib.Path("framework/d_oracle.h").write_text("#include <cmath>\n#include <gtest/gtest.h>\n")
        self.assertEqual(api_docs.public_headers(pathlib.Path.cwd()), {"framework/a.h"})
        api_docs.check_complete(pathlib.Path.cwd(), ["front.md", "framework/a.h"])
        with self.assertRaisesRegex(api_docs.DocsError, "framework/a.h"):
            api_docs.check_complete(pathlib.Path.cwd(), ["front.md"])

    def test_fonts_have_a_cache_before_the_first_diagram(self) -> None:
        def doxygen(*_, env: dict[str, str], **__) -> subprocess.CompletedProcess:
            self.assertTrue((pathlib.Path(env["XDG_CACHE_HOME"]) / "fontconfig").is_dir())
            return subprocess.CompletedProcess([], 1, stdout="was asked")

        with mock.patch.object(subprocess, "run", doxygen):
            with self.assertRaisesRegex(api_docs.DocsError, "was asked"):
                self.make(_GOOD)


if __name__ == "__main__":
    unittest.main()
