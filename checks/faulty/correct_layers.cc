#include "checks/faulty/correct_layers.h"

#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

template <class T>
CorrectLayer Of(std::string name, std::vector<Layouts> layouts) {
  return {std::move(name), [] { return AnyLayer(T()); }, std::move(layouts)};
}

// Channels first among the dims, as layers without labels know them: with S or B before them, a
// parameter of one value for each channel has its place.
std::vector<Layouts> TwoInputs() { return Repeated(AnyFormat(), 2); }

}  // namespace

std::vector<CorrectLayer> CorrectLayers() {
  return {
      Of<SReluLayer>("SReluLayer", AnyFormat()),
      Of<TanhScaleLayer>("TanhScaleLayer", AnyFormat()),
      Of<OwnBackwardLayer>("OwnBackwardLayer", AnyFormat()),
      Of<OwnBackwardTwoInputsLayer>("OwnBackwardTwoInputsLayer", TwoInputs()),
      Of<SumAndProductLayer>("SumAndProductLayer", TwoInputs()),
      Of<SpatialMeanLayer>("SpatialMeanLayer", Images()),
      Of<LeakyIntegratorLayer>("LeakyIntegratorLayer", Sequences()),
      Of<CenterLayer>("CenterLayer", AnyFormat()),
      Of<ResidualLayer>("ResidualLayer", AnyFormat()),
      Of<NoiseLayer>("NoiseLayer", AnyFormat()),
  };
}

}  // namespace lamina::faulty
