import unittest

from tools.weave.source_regions import Source, WeaveError

_LAYER = """\
#include "layer.h"

// [region layer]
struct Layer {
  // [region slope]
  int slope;
  // [endregion slope]

  // [region predict]

  int Predict(int x) {
    return slope * x;
  }
  // [endregion]
};
// [endregion]
"""


class SourceRegionsTest(unittest.TestCase):

    def assert_error(self, text: str, line: int, part: str) -> None:
        with self.assertRaises(WeaveError) as caught:
            Source("layers/a.h", text)
        self.assertTrue(str(caught.exception).startswith(f"layers/a.h:{line}: "), caught.exception)
        self.assertIn(part, str(caught.exception))

    def test_shows_a_region_without_any_markers(self) -> None:
        self.assertEqual(Source("a.h", _LAYER).show("layer"), """\
struct Layer {
  int slope;

  int Predict(int x) {
    return slope * x;
  }
};
""")

    def test_dedents_an_inner_region(self) -> None:
        self.assertEqual(Source("a.h", _LAYER).show("predict"),
                         "int Predict(int x) {\n  return slope * x;\n}\n")

    def test_shows_the_whole_file(self) -> None:
        whole = Source("a.h", _LAYER).whole()
        self.assertTrue(whole.startswith('#include "layer.h"\n\nstruct Layer {\n  int slope;\n'))
        self.assertNotIn("region", whole)

    def test_leaves_nested_regions_out(self) -> None:
        self.assertEqual(Source("a.h", _LAYER).show("layer", ("slope", "predict")),
                         "struct Layer {\n  // ...\n\n  // ...\n};\n")

    def test_reads_markers_of_python_and_bazel(self) -> None:
        source = Source("a.py", "# [region a]\nx = 1\n# [endregion]\n")
        self.assertEqual(source.show("a"), "x = 1\n")

    def test_what_only_looks_like_a_marker_is_code(self) -> None:
        text = 'const char* s = "// [region x]";  // [region y]\nint a[region];\n'
        self.assertEqual(Source("a.h", text).whole(), text)

    def test_unclosed_region(self) -> None:
        self.assert_error("\n// [region a]\nint x;\n", 2, "'a' is never closed")

    def test_duplicate_name(self) -> None:
        self.assert_error("// [region a]\n// [endregion]\n// [region a]\n// [endregion]\n", 3,
                          "'a' was already opened in line 1")

    def test_end_without_beginning(self) -> None:
        self.assert_error("int x;\n// [endregion]\n", 2, "closes nothing")

    def test_end_of_another_region(self) -> None:
        self.assert_error("// [region a]\n// [region b]\n// [endregion a]\n// [endregion]\n", 3,
                          "'b' of line 2 is to be closed")

    def test_unreadable_marker(self) -> None:
        self.assert_error("// [region]\n// [endregion]\n", 1, "cannot read the marker")
        self.assert_error("int x;\n// [region two words]\n", 2, "cannot read the marker")

    def test_unknown_region(self) -> None:
        with self.assertRaises(KeyError):
            Source("a.h", _LAYER).show("no_such")


if __name__ == "__main__":
    unittest.main()
