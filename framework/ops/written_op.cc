#include "framework/ops/written_op.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/cpu/scalar_functions.h"
#include "framework/dlarray/error.h"

namespace lamina {

using loops::Expression;

void OpWriter::ForEach(const Sizes& sizes, const Format& format,
                       const std::function<void(const Indices&)>& body) {
  Indices at(sizes.size(), Expression(0));
  const std::function<void(int)> nest = [&](int dim) {
    if (dim < 0) return body(at);
    code().For(internal::IndexName(format, dim), sizes[dim], [&](const Expression& i) {
      at[dim] = i;
      nest(dim - 1);
    });
  };
  nest(static_cast<int>(sizes.size()) - 1);
}

namespace internal {

std::string IndexName(const Format& format, int dim) {
  if (format.empty()) return dim < 6 ? std::string(1, "ijklmp"[dim]) : absl::StrCat("i", dim);
  switch (format[dim]) {
    case 'S':
      return dim < 3 ? std::string(1, "hwd"[dim]) : absl::StrCat("s", dim);
    case 'C':
      return "c";
    case 'B':
      return "n";
    case 'T':
      return "t";
    default:
      return "u";
  }
}

Indices IndicesOf(const ArraySpec& spec, const ArraySpec& result, const Indices& at) {
  Indices own(spec.sizes.size(), Expression(0));
  std::vector<int> dims;
  if (!spec.format.empty() && !result.format.empty()) {
    dims = AlignLabels(spec.format, result.format);
  } else {
    for (int d = 0; d < spec.rank(); ++d) dims.push_back(d);
  }
  for (int d = 0; d < spec.rank(); ++d) {
    if (spec.sizes[d] != 1) own[d] = at[dims[d]];
  }
  return own;
}

bool MovesElements(const Sizes& sizes, const std::vector<int>& order) {
  int last = -1;
  for (int d : order) {
    if (d >= static_cast<int>(sizes.size()) || sizes[d] == 1) continue;
    if (d < last) return true;
    last = d;
  }
  return false;
}

void WritePermuted(OpWriter& w, const std::vector<int>& order) {
  if (!MovesElements(w.input(0).sizes, order)) return w.View(0, 0);
  w.Define(0, [&w, order](const Indices& i) {
    Indices from(w.input(0).sizes.size(), Expression(0));
    for (size_t d = 0; d < order.size(); ++d) {
      if (order[d] < static_cast<int>(from.size())) from[order[d]] = i[d];
    }
    return w.Load(0, from);
  });
}

namespace {

using cpu::functors::All;
using cpu::functors::List;

template <class F>
Expression Evaluate(const std::vector<Expression>& x) {
  if constexpr (F::kArity == 1) {
    return F::Value(x[0]);
  } else if constexpr (F::kArity == 2) {
    return F::Value(x[0], x[1]);
  } else {
    return F::Value(x[0], x[1], x[2]);
  }
}

using Evaluator = Expression (*)(const std::vector<Expression>&);

template <class... F>
std::array<Evaluator, cpu::kNumScalarFunctions> Table(List<F...>) {
  std::array<Evaluator, cpu::kNumScalarFunctions> table{};
  ((table[static_cast<int>(F::kId)] = Evaluate<F>), ...);
  return table;
}

// The functions of a complex number that C and CUDA lack, as in framework/cpu/math_complex.h.
Expression ComplexByParts(cpu::ScalarFunction function, const Expression& z) {
  using F = cpu::ScalarFunction;
  const DataType real = ToReal(z.type());
  const auto part = [real](const char* name, const Expression& of) {
    return Expression::Make(loops::Operation::kCall, real, {of}, name);
  };
  const Expression a = part("real", z), b = part("imag", z);
  const auto number = [real](double value) { return Expression::Number(value, real); };
  switch (function) {
    case F::kExpm1: {
      const Expression s = Sin(b / number(2));
      return MakeComplex(Expm1(a) * Cos(b) - number(2) * s * s, Exp(a) * Sin(b));
    }
    case F::kLog1p: {
      const Expression log = Log(MakeComplex(number(1) + a, b));
      return MakeComplex(Select(Abs(a) + Abs(b) < number(0.5),
                                Log1p(a * (a + number(2)) + b * b) / number(2), part("real", log)),
                         part("imag", log));
    }
    case F::kLog2:
    case F::kLog10: {
      const Expression log = Log(z),
                       factor = number(function == F::kLog2 ? 1.44269504088896340736
                                                            : 0.434294481903251827651);
      return MakeComplex(part("real", log) * factor, part("imag", log) * factor);
    }
    default: {  // kSigmoid, with the exponential that does not overflow.
      const Expression is_right = a >= number(0), e = Exp(Select(is_right, -z, z)),
                       one = Convert(number(1), z.type());
      return Select(is_right, one, e) / (one + e);
    }
  }
}

}  // namespace

Expression EvaluateOnExpressions(cpu::ScalarFunction function, std::vector<Expression> x,
                                 loops::LoopBuilder& code) {
  static const auto kTable = Table(All());
  using F = cpu::ScalarFunction;
  bool complex = false;
  for (const Expression& a : x) complex = complex || IsComplex(a.type());
  if (complex) {
    const DataType real = ToReal(x.back().type());
    const auto call = [&](const char* name, DataType type) {
      return Expression::Make(loops::Operation::kCall, type, {x[0]}, name);
    };
    switch (function) {
      case F::kConj:
        return call("conj", x[0].type());
      case F::kReal:
        return call("real", real);
      case F::kImag:
        return call("imag", real);
      case F::kSign:
        // The functor's complex form asks for a bool, which an expression cannot give.
        return Select(x[0] == Expression(0), x[0], x[0] / Abs(x[0]));
      case F::kExpm1:
      case F::kLog1p:
      case F::kLog2:
      case F::kLog10:
      case F::kSigmoid:
        if (x[0].Size() > 1) x[0] = code.Let("value", x[0]);
        return ComplexByParts(function, x[0]);
      case F::kNegate:
      case F::kAbs:
      case F::kExp:
      case F::kLog:
      case F::kSqrt:
      case F::kRsqrt:
      case F::kSquare:
      case F::kReciprocal:
      case F::kSin:
      case F::kCos:
      case F::kTan:
      case F::kAsin:
      case F::kAcos:
      case F::kAtan:
      case F::kSinh:
      case F::kCosh:
      case F::kTanh:
      case F::kAsinh:
      case F::kAcosh:
      case F::kAtanh:
      case F::kIsNan:
      case F::kPlus:
      case F::kMinus:
      case F::kTimes:
      case F::kDivide:
      case F::kPower:
      case F::kEq:
      case F::kNe:
      case F::kWhere:
        break;
      default:
        throw Error("emit:CannotPrint",
                    absl::StrCat("The function ", cpu::Describe(function).name,
                                 " is printed for real numbers."),
                    "Complex ones came.", "Write it with the real and imaginary parts.");
    }
  }
  const Evaluator evaluate = kTable[static_cast<int>(function)];
  std::vector<Expression> placeholders;
  for (size_t k = 0; k < x.size(); ++k) {
    placeholders.push_back(Expression::Variable(std::string(1, "xyz"[k]), x[k].type()));
  }
  const Expression form = evaluate(placeholders);
  for (size_t k = 0; k < x.size(); ++k) {
    if (x[k].Size() <= 1 || x[k].operation() == loops::Operation::kLoad) continue;
    int uses = 0;
    Visit(form, [&](const Expression& e) {
      uses += e.operation() == loops::Operation::kVariable &&
              e.node().name == placeholders[k].node().name;
    });
    if (uses > 1) x[k] = code.Let("value", x[k]);
  }
  return evaluate(x);
}

}  // namespace internal
}  // namespace lamina
