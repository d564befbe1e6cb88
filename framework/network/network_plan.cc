#include "framework/network/network_plan.h"

#include <algorithm>
#include <variant>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/network/describe.h"

namespace lamina {
namespace internal {
namespace {

// Networks that differ in settings, calls that ask for other outputs: more are not remembered.
constexpr size_t kMaxPlans = 16;

}  // namespace

SharedTraces::SharedTraces() : traces(std::make_shared<NetworkTraces>()) {}

NetworkTraces::PlanPtr NetworkTraces::Find(const Key& key, const std::function<PlanPtr()>& make) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto i = plans_.begin(); i != plans_.end(); ++i) {
    if (!(i->first == key)) continue;
    plans_.splice(plans_.begin(), plans_, i);
    return i->second;
  }
  plans_.emplace_front(key, make());
  if (plans_.size() > kMaxPlans) plans_.pop_back();
  return plans_.front().second;
}

void NetworkTraces::Visit(uint64_t fingerprint,
                          const std::function<void(const Key&, const NetworkPlan&)>& visit) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [key, plan] : plans_) {
    if (key.fingerprint == fingerprint) visit(key, *plan);
  }
}

}  // namespace internal

namespace {

using internal::NetworkPlan;
using internal::NetworkSegment;
using internal::NetworkTraces;
using internal::PlannedCall;

// The network that a property holds; null for others.
const DlNetwork* Nested(const AnyLayer& layer, const PropertyDescriptor& p) {
  if (p.access->tree == nullptr) return nullptr;
  return dynamic_cast<DlNetwork*>(const_cast<Layer&>(layer.layer()).TreeOf(p));
}

std::string WhyNot(const std::string& path, const AnyLayer& layer) {
  const std::string name = path + layer->Name();
  if (!layer.traits().is_acceleratable) {
    return absl::StrCat("Layer \"", name, "\" (", layer->Type(), ") is not Acceleratable.");
  }
  for (const PropertyDescriptor& p : layer->Properties()) {
    const DlNetwork* const nested = Nested(layer, p);
    if (nested == nullptr) continue;
    for (int i = 0; i < nested->NumLayers(); ++i) {
      std::string why = WhyNot(absl::StrCat(name, "/", p.name, "/"), nested->layer(i));
      if (!why.empty()) return why;
    }
  }
  return "";
}

// Which slots a segment gets from before and which are read after it.
void SetInterface(NetworkSegment& segment, const std::vector<int>& last_reader, int end) {
  std::vector<bool> is_inside(segment.num_slots), is_input(segment.num_slots);
  for (const PlannedCall& call : segment.calls) {
    for (const int slot : call.inputs) {
      if (is_inside[slot] || is_input[slot]) continue;
      is_input[slot] = true;
      segment.inputs.push_back(slot);
    }
    for (const int slot : call.outputs) {
      is_inside[slot] = true;
      if (last_reader[slot] >= end) segment.outputs.push_back(slot);
    }
  }
}

}  // namespace

std::string WhyNotAccelerated(Acceleration option, const DlNetwork& network) {
  if (option == Acceleration::kNone) return "The option acceleration is kNone.";
  for (int i = 0; i < network.NumLayers(); ++i) {
    std::string why = WhyNot("", network.layer(i));
    if (!why.empty()) return why;
  }
  return "";
}

uint64_t DlNetwork::Fingerprint() const {
  uint64_t hash = absl::HashOf(layers_.size(), output_names_);
  for (const Connection& c : connections_) {
    hash = absl::HashOf(hash, c.from, c.output, c.to, c.input);
  }
  for (const AnyLayer& layer : layers_) {
    hash = absl::HashOf(hash, layer.content_id(), layer->Name(), layer->InputNames(),
                        layer->OutputNames());
    for (const PropertyDescriptor& p : layer->Properties()) {
      if (p.access->get != nullptr) {
        hash =
            std::visit([&](const auto& v) { return absl::HashOf(hash, v); }, layer->GetProperty(p));
      } else if (const DlNetwork* nested = Nested(layer, p)) {
        hash = absl::HashOf(hash, nested->Fingerprint());
      }
    }
  }
  return hash;
}

