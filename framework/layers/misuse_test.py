"""Wrong layers do not compile, and the compiler says why in one readable line, first of all.

Each case is a layer that is wrong in one way and the line that must come.
"""

import unittest

from framework.autodiff.testing import misuse

# (name, what the layer is, what the compiler must say). The layer is called L; "" says that it must
# compile.
CASES = [
    (
        "right",
        """
        struct L : Layer {
          Learnable w{*this, "W"};
          void Initialize(const NetworkDataLayout& layout) { w = DlArray(1.0); }
          std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x, Memory{x}}; }
          DlArray Predict(const DlArray& x) const { return x; }
          std::array<DlArray, 2> Backward(Unused, Unused, const DlArray& dy, const Memory& m) const {
            return {dy, m[0]};
          }
          void ResetState() {}
        };
        """,
        "",
    ),
    (
        "right with NeededGradients",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused,
                           const NeededGradients& needed) const {
            return needed[0] ? dy : DlArray();
          }
        };
        """,
        "",
    ),
    (
        "right and final",
        """
        struct L final : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "",
    ),
    (
        "not a layer",
        "struct L { DlArray Predict(const DlArray& x) const { return x; } };",
        "A layer derives publicly from lamina::Layer.",
    ),
    (
        "private base",
        """
        class L : Layer {
         public:
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "A layer derives publicly from lamina::Layer.",
    ),
    (
        "not copyable",
        """
        struct L : Layer {
          std::unique_ptr<int> owned;
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "A layer is a value: it must be copyable.",
    ),
    (
        "no Predict",
        "struct L : Layer { DlArray Forward(const DlArray& x) const { return x; } };",
        "A layer has one public function Predict, neither overloaded nor a template.",
    ),
    (
        "overloaded Predict",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Predict(const DlArray& x, const DlArray&) const { return x; }
        };
        """,
        "A layer has one public function Predict, neither overloaded nor a template.",
    ),
    (
        "template Predict",
        "struct L : Layer { template <class T> T Predict(const T& x) const { return x; } };",
        "A layer has one public function Predict, neither overloaded nor a template.",
    ),
    (
        "private Predict",
        "class L : public Layer { DlArray Predict(const DlArray& x) const { return x; } };",
        "A layer has one public function Predict, neither overloaded nor a template.",
    ),
    (
        "static Predict",
        "struct L : Layer { static DlArray Predict(const DlArray& x) { return x; } };",
        "Predict is a member function, not static.",
    ),
    (
        "Predict not const",
        "struct L : Layer { DlArray Predict(const DlArray& x) { return x; } };",
        "Predict is const: a layer returns its new states, it does not change itself.",
    ),
    (
        "Predict takes nothing",
        "struct L : Layer { DlArray Predict() const { return {}; } };",
        "Predict takes `const DlArray&` for each input, or one `const DlArrays&`.",
    ),
    (
        "Predict takes a number",
        "struct L : Layer { DlArray Predict(const DlArray& x, int) const { return x; } };",
        "Predict takes `const DlArray&` for each input, or one `const DlArrays&`.",
    ),
    (
        "Predict takes a mutable reference",
        "struct L : Layer { DlArray Predict(DlArray& x) const { return x; } };",
        "Predict takes its inputs as const: it may not change them.",
    ),
    (
        "Predict returns nothing",
        "struct L : Layer { void Predict(const DlArray&) const {} };",
        "Predict returns DlArray, a tuple or array of DlArray, or DlArrays.",
    ),
    (
        "Predict returns a number",
        "struct L : Layer { double Predict(const DlArray&) const { return 1; } };",
        "Predict returns DlArray, a tuple or array of DlArray, or DlArrays.",
    ),
    (
        "Predict returns a pair with a number",
        """
        struct L : Layer {
          std::pair<DlArray, int> Predict(const DlArray& x) const { return {x, 1}; }
        };
        """,
        "Predict returns DlArray, a tuple or array of DlArray, or DlArrays.",
    ),
    (
        "Predict returns a memory",
        """
        struct L : Layer {
          std::pair<DlArray, Memory> Predict(const DlArray& x) const { return {x, Memory()}; }
        };
        """,
        "Predict returns no Memory: only Forward does.",
    ),
    (
        "overloaded Forward",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Forward(const DlArray& x, const DlArray&) const { return x; }
        };
        """,
        "Forward is public, neither overloaded nor a template.",
    ),
    (
        "Forward not const",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Forward(const DlArray& x) { return x; }
        };
        """,
        "Forward is const: a layer returns its new states, it does not change itself.",
    ),
    (
        "Forward takes other inputs",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Forward(const DlArray& x, const DlArray&) const { return x; }
        };
        """,
        "Forward takes the same inputs as Predict.",
    ),
    (
        "Forward returns more",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          std::pair<DlArray, DlArray> Forward(const DlArray& x) const { return {x, x}; }
        };
        """,
        "Forward returns as many outputs and states as Predict.",
    ),
    (
        "Forward returns a list",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArrays Forward(const DlArray& x) const { return {x}; }
        };
        """,
        "Forward returns outputs in the same form as Predict.",
    ),
    (
        "Forward returns a memory that nobody takes",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x, Memory()}; }
        };
        """,
        "Forward returns a Memory, but there is no Backward to take it.",
    ),
    (
        "Forward returns no memory for Backward",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Forward(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "A layer with Forward and Backward returns a Memory from Forward, last.",
    ),
    (
        "Forward returns the memory first",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          std::pair<Memory, DlArray> Forward(const DlArray& x) const { return {Memory(), x}; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Forward returns at most one Memory, last.",
    ),
    (
        "Backward without the memory",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy) const { return dy; }
        };
        """,
        "The last argument of Backward is `const Memory&`, or Unused; a NeededGradients may follow.",
    ),
    (
        "Backward takes the memory after NeededGradients",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, const DlArray& dy, NeededGradients, const Memory&) const {
            return dy;
          }
        };
        """,
        "Backward takes inputs, outputs, their derivatives and the memory; each as `const DlArray&` "
        "or Unused, or one `const DlArrays&` before the memory.",
    ),
    (
        "Backward takes a number",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, int, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward takes inputs, outputs, their derivatives and the memory; each as `const DlArray&` "
        "or Unused, or one `const DlArrays&` before the memory.",
    ),
    (
        "Backward takes a mutable reference",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward takes its arguments as const: it may not change them.",
    ),
    (
        "Backward not const",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) { return dy; }
        };
        """,
        "Backward is const: it returns derivatives, it changes nothing.",
    ),
    (
        "Backward returns nothing",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          void Backward(Unused, Unused, const DlArray&, Unused) const {}
        };
        """,
        "Backward returns DlArray, a tuple or array of DlArray, or DlArrays.",
    ),
    (
        "private Backward",
        """
        class L : public Layer {
         public:
          DlArray Predict(const DlArray& x) const { return x; }
         private:
          DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
        };
        """,
        "Backward is public, neither overloaded nor a template.",
    ),
    (
        "Initialize returns something",
        """
        struct L : Layer {
          bool Initialize(const NetworkDataLayout&) { return true; }
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "Initialize returns nothing: it sets the parameters.",
    ),
    (
        "Initialize takes sizes",
        """
        struct L : Layer {
          void Initialize(const Sizes&) {}
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "Initialize takes `const NetworkDataLayout&` for each input, or one `std::span<const "
        "NetworkDataLayout>`.",
    ),
    (
        "Initialize takes more layouts than there are inputs",
        """
        struct L : Layer {
          void Initialize(const NetworkDataLayout&, const NetworkDataLayout&) {}
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "Initialize takes as many layouts as Predict takes inputs.",
    ),
    (
        "overloaded Initialize",
        """
        struct L : Layer {
          void Initialize(const NetworkDataLayout&) {}
          void Initialize() {}
          DlArray Predict(const DlArray& x) const { return x; }
        };
        """,
        "Initialize is public, neither overloaded nor a template.",
    ),
    (
        "ResetState takes something",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          void ResetState(int) {}
        };
        """,
        "ResetState takes nothing and returns nothing: it sets the states.",
    ),
    (
        "overloaded ResetState",
        """
        struct L : Layer {
          DlArray Predict(const DlArray& x) const { return x; }
          void ResetState() {}
          void ResetState(int) {}
        };
        """,
        "ResetState is public, neither overloaded nor a template.",
    ),
]


class MisuseTest(misuse.MisuseTest):
    CASES = CASES
    PREFIX = """
#include <array>
#include <memory>
#include <tuple>
#include "framework/layers/any_layer.h"
"""
    SOURCE = """
using namespace lamina;
%s
AnyLayer Make() { return AnyLayer(L()); }
"""


if __name__ == "__main__":
    unittest.main()
