#include "checks/faulty/correct_layers.h"

#include "checks/check_layer.h"
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

namespace lamina::faulty {
namespace {

// The shape of a series, its levels and spreads.
std::vector<Layouts> SeriesWithLevels() {
  std::vector<Layouts> out = Series();
  for (Layouts& one : out) {
    const NetworkDataLayout each({one[0].Size('C'), one[0].Size('B')}, "CB");
    one.push_back(each);
    one.push_back(each);
  }
  return out;
}

template <class T>
CorrectLayer Right(std::string name, AnyLayer (*make)(), std::vector<Layouts> layouts) {
  return {.name = std::move(name),
          .make = make,
          .empty = [] { return AnyLayer(T()); },
          .layouts = std::move(layouts)};
}

}  // namespace

CheckReport Check(const CorrectLayer& layer, const Layouts& layouts, uint64_t seed) {
  return internal::CheckLayer(layer.make(), layouts,
                              {.seed = seed, .skip_tests = layer.skip_tests, .quiet = true},
                              {.is_known = true, .make = layer.empty});
}

std::vector<CorrectLayer> CorrectLayers() {
  CorrectLayer quantize = Right<QuantizeLayer>(
      "QuantizeLayer", [] { return AnyLayer(QuantizeLayer(2)); }, AnyFormat());
  // Its derivative is not that of the staircase: it is meant so.
  quantize.skip_tests = {"gradientsAreNumericallyCorrect"};
  return {
      // The reference layers, in their variants.
      Right<SReluLayer>(
          "SReluLayer", [] { return AnyLayer(SReluLayer()); }, AnyFormat()),
      Right<SReluBackwardLayer>(
          "SReluBackwardLayer", [] { return AnyLayer(SReluBackwardLayer()); }, AnyFormat()),
      Right<SReluCodegenLayer>(
          "SReluCodegenLayer", [] { return AnyLayer(SReluCodegenLayer()); }, AnyFormat()),
      Right<WeightedAdditionLayer>(
          "WeightedAdditionLayer, 2 inputs", [] { return AnyLayer(WeightedAdditionLayer(2)); },
          Repeated(AnyFormat(), 2)),
      Right<WeightedAdditionLayer>(
          "WeightedAdditionLayer, 3 inputs", [] { return AnyLayer(WeightedAdditionLayer(3)); },
          Repeated(AnyFormat(), 3)),
      Right<ProjectAndReshapeLayer>(
          "ProjectAndReshapeLayer, 2x3x2",
          [] {
            return AnyLayer(ProjectAndReshapeLayer({2, 3, 2}));
          },
          FeatureVectors()),
      Right<ProjectAndReshapeLayer>(
          "ProjectAndReshapeLayer, 1x1x1",
          [] {
            return AnyLayer(ProjectAndReshapeLayer({1, 1, 1}));
          },
          FeatureVectors()),
      Right<PeepholeLstmLayer>(
          "PeepholeLstmLayer, sequence", [] { return AnyLayer(PeepholeLstmLayer(2)); },
          Sequences()),
      Right<PeepholeLstmLayer>(
          "PeepholeLstmLayer, last step", [] { return AnyLayer(PeepholeLstmLayer(3, "last")); },
          Sequences()),
      Right<ThermalCellLayer>(
          "ThermalCellLayer",
          [] {
            return AnyLayer(
                ThermalCellLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1}));
          },
          WithChannels(Sequences(), 2)),
      Right<ResidualBlockLayer>(
          "ResidualBlockLayer", [] { return AnyLayer(ResidualBlockLayer(2)); },
          WithChannels(Images(), 2)),
      Right<ResidualBlockLayer>(
          "ResidualBlockLayer, stride 2",
          [] {
            return AnyLayer(ResidualBlockLayer(3, {.stride = 2, .include_skip_convolution = true}));
          },
          Images()),
      Right<BatchNormResidualBlockLayer>(
          "BatchNormResidualBlockLayer",
          [] {
            return AnyLayer(BatchNormResidualBlockLayer(2, {.include_skip_convolution = true}));
          },
          Images()),
      Right<SiamesePairLayer>(
          "SiamesePairLayer",
          [] { return AnyLayer(SiamesePairLayer(DlNetwork({FullyConnectedLayer(3)}))); },
          Repeated(Images(), 2)),
      Right<SplitLevelLayer>(
          "SplitLevelLayer", [] { return AnyLayer(SplitLevelLayer()); }, Series()),
      Right<JoinLevelLayer>(
          "JoinLevelLayer", [] { return AnyLayer(JoinLevelLayer()); }, SeriesWithLevels()),
      Right<ComplexFullyConnectedLayer>(
          "ComplexFullyConnectedLayer", [] { return AnyLayer(ComplexFullyConnectedLayer(2)); },
          AnyFormat()),
      Right<ChannelDropoutLayer>(
          "ChannelDropoutLayer", [] { return AnyLayer(ChannelDropoutLayer(0.25)); }, AnyFormat()),
      Right<RunningNormLayer>(
          "RunningNormLayer", [] { return AnyLayer(RunningNormLayer()); }, Series()),
      quantize,
      // The small ones.
      Right<TanhScaleLayer>(
          "TanhScaleLayer", [] { return AnyLayer(TanhScaleLayer()); }, AnyFormat()),
      Right<OwnBackwardLayer>(
          "OwnBackwardLayer", [] { return AnyLayer(OwnBackwardLayer()); }, AnyFormat()),
      Right<OwnBackwardTwoInputsLayer>(
          "OwnBackwardTwoInputsLayer", [] { return AnyLayer(OwnBackwardTwoInputsLayer()); },
          Repeated(AnyFormat(), 2)),
      Right<SumAndProductLayer>(
          "SumAndProductLayer", [] { return AnyLayer(SumAndProductLayer()); },
          Repeated(AnyFormat(), 2)),
      Right<SwishLayer>(
          "SwishLayer", [] { return AnyLayer(SwishLayer()); }, AnyFormat()),
      Right<SpatialMeanLayer>(
          "SpatialMeanLayer", [] { return AnyLayer(SpatialMeanLayer()); }, Images()),
      Right<LeakyIntegratorLayer>(
          "LeakyIntegratorLayer", [] { return AnyLayer(LeakyIntegratorLayer()); }, Sequences()),
      Right<CenterLayer>(
          "CenterLayer", [] { return AnyLayer(CenterLayer()); }, AnyFormat()),
      Right<ResidualLayer>(
          "ResidualLayer", [] { return AnyLayer(ResidualLayer()); }, AnyFormat()),
      Right<NoiseLayer>(
          "NoiseLayer", [] { return AnyLayer(NoiseLayer()); }, AnyFormat()),
  };
}

}  // namespace lamina::faulty
