"""Wrong functions for a kernel do not compile, and the compiler says why in one readable line."""

import unittest

from framework.autodiff.testing import misuse

# (name, a lambda, what the compiler must say); "" says that it must compile.
CASES = [
    (
        "right",
        "[](const DlArray& x, const DlArray& y) { return std::array{x, y}; }",
        "",
    ),
    (
        "captures",
        "[factor](const DlArray& x) { return factor * x; }",
        "The function of a KernelFunction captures nothing: what it depends on comes as an array.",
    ),
    (
        "template",
        "[](const auto& x) { return x; }",
        "A KernelFunction is made of a kernel and a lambda that is no template.",
    ),
    (
        "takes a number",
        "[](const DlArray& x, double factor) { return factor * x; }",
        "The function of a KernelFunction takes `const DlArray&` for each input.",
    ),
    (
        "takes a list",
        "[](const DlArrays& x) { return x[0]; }",
        "The function of a KernelFunction takes `const DlArray&` for each input.",
    ),
    (
        "returns a number",
        "[](const DlArray& x) { return 1.0; }",
        "The function of a KernelFunction returns a DlArray, or several as std::array.",
    ),
]


class KernelFunctionMisuseTest(misuse.MisuseTest):
    CASES = CASES
    PREFIX = """
#include <array>
#include "framework/autodiff/kernel_function.h"
#include "framework/ops/elementwise.h"
"""
    SOURCE = """
using namespace lamina;
auto Make(double factor) {
  (void)factor;
  return KernelFunction({.name = "F", .source = ""}, %s);
}
"""


if __name__ == "__main__":
    unittest.main()
