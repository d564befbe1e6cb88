#include "framework/network/network_file.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/io/json.h"
#include "framework/io/safetensors.h"

namespace lamina {
namespace {

constexpr char kKey[] = "lamina.network";
constexpr int kVersion = 1;

// Something in a file that cannot be; becomes a Status with the path.
struct BadFile {
  std::string why;
};

// --- Writing ------------------------------------------------------------------------------------

Json ToJson(const PropertyValue& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        // JSON has no NaN and no infinity: such numbers are written as words.
        if constexpr (std::is_same_v<T, double>) {
          return std::isfinite(v) ? Json(v) : Json{{"number", absl::StrCat(v)}};
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          Json list = Json::array();
          for (double x : v) list.push_back(ToJson(PropertyValue(x)));
          return Json{{"numbers", list}};
        } else {
          return v;
        }
      },
      value);
}

Json Describe(const DlNetwork& network);

Json Describe(const AnyLayer& any) {
  // Reading only: the tree of a property is reached through a layer that may change.
  Layer& layer = const_cast<AnyLayer&>(any).layer();
  if (any.As<FunctionLayer>() != nullptr) {
    throw BadFile{absl::StrCat(
        "layer \"", layer.Name(),
        "\" is a function layer, and a function cannot be written to a file; define a layer class "
        "with the same Predict instead")};
  }
  Json json = {{"type", layer.Type()},
               {"name", layer.Name()},
               {"description", layer.Description()},
               {"inputs", layer.InputNames()},
               {"outputs", layer.OutputNames()}};
  for (const PropertyDescriptor& p : layer.Properties()) {
    if (LayerTree* tree = layer.TreeOf(p)) {
      const auto* nested = dynamic_cast<const DlNetwork*>(tree);
      LAMINA_CHECK(nested != nullptr);
      json["networks"][p.name] = Describe(*nested);
    } else if (p.access->get != nullptr) {
      json["properties"][p.name] = ToJson(layer.GetProperty(p));
    } else if (p.kind == PropertyKind::kLearnable) {
      json["factors"][p.name] = {p.learn_rate_factor, p.l2_factor};
    }
  }
  return json;
}

Json Describe(const DlNetwork& network) {
  Json json = {{"version", kVersion}, {"layers", Json::array()}, {"connections", Json::array()}};
  for (int i = 0; i < network.NumLayers(); ++i)
    json["layers"].push_back(Describe(network.layer(i)));
  for (const Connection& c : network.connections()) {
    json["connections"].push_back({c.from, c.output, c.to, c.input});
  }
  json["outputs"] = network.OutputNames();
  for (const NetworkDataLayout& layout : network.InputLayouts()) {
    json["input_layouts"].push_back(
        {{"sizes", std::vector<int64_t>(layout.sizes().begin(), layout.sizes().end())},
         {"format", layout.format().str()}});
  }
  return json;
}

// --- Reading ------------------------------------------------------------------------------------

const Json& Field(const Json& json, const char* name, Json::value_t type) {
  const auto at = json.is_object() ? json.find(name) : json.end();
  if (!json.is_object() || at == json.end() || at->type() != type) {
    throw BadFile{absl::StrCat("the description lacks \"", name, "\" or it is of a wrong kind")};
  }
  return *at;
}

double Number(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json.is_object() && json.contains("number") && json["number"].is_string()) {
    const std::string word = json["number"].get<std::string>();
    if (word == "inf") return INFINITY;
    if (word == "-inf") return -INFINITY;
    if (word == "nan" || word == "-nan") return NAN;
  }
  throw BadFile{"a setting is not a number"};
}

PropertyValue FromJson(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    std::vector<int64_t> list;
    for (const Json& x : json) {
      if (!x.is_number_integer()) throw BadFile{"a setting has a list of mixed kinds"};
      list.push_back(x.get<int64_t>());
    }
    return list;
  }
  if (json.is_object() && json.contains("numbers") && json["numbers"].is_array()) {
    std::vector<double> list;
    for (const Json& x : json["numbers"]) list.push_back(Number(x));
    return list;
  }
  return Number(json);
}

