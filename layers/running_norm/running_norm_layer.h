// Brings each channel to mean 0 and variance 1: in training by the mean m and the variance v of the
// batch, at prediction time by what training gathered of them in two states.
//
//   Forward:  y = (x - m) / sqrt(v + epsilon)
//             Mean     <- (1 - decay) Mean + decay m
//             Variance <- (1 - decay) Variance + decay v n / (n - 1)
//   Predict:  y = (x - Mean) / sqrt(Variance + epsilon)
//
// m and v are taken over the n values that a channel has in the batch: all of its S, T and U
// positions in all observations. v n / (n - 1) estimates the variance of the data that the batch
// was drawn from; of a single value (n = 1) v = 0 is gathered as it is.
//
// Source: Ioffe, Szegedy, Batch Normalization, arXiv:1502.03167, algorithms 1 and 2, without the
// learned scale and shift.
//
//   AnyLayer layer = RunningNormLayer();
//   layer.Initialize({NetworkDataLayout({12, 12, 16, 32}, "SSCB")});
//   LayerResult r = layer.Forward({x});        // r.outputs[0] is y
//   layer.SetStates(r.states);                 // TrainNet does this after each iteration
//
// Input and output: any format with a "C" dim and another. Threads: as every layer.
#ifndef LAYERS_RUNNING_NORM_RUNNING_NORM_LAYER_H_
#define LAYERS_RUNNING_NORM_RUNNING_NORM_LAYER_H_

#include <algorithm>
#include <tuple>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct RunningNormLayer : Layer, Formattable, Acceleratable, JoinsObservations {
  Property<double> decay{*this, "Decay", 0.1};
  Property<double> epsilon{*this, "Epsilon", 1e-5};
  // [region states]
  State mean{*this, "Mean"};  // C x 1
  State variance{*this, "Variance"};
  // [endregion]

  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros({layout.Size('C'), 1});
    if (variance.empty()) variance = Ones({layout.Size('C'), 1});
  }
  // [endregion]

  // [region predict]
  /// Returns y, Mean, Variance.
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    return {Standardized(x, DlArray(mean, "C"), DlArray(variance, "C")), mean, variance};
  }
  // [endregion]

  // [region forward]
  /// Returns y and the new states.
  std::tuple<DlArray, DlArray, DlArray> Forward(const DlArray& x) const {
    const DlArray m = Mean(x, "SBTU"), v = Variance(x, "SBTU");
    const double n = static_cast<double>(x.numel()) / static_cast<double>(Size(x, 'C'));
    const double all = n / std::max(n - 1, 1.0);  // From the batch's variance to that of all data.
    return {Standardized(x, m, v), Moved(mean, m), Moved(variance, all * v)};
  }
  // [endregion]

 private:
  // [region helpers]
  DlArray Standardized(const DlArray& x, const DlArray& m, const DlArray& v) const {
    return (x - m) * Rsqrt(v + epsilon);
  }
  DlArray Moved(const DlArray& from, const DlArray& to) const {
    return (1 - decay) * from + decay * Reshape(to, from.sizes());
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_RUNNING_NORM_RUNNING_NORM_LAYER_H_
