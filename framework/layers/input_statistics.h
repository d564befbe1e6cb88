// The statistics by which an input layer normalizes, gathered from data batch by batch.
//
//   InputStatistics statistics(layer.layer());            // any layer; does nothing for others
//   for (const DlArray& batch : batches) statistics.Add(batch);
//   statistics.SetIn(layer.layer());
//
// Means and sums of squared differences to the mean are merged pairwise in double, so many batches
// lose no digits. Source: Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance",
// 1983. The variance is divided by the number of elements. Threads: one thread at a time.
#ifndef FRAMEWORK_LAYERS_INPUT_STATISTICS_H_
#define FRAMEWORK_LAYERS_INPUT_STATISTICS_H_

#include <string>
#include <vector>

#include "framework/layers/layer.h"

namespace lamina {

class InputStatistics {
 public:
  /// For a layer with the setting Normalization other than "none" whose statistics are not set.
  explicit InputStatistics(const Layer& layer);
  /// False: the layer needs nothing, and the other functions do nothing.
  bool needed() const { return needed_; }
  /// Labelled data as the layer gets it. Errors: "dlarray:SizeMismatch" when batches differ in
  /// their S or C dims; "ops:UnsupportedType" for complex data.
  void Add(const DlArray& batch);
  /// Sets the layer's Mean, StandardDeviation, Min and Max; nothing without data.
  void SetIn(Layer& layer) const;

 private:
  std::string type_;  // Of the layer.
  bool needed_ = false;
  std::string shared_;  // The labels of the dims that share their statistics.
  double count_ = 0;
  std::vector<double> mean_, squares_, min_, max_;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_INPUT_STATISTICS_H_
