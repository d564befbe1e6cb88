// For tests: what comes back when a layer is saved with its network and loaded again.
//
//   EXPECT_TRUE(SavedLayerIsTheSame<SReluLayer>(SReluLayer(), {NetworkDataLayout({4, 3}, "CB")}));
//
// The layer is initialised, and its factors are set to numbers of their own. Then everything is
// compared: type, name, description, names of inputs and outputs, each property with its kind, its
// value and its factors, nested networks layer by layer, and what Predict and Forward return, bit
// for bit. Threads: any one.
#ifndef FRAMEWORK_NETWORK_TESTING_SAVED_LAYER_H_
#define FRAMEWORK_NETWORK_TESTING_SAVED_LAYER_H_

#include <vector>

#include "framework/network/network_file.h"
#include "gtest/gtest.h"

namespace lamina {

/// The factory knows the class of the layer; unknown sizes of the layouts become 2.
testing::AssertionResult SavedLayerIsTheSameWith(const LayerFactory& factory, AnyLayer layer,
                                                 const std::vector<NetworkDataLayout>& layouts);

template <class... OwnLayers>
testing::AssertionResult SavedLayerIsTheSame(const AnyLayer& layer,
                                             const std::vector<NetworkDataLayout>& layouts) {
  LayerFactory factory = LayerFactory::Of(BuiltinLayers());
  (factory.Add<OwnLayers>(), ...);
  return SavedLayerIsTheSameWith(factory, layer, layouts);
}

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_TESTING_SAVED_LAYER_H_
