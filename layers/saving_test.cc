// Each reference layer comes back from a file as it was, property by property.

#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/network/testing/saved_layer.h"
#include "gtest/gtest.h"
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
namespace {

const NetworkDataLayout kImages({6, 6, 4, kUnknown}, "SSCB");
const NetworkDataLayout kFeatures({4, kUnknown}, "CB");
const NetworkDataLayout kSequences({2, kUnknown, 5}, "CBT");

// Made with settings that are not the default.
TEST(SavingTest, LayersOfOneInput) {
  EXPECT_TRUE(SavedLayerIsTheSame<ChannelDropoutLayer>(ChannelDropoutLayer(0.25), {kImages}));
  EXPECT_TRUE(
      SavedLayerIsTheSame<ComplexFullyConnectedLayer>(ComplexFullyConnectedLayer(3), {kFeatures}));
  EXPECT_TRUE(SavedLayerIsTheSame<PeepholeLstmLayer>(PeepholeLstmLayer(3, "last"), {kSequences}));
  EXPECT_TRUE(
      SavedLayerIsTheSame<ProjectAndReshapeLayer>(ProjectAndReshapeLayer({2, 3, 4}), {kFeatures}));
  EXPECT_TRUE(SavedLayerIsTheSame<QuantizeLayer>(QuantizeLayer(3), {kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<RunningNormLayer>(RunningNormLayer(), {kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<SplitLevelLayer>(SplitLevelLayer(),
                                                   {NetworkDataLayout({5, 2, 3}, "SCB")}));
  EXPECT_TRUE(SavedLayerIsTheSame<SReluLayer>(SReluLayer(), {kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<SReluBackwardLayer>(SReluBackwardLayer(), {kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<SReluCodegenLayer>(SReluCodegenLayer(), {kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<ThermalCellLayer>(
      ThermalCellLayer({.time_step = 0.5, .body_capacity = 2}), {kSequences}));
}

TEST(SavingTest, LayersOfSeveralInputs) {
  EXPECT_TRUE(SavedLayerIsTheSame<WeightedAdditionLayer>(WeightedAdditionLayer(3),
                                                         {kImages, kImages, kImages}));
  EXPECT_TRUE(SavedLayerIsTheSame<JoinLevelLayer>(
      JoinLevelLayer(), {NetworkDataLayout({5, 2, 3}, "SCB"), NetworkDataLayout({2, 3}, "CB"),
                         NetworkDataLayout({2, 3}, "CB")}));
  EXPECT_TRUE(SavedLayerIsTheSame<SiamesePairLayer>(
      SiamesePairLayer(DlNetwork({FullyConnectedLayer(3), TanhLayer()})), {kFeatures, kFeatures}));
}

TEST(SavingTest, LayersWithNetworks) {
  EXPECT_TRUE(SavedLayerIsTheSame<ResidualBlockLayer>(
      ResidualBlockLayer(3, {.stride = 2, .include_skip_convolution = true}), {kImages}));
  EXPECT_TRUE(
      SavedLayerIsTheSame<BatchNormResidualBlockLayer>(BatchNormResidualBlockLayer(4), {kImages}));
}

}  // namespace
}  // namespace lamina
