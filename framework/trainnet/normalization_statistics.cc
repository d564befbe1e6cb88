#include "framework/trainnet/normalization_statistics.h"

#include <string>
#include <vector>

#include "framework/layers/input_statistics.h"
#include "framework/layers/normalization_layers.h"
#include "framework/ops/elementwise.h"

namespace lamina {
namespace {

// A batch normalization layer of the network and what was gathered for it, in double.
struct Gathered {
  Layer* layer;
  PropertyValue mean_decay, variance_decay;
  double elements;  // That one observation brings to a channel; 0 when unknown.
  double count = 0;
  DlArray mean{}, squares{};  // The mean, and the mean of the squared distance to it.
};

const PropertyDescriptor* Find(const Layer& layer, std::string_view name) {
  for (const PropertyDescriptor& p : layer.Properties()) {
    if (p.name == name) return &p;
  }
  return nullptr;
}
const PropertyDescriptor& Descriptor(const Layer& layer, std::string_view name) {
  const PropertyDescriptor* p = Find(layer, name);
  LAMINA_CHECK(p != nullptr);
  return *p;
}

bool Normalizes(const Layer& layer) {
  const PropertyDescriptor* p = Find(layer, "Normalization");
  return p != nullptr && p->access->get != nullptr &&
         layer.GetProperty(*p) != PropertyValue(std::string("none"));
}

// Elements of one channel in one observation.
double ElementsPerObservation(const NetworkDataLayout& layout) {
  double n = 1;
  for (int d = 0; d < layout.rank(); ++d) {
    const char label = layout.format()[d];
    if (label == 'C' || label == 'B') continue;
    n *= layout.sizes()[d] == kUnknown ? 0 : static_cast<double>(layout.sizes()[d]);
  }
  return n;
}

void FindLayers(DlNetwork& network, std::vector<Gathered>& found) {
  std::vector<std::vector<NetworkDataLayout>> layouts;
  for (int i = 0; i < network.NumLayers(); ++i) {
    Layer& layer = network.mutable_layer(i).layer();
    if (network.layer(i).As<BatchNormalizationLayer>() != nullptr) {
      if (layouts.empty()) layouts = network.PropagateLayouts(network.InputLayouts());
      found.push_back({.layer = &layer,
                       .mean_decay = layer.GetProperty(Descriptor(layer, "MeanDecay")),
                       .variance_decay = layer.GetProperty(Descriptor(layer, "VarianceDecay")),
                       .elements = ElementsPerObservation(layouts[i][0])});
    }
    for (const PropertyDescriptor& p : layer.Properties()) {
      if (auto* nested = dynamic_cast<DlNetwork*>(layer.TreeOf(p))) FindLayers(*nested, found);
    }
  }
}

}  // namespace

void SetInputNormalization(const Dataset& data, bool reset, DlNetwork& network) {
  const std::vector<std::string> names = network.InputNames();
  for (size_t i = 0; i < names.size() && i < data.inputs.size(); ++i) {
    const std::string name = names[i].substr(0, names[i].find('/'));
    Layer& layer = network.mutable_layer(name).layer();
    if (reset && Normalizes(layer)) {
      for (const char* statistic : {"Mean", "StandardDeviation", "Min", "Max"}) {
        const PropertyDescriptor* p = Find(layer, statistic);
        if (p != nullptr) layer.SetProperty(*p, std::vector<double>());
      }
    }
    InputStatistics statistics(layer);
    statistics.Add(data.inputs[i]);  // Does nothing for a list, whose array is unset.
    for (const DlArray& sequence : data.inputs[i].sequences) statistics.Add(sequence);
    statistics.SetIn(layer);
  }
}

void SetPopulationStatistics(MiniBatchQueue& queue, DlNetwork& network) {
  std::vector<Gathered> all;
  FindLayers(network, all);
  if (all.empty()) return;
  for (Gathered& g : all) {
    // The new states are then those of the batch alone.
    g.layer->SetProperty(Descriptor(*g.layer, "MeanDecay"), 1.0);
    g.layer->SetProperty(Descriptor(*g.layer, "VarianceDecay"), 1.0);
  }
  for (queue.Reset(); queue.HasData();) {
    const MiniBatch batch = queue.Next();
    network.SetState(network.ForwardAll(batch.inputs).state);
    network.ResetState();
    for (Gathered& g : all) {
      const double n = static_cast<double>(batch.num_observations), before = g.count;
      const double elements = n * g.elements;
      // States hold the variance divided by n - 1.
      const double correction = elements > 1 ? (elements - 1) / elements : 1;
      const DlArray mean = Double(*g.layer->ArrayOf(Descriptor(*g.layer, "TrainedMean"))),
                    variance = correction *
                               Double(*g.layer->ArrayOf(Descriptor(*g.layer, "TrainedVariance")));
      g.count += n;
      if (before == 0) {
        g.mean = mean;
        g.squares = variance;
        continue;
      }
      // Two samples become one (Chan, Golub and LeVeque, 1983).
      const double weight = n / g.count;
      const DlArray distance = mean - g.mean;
      g.mean = g.mean + weight * distance;
      g.squares =
          (1 - weight) * g.squares + weight * variance + (weight * (1 - weight)) * Square(distance);
    }
  }
  for (Gathered& g : all) {
    DlArray& mean = *g.layer->ArrayOf(Descriptor(*g.layer, "TrainedMean"));
    DlArray& variance = *g.layer->ArrayOf(Descriptor(*g.layer, "TrainedVariance"));
    mean = Cast(g.mean, mean.type());
    variance = Cast(g.squares, variance.type());
    g.layer->SetProperty(Descriptor(*g.layer, "MeanDecay"), g.mean_decay);
    g.layer->SetProperty(Descriptor(*g.layer, "VarianceDecay"), g.variance_decay);
  }
}

}  // namespace lamina