std::vector<std::string> Names(const Json& json) {
  std::vector<std::string> names;
  for (const Json& x : json) {
    if (!x.is_string()) throw BadFile{"a name is not a text"};
    names.push_back(x.get<std::string>());
  }
  return names;
}

DlNetwork MakeNetwork(const Json& json, const LayerFactory& factory);

AnyLayer MakeLayer(const Json& json, const LayerFactory& factory) {
  const std::string type = Field(json, "type", Json::value_t::string);
  const std::function<AnyLayer()>* make = factory.Find(type);
  if (make == nullptr) {
    throw BadFile{absl::StrCat("it has a layer of the class ", type,
                               ", which is not known here: name it, LoadNetwork<", type,
                               ">(path), and include its header")};
  }
  AnyLayer any = (*make)();
  Layer& layer = any.layer();
  layer.SetName(Field(json, "name", Json::value_t::string).get<std::string>());
  layer.SetDescription(Field(json, "description", Json::value_t::string).get<std::string>());
  layer.SetInputNames(Names(Field(json, "inputs", Json::value_t::array)));
  layer.SetOutputNames(Names(Field(json, "outputs", Json::value_t::array)));
  const std::string who = absl::StrCat("layer \"", layer.Name(), "\" (", type, ")");
  for (size_t i = 0; i < layer.Properties().size(); ++i) {
    const PropertyDescriptor& p = layer.Properties()[i];
    if (LayerTree* tree = layer.TreeOf(p)) {
      const Json& networks = Field(json, "networks", Json::value_t::object);
      auto* nested = dynamic_cast<DlNetwork*>(tree);
      LAMINA_CHECK(nested != nullptr);
      *nested = MakeNetwork(Field(networks, p.name.c_str(), Json::value_t::object), factory);
    } else if (p.access->get != nullptr) {
      const Json& properties = Field(json, "properties", Json::value_t::object);
      if (!properties.contains(p.name) || !layer.SetProperty(p, FromJson(properties[p.name]))) {
        throw BadFile{absl::StrCat(who, " lacks the setting \"", p.name, "\" or it does not fit")};
      }
    } else if (p.kind == PropertyKind::kLearnable) {
      const Json& factors = Field(Field(json, "factors", Json::value_t::object), p.name.c_str(),
                                  Json::value_t::array);
      if (factors.size() != 2) throw BadFile{"a learnable has two factors"};
      const double learn_rate = Number(factors[0]), l2 = Number(factors[1]);
      layer.SetLearnRateFactor(p.name, learn_rate);
      layer.SetL2Factor(p.name, l2);
    }
  }
  return any;
}

int Index(const Json& json, int limit) {
  if (!json.is_number_integer() || json.get<int64_t>() < 0 || json.get<int64_t>() >= limit) {
    throw BadFile{"a connection names a layer or port that is not there"};
  }
  return json.get<int>();
}

