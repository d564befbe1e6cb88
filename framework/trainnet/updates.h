// One step of a solver: new values of learnable arrays from their gradients. For training loops of
// one's own; TrainNet uses the same functions.
//
//   AdamState state;
//   for (int step = 0; step < 1000; ++step) {
//     auto [loss, gradients] = DlFeval(
//         [&](const DlNetwork& net) {
//           const DlArray loss = Mse(net.Forward(x), t);
//           return std::pair(loss, DlGradient(loss, net.LearnableValues()));
//         },
//         network);
//     AdamUpdate(network, gradients, state, {.learn_rate = 0.01});
//   }
//
// What is updated is one array, a list of arrays, or the learnables of a network; of a network each
// array's learn rate and L2 regularization are multiplied by its factors, and an array with learn
// rate factor 0 stays as it is. A state belongs to one list: it begins empty, and the first update
// gives it its arrays, of zeros. Computed in the type of each array. Complex arrays are updated as
// the pairs of real numbers that they are, but for the average of the squared gradient, which is
// the average of |g|^2: so the step does not depend on the angle of the gradient.
//
// What is averaged (and the velocity) becomes 0 where it is smaller than the smallest normal number
// of its type, 1.2e-38 in single: with smaller ones a processor is slow, and the average of a
// gradient that stays 0 would be one for ever. Beside epsilon it does not count.
//
// No derivatives pass through an update. Threads: pure but for their arguments.
//
// Errors of all: "trainnet:InvalidOption"; "trainnet:GradientCount" unless there is one gradient
// for each array; "trainnet:GradientSize" when a gradient has another size, type or labels than its
// array; "trainnet:StateMismatch" when the state was made for another list;
// "trainnet:UnsetParameter" for an array that was never set; "trainnet:Rates" for rates of another
// solver.
#ifndef FRAMEWORK_TRAINNET_UPDATES_H_
#define FRAMEWORK_TRAINNET_UPDATES_H_

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "framework/network/network.h"

namespace lamina {

/// The arrays that an update changes, in place.
class ParameterList {
 public:
  struct Item {
    DlArray* value;
    double learn_rate_factor = 1;
    double l2_factor = 1;
  };
  /// The referents must outlive the list.
  ParameterList(DlArray& x) : items_{{&x}} {}  // NOLINT(runtime/explicit)
  ParameterList(DlArrays& list);               // NOLINT(runtime/explicit)
  /// The learnables of a network in the order of Learnables(), with their factors.
  ParameterList(DlNetwork& network);  // NOLINT(runtime/explicit)

  /// Those of them whose learn rate factor is not 0.
  static ParameterList Trained(DlNetwork& network);

  size_t size() const { return items_.size(); }
  const Item& operator[](size_t i) const { return items_[i]; }
  const std::vector<Item>& items() const { return items_; }

