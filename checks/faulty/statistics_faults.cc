// Statistics of the batch, gathered in states for prediction, wrong.
#include <tuple>

#include "checks/faulty/fault.h"
#include "layers/running_norm/running_norm_layer.h"

namespace lamina::faulty {
namespace {

using Norm = RunningNormLayer;
using Result = std::tuple<DlArray, DlArray, DlArray>;

/// A constant to training.
DlArray Detached(const DlArray& x) { return DlArray(ExtractData(x), Dims(x)); }

struct NormForgetsVariance : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {y, m, variance};
  }
};
struct NormForgetsStatistics : Norm {
  Result Forward(const DlArray& x) const { return {std::get<0>(Norm::Forward(x)), mean, variance}; }
};
struct NormIgnoresVariance : Norm {
  Result Predict(const DlArray& x) const { return {x - DlArray(mean, "C"), mean, variance}; }
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {y, m, Reshape(Variance(x, "SBTU"), variance.sizes())};
  }
};
/// As one writes it where tensors change in place.
struct NormWritesItself : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    const_cast<NormWritesItself*>(this)->mean = ExtractData(m);
    const_cast<NormWritesItself*>(this)->variance = ExtractData(v);
    return {y, mean, variance};
  }
};
struct NormDetachesMean : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    const DlArray centre = Detached(Mean(x, "SBTU"));
    return {(x - centre) * Rsqrt(Variance(x, "SBTU") + epsilon), m, v};
  }
};
struct NormDetachesVariance : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    const DlArray spread = Detached(Variance(x, "SBTU"));
    return {(x - Mean(x, "SBTU")) * Rsqrt(spread + epsilon), m, v};
  }
};
/// n / (n - 1) of one value.
struct NormDividesByZero : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    const double n = static_cast<double>(x.numel()) / static_cast<double>(Size(x, 'C'));
    return {y, m, v * ((n - 1) / (n - 1))};
  }
};
struct NormWithoutEpsilon : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {(x - Mean(x, "SBTU")) / Sqrt(Variance(x, "SBTU")), m, v};
  }
};
/// Outside the root, where it does not guard the root's derivative at 0.
struct NormEpsilonOutside : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {(x - Mean(x, "SBTU")) / (Sqrt(Variance(x, "SBTU")) + epsilon), m, v};
  }
};
struct NormKeepsBatchDim : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {y, StripDims(Mean(x, "S")), v};
  }
};
struct NormSingleStatistics : Norm {
  Result Forward(const DlArray& x) const {
    auto [y, m, v] = Norm::Forward(x);
    return {y, Single(m), Single(v)};
  }
};
struct NormFirstChannelForAll : Norm {
  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros({1, 1});
    if (variance.empty()) variance = Ones({layout.Size('C'), 1});
  }
};
struct NormForgetsInitialVariance : Norm {
  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros({layout.Size('C'), 1});
  }
};

}  // namespace

FaultGroup StatisticsFaults() {
  const char* const used = "statesAreUsed";
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const valid = "forwardReturnsValidStates";
  const Layouts points = {NetworkDataLayout({3, 5}, "CB")};
  return {
      "Running statistics",
      {
          Of<Norm, NormForgetsVariance>("the old variance is returned", Image(), used),
          Of<Norm, NormForgetsStatistics>("Forward gathers nothing", Image(), used),
          Of<Norm, NormIgnoresVariance>("the variance is gathered and never read", Image(), used),
          Of<Norm, NormWritesItself>("Forward changes the layer itself", Image(),
                                     "forwardIsRepeatable"),
          Of<Norm, NormDetachesMean>("the batch's mean is a constant to training", Image(),
                                     numeric),
          Of<Norm, NormDetachesVariance>("the batch's variance is a constant to training", Image(),
                                         numeric),
          Of<Norm, NormDividesByZero>("n / (n - 1) of a single value", points, valid),
          Of<Norm, NormWithoutEpsilon>("a division without an epsilon", points,
                                       "predictReturnsFiniteValues"),
          Of<Norm, NormEpsilonOutside>("the epsilon outside the root", points, numeric),
          Of<Norm, NormKeepsBatchDim>("a state keeps the batch's dims", Image(), valid),
          Of<Norm, NormSingleStatistics>("new states always single", Image(),
                                         "forwardIsConsistentInType"),
          Of<Norm, NormFirstChannelForAll>("a state for one channel", Image(),
                                           "forwardDoesNotError"),
          Of<Norm, NormForgetsInitialVariance>("a state is left unset", Image(),
                                               "initializeSetsParameters"),
      }};
}

}  // namespace lamina::faulty
