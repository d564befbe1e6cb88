// Networks in files: written whole, read back equal bit for bit.
//
// A model file is a safetensors file (which PyTorch and others read): all learnables and states
// under their paths ("conv1/Weights"), and in its metadata, under "lamina.network", a description
// of the network in JSON: layers with types, settings and factors, connections, outputs. It is
// written beside the old one and put in its place at the end, so a broken write loses nothing.
//
// A layer class is made again from its name: built-in classes are known, your own are named when
// reading. It must have a constructor without arguments; its settings are its Property members.
//
//   absl::Status saved = SaveNetwork(net, "digits.safetensors");
//   absl::StatusOr<DlNetwork> net = LoadNetwork<SReluLayer>("digits.safetensors");
//
// Threads: any; two programs that write one file do not mix their bytes.
#ifndef FRAMEWORK_NETWORK_NETWORK_FILE_H_
#define FRAMEWORK_NETWORK_NETWORK_FILE_H_

#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/network.h"

namespace lamina {

/// Makes layers from the names of their classes.
class LayerFactory {
 public:
  template <class... T>
  static LayerFactory Of(LayerTypes<T...>) {
    LayerFactory factory;
    (factory.Add<T>(), ...);
    return factory;
  }
  template <class T>
  void Add() {
    static_assert(std::is_default_constructible_v<T>,
                  "A layer that is read from a file has a constructor without arguments; its "
                  "settings are Property members.");
    AnyLayer layer{T()};
    makers_[layer->Type()] = [] { return AnyLayer{T()}; };
  }
  /// For a class whose layers are made in another way than by T().
  void Add(const std::string& type, std::function<AnyLayer()> make) {
    makers_[type] = std::move(make);
  }
  /// Null when no class has this name.
  const std::function<AnyLayer()>* Find(const std::string& type) const {
    const auto at = makers_.find(type);
    return at == makers_.end() ? nullptr : &at->second;
  }

 private:
  std::map<std::string, std::function<AnyLayer()>> makers_;
};

/// Writes the network. Errors: kInvalidArgument for a layer that cannot be described (a function
/// layer), naming it; those of WriteSafetensors.
absl::Status SaveNetwork(const DlNetwork& network, const std::string& path);

/// Reads a network whose own classes of layers are in the factory. Errors: kInvalidArgument for a
/// file that is corrupt, cut off or no model file, an unknown class (named, with the fix), a
/// setting or array that does not fit; those of ReadSafetensors. Nothing of a refused file is used.
absl::StatusOr<DlNetwork> LoadNetworkWith(const LayerFactory& factory, const std::string& path);

template <class... OwnLayers>
absl::StatusOr<DlNetwork> LoadNetwork(const std::string& path) {
  LayerFactory factory = LayerFactory::Of(BuiltinLayers());
  (factory.Add<OwnLayers>(), ...);
  return LoadNetworkWith(factory, path);
}

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_NETWORK_FILE_H_
