#include "framework/network/testing/saved_layer.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"

namespace lamina {
namespace {

// What differs, or "".
std::string Difference(const DlNetwork& a, const DlNetwork& b, const std::string& path);

std::string Difference(const DlArray& a, const DlArray& b, const std::string& path) {
  if (a.empty() != b.empty()) return absl::StrCat(path, ": one is unset");
  if (a.empty()) return "";
  if (!(a.spec() == b.spec())) {
    return absl::StrCat(path, ": ", ToString(a.spec()), ", loaded ", ToString(b.spec()));
  }
  return IsEqual(a, b) ? "" : absl::StrCat(path, ": other values");
}

std::string Difference(const AnyLayer& any_a, const AnyLayer& any_b, const std::string& path) {
  AnyLayer copy_a = any_a, copy_b = any_b;
  Layer &a = copy_a.layer(), &b = copy_b.layer();
  if (any_a.type() != any_b.type() || a.Type() != b.Type()) return path + ": another class";
  if (a.Name() != b.Name()) return path + ": another name";
  if (a.Description() != b.Description()) return path + ": another description";
  if (a.InputNames() != b.InputNames()) return path + ": other inputs";
  if (a.OutputNames() != b.OutputNames()) return path + ": other outputs";
  if (a.Properties().size() != b.Properties().size()) return path + ": other properties";
  for (size_t i = 0; i < a.Properties().size(); ++i) {
    const PropertyDescriptor &p = a.Properties()[i], &q = b.Properties()[i];
    const std::string at = absl::StrCat(path, "/", p.name);
    if (p.name != q.name || p.kind != q.kind) return at + ": another property";
    if (p.learn_rate_factor != q.learn_rate_factor || p.l2_factor != q.l2_factor) {
      return at + ": other factors";
    }
    std::string difference;
    if (p.access->get != nullptr) {
      const std::string was = ToString(a.GetProperty(p)), is = ToString(b.GetProperty(q));
      if (was != is) difference = absl::StrCat(at, ": ", was, ", loaded ", is);
      if (a.GetProperty(p).index() != b.GetProperty(q).index()) difference = at + ": another kind";
    } else if (p.access->array != nullptr) {
      difference = Difference(*a.ArrayOf(p), *b.ArrayOf(q), at);
    } else {
      difference = Difference(dynamic_cast<const DlNetwork&>(*a.TreeOf(p)),
                              dynamic_cast<const DlNetwork&>(*b.TreeOf(q)), at);
    }
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string Difference(const DlNetwork& a, const DlNetwork& b, const std::string& path) {
  if (a.NumLayers() != b.NumLayers()) return path + ": another number of layers";
  if (a.connections() != b.connections()) return path + ": other connections";
  if (a.InputLayouts() != b.InputLayouts()) return path + ": other layouts";
  if (a.OutputNames() != b.OutputNames()) return path + ": other outputs";
  for (int i = 0; i < a.NumLayers(); ++i) {
    const std::string difference =
        Difference(a.layer(i), b.layer(i), absl::StrCat(path, "/", a.layer(i)->Name()));
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string Difference(const NetworkOutput& a, const NetworkOutput& b, const std::string& path) {
  const auto all = [](const NetworkOutput& out) {
    DlArrays arrays = out.outputs;
    arrays.insert(arrays.end(), out.state.values().begin(), out.state.values().end());
    return arrays;
  };
  const DlArrays x = all(a), y = all(b);
  if (x.size() != y.size()) return path + ": another number of results";
  for (size_t i = 0; i < x.size(); ++i) {
    const std::string difference = Difference(x[i], y[i], absl::StrCat(path, ", result ", i));
    if (!difference.empty()) return difference;
  }
  return "";
}

DlArray Data(const NetworkDataLayout& layout) {
  Sizes sizes = layout.sizes();
  for (int64_t& n : sizes) n = n == kUnknown ? 2 : n;
  return Rand(sizes, DataType::kSingle, layout.format().str()) - 0.5;
}

}  // namespace

testing::AssertionResult SavedLayerIsTheSameWith(const LayerFactory& factory, AnyLayer layer,
                                                 const std::vector<NetworkDataLayout>& layouts) {
  RandomSource source{.seed = 21};
  const ScopedRandomSource scope(source);
  layer->SetName("saved");
  DlNetwork network({layer});
  network.Initialize(layouts);
  double factor = 0.125;
  network.VisitParameters("", [&](const ParameterRef& p) {
    if (p.learn_rate_factor == nullptr) return;
    *p.learn_rate_factor = factor;
    *p.l2_factor = factor + 0.0625;
    factor += 0.125;
  });
  DlArrays x;
  for (const NetworkDataLayout& layout : layouts) x.push_back(Data(layout));
  // States that a call has changed.
  network.SetState(network.ForwardAll(x).state);

  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/saved.safetensors");
  if (const absl::Status status = SaveNetwork(network, path); !status.ok()) {
    return testing::AssertionFailure() << status;
  }
  const absl::StatusOr<DlNetwork> loaded = LoadNetworkWith(factory, path);
  if (!loaded.ok()) return testing::AssertionFailure() << loaded.status();
  std::string difference = Difference(network, *loaded, "network");
  if (difference.empty()) {
    difference = Difference(network.PredictAll(x), loaded->PredictAll(x), "Predict");
  }
  if (difference.empty()) {
    RandomSource again = source;
    const NetworkOutput trained = network.ForwardAll(x);
    const ScopedRandomSource same(again);
    difference = Difference(trained, loaded->ForwardAll(x), "Forward");
  }
  if (difference.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << layer->Type() << ": " << difference;
}

}  // namespace lamina
