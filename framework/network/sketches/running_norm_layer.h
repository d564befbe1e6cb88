// Standardizes each channel: in training with the mean and variance of the batch, at prediction
// time with what training gathered of them. Source of the idea: Ioffe, Szegedy, arXiv:1502.03167.
#ifndef FRAMEWORK_NETWORK_SKETCHES_RUNNING_NORM_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_RUNNING_NORM_LAYER_H_

#include <tuple>

#include "framework/layers/layer.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::sketches {

struct RunningNormLayer : Layer, Formattable {
  Property<double> decay{*this, "Decay", 0.1};
  State mean{*this, "Mean"};  // C x 1
  State variance{*this, "Variance"};

  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros({layout.Size('C'), 1});
    if (variance.empty()) variance = Ones({layout.Size('C'), 1});
  }

  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    return {Standardized(x, DlArray(mean, "C"), DlArray(variance, "C")), mean, variance};
  }

  std::tuple<DlArray, DlArray, DlArray> Forward(const DlArray& x) const {
    const DlArray m = Mean(x, "SBT"), v = Variance(x, "SBT");
    return {Standardized(x, m, v), Moved(mean, m), Moved(variance, v)};
  }

 private:
  static DlArray Standardized(const DlArray& x, const DlArray& m, const DlArray& v) {
    return (x - m) * Rsqrt(v + 1e-5);
  }
  DlArray Moved(const DlArray& from, const DlArray& to) const {
    return (1 - decay) * from + decay * Reshape(to, from.sizes());
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_RUNNING_NORM_LAYER_H_
