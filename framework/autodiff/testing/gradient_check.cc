#include "framework/autodiff/testing/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

using Function = std::function<DlArray(const DlArrays&)>;
/// A number of the inputs, without a tape, and its gradient by one.
using Loss = std::function<DlArray(const DlArrays&)>;

// A generator of its own (splitmix64), so that the checks do not rest on what they check.
class Generator {
 public:
  explicit Generator(uint64_t seed) : state_(seed) {}
  double Uniform(double low, double high) {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return low + (high - low) * static_cast<double>(z >> 11) * 0x1p-53;
  }

 private:
  uint64_t state_;
};

DlArray RandomOf(const ArraySpec& spec, double low, double high, Generator& generator) {
  const bool is_complex = IsComplex(spec.type);
  std::vector<double> values(spec.numel() * (is_complex ? 2 : 1));
  for (double& v : values) v = generator.Uniform(low, high);
  const DataType type = is_complex ? DataType::kComplexDouble : DataType::kDouble;
  return DlArray::FromBytes(type, values.data(), spec.numel(), spec.sizes, spec.format.str());
}

bool IsVariable(const DlArray& x) {
  return x.type() == DataType::kDouble || x.type() == DataType::kComplexDouble;
}

// <a, b> as a real number: sum Re(conj(a) b).
DlArray Dot(const DlArray& a, const DlArray& b) { return Sum(Real(Conj(a) * b)); }

// The real degrees of freedom of an array.
int64_t NumParts(const DlArray& x) { return x.numel() * (IsComplex(x.type()) ? 2 : 1); }

double Part(const DlArray& x, int64_t part) {
  if (!IsComplex(x.type())) return x.At(part);
  const std::complex<double> v = x.ComplexAt(part / 2);
  return part % 2 == 0 ? v.real() : v.imag();
}

// x + t d, computed here and not by ops.
DlArray Moved(const DlArray& x, const DlArray& d, double t) {
  std::vector<double> values(NumParts(x));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = Part(x, static_cast<int64_t>(i)) + t * Part(d, static_cast<int64_t>(i));
  }
  return DlArray::FromBytes(x.type(), values.data(), x.numel(), x.sizes(), x.format().str());
}

DlArray Unit(const DlArray& x, int64_t part) {
  std::vector<double> values(NumParts(x), 0.0);
  values[part] = 1;
  return DlArray::FromBytes(x.type(), values.data(), x.numel(), x.sizes(), x.format().str());
}

// The slope of `loss` at `inputs` along `directions` (unset: that input stays).
double Slope(const Loss& loss, const DlArrays& inputs, const DlArrays& directions, double h) {
  const auto at = [&](double t) {
    DlArrays moved = inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!directions[i].empty()) moved[i] = Moved(inputs[i], directions[i], t);
    }
    return loss(moved).Scalar();
  };
  return (at(-2 * h) - 8 * at(-h) + 8 * at(h) - at(2 * h)) / (12 * h);
}

DlArrays Variables(const DlArrays& inputs) {
  DlArrays variables;
  for (const DlArray& x : inputs) {
    if (IsFloating(x.type())) variables.push_back(x);
  }
  return variables;
}

// Gradients of `loss` with respect to the floating inputs, in their order.
DlArrays GradientsOf(const Loss& loss, const DlArrays& inputs,
                     const GradientOptions& options = {}) {
  return DlFeval(
      [&](const DlArrays& x) {
        DlArray y = loss(x);
        // So that y is watched even where the function is constant or locally linear.
        for (const DlArray& v : Variables(x)) y = y + 0 * Sum(Real(v));
        return DlGradient(y, Variables(x), options);
      },
      inputs);
}

class Checker {
 public:
  Checker(const DlArrays& inputs, const GradientCheckOptions& options)
      : inputs_(inputs), options_(options) {}