DlNetwork MakeNetwork(const Json& json, const LayerFactory& factory) {
  if (Field(json, "version", Json::value_t::number_unsigned) != kVersion) {
    throw BadFile{"it was written by a later version"};
  }
  DlNetwork network;
  for (const Json& layer : Field(json, "layers", Json::value_t::array)) {
    network.AddLayers({MakeLayer(layer, factory)});
  }
  for (const Json& c : Field(json, "connections", Json::value_t::array)) {
    if (!c.is_array() || c.size() != 4) throw BadFile{"a connection has four numbers"};
    const Layer& from = network.layer(Index(c[0], network.NumLayers())).layer();
    const Layer& to = network.layer(Index(c[2], network.NumLayers())).layer();
    network.ConnectLayers(
        absl::StrCat(from.Name(), "/", from.OutputNames()[Index(c[1], from.NumOutputs())]),
        absl::StrCat(to.Name(), "/", to.InputNames()[Index(c[3], to.NumInputs())]));
  }
  const std::vector<std::string> outputs = Names(Field(json, "outputs", Json::value_t::array));
  if (outputs != network.OutputNames()) network.SetOutputNames(outputs);
  std::vector<NetworkDataLayout> layouts;
  if (json.contains("input_layouts")) {
    for (const Json& l : Field(json, "input_layouts", Json::value_t::array)) {
      Sizes sizes;
      for (const Json& s : Field(l, "sizes", Json::value_t::array)) {
        if (!s.is_number_integer()) throw BadFile{"a size is not a whole number"};
        sizes.push_back(s.get<int64_t>());
      }
      layouts.emplace_back(sizes, Field(l, "format", Json::value_t::string).get<std::string>());
    }
  }
  network.SetInputLayouts(std::move(layouts));
  return network;
}

std::string Path(const ParameterRef& p) { return absl::StrCat(p.layer, "/", p.parameter); }

void ReadParameters(const SafetensorsFile& file, DlNetwork& network) {
  std::set<std::string> used;
  network.VisitParameters("", [&](const ParameterRef& p) {
    const std::string path = Path(p);
    const TensorView* t = file.Find(path);
    if (t == nullptr) throw BadFile{absl::StrCat("it lacks the array \"", path, "\"")};
    used.insert(path);
    const auto labels = file.metadata().find("format/" + path);
    // Copied first: the bytes of a file need not be aligned.
    std::vector<char> bytes(t->bytes.begin(), t->bytes.end());
    *p.value = DlArray::FromBytes(t->type, bytes.data(), bytes.size() / SizeOf(t->type),
                                  Sizes(t->size.begin(), t->size.end()),
                                  labels == file.metadata().end() ? "" : labels->second);
  });
  for (const TensorView& t : file.tensors()) {
    if (used.count(t.name) == 0) {
      throw BadFile{absl::StrCat("it has an array \"", t.name, "\" that belongs to no layer")};
    }
  }
}

}  // namespace

absl::Status SaveNetwork(const DlNetwork& network, const std::string& path) {
  std::vector<TensorView> tensors;
  std::map<std::string, std::string> metadata;
  try {
    metadata[kKey] = WriteJson(Describe(network));
  } catch (const BadFile& e) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", e.why));
  }
  // Handles that keep the elements alive while they are written.
  DlNetwork copy = network;
  copy.VisitParameters("", [&](const ParameterRef& p) {
    const DlArray& x = *p.value;
    const std::string name = Path(p);
    tensors.push_back({name,
                       x.type(),
                       std::vector<int64_t>(x.sizes().begin(), x.sizes().end()),
                       {static_cast<const char*>(x.data()->bytes()),
                        static_cast<size_t>(x.numel()) * SizeOf(x.type())}});
    if (!x.format().empty()) metadata["format/" + name] = x.format().str();
  });
  return WriteSafetensors(path, tensors, metadata);
}

absl::StatusOr<DlNetwork> LoadNetworkWith(const LayerFactory& factory, const std::string& path) {
  absl::StatusOr<SafetensorsFile> file = ReadSafetensors(path);
  if (!file.ok()) return file.status();
  const auto description = file->metadata().find(kKey);
  if (description == file->metadata().end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": it holds arrays but no description of a network: SaveNetwork did not write it"));
  }
  absl::StatusOr<Json> json = ParseJson(description->second);
  if (!json.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the description of the network: ", json.status().message()));
  }
  try {
    DlNetwork network = MakeNetwork(*json, factory);
    ReadParameters(*file, network);
    return network;
  } catch (const BadFile& e) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", e.why));
  } catch (const Error& e) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", e.what()));
  }
}

}  // namespace lamina
