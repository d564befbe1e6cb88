import unittest

from tools.apidocs.header_filter import convert

_HEAD = """\
// Counter: counts <things> 100% of the time.
//
//   Counter c;
//   c.Add(2);  // 2
//
// Threads: any.
#ifndef COUNTER_H_
#define COUNTER_H_

#include <string>

namespace lamina {

"""


class HeaderFilterTest(unittest.TestCase):

    def converted(self, text: str) -> list[str]:
        """The lines behind the head, which must be as many as there were."""
        made = convert(_HEAD + text, "a/counter.h").splitlines()
        self.assertEqual(len(made), len((_HEAD + text).splitlines()))
        return made[len(_HEAD.splitlines()):]

    def test_the_first_comment_describes_the_file(self) -> None:
        self.assertEqual(convert(_HEAD, "a/counter.h").splitlines()[:7], [
            r"/// Counter: counts \<things\> 100\% of the time.",
            r"/// \code{.cpp}",
            "/// Counter c;",
            "/// c.Add(2);  // 2 " + r"\endcode",
            "///",
            r"/// Threads: any. \file",
            "#ifndef COUNTER_H_"])

    def test_the_first_comment_may_stand_below_the_guard(self) -> None:
        text = "#ifndef A_H_\n#define A_H_\n\n// Things.\n\n#include <string>\n// Another.\nint a;\n"
        self.assertEqual(convert(text, "a.h").splitlines()[3:7],
                         [r"/// Things. \file", "", "#include <string>", "/// Another."])

    def test_the_class_that_the_first_comment_is_about_gets_it(self) -> None:
        self.assertEqual(self.converted("class Counter {\n};\n"),
                         [r"/** \copydoc a/counter.h */ class Counter {", "};"])
        self.assertEqual(self.converted("class Counter;\n"), ["class Counter;"])
        self.assertEqual(self.converted("// Its own.\nclass Counter {\n};\n"),
                         ["/// Its own.", "class Counter {", "};"])

    def test_comments_of_both_kinds_and_behind_declarations(self) -> None:
        self.assertEqual(
            self.converted("/// One, `a<b>`.\nint a;\n\n// Two.\nint b;  // in ms\nint c;  // NOLINT\n"),
            ["/// One, `a<b>`.", "int a;", "", "/// Two.", "int b;  ///< in ms", "int c;  // NOLINT"])

    def test_a_comment_behind_a_declaration_may_be_marked_so(self) -> None:
        self.assertEqual(self.converted("int b;  ///< in <ms>\nint c;  /// 1 < 2\n"),
                         [r"int b;  ///< in \<ms\>", r"int c;  ///< 1 \< 2"])

    def test_comments_in_enums(self) -> None:
        self.assertEqual(self.converted("enum class E : int {\n  kA,  // first\n  // Second.\n  kB,\n};\n"),
                         ["enum class E : int {", "  kA,  ///< first", "  /// Second.", "  kB,", "};"])

    def test_comments_in_bodies_are_left_alone(self) -> None:
        for body in ("inline int F(int x) {\n  // Why.\n  return x;  // because\n}\n",
                     "struct A {\n  int F() const {\n    // Why.\n    return 1;\n  }\n};\n",
                     "template <class T>\nstruct B : C<class T> {\n  B() {\n    // Why.\n  }\n};\n",
                     "inline const auto f = [](struct A a) {\n  // Why.\n  return a;\n};\n"):
            with self.subTest(body):
                self.assertEqual(self.converted(body), body.splitlines())

    def test_a_comment_below_a_body_is_a_declaration_s_again(self) -> None:
        self.assertEqual(self.converted('int F() { return "}"[0] + \'{\'; }\n// G.\nint G();\n')[1],
                         "/// G.")

    def test_a_family_of_functions_shares_a_comment(self) -> None:
        self.assertEqual(self.converted("""\
// Radians,
// in and out.
A Sin(const A& x);
inline A Cos(
    const A& x) {
  return x;
}
A Power(const A& x, const A& y);
A Tan(const A& x);

A Other(const A& x);
"""), ["/// Radians,", "/// in and out.", "A Sin(const A& x);",
       "/** Radians, in and out. */ inline A Cos(", "    const A& x) {", "  return x;", "}",
       "A Power(const A& x, const A& y);", "/** Radians, in and out. */ A Tan(const A& x);", "",
       "A Other(const A& x);"])

    def test_overloads_share_a_comment_and_accessors_do_not(self) -> None:
        self.assertEqual(self.converted("// Takes it.\nvoid F(int a);\nvoid F(double a);\n")[2],
                         "/** Takes it. */ void F(double a);")
        self.assertEqual(self.converted("// How many.\nint rows() const;\nint columns() const;\n")[2],
                         "int columns() const;")

    def test_a_marker_alone_is_no_description(self) -> None:
        self.assertEqual(self.converted("// [region all]\nclass Counter {\n};\n// [endregion]\n"),
                         ["// [region all]", r"/** \copydoc a/counter.h */ class Counter {", "};",
                          "// [endregion]"])

    def test_markers_and_lint_notes_are_not_shown(self) -> None:
        self.assertEqual(self.converted("// [region a]\n// The a.\n// NOLINTNEXTLINE(x)\nint a;\n"),
                         ["///", "/// The a.", "///", "int a;"])

    def test_included_text_that_is_no_header_is_left_out(self) -> None:
        self.assertEqual(self.converted('#include "a/b.h"\n#include "a/b.inc"\nint a;\n'),
                         ['#include "a/b.h"', "", "int a;"])


if __name__ == "__main__":
    unittest.main()
