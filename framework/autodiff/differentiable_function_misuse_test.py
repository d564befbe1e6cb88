"""Wrong differentiable functions do not compile, and the compiler says why in one readable line.

Each case is a function that is wrong in one way and the line that must come.
"""

import unittest

from framework.autodiff.testing import misuse

# (name, what the function is, what the compiler must say). It is called F; "" says that it must
# compile.
CASES = [
    (
        "right",
        """
        struct F {
          std::tuple<DlArray, DlArray, Memory> Forward(const DlArray& x, const DlArray&) const {
            return {x, x, Memory{x}};
          }
          std::array<DlArray, 2> Backward(Unused, Unused, Unused, Unused, const DlArray& d1,
                                          const DlArray& d2, const Memory&,
                                          NeededGradients) const {
            return {d1, d2};
          }
        };
        """,
        "",
    ),
    (
        "right with lists",
        """
        struct F {
          DlArrays Forward(const DlArrays& x) const { return x; }
          DlArrays Backward(const DlArrays& a, Unused) const { return {a[2]}; }
        };
        """,
        "",
    ),
    (
        "no Backward",
        "struct F { DlArray Forward(const DlArray& x) const { return x; } };",
        "A differentiable function has one public Forward and one public Backward, neither "
        "overloaded nor a template.",
    ),
    (
        "private Forward",
        """
        class F {
          DlArray Forward(const DlArray& x) const { return x; }
         public:
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "A differentiable function has one public Forward and one public Backward, neither "
        "overloaded nor a template.",
    ),
    (
        "static Forward",
        """
        struct F {
          static DlArray Forward(const DlArray& x) { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward is a member function, not static.",
    ),
    (
        "Forward not const",
        """
        struct F {
          DlArray Forward(const DlArray& x) { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward is const: it returns what it computes, it changes nothing.",
    ),
    (
        "Forward takes a number",
        """
        struct F {
          DlArray Forward(const DlArray& x, double) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward takes `const DlArray&` for each input, or one `const DlArrays&`.",
    ),
    (
        "Forward takes a mutable reference",
        """
        struct F {
          DlArray Forward(DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward takes its inputs as const: it may not change them.",
    ),
    (
        "Forward returns a number",
        """
        struct F {
          double Forward(const DlArray&) const { return 1; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward returns DlArray, a tuple or array of DlArray, or DlArrays; a Memory may follow.",
    ),
    (
        "Forward returns the memory first",
        """
        struct F {
          std::pair<Memory, DlArray> Forward(const DlArray& x) const { return {Memory(), x}; }
          DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const { return dy; }
        };
        """,
        "Forward returns at most one Memory, last.",
    ),
    (
        "Forward returns a memory alone",
        """
        struct F {
          Memory Forward(const DlArray& x) const { return Memory{x}; }
          DlArray Backward(Unused, const DlArray& dy, const Memory&) const { return dy; }
        };
        """,
        "Forward returns one output at least, before the Memory.",
    ),
    (
        "Backward not const",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) { return dy; }
        };
        """,
        "Backward is const: it returns derivatives, it changes nothing.",
    ),
    (
        "Backward without the memory",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy) const { return dy; }
        };
        """,
        "The last argument of Backward is `const Memory&`, or Unused; a NeededGradients may follow.",
    ),
    (
        "Backward takes NeededGradients in place of the memory",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, NeededGradients) const { return dy; }
        };
        """,
        "The last argument of Backward is `const Memory&`, or Unused; a NeededGradients may follow.",
    ),
    (
        "Backward takes a number",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, double, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward takes inputs, outputs, their derivatives and the memory; each as `const DlArray&` "
        "or Unused, or one `const DlArrays&` before the memory.",
    ),
    (
        "Backward returns nothing",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          void Backward(Unused, Unused, const DlArray&, Unused) const {}
        };
        """,
        "Backward returns DlArray, a tuple or array of DlArray, or DlArrays.",
    ),
    (
        "Backward reads a memory that there is not",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const { return dy; }
        };
        """,
        "Backward takes a Memory, but Forward returns none: declare it as Unused.",
    ),
    (
        "a memory that nobody reads",
        """
        struct F {
          std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x, Memory{x}}; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward returns a Memory, but Backward declares it as Unused.",
    ),
    (
        "Backward takes too little",
        """
        struct F {
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward takes each input, each output, the derivative of each output, and the memory; "
        "what it does not need as Unused.",
    ),
    (
        "Backward returns too little",
        """
        struct F {
          DlArray Forward(const DlArray& x, const DlArray& y) const { return x + y; }
          DlArray Backward(Unused, Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward returns one derivative for each input of Forward.",
    ),
    (
        "a list without a list",
        """
        struct F {
          DlArray Forward(const DlArrays& x) const { return x[0]; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Where Forward takes or returns a DlArrays, Backward takes one `const DlArrays&` before the "
        "memory.",
    ),
]


class DifferentiableFunctionMisuseTest(misuse.MisuseTest):
    CASES = CASES
    PREFIX = """
#include <array>
#include <tuple>
#include "framework/autodiff/differentiable_function.h"
#include "framework/ops/elementwise.h"
"""
    SOURCE = """
using namespace lamina;
%s
auto Make() { return DifferentiableFunction(F()); }
"""


if __name__ == "__main__":
    unittest.main()
