// Several calls of one const layer at once do not disturb one another.
//
// First by interruption: between two array functions of one call a whole other call of the same
// layer is made, in the same thread. What a call keeps in the layer is then overwritten, every time
// and without a race. What is left are races between the array functions: threads look for those.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/acceleration/acceleration.h"
#include "framework/cpu/convolution.h"

namespace lamina::checks {
namespace {

// Calls `other` after array function number `at` of this thread.
class Interruption : public Listener {
 public:
  Interruption(int at, const std::function<void()>& other) : at_(at), other_(other) {}
  void Applied(const OpPtr&, Arrays, std::span<DlArray>) override {
    if (inside_ || count_++ != at_) return;
    inside_ = true;
    other_();
    inside_ = false;
  }
  int count() const { return count_; }

 private:
  const int at_;
  const std::function<void()>& other_;
  int count_ = 0;
  bool inside_ = false;
};

// One way of using the layer: a function of it, with inputs, and what it gives alone.
struct Use {
  std::string name;
  std::function<DlArrays()> call;
  DlArrays alone{};
};

// Predict, Forward and Backward with the data of `stream`. All call the very same layer.
std::vector<Use> UsesOf(const CheckContext& c, const Subject& subject, uint64_t stream) {
  const auto function = [&](Function f, const std::string& name) {
    const DlArrays x =
        stream == 0 ? subject.inputs
                    : c.MakeInputs(subject.layouts, ToReal(subject.inputs[0].type()), stream);
    return Use{name, [&c, &subject, x, f] {
                 LayerResult r = c.Call(subject.layer, x, f);
                 DlArrays out = std::move(r.outputs);
                 out.insert(out.end(), r.states.begin(), r.states.end());
                 return out;
               }};
  };
  std::vector<Use> uses = {function(Function::kPredict, "Predict")};
  if (c.traits().has_forward) uses.push_back(function(Function::kForward, "Forward"));
  if (c.traits().has_backward) {
    // In its own order: Forward, then Backward with the memory of that Forward.
    const internal::CallResult forward = c.CallRaw(subject, c.training_function());
    const DlArrays derivatives = c.MakeDerivatives(forward);
    uses.push_back({"Backward", [&c, &subject, forward, derivatives] {
                      return c.CallBackward(subject, forward, derivatives);
                    }});
  }
  for (Use& use : uses) use.alone = use.call();
  return uses;
}

Diagnostic Disturbed(const std::string& came, const std::string& where) {
  return {.expected = "Calls of one layer in several threads give what each gives alone.",
          .came = came,
          .where = where,
          .causes = {"A mutable member or a static variable holds intermediate values: the other "
                     "call overwrites them."},
          .fix =
              "Keep intermediate values in local variables; hand to Backward what it needs as "
              "Memory."};
}

// True when an interruption changed a result.
bool FindsInterrupted(const std::vector<Use>& uses, const std::vector<Use>& others,
                      TestPoint* point) {
  constexpr int kPlaces = 8;
  for (const Use& use : uses) {
    const std::function<void()> nothing = [] {};
    Interruption counting(-1, nothing);
    {
      const ScopedListener listening(&counting);
      use.call();
    }
    const int ops = counting.count(), places = std::min(kPlaces, ops);
    for (int k = 0; k < places; ++k) {
      const Use* disturbed = nullptr;
      const std::function<void()> all = [&] {
        for (const Use& other : others) {
          if (!Same(other.call(), other.alone)) disturbed = &other;
        }
      };
      Interruption interruption(k * ops / places, all);
      DlArrays result;
      {
        const ScopedListener listening(&interruption);
        result = use.call();
      }
      if (!Same(result, use.alone)) disturbed = &use;
      if (disturbed == nullptr) continue;
      point->Fail(Disturbed(absl::StrCat("While one ", use.name,
                                         " was under way, the others were called with other "
                                         "inputs: ",
                                         disturbed->name, " gave other results than alone."),
                            disturbed->name));
      return true;
    }
  }
  return false;
}

void FindRaces(const std::vector<std::vector<Use>>& of_threads, TestPoint* point) {
  constexpr int kRounds = 200;
  constexpr auto kTime = std::chrono::milliseconds(30);
  std::atomic<int> waiting{static_cast<int>(of_threads.size())};
  std::atomic<const Use*> disturbed{nullptr};
  std::atomic<bool> threw{false};
  std::vector<std::thread> threads;
  const auto end = std::chrono::steady_clock::now() + kTime;
  for (const std::vector<Use>& uses : of_threads) {
    threads.emplace_back([&] {
      // As CheckLayer has it in its own thread.
      const cpu::StrictConvolution strict;
      const ScopedAcceleration op_by_op(Acceleration::kNone);
      // They start together, as far as the machine lets them.
      for (waiting.fetch_sub(1); waiting.load() > 0;) std::this_thread::yield();
      for (int round = 0; round < kRounds && disturbed.load() == nullptr; ++round) {
        if (round > 2 && std::chrono::steady_clock::now() > end) break;
        for (const Use& use : uses) {
          try {
            if (!Same(use.call(), use.alone)) disturbed.store(&use);
          } catch (const FunctionThrew&) {
            threw.store(true);
            disturbed.store(&use);
          }
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  if (const Use* use = disturbed.load()) {
    point->Fail(
        Disturbed(absl::StrCat("In ", of_threads.size(), " threads at once ", use->name,
                               threw.load() ? " threw." : " gave other results than alone."),
                  use->name));
  }
}

void ThreadsDoNotDisturbEachOther(const CheckContext& c, const Variant& v, TestPoint* point) {
  constexpr int kThreads = 3;
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, true), v.type);
  // A layer with hidden memory has tests of its own.
  for (const Function function : {Function::kPredict, c.training_function()}) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
  }
  if (!BackwardFollowsFromItsArguments(c, subject)) {
    return point->Incomplete(kBackwardNotRepeatable);
  }
  std::vector<std::vector<Use>> of_threads;
  for (int t = 0; t < kThreads; ++t) of_threads.push_back(UsesOf(c, subject, 10 * t));
  if (!FindsInterrupted(of_threads[0], of_threads[1], point)) FindRaces(of_threads, point);
}

constexpr LayerTest kTests[] = {
    {"threadsDoNotDisturbEachOther", Variants::kOnce, Always, ThreadsDoNotDisturbEachOther},
};

}  // namespace

std::span<const LayerTest> ThreadTests() { return kTests; }

}  // namespace lamina::checks
