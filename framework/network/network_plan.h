// How one kind of call of a network goes, found once: which layers run, what goes from one to the
// other, which of them are recorded together. Used by DlNetwork.
//
// Values that go from layer to layer have numbers, their slots.
//
// Threads: a plan may be used from any number of threads at once.
#ifndef FRAMEWORK_NETWORK_NETWORK_PLAN_H_
#define FRAMEWORK_NETWORK_NETWORK_PLAN_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "framework/acceleration/repeated_call.h"
#include "framework/network/network.h"

namespace lamina::internal {

struct PlannedCall {
  int layer;
  size_t num_states;
  std::vector<int> inputs{}, outputs{};  ///< Slots.
  std::vector<int> last_read{};          ///< Slots that nobody reads after this call.
};

/// Layers that run one after another, all of them Acceleratable or a single one that is not.
struct NetworkSegment {
  bool training = false;
  size_t num_slots = 0;
  std::vector<PlannedCall> calls{};
  std::vector<int> inputs{}, outputs{};  ///< Slots that come from before, that are read after.
};

struct NetworkPlan {
  struct Part {
    std::shared_ptr<const NetworkSegment> segment;
    std::unique_ptr<RepeatedCall> accelerated;  ///< Null where the layers run op by op.
    std::string why_not;                        ///< Then.
  };
  size_t num_slots = 0;
  std::vector<int> inputs, outputs;  ///< Slots of the network's inputs and wanted outputs.
  std::vector<Part> parts;
};

/// The plans of a network and of its copies, least recently used out.
class NetworkTraces {
 public:
  struct Key {
    uint64_t fingerprint;
    bool training;
    std::vector<std::string> outputs;
    bool operator==(const Key&) const = default;
  };
  using PlanPtr = std::shared_ptr<NetworkPlan>;

  PlanPtr Find(const Key& key, const std::function<PlanPtr()>& make);
  /// Calls `visit` for each plan of this fingerprint.
  void Visit(uint64_t fingerprint,
             const std::function<void(const Key&, const NetworkPlan&)>& visit) const;

 private:
  mutable std::mutex mutex_;
  std::list<std::pair<Key, PlanPtr>> plans_;  // Most recently used first.
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_NETWORK_NETWORK_PLAN_H_