std::shared_ptr<NetworkPlan> DlNetwork::MakePlan(const std::vector<std::string>& names,
                                                 bool training) const {
  auto plan = std::make_shared<NetworkPlan>();
  // Slots: the outputs of all layers, then the inputs of the network.
  std::vector<int> first_slot;
  int slots = 0;
  for (const AnyLayer& layer : layers_) {
    first_slot.push_back(slots);
    slots += layer->NumOutputs();
  }
  const std::vector<Port> ports = InputPorts();
  for (size_t k = 0; k < ports.size(); ++k) plan->inputs.push_back(slots++);
  plan->num_slots = slots;

  std::vector<Port> wanted;
  for (const std::string& name : names) wanted.push_back(ParsePort(name, true));
  if (names.empty()) wanted = OutputPorts();
  // Only what leads to the wanted outputs is run.
  std::vector<bool> runs(layers_.size());
  for (const Port& port : wanted) {
    runs[port.layer] = true;
    plan->outputs.push_back(first_slot[port.layer] + port.index);
  }
  for (auto i = order_.rbegin(); i != order_.rend(); ++i) {
    for (const Connection& c : connections_) {
      if (c.from == *i && runs[c.to]) runs[*i] = true;
    }
  }

  std::vector<PlannedCall> calls;
  std::vector<int> last_reader(slots, -1);
  for (const int i : order_) {
    if (!runs[i]) continue;
    const AnyLayer& layer = layers_[i];
    PlannedCall call{.layer = i, .num_states = static_cast<size_t>(layer.NumStateArrays())};
    call.inputs.resize(layer->NumInputs());
    for (size_t k = 0; k < ports.size(); ++k) {
      if (ports[k].layer == i) call.inputs[ports[k].index] = plan->inputs[k];
    }
    for (const Connection& c : connections_) {
      if (c.to == i) call.inputs[c.input] = first_slot[c.from] + c.output;
    }
    for (int k = 0; k < layer->NumOutputs(); ++k) call.outputs.push_back(first_slot[i] + k);
    for (const int slot : call.inputs) last_reader[slot] = static_cast<int>(calls.size());
    calls.push_back(std::move(call));
  }
  const int num_calls = static_cast<int>(calls.size());
  for (const int slot : plan->outputs) last_reader[slot] = num_calls;

  const auto can = [&](int c) { return WhyNot("", layers_[calls[c].layer]).empty(); };
  for (int begin = 0, end; begin < num_calls; begin = end) {
    const std::string why_not = WhyNot("", layers_[calls[begin].layer]);
    end = begin + 1;
    while (why_not.empty() && end < num_calls && can(end)) ++end;
    NetworkSegment segment{.training = training, .num_slots = plan->num_slots};
    for (int c = begin; c < end; ++c) {
      PlannedCall& call = calls[c];
      for (const int slot : call.inputs) {
        if (last_reader[slot] == c) call.last_read.push_back(slot);
      }
      segment.calls.push_back(call);
    }
    SetInterface(segment, last_reader, end);
    plan->parts.push_back({std::make_shared<const NetworkSegment>(std::move(segment)),
                           why_not.empty() ? std::make_unique<RepeatedCall>() : nullptr, why_not});
  }
  return plan;
}

std::string DlNetwork::AccelerationReport() const {
  std::string text;
  shared_.traces->Visit(Fingerprint(), [&](const NetworkTraces::Key& key, const NetworkPlan& plan) {
    absl::StrAppend(&text, key.training ? "Forward" : "Predict");
    if (!key.outputs.empty()) {
      absl::StrAppend(&text, ", outputs [", absl::StrJoin(key.outputs, ", "), "]");
    }
    absl::StrAppend(&text, ":\n");
    for (const NetworkPlan::Part& part : plan.parts) {
      if (part.accelerated == nullptr) {
        absl::StrAppend(&text, "op by op: ", part.why_not, "\n");
        continue;
      }
      const std::vector<PlannedCall>& calls = part.segment->calls;
      absl::StrAppend(&text, "layer ", Quoted(layers_[calls.front().layer]));
      if (calls.size() > 1) {
        absl::StrAppend(&text, " to layer ", Quoted(layers_[calls.back().layer]));
      }
      absl::StrAppend(&text, ": ", part.accelerated->Report());
    }
  });
  return text;
}

}  // namespace lamina
