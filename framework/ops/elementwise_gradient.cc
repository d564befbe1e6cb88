// The derivative of every scalar function, in array functions.
//
// For a complex argument the derivative of a real L is dL/dRe + i dL/dIm; a function f with complex
// derivative f' then takes dL/dy to conj(f') dL/dy. Conj of a real array is the array itself, so
// one line serves both. Where the real L meets a real input through a complex output, the caller
// takes the real part.
#include <array>
#include <cmath>
#include <numbers>

#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"

namespace lamina {
namespace {

using F = cpu::ScalarFunction;
using Rule = DlArray (*)(int, Arrays, const DlArray&, const DlArray&);

constexpr SaveMask kFirst = 1, kSecond = 2, kBoth = 3;
constexpr bool kOutput = true;

// Multiplies dy by the conjugate of the function's derivative.
DlArray Chain(const DlArray& dy, const DlArray& derivative) { return dy * Conj(derivative); }

struct Table {
  std::array<ElementwiseDerivative, cpu::kNumScalarFunctions> rows;

  void Set(F f, Rule rule, SaveMask inputs, bool output = false) {
    rows[static_cast<int>(f)] = {rule, inputs, output};
  }
  Table();
};

Table::Table() {
#define RULE [](int i, Arrays x, const DlArray& y, const DlArray& dy) -> DlArray
#define UNUSED (void)i, (void)x, (void)y
  // clang-format off
  Set(F::kNegate, RULE { UNUSED; return -dy; }, kSaveNone);
  Set(F::kAbs, RULE { UNUSED; return dy * Sign(x[0]); }, kFirst);
  Set(F::kSign, RULE {
    UNUSED;
    if (!IsComplex(x[0].type())) return DlArray();
    // y = x / |x| turns only: what points along y is lost.
    return Where(Equal(x[0], 0), 0, (dy - y * Real(Conj(y) * dy)) / Abs(x[0]));
  }, kFirst, kOutput);
  Set(F::kExp, RULE { UNUSED; return Chain(dy, y); }, kSaveNone, kOutput);
  Set(F::kExpm1, RULE { UNUSED; return Chain(dy, y + 1); }, kSaveNone, kOutput);
  Set(F::kLog, RULE { UNUSED; return dy / Conj(x[0]); }, kFirst);
  Set(F::kLog1p, RULE { UNUSED; return dy / Conj(1 + x[0]); }, kFirst);
  Set(F::kLog2, RULE { UNUSED; return dy / Conj(x[0]) * std::numbers::log2e; }, kFirst);
  Set(F::kLog10, RULE { UNUSED; return dy / Conj(x[0]) * std::numbers::log10e; }, kFirst);
  Set(F::kSqrt, RULE { UNUSED; return 0.5 * dy / Conj(y); }, kSaveNone, kOutput);
  Set(F::kRsqrt, RULE { UNUSED; return Chain(dy, -0.5 * y * y * y); }, kSaveNone, kOutput);
  Set(F::kSquare, RULE { UNUSED; return Chain(dy, 2 * x[0]); }, kFirst);
  Set(F::kReciprocal, RULE { UNUSED; return Chain(dy, -y * y); }, kSaveNone, kOutput);
  Set(F::kSin, RULE { UNUSED; return Chain(dy, Cos(x[0])); }, kFirst);
  Set(F::kCos, RULE { UNUSED; return Chain(dy, -Sin(x[0])); }, kFirst);
  Set(F::kTan, RULE { UNUSED; return Chain(dy, 1 + y * y); }, kSaveNone, kOutput);
  Set(F::kAsin, RULE { UNUSED; return Chain(dy, Rsqrt(1 - x[0] * x[0])); }, kFirst);
  Set(F::kAcos, RULE { UNUSED; return Chain(dy, -Rsqrt(1 - x[0] * x[0])); }, kFirst);
  Set(F::kAtan, RULE { UNUSED; return dy / Conj(1 + x[0] * x[0]); }, kFirst);
  Set(F::kSinh, RULE { UNUSED; return Chain(dy, Cosh(x[0])); }, kFirst);
  Set(F::kCosh, RULE { UNUSED; return Chain(dy, Sinh(x[0])); }, kFirst);
  Set(F::kTanh, RULE { UNUSED; return Chain(dy, 1 - y * y); }, kSaveNone, kOutput);
  Set(F::kAsinh, RULE { UNUSED; return Chain(dy, Rsqrt(x[0] * x[0] + 1)); }, kFirst);
  // Two roots, not the root of the product: that has another branch for complex x.
  Set(F::kAcosh, RULE { UNUSED; return Chain(dy, Rsqrt(x[0] - 1) * Rsqrt(x[0] + 1)); }, kFirst);
  Set(F::kAtanh, RULE { UNUSED; return dy / Conj(1 - x[0] * x[0]); }, kFirst);
  Set(F::kSigmoid, RULE { UNUSED; return Chain(dy, y * (1 - y)); }, kSaveNone, kOutput);
  Set(F::kErf, RULE {
    UNUSED; return Chain(dy, 2 * std::numbers::inv_sqrtpi * Exp(-x[0] * x[0]));
  }, kFirst);
  Set(F::kRelu, RULE { UNUSED; return Where(y > 0, dy, 0); }, kSaveNone, kOutput);
  Set(F::kConj, RULE { UNUSED; return Conj(dy); }, kSaveNone);
  Set(F::kReal, RULE { UNUSED; return dy; }, kSaveNone);
  Set(F::kImag, RULE { UNUSED; return Complex(0 * dy, dy); }, kSaveNone);

  Set(F::kPlus, RULE { UNUSED; return dy; }, kSaveNone);
  Set(F::kMinus, RULE { UNUSED; return i == 0 ? dy : -dy; }, kSaveNone);
  Set(F::kTimes, RULE { UNUSED; return Chain(dy, x[1 - i]); }, kBoth);
  Set(F::kDivide, RULE {
    UNUSED; return i == 0 ? dy / Conj(x[1]) : Chain(dy, -y) / Conj(x[1]);
  }, kSecond, kOutput);
  Set(F::kPower, RULE {
    UNUSED;
    // x^0 is flat also at 0, where x^-1 is infinite.
    if (i == 0) return Chain(dy, Where(Equal(x[1], 0), 0, x[1] * Power(x[0], x[1] - 1)));
    return Chain(dy, Where(Equal(x[0], 0), 0, y * Log(x[0])));
  }, kBoth, kOutput);
  Set(F::kMax, RULE {
    UNUSED;
    const DlArray first = (x[0] >= x[1]) | IsNan(x[1]);
    return i == 0 ? Where(first, dy, 0) : Where(first, 0, dy);
  }, kBoth);
  Set(F::kMin, RULE {
    UNUSED;
    const DlArray first = (x[0] <= x[1]) | IsNan(x[1]);
    return i == 0 ? Where(first, dy, 0) : Where(first, 0, dy);
  }, kBoth);
  Set(F::kAtan2, RULE {
    UNUSED;
    const DlArray factor = dy / (x[0] * x[0] + x[1] * x[1]);
    return i == 0 ? factor * x[1] : -factor * x[0];
  }, kBoth);
  Set(F::kMod, RULE {
    UNUSED; return i == 0 ? dy : -dy * Floor(x[0] / x[1]);
  }, kBoth);
  Set(F::kComplex, RULE { UNUSED; return i == 0 ? Real(dy) : Imag(dy); }, kSaveNone);

  Set(F::kWhere, RULE {
    UNUSED;
    if (i == 0) return DlArray();
    return i == 1 ? Where(x[0], dy, 0) : Where(x[0], 0, dy);
  }, kFirst);
  // clang-format on
#undef RULE
#undef UNUSED
}

}  // namespace

const ElementwiseDerivative& DerivativeOf(cpu::ScalarFunction function) {
  static const Table* const kTable = new Table;
  return kTable->rows[static_cast<int>(function)];
}

}  // namespace lamina
