// States: returned whole, carried on, read.
#include <tuple>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using Leaky = LeakyIntegratorLayer;
using OneState = std::pair<DlArray, DlArray>;

struct ReturnsOldState : Leaky {
  OneState Predict(const DlArray& x) const { return {Leaky::Predict(x).first, level}; }
};
struct StartsFromZeros : Leaky {
  OneState Predict(const DlArray& x) const {
    Leaky fresh = *this;
    fresh.level = ZerosLike(level);
    return fresh.Predict(x);
  }
};
/// What Forward gathers is for nothing.
struct PredictGoesByBatch : CenterLayer {
  OneState Predict(const DlArray& x) const { return {CenterLayer::Forward(x).first, mean}; }
};
struct StateGrows : Leaky {
  State history{*this, "History", Zeros({1, 1})};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = Leaky::Predict(x);
    return {y + Mean(history), h, Cat(0, {history, Reshape(Mean(h), {1, 1})})};
  }
  void ResetState() {
    Leaky::ResetState();
    history = Zeros({1, 1});
  }
};
struct StateOverflows : Leaky {
  OneState Predict(const DlArray& x) const {
    auto [y, h] = Leaky::Predict(x);
    return {y, h / (0 * h)};
  }
};
struct DetachedState : Leaky {
  OneState Predict(const DlArray& x) const {
    Leaky copy = *this;
    copy.level = ExtractData(level);
    return copy.Predict(x);
  }
};
/// Two states of different sizes, returned in the wrong order.
struct SwappedStates : Leaky {
  State sum{*this, "Sum", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = Leaky::Predict(x);
    return {y + sum, sum + Mean(h), h};
  }
  void ResetState() {
    Leaky::ResetState();
    sum = DlArray(0.0);
  }
};
struct ForwardStateUnset : CenterLayer {
  OneState Forward(const DlArray& x) const { return {CenterLayer::Forward(x).first, DlArray()}; }
};
/// The statistics of the batch, with dims of their own, in place of the running ones.
struct StateLosesSizes : CenterLayer {
  OneState Forward(const DlArray& x) const {
    auto [y, m] = CenterLayer::Forward(x);
    return {y, Reshape(m, {m.numel(), 1})};
  }
};
/// Predict forgets that it, too, returns the state: the old one is not what Forward gathered.
struct PredictClearsStatistics : CenterLayer {
  OneState Predict(const DlArray& x) const { return {x - mean, DlArray()}; }
};

}  // namespace

FaultGroup StateFaults() {
  const char* const used = "statesAreUsed";
  const char* const valid = "predictReturnsValidStates";
  const char* const valid_forward = "forwardReturnsValidStates";
  return {
      "States",
      {
          Of<Leaky, ReturnsOldState>("the old state is returned", Sequence(), used),
          Of<Leaky, StartsFromZeros>("each call starts from zeros", Sequence(), used),
          Of<CenterLayer, PredictGoesByBatch>("Predict uses the statistics of its batch", Image(),
                                              used),
          Of<Leaky, StateGrows>("a state grows with each call", Sequence(), valid),
          Of<Leaky, StateOverflows>("a state divided by zero", Sequence(), valid),
          Of<Leaky, DetachedState>("derivatives do not reach the old state", Sequence(),
                                   "gradientsAreNotLost"),
          Of<Leaky, SwappedStates>("two states returned in each other's place", Sequence(), valid),
          Of<CenterLayer, ForwardStateUnset>("Forward returns no value for it", Image(),
                                             valid_forward),
          Of<CenterLayer, StateLosesSizes>("Forward returns other dims", Image(), valid_forward),
          Of<CenterLayer, PredictClearsStatistics>("Predict returns no value for it", Image(),
                                                   valid),
      }};
}

}  // namespace lamina::faulty