  // Compares `gradients` with the slopes of `loss`.
  void Compare(const std::string& what, const Loss& loss, const DlArrays& gradients,
               Generator& generator) {
    double scale = 1;
    for (const DlArray& g : gradients) {
      for (int64_t p = 0; p < NumParts(g); ++p) scale = std::max(scale, std::abs(Part(g, p)));
    }
    const DlArrays stay(inputs_.size());
    size_t v = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const DlArray& x = inputs_[i];
      if (!IsVariable(x)) continue;
      const DlArray& g = gradients[v++];
      if (x.numel() > options_.max_elements) continue;
      for (int64_t p = 0; p < NumParts(x); ++p) {
        DlArrays directions = stay;
        directions[i] = Unit(x, p);
        const bool is_complex = IsComplex(x.type());
        Note(Slope(loss, inputs_, directions, options_.step), Part(g, p), scale, options_.tolerance,
             [&] {
               return absl::StrCat(what, ", input ", i, " (", ToString(x.spec()), "), element ",
                                   is_complex ? p / 2 : p,
                                   !is_complex  ? ""
                                   : p % 2 == 0 ? " (real part)"
                                                : " (imaginary part)");
             });
      }
    }
    for (int n = 0; n < options_.directions; ++n) {
      DlArrays directions = stay;
      double expected = 0;
      v = 0;
      for (size_t i = 0; i < inputs_.size(); ++i) {
        const DlArray& x = inputs_[i];
        if (!IsVariable(x)) continue;
        const DlArray& g = gradients[v++];
        directions[i] = RandomOf(x.spec(), -1, 1, generator);
        for (int64_t p = 0; p < NumParts(x); ++p) {
          expected += Part(g, p) * Part(directions[i], p);
        }
      }
      Note(Slope(loss, inputs_, directions, options_.step), expected,
           std::max(scale, std::abs(expected)), options_.tolerance,
           [&] { return absl::StrCat(what, ", along random direction ", n); });
    }
  }

  void CompareSingle(const DlArrays& in_single, const DlArrays& in_double) {
    for (size_t v = 0; v < in_double.size(); ++v) {
      double scale = 1;
      for (int64_t p = 0; p < NumParts(in_double[v]); ++p) {
        scale = std::max(scale, std::abs(Part(in_double[v], p)));
      }
      for (int64_t p = 0; p < NumParts(in_double[v]); ++p) {
        Note(Part(in_double[v], p), Part(in_single[v], p), scale, options_.single_tolerance, [&] {
          return absl::StrCat("first derivative in single (the slope is that in double), variable ",
                              v, ", part ", p);
        });
      }
    }
  }

  testing::AssertionResult Result() const {
    if (worst_ <= 1) return testing::AssertionSuccess();
    return testing::AssertionFailure() << report_;
  }

 private:
  template <class Where>
  void Note(double slope, double gradient, double scale, double tolerance, Where where) {
    const double difference = std::abs(slope - gradient), allowed = tolerance * scale;
    const double excess = difference <= allowed    ? difference / allowed
                          : std::isnan(difference) ? INFINITY
                                                   : difference / allowed;
    if (excess <= worst_) return;
    worst_ = excess;
    report_ =
        absl::StrCat("the worst is the ", where(), ": the slope is ", slope, ", DlGradient says ",
                     gradient, "; they differ by ", difference, ", allowed are ", allowed);
  }

  const DlArrays& inputs_;
  const GradientCheckOptions& options_;
  double worst_ = 0;
  std::string report_;
};

}  // namespace

DlArray RandomInput(const Sizes& sizes, std::string_view format, double low, double high,
                    uint64_t seed, DataType type) {
  Generator generator(seed);
  // The spec of the array in the order of its labels.
  const ArraySpec spec =
      internal::SpecInOrder(IsComplex(type) ? type : DataType::kDouble, sizes, format);
  const DlArray x = RandomOf(spec, low, high, generator);
  return Cast(x, type);
}

testing::AssertionResult GradientsAgree(const Function& f, const DlArrays& inputs,
                                        const GradientCheckOptions& options) {
  Generator generator(20240229);
  const DlArray y = f(inputs);
  if (!IsVariable(y)) {
    return testing::AssertionFailure()
           << "the function gives a " << ToString(y.spec()) << "; checks are made in double";
  }
  const DlArray weights = RandomOf(y.spec(), 0.5, 1.5, generator);
  const auto loss_with = [&f](const DlArray& w) {
    return [&f, w](const DlArrays& x) { return Dot(w, f(x)); };
  };
  const Loss loss = loss_with(weights);
  const DlArrays gradients = GradientsOf(loss, inputs);
  Checker checker(inputs, options);
  checker.Compare("first derivative", loss, gradients, generator);

  if (options.second_derivatives) {
    DlArrays v;
    for (const DlArray& g : gradients) v.push_back(RandomOf(g.spec(), 0.5, 1.5, generator));
    const auto along_v = [&](const DlArrays& x, const GradientOptions& gradient_options) {
      DlArray y = loss(x);
      for (const DlArray& a : Variables(x)) y = y + 0 * Sum(Real(a));
      const DlArrays g = DlGradient(y, Variables(x), gradient_options);
      DlArray sum = 0.0;
      for (size_t i = 0; i < g.size(); ++i) sum = sum + Dot(g[i], v[i]);
      return sum;
    };
    const Loss watched = [&](const DlArrays& x) {
      return along_v(x, {.enable_higher_derivatives = true});
    };
    const Loss plain = [&](const DlArrays& x) {
      return DlFeval([&](const DlArrays& w) { return along_v(w, {}); }, x);
    };
    checker.Compare("second derivative", plain, GradientsOf(watched, inputs), generator);
  }

  if (options.single_tolerance > 0) {
    DlArrays single = inputs;
    for (DlArray& x : single) {
      if (!IsVariable(x)) continue;
      x = Cast(x, IsComplex(x.type()) ? DataType::kComplexSingle : DataType::kSingle);
    }
    const DlArray y_single = f(single);
    const DataType expected = IsComplex(y.type()) ? DataType::kComplexSingle : DataType::kSingle;
    if (y_single.type() != expected) {
      return testing::AssertionFailure()
             << "of single inputs the function gives a " << ToString(y_single.spec());
    }
    checker.CompareSingle(GradientsOf(loss_with(Cast(weights, expected)), single), gradients);
  }
  return checker.Result();
}

}  // namespace lamina
