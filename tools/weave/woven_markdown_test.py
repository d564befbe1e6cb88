import unittest

from tools.weave.woven_markdown import WeaveErrors, Weaver

_FILES = {
    "a.h": "// [region f]\nint f();\n// [region g]\nint g();\n// [endregion]\n// [endregion]\n",
    "open.h": "int x;\n// [region f]\n",
    "out.txt": "one\ntwo\nthree\nfour\nfive\n",
    "fence.md": "```sh\nls\n```\n",
}


def _read(name: str) -> str:
    if name not in _FILES:
        raise FileNotFoundError(name)
    return _FILES[name]


def weave(text: str) -> str:
    return Weaver(_read, "make it").weave("r.md", text)


class WovenMarkdownTest(unittest.TestCase):

    def assert_error(self, text: str, *parts: str) -> None:
        with self.assertRaises(WeaveErrors) as caught:
            weave(text)
        for part in parts:
            self.assertIn(part, str(caught.exception))

    def test_puts_a_block_where_there_is_none(self) -> None:
        self.assertEqual(weave("Text.\n<!-- region: a.h#f -->\n\nMore.\n"),
                         "Text.\n<!-- region: a.h#f -->\n```cpp\nint f();\nint g();\n```\n\nMore.\n")

    def test_replaces_a_stale_block_and_is_stable(self) -> None:
        once = weave("<!-- region: a.h#g -->\n```\nint old();\n```\nMore.\n")
        self.assertEqual(once, "<!-- region: a.h#g -->\n```cpp\nint g();\n```\nMore.\n")
        self.assertEqual(weave(once), once)

    def test_leaves_hand_written_code_alone(self) -> None:
        text = "<!-- a note -->\n```cpp\nint hand();\n```\n\n```html\n<!-- region: a.h#f -->\n```\n"
        self.assertEqual(weave(text), text)

    def test_without_a_nested_region(self) -> None:
        self.assertEqual(weave("<!-- region: a.h#f without g -->\n"),
                         "<!-- region: a.h#f without g -->\n```cpp\nint f();\n// ...\n```\n")

    def test_whole_file_and_output(self) -> None:
        self.assertIn("```cpp\nint f();\nint g();\n```\n", weave("<!-- region: a.h -->\n"))
        self.assertIn("```text\none\ntwo\nthree\nfour\nfive\n```\n",
                      weave("<!-- output: out.txt -->\n"))

    def test_picked_lines(self) -> None:
        for picked, shown in (("2", "...\ntwo\n..."), ("1..2, -1", "one\ntwo\n...\nfive"),
                              ("4..", "...\nfour\nfive"), ("-2..-2", "...\nfour\n..."),
                              ("1..2, 3..", "one\ntwo\nthree\nfour\nfive")):
            with self.subTest(picked):
                self.assertIn(f"```text\n{shown}\n```\n",
                              weave(f"<!-- output: out.txt lines {picked} -->\n"))

    def test_block_in_a_list_is_indented_with_its_comment(self) -> None:
        self.assertEqual(weave("- item\n  <!-- region: a.h#g -->\n"),
                         "- item\n  <!-- region: a.h#g -->\n  ```cpp\n  int g();\n  ```\n")

    def test_fence_in_a_fence(self) -> None:
        once = weave("<!-- output: fence.md -->\n")
        self.assertEqual(once, "<!-- output: fence.md -->\n````text\n```sh\nls\n```\n````\n")
        self.assertEqual(weave(once), once)

    def test_unknown_region(self) -> None:
        self.assert_error("\n<!-- region: a.h#h -->\n", "r.md:2: a.h has no region 'h'",
                          "its regions: f, g")
        self.assert_error("<!-- region: a.h#f without x -->\n", "r.md:1: a.h has no region 'x'")

    def test_missing_file(self) -> None:
        self.assert_error("\n\n<!-- region: b.h#f -->\n", "r.md:3: there is no file b.h; make it")

    def test_unclosed_region_names_the_source(self) -> None:
        self.assert_error("<!-- region: open.h#f -->\n", "open.h:2: the region 'f' is never closed")

    def test_unreadable_directives(self) -> None:
        for text in ("region a.h", "region: a.h#f with g", "output:", "region: a.h # f"):
            with self.subTest(text):
                self.assert_error(f"<!-- {text} -->\n", "r.md:1: cannot read")

    def test_options_that_make_no_sense(self) -> None:
        self.assert_error("<!-- output: out.txt#f -->\n", "r.md:1: an output has no regions")
        self.assert_error("<!-- region: a.h#f lines 1..2 -->\n", "r.md:1: code is picked by regions")
        self.assert_error("<!-- region: a.h without g -->\n", "r.md:1: 'without' leaves out")

    def test_lines_that_are_not_there(self) -> None:
        for picked in ("0", "6", "3..2", "4, 2", "-9..", "x"):
            with self.subTest(picked):
                self.assert_error(f"<!-- output: out.txt lines {picked} -->\n", "r.md:1: ")

    def test_unclosed_fence(self) -> None:
        self.assert_error("\n```cpp\nint f();\n", "r.md:2: the code block", "never closed")
        self.assert_error("<!-- region: a.h#f -->\n```cpp\nint f();\n", "r.md:2: the code block")

    def test_all_errors_are_told_at_once(self) -> None:
        self.assert_error("<!-- region: b.h -->\n<!-- region: a.h#h -->\n", "r.md:1: ", "r.md:2: ")


if __name__ == "__main__":
    unittest.main()
