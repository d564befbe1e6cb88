// The parameters of a network: tables, states, factors, equality.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/network/network.h"
#include "framework/ops/gpu_array.h"

namespace lamina {

void DlNetwork::VisitParameters(const std::string& path, const ParameterVisitor& visit) {
  for (AnyLayer& layer : layers_) {
    layer->VisitParameters(path.empty() ? layer->Name() : absl::StrCat(path, "/", layer->Name()),
                           visit);
  }
}
void DlNetwork::ForEachLearnable(const std::function<void(DlArray&)>& visit) {
  for (AnyLayer& layer : layers_) layer->ForEachLearnable(visit);
}
void DlNetwork::ForEachState(const std::function<void(DlArray&)>& visit) {
  for (AnyLayer& layer : layers_) layer->ForEachState(visit);
}

namespace {

std::vector<ParameterRow> Rows(const DlNetwork& network, PropertyKind kind) {
  std::vector<ParameterRow> rows;
  // Visiting changes nothing here.
  const_cast<DlNetwork&>(network).VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == kind) rows.push_back({p.layer, p.parameter, *p.value});
  });
  return rows;
}

}  // namespace

std::vector<ParameterRow> DlNetwork::Learnables() const {
  return Rows(*this, PropertyKind::kLearnable);
}
std::vector<ParameterRow> DlNetwork::StateTable() const {
  return Rows(*this, PropertyKind::kState);
}

DlArrays DlNetwork::LearnableValues() const {
  DlArrays values;
  const_cast<DlNetwork*>(this)->ForEachLearnable([&](DlArray& x) { values.push_back(x); });
  return values;
}

void DlNetwork::SetLearnableValues(Arrays values) {
  const std::vector<ParameterRow> rows = Learnables();
  if (rows.size() != values.size()) {
    throw Error("network:LearnableCount",
                absl::StrCat("The network has ", rows.size(), " learnable arrays."),
                absl::StrCat(values.size(), " came."), "Give one for each row of Learnables.");
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].value.empty()) continue;
    if (SameSizes(rows[i].value.sizes(), values[i].sizes()) &&
        rows[i].value.format() == values[i].format()) {
      continue;
    }
    throw Error("network:LearnableSize",
                absl::StrCat("\"", rows[i].layer, "/", rows[i].parameter, "\" is a ",
                             ToString(rows[i].value.spec()), "."),
                absl::StrCat("A ", ToString(values[i].spec()), " came."), "");
  }
  size_t i = 0;
  ForEachLearnable([&](DlArray& x) { x = values[i++]; });
}

int64_t DlNetwork::NumLearnables() const {
  int64_t n = 0;
  for (const DlArray& x : LearnableValues()) n += x.numel();
  return n;
}

NetworkState DlNetwork::State() const {
  DlArrays values;
  const_cast<DlNetwork*>(this)->ForEachState([&](DlArray& x) { values.push_back(x); });
  return NetworkState(std::move(values));
}

void DlNetwork::SetState(const NetworkState& state) {
  const size_t count = State().values().size();
  if (count != state.values().size()) {
    throw Error("network:StateCount", absl::StrCat("The network has ", count, " state arrays."),
                absl::StrCat(state.values().size(), " came."),
                "Give one for each row of StateTable.");
  }
  size_t i = 0;
  ForEachState([&](DlArray& x) { x = state.values()[i++]; });
}

void DlNetwork::ResetState() {
  for (AnyLayer& layer : layers_) {
    for (const PropertyDescriptor& p : layer->Properties()) {
      if (LayerTree* tree = layer->TreeOf(p)) tree->ResetState();
    }
    layer.ResetState();
  }
}

ParameterRef DlNetwork::FindLearnable(std::string_view path) const {
  std::vector<std::string> paths;
  std::optional<ParameterRef> found;
  const_cast<DlNetwork*>(this)->VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind != PropertyKind::kLearnable) return;
    paths.push_back(absl::StrCat(p.layer, "/", p.parameter));
    if (paths.back() == path) found = p;
  });
  if (!found.has_value()) {
    throw Error("layer:NoSuchParameter",
                absl::StrCat("A learnable \"", std::string(path), "\" was asked for."),
                absl::StrCat("The network has [", absl::StrJoin(paths, ", "), "]."),
                "Write the path as \"layer/Parameter\".");
  }
  return *found;
}

void DlNetwork::SetLearnRateFactor(std::string_view path, double factor) {
  *FindLearnable(path).learn_rate_factor = internal::CheckedFactor(factor);
}
double DlNetwork::LearnRateFactor(std::string_view path) const {
  return *FindLearnable(path).learn_rate_factor;
}
void DlNetwork::SetL2Factor(std::string_view path, double factor) {
  *FindLearnable(path).l2_factor = internal::CheckedFactor(factor);
}
double DlNetwork::L2Factor(std::string_view path) const { return *FindLearnable(path).l2_factor; }

bool IsEqual(const DlNetwork& a, const DlNetwork& b) {
  if (a.NumLayers() != b.NumLayers() || a.connections() != b.connections() ||
      a.OutputNames() != b.OutputNames()) {
    return false;
  }
  for (int i = 0; i < a.NumLayers(); ++i) {
    const Layer &x = a.layer(i).layer(), &y = b.layer(i).layer();
    if (a.layer(i).type() != b.layer(i).type() || x.Name() != y.Name()) return false;
    for (size_t k = 0; k < x.Properties().size(); ++k) {
      const PropertyDescriptor& p = x.Properties()[k];
      if (p.access->get != nullptr && x.GetProperty(p) != y.GetProperty(p)) return false;
    }
  }
  for (PropertyKind kind : {PropertyKind::kLearnable, PropertyKind::kState}) {
    const std::vector<ParameterRow> x = Rows(a, kind), y = Rows(b, kind);
    if (x.size() != y.size()) return false;
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i].layer != y[i].layer || !IsEqual(x[i].value, y[i].value)) return false;
    }
  }
  return true;
}

namespace {

DlNetwork Moved(DlNetwork network, DlArray (*move)(const DlArray&)) {
  const auto visit = [&](DlArray& x) { x = move(x); };
  network.ForEachLearnable(visit);
  network.ForEachState(visit);
  return network;
}

}  // namespace

DlNetwork GpuArray(DlNetwork network) {
  return Moved(std::move(network), [](const DlArray& x) { return GpuArray(x); });
}
DlNetwork Gather(DlNetwork network) {
  return Moved(std::move(network), [](const DlArray& x) { return Gather(x); });
}

}  // namespace lamina
