// Layers with states, each with one fault.
#ifndef CHECKS_FAULTY_STATE_FAULTS_H_
#define CHECKS_FAULTY_STATE_FAULTS_H_

#include <tuple>
#include <utility>

#include "checks/faulty/correct_layers.h"

namespace lamina::faulty {

/// As the declaration shows: one result where two are needed.
struct StateNotReturned : LeakyIntegratorLayer {
  DlArray Predict(const DlArray& x) const { return LeakyIntegratorLayer::Predict(x).first; }
};
/// Only a call shows it.
struct StateNotReturnedInList : LeakyIntegratorLayer {
  DlArrays Predict(const DlArray& x) const { return {LeakyIntegratorLayer::Predict(x).first}; }
};
struct ReturnsOldState : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    return {LeakyIntegratorLayer::Predict(x).first, level};
  }
};
struct StartsFromZeros : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    LeakyIntegratorLayer fresh = *this;
    fresh.level = ZerosLike(level);
    return fresh.Predict(x);
  }
};
struct StateGrows : LeakyIntegratorLayer {
  State history{*this, "History", Zeros({1, 1})};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, h, Cat(0, {history, Reshape(Mean(h), {1, 1})})};
  }
  void ResetState() {
    level = ZerosLike(level);
    history = Zeros({1, 1});
  }
};
struct StateOverflows : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, h / (0 * h)};
  }
};
struct DetachedState : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    LeakyIntegratorLayer copy = *this;
    copy.level = ExtractData(level);
    return copy.Predict(x);
  }
};
struct ResetChangesProperty : LeakyIntegratorLayer {
  Property<int64_t> resets{*this, "Resets", 0};
  void ResetState() {
    LeakyIntegratorLayer::ResetState();
    resets = resets + 1;
  }
};
struct ResetUnsets : LeakyIntegratorLayer {
  State sum{*this, "Sum", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, h, sum + Mean(h)};
  }
  void ResetState() {
    level = ZerosLike(level) / 0.0;
    sum = DlArray(0.0);
  }
};
struct ResetForgets : LeakyIntegratorLayer {
  State sum{*this, "Sum", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, h, sum + Mean(h)};
  }
};
/// Two states of different sizes, returned in the wrong order.
struct SwappedStates : LeakyIntegratorLayer {
  State sum{*this, "Sum", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, sum + Mean(h), h};
  }
  void ResetState() {
    level = ZerosLike(level);
    sum = DlArray(0.0);
  }
};
struct ForwardStateUnset : CenterLayer {
  std::pair<DlArray, DlArray> Forward(const DlArray& x) const {
    return {CenterLayer::Forward(x).first, DlArray()};
  }
};

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_STATE_FAULTS_H_
