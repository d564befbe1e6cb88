// Lists what a nested network adds to the tables of the network around it, and sets a factor in it
// by its path.
//
//   bazel run //lessons/nested_network:list_paths
#include <iostream>
#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/updates.h"
#include "layers/residual_block/residual_block_layer.h"

namespace lamina {
namespace {

void Run() {
  // [region paths]
  DlNetwork network({ImageInputLayer({28, 28, 1}), Named(Convolution2dLayer(4, 16), "first"),
                     Named(BatchNormResidualBlockLayer(16), "block")});
  network.Initialize();
  for (const ParameterRow& row : network.Learnables()) {
    std::cout << row.layer << "/" << row.parameter << "  " << ToString(row.value.sizes()) << "\n";
  }
  std::cout << "\nstates:\n";
  for (const ParameterRow& row : network.StateTable()) {
    std::cout << row.layer << "/" << row.parameter << "  " << ToString(row.value.sizes()) << "\n";
  }
  // [endregion]

  // [region factor]
  network.SetLearnRateFactor("block/Network/convolution2d/Weights", 0);
  // [endregion]
  const DlNetwork before = network;
  DlArrays ones;
  for (const DlArray& w : network.LearnableValues()) ones.push_back(OnesLike(w));
  SgdmState state;
  SgdmUpdate(network, ones, state, {.learn_rate = 0.1});
  std::cout << "\nafter one step, unchanged:\n";
  const std::vector<ParameterRow> first = before.Learnables(), last = network.Learnables();
  for (size_t i = 0; i < first.size(); ++i) {
    if (!IsEqual(first[i].value, last[i].value)) continue;
    std::cout << first[i].layer << "/" << first[i].parameter << "\n";
  }
}

}  // namespace
}  // namespace lamina

int main() { lamina::Run(); }
