import unittest

from tools.apidocs import names_check

_PAGE = """\
# Names

| theirs | Lamina |
| --- | --- |
| `dlarray(X, "SSCB")` | `DlArray(x, "SSCB")`, `Dims` |
| `Old` | `{kUnknown, 'C'}` and Prose |

| a | b |
| --- | --- |
| `X` | `Y` |
"""


class NamesCheckTest(unittest.TestCase):

    def test_names_of_our_column_only(self) -> None:
        self.assertEqual(names_check.our_names(_PAGE),
                         [(5, "DlArray"), (5, "Dims"), (6, "kUnknown")])

    def test_a_name_must_be_a_whole_word_of_a_header(self) -> None:
        headers = "class DlArray; constexpr int kUnknown = -1; int DimsOf();"
        self.assertEqual(names_check.missing_names(_PAGE, headers), [(5, "Dims")])
        self.assertEqual(names_check.missing_names(_PAGE, headers + " Dims()"), [])


if __name__ == "__main__":
    unittest.main()
