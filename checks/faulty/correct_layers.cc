#include "checks/faulty/correct_layers.h"

#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
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

}  // namespace

std::vector<CorrectLayer> CorrectLayers() {
  return {
      // The reference layers, in their variants.
      {"SReluLayer", [] { return AnyLayer(SReluLayer()); }, AnyFormat()},
      {"SReluBackwardLayer", [] { return AnyLayer(SReluBackwardLayer()); }, AnyFormat()},
      {"SReluCodegenLayer", [] { return AnyLayer(SReluCodegenLayer()); }, AnyFormat()},
      {"WeightedAdditionLayer, 2 inputs", [] { return AnyLayer(WeightedAdditionLayer(2)); },
       Repeated(AnyFormat(), 2)},
      {"WeightedAdditionLayer, 3 inputs", [] { return AnyLayer(WeightedAdditionLayer(3)); },
       Repeated(AnyFormat(), 3)},
      {"ProjectAndReshapeLayer, 2x3x2",
       [] {
         return AnyLayer(ProjectAndReshapeLayer({2, 3, 2}));
       },
       FeatureVectors()},
      {"ProjectAndReshapeLayer, 1x1x1",
       [] {
         return AnyLayer(ProjectAndReshapeLayer({1, 1, 1}));
       },
       FeatureVectors()},
      {"PeepholeLstmLayer, sequence", [] { return AnyLayer(PeepholeLstmLayer(2)); }, Sequences()},
      {"PeepholeLstmLayer, last step", [] { return AnyLayer(PeepholeLstmLayer(3, "last")); },
       Sequences()},
      {"ThermalCellLayer",
       [] {
         return AnyLayer(
             ThermalCellLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1}));
       },
       WithChannels(Sequences(), 2)},
      {"ResidualBlockLayer", [] { return AnyLayer(ResidualBlockLayer(2)); },
       WithChannels(Images(), 2)},
      {"ResidualBlockLayer, stride 2",
       [] {
         return AnyLayer(ResidualBlockLayer(3, {.stride = 2, .include_skip_convolution = true}));
       },
       Images()},
      {"BatchNormResidualBlockLayer",
       [] { return AnyLayer(BatchNormResidualBlockLayer(2, {.include_skip_convolution = true})); },
       Images()},
      {"SiamesePairLayer",
       [] { return AnyLayer(SiamesePairLayer(DlNetwork({FullyConnectedLayer(3)}))); },
       Repeated(Images(), 2)},
      {"SplitLevelLayer", [] { return AnyLayer(SplitLevelLayer()); }, Series()},
      {"JoinLevelLayer", [] { return AnyLayer(JoinLevelLayer()); }, SeriesWithLevels()},
      {"ComplexFullyConnectedLayer", [] { return AnyLayer(ComplexFullyConnectedLayer(2)); },
       AnyFormat()},
      {"ChannelDropoutLayer", [] { return AnyLayer(ChannelDropoutLayer(0.25)); }, AnyFormat()},
      {"RunningNormLayer", [] { return AnyLayer(RunningNormLayer()); }, AnyFormat()},
      // The small ones.
      {"TanhScaleLayer", [] { return AnyLayer(TanhScaleLayer()); }, AnyFormat()},
      {"OwnBackwardLayer", [] { return AnyLayer(OwnBackwardLayer()); }, AnyFormat()},
      {"OwnBackwardTwoInputsLayer", [] { return AnyLayer(OwnBackwardTwoInputsLayer()); },
       Repeated(AnyFormat(), 2)},
      {"SumAndProductLayer", [] { return AnyLayer(SumAndProductLayer()); },
       Repeated(AnyFormat(), 2)},
      {"SwishLayer", [] { return AnyLayer(SwishLayer()); }, AnyFormat()},
      {"SpatialMeanLayer", [] { return AnyLayer(SpatialMeanLayer()); }, Images()},
      {"LeakyIntegratorLayer", [] { return AnyLayer(LeakyIntegratorLayer()); }, Sequences()},
      {"CenterLayer", [] { return AnyLayer(CenterLayer()); }, AnyFormat()},
      {"ResidualLayer", [] { return AnyLayer(ResidualLayer()); }, AnyFormat()},
      {"NoiseLayer", [] { return AnyLayer(NoiseLayer()); }, AnyFormat()},
  };
}

}  // namespace lamina::faulty
