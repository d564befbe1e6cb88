// Networks as properties of layers.
//
//   struct ResidualLayer : Layer, Formattable {
//     LearnableNetwork network{*this, "Network"};
//
//     void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
//     DlArray Predict(const DlArray& x) const { return Relu(network.Predict(x) + x); }
//     DlArray Forward(const DlArray& x) const { return Relu(network.Forward(x) + x); }
//   };
//
// A network whose layers have states (batch normalization, recurrent layers) is a
// LearnableStateNetwork: Predict and Forward then return its new state too, as PredictWithState and
// ForwardWithState give it. Call Predict inside Predict and Forward inside Forward.
#ifndef FRAMEWORK_NETWORK_NESTED_NETWORK_H_
#define FRAMEWORK_NETWORK_NESTED_NETWORK_H_

#include <utility>

#include "framework/network/network.h"

namespace lamina {
namespace internal {

template <PropertyKind kKind>
class NetworkProperty : public DlNetwork {
 public:
  NetworkProperty(Layer& owner, std::string_view name, DlNetwork network = DlNetwork())
      : DlNetwork(std::move(network)) {
    static constexpr PropertyAccess kAccess = {
        .tree = [](void* p) -> LayerTree* { return static_cast<NetworkProperty*>(p); }};
    RegisterProperty(owner, name, kKind, this, &kAccess);
  }
  NetworkProperty& operator=(const DlNetwork& network) {
    DlNetwork::operator=(network);
    return *this;
  }
};

}  // namespace internal

using LearnableNetwork = internal::NetworkProperty<PropertyKind::kLearnable>;
using LearnableStateNetwork = internal::NetworkProperty<PropertyKind::kLearnableState>;

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_NESTED_NETWORK_H_
