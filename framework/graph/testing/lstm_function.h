// A recurrent layer and its gradients as one function of arrays, for tests of graphs and kernels:
// many steps that are alike, of which each needs the one before.
#ifndef FRAMEWORK_GRAPH_TESTING_LSTM_FUNCTION_H_
#define FRAMEWORK_GRAPH_TESTING_LSTM_FUNCTION_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina::testing {

/// x [channels (C), batch (B), steps (T)], input weights, recurrent weights, bias, and the weights
/// of the outputs in a loss [units (C), batch (B), steps (T)]; drawn normally.
DlArrays LstmInputs(int64_t channels, int64_t units, int64_t batch, int64_t steps,
                    DataType type = DataType::kSingle);

/// The derivatives of that loss with respect to the first four inputs, then the outputs.
DlArrays LstmAndGradients(Arrays inputs);

}  // namespace lamina::testing

#endif  // FRAMEWORK_GRAPH_TESTING_LSTM_FUNCTION_H_
