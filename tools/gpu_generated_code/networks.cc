#include "tools/gpu_generated_code/networks.h"

#include <utility>

#include "framework/emit/program.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
#include "layers/quantize/quantize_layer.h"
#include "layers/residual_block/residual_block_layer.h"
#include "layers/running_norm/running_norm_layer.h"
#include "layers/siamese_pair/siamese_pair_layer.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"
#include "layers/srelu_codegen/srelu_codegen_layer.h"
#include "layers/thermal_cell/thermal_cell_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina {

std::vector<TriedNetwork> NetworksToTry() {
  const NetworkDataLayout image({8, 8, 4, 3}, "SSCB");
  std::vector<TriedNetwork> all;
  const auto add = [&](const char* name, DlNetwork network, std::vector<NetworkDataLayout> layouts,
                       int calls, int terms) {
    network.Initialize(layouts);
    all.push_back({name, std::move(network), std::move(layouts), calls, terms});
  };
  Rng(1);
  add("srelu", DlNetwork({SReluLayer()}), {image}, 1, 4);
  add("weighted_addition", DlNetwork({WeightedAdditionLayer(3)}), {image, image, image}, 1, 4);
  add("project_and_reshape", DlNetwork({ProjectAndReshapeLayer({4, 4, 8})}),
      {NetworkDataLayout({100, 3}, "CB")}, 1, 100);
  add("peephole_lstm", DlNetwork({PeepholeLstmLayer(6)}), {NetworkDataLayout({3, 2, 5}, "CBT")}, 3,
      100);
  add("residual_block", DlNetwork({BatchNormResidualBlockLayer(4)}), {image}, 2, 400);
  add("srelu_backward", DlNetwork({SReluBackwardLayer()}), {image}, 1, 4);
  add("srelu_codegen", DlNetwork({SReluCodegenLayer()}), {image}, 1, 4);
  add("split_level", DlNetwork({SplitLevelLayer()}), {NetworkDataLayout({36, 2, 3}, "SCB")}, 1,
      100);
  add("siamese_pair",
      DlNetwork({SiamesePairLayer(DlNetwork({FullyConnectedLayer(7), TanhLayer()}))}),
      {NetworkDataLayout({5, 3}, "CB"), NetworkDataLayout({5, 3}, "CB")}, 1, 100);
  add("channel_dropout", DlNetwork({ChannelDropoutLayer(0.25)}), {image}, 1, 4);
  add("running_norm", DlNetwork({RunningNormLayer()}), {image}, 2, 200);
  add("quantize", DlNetwork({QuantizeLayer(2)}), {image}, 1, 4);
  add("thermal_cell",
      DlNetwork({ThermalCellLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1})}),
      {NetworkDataLayout({2, 3, 6}, "CBT")}, 3, 200);
  add("convolutional",
      DlNetwork({Convolution2dLayer(3, 8, {.padding = "same"}), BatchNormalizationLayer(),
                 ReluLayer(), MaxPooling2dLayer(2, {.stride = {2}}),
                 Convolution2dLayer(3, 8, {.stride = {2}}), GeluLayer(),
                 GlobalAveragePooling2dLayer(), FullyConnectedLayer(5), SoftmaxLayer()}),
      {NetworkDataLayout({12, 12, 2, 3}, "SSCB")}, 2, 150);
  add("recurrent",
      DlNetwork({SequenceInputLayer(3), LstmLayer(6), FullyConnectedLayer(4), TanhLayer()}),
      {NetworkDataLayout({3, 2, 5}, "CBT")}, 3, 100);
  // Sums that are long enough for the threads of a block to share.
  add("normalization",
      DlNetwork({LayerNormalizationLayer(), GroupNormalizationLayer(2),
                 InstanceNormalizationLayer(), FullyConnectedLayer(100), SoftmaxLayer()}),
      {NetworkDataLayout({16, 16, 4, 2}, "SSCB")}, 1, 2000);
  // Longer ones, which several blocks share.
  add("global_pooling", DlNetwork({TanhLayer(), GlobalAveragePooling2dLayer()}),
      {NetworkDataLayout({64, 64, 2, 2}, "SSCB")}, 1, 4096);
  // Arrays of which a thread has four elements at once, in loops and in shared ones.
  add("large", DlNetwork({SReluLayer(), InstanceNormalizationLayer(), TanhLayer()}),
      {NetworkDataLayout({64, 64, 8, 2}, "SSCB")}, 1, 4096);
  add("complex_fully_connected", DlNetwork({ComplexFullyConnectedLayer(4)}),
      {NetworkDataLayout({3, 3, 1, 2}, "SSCB")}, 1, 50);
  // Complex numbers inside, and sums of them that several blocks share.
  add("complex_sums",
      DlNetwork({RealToComplexLayer(), ComplexFullyConnectedLayer(3), ComplexReluLayer(),
                 ComplexToRealLayer(), FullyConnectedLayer(4)}),
      {NetworkDataLayout({64, 64, 2, 2}, "SSCB")}, 1, 4096);
  return all;
}

std::vector<DlArrays> InputsFor(const TriedNetwork& tried) {
  Rng(2);
  std::vector<DlArrays> inputs(tried.calls);
  for (DlArrays& call : inputs) {
    for (const NetworkDataLayout& layout : tried.layouts) {
      call.push_back(Rand(layout.sizes(), DataType::kSingle, layout.format().str()) * 2 - 1);
    }
  }
  return inputs;
}

std::vector<DlArrays> ExpectedFrom(const TriedNetwork& tried, const GeneratedCode& code,
                                   const std::vector<DlArrays>& inputs) {
  DlNetwork network = tried.network;
  std::vector<DlArrays> expected;
  for (const DlArrays& call : inputs) {
    const NetworkOutput out = network.PredictAll(call);
    network.SetState(out.state);
    DlArrays arrays = out.outputs;
    // The code keeps the states that change, in their order.
    size_t next = 0;
    for (const ParameterRow& row : network.StateTable()) {
      if (next == code.states.size()) break;
      if (code.states[next].name != Identifier(row.layer + "/" + row.parameter)) continue;
      arrays.push_back(row.value);
      ++next;
    }
    expected.push_back(std::move(arrays));
  }
  return expected;
}

double ToleranceOf(const TriedNetwork& tried) { return 2.0 * (tried.terms + 16) * 0x1p-24; }

}  // namespace lamina