 private:
  ParameterList() = default;
  std::vector<Item> items_;
};

struct SgdmOptions {
  double learn_rate = 0.01;
  double momentum = 0.9;         ///< From 0 to less than 1.
  double l2_regularization = 0;  ///< Times each array's L2 factor; added to the gradient as l2 w.
};
struct SgdmState {
  DlArrays velocity;
};
/// Stochastic gradient descent with momentum:
///   v <- momentum v - learn_rate g,   w <- w + v.
/// The velocity is a step, so a change of the learn rate does not touch the steps already gathered.
/// (torch.optim.SGD gathers gradients instead, v <- momentum v + g, w <- w - learn_rate v: the same
/// while the learn rate stays.) Source: B. T. Polyak, 1964.
void SgdmUpdate(const ParameterList& parameters, const DlArrays& gradients, SgdmState& state,
                const SgdmOptions& options = {});
/// The same with the numbers of the step as an array, see SgdmRates.
void SgdmUpdate(const ParameterList& parameters, const DlArrays& gradients, SgdmState& state,
                const DlArray& rates);
/// The numbers of a step as an array. What a recorded step (DlAccelerate) must take as an argument,
/// since all else that it reads is fixed when it is recorded:
///   auto step = DlAccelerate([&](const DlArrays& in) { ... SgdmUpdate(w, g, state, in[0]); ... });
///   step({SgdmRates(options), ...});
DlArray SgdmRates(const SgdmOptions& options);

struct RmspropOptions {
  double learn_rate = 0.001;
  double squared_gradient_decay_factor = 0.9;  ///< From 0 to less than 1.
  double epsilon = 1e-8;
  double l2_regularization = 0;  ///< As in SgdmOptions.
};
struct RmspropState {
  DlArrays average_squared_gradient;
};
/// Steps measured by the size of recent gradients:
///   v <- decay v + (1 - decay) |g|^2,   w <- w - learn_rate g / (sqrt(v) + epsilon).
/// As torch.optim.RMSprop, whose default decay is 0.99. Source: T. Tieleman and G. Hinton, 2012.
void RmspropUpdate(const ParameterList& parameters, const DlArrays& gradients, RmspropState& state,
                   const RmspropOptions& options = {});
/// As with SgdmRates.
void RmspropUpdate(const ParameterList& parameters, const DlArrays& gradients, RmspropState& state,
                   const DlArray& rates);
DlArray RmspropRates(const RmspropOptions& options);

struct AdamOptions {
  double learn_rate = 0.001;
  double gradient_decay_factor = 0.9;            ///< beta1, from 0 to less than 1.
  double squared_gradient_decay_factor = 0.999;  ///< beta2, from 0 to less than 1.
  double epsilon = 1e-8;
  double l2_regularization = 0;  ///< As in SgdmOptions.
  /// Decoupled weight decay (AdamW): before the step w <- w (1 - learn_rate weight_decay), times
  /// the array's L2 factor too.
  double weight_decay = 0;
};
struct AdamState {
  int64_t iteration = 1;  ///< The number of the next update, from 1. Error "trainnet:Iteration".
  DlArrays average_gradient;
  DlArrays average_squared_gradient;
};
/// Adaptive moments, with both averages corrected for their start at zero:
///   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) |g|^2,
///   w <- w - learn_rate m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon),  t = iteration.
/// As torch.optim.Adam and AdamW. Other implementations write the same step as
/// learn_rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon), where epsilon counts for
/// more in the first steps. Sources: D. P. Kingma and J. Ba, 2015, algorithm 1; I. Loshchilov and
/// F. Hutter, 2019.
void AdamUpdate(const ParameterList& parameters, const DlArrays& gradients, AdamState& state,
                const AdamOptions& options = {});
/// As with SgdmRates; the rates tell the iteration, and `state.iteration` is counted but not read.
void AdamUpdate(const ParameterList& parameters, const DlArrays& gradients, AdamState& state,
                const DlArray& rates);
DlArray AdamRates(const AdamOptions& options, int64_t iteration);

namespace internal {
void CheckLists(const ParameterList& parameters, std::initializer_list<const DlArrays*> lists);
void SetUpdated(const ParameterList& parameters, size_t i, DlArray value);
}  // namespace internal

/// Sets each array w of `parameters` to f(w, a, b, ...), where a, b, ... are the arrays at the same
/// place of the lists: for update rules of one's own. Errors: "trainnet:GradientCount" for a list
/// of another length, "trainnet:GradientSize" when f returns another size, type or labels.
///   DlUpdate([](const DlArray& w, const DlArray& g) { return w - 0.1 * g; }, network, gradients);
template <class F, class... Lists>
void DlUpdate(F&& f, const ParameterList& parameters, const Lists&... lists) {
  internal::CheckLists(parameters, {&lists...});
  for (size_t i = 0; i < parameters.size(); ++i) {
    internal::SetUpdated(parameters, i, f(std::as_const(*parameters[i].value), lists[i]...));
  }
}

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_UPDATES_H_
