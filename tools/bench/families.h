// The workloads by family, one file each; workloads.cc lists them, tools/bench/README.md describes
// them.
//
// Threads: as the functions that they call; each uses the current random source.
#ifndef TOOLS_BENCH_FAMILIES_H_
#define TOOLS_BENCH_FAMILIES_H_

#include "framework/network/network.h"
#include "tools/bench/workload.h"

namespace lamina::bench {

// elementwise_workloads.cc
Work SReluGrad(DataType type, const Sizes& sizes);  ///< `sizes` are those of x, "SSCB".
Work ElementwiseChainGrad(DataType type, int64_t elements);
Work Add16Times1000(DataType type);
Work Add16TapedTimes1000(DataType type);

// product_workloads.cc
Work Gemm1024(DataType type);
Work Conv6428Forward(DataType type);
Work ResidualBlockGrad(DataType type);
Work AttentionGrad(DataType type);

// recurrent_workloads.cc
struct LstmSizes {
  int64_t channels = 12, hidden = 100, batch = 32, steps = 100;
};
Work LstmGrad(DataType type, const LstmSizes& sizes);
Work PeepholeLstm512Grad(DataType type);
Work SlicedSteps512Grad(DataType type);

// training_workloads.cc
Work MlpTinyAdam(DataType type);
Work MlpDigitsAdam(DataType type);
Work MnistCnnAdam(DataType type);
/// The network of mnist_cnn_adam and of the predictions, initialised, in single or double.
DlNetwork MnistNetwork(DataType type);

// prediction_workloads.cc
Work PredictMnist(DataType type);
/// In single. Errors: "bench:GeneratedCode" when the code cannot be compiled or loaded.
Work PredictMnistC(DataType type);

// check_workloads.cc
/// In double, without inputs and outputs. Errors: "bench:Gradcheck" when the gradients are found
/// wrong.
Work GradcheckSRelu(DataType type);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_FAMILIES_H_
