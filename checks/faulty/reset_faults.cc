// ResetState: sets back every state, and nothing else.
#include <tuple>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using Leaky = LeakyIntegratorLayer;

struct ResetChangesProperty : Leaky {
  Property<int64_t> resets{*this, "Resets", 0};
  void ResetState() {
    Leaky::ResetState();
    resets = resets + 1;
  }
};
/// A second state, which the faults below treat otherwise.
struct LeakyWithSum : Leaky {
  State sum{*this, "Sum", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = Leaky::Predict(x);
    return {y + sum, h, sum + Mean(h)};
  }
};
struct ResetUnsets : LeakyWithSum {
  void ResetState() {
    level = ZerosLike(level) / 0.0;
    sum = DlArray(0.0);
  }
};
/// The ResetState of the layer that it was made from knows of one state only.
struct ResetForgets : LeakyWithSum {};
struct ResetDoesNothing : Leaky {
  void ResetState() {}
};
struct ResetThrows : Leaky {
  void ResetState() { level = Zeros({2, 2}) + Zeros({3, 3}); }
};

}  // namespace

FaultGroup ResetFaults() {
  const char* const error = "resetStateDoesNotError";
  const char* const all = "resetStateResetsAllStates";
  return {"ResetState",
          {
              Of<Leaky, ResetChangesProperty>("another property changes", Sequence(), error),
              Of<Leaky, ResetUnsets>("a state is NaN afterwards", Sequence(), error),
              Of<Leaky, ResetForgets>("one of two states is forgotten", Sequence(), all),
              Of<Leaky, ResetDoesNothing>("nothing is reset", Sequence(), all),
              Of<Leaky, ResetThrows>("ResetState throws", Sequence(), error),
          }};
}

}  // namespace lamina::faulty
