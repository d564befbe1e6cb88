// What Forward hands to Backward, wrong: the memory of another call, or another value.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using Tanh3 = OwnBackwardLayer;
using D = std::array<DlArray, 3>;

/// Forward leaves in a member what Backward reads.
struct StaleMemory : Tanh3 {
  mutable DlArray last;
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    last = Tanh(scale * x);
    return {last + offset, Memory()};
  }
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory&) const {
    return Tanh3::Backward(x, Unused(), dy, Memory{last});
  }
};
/// The first call's memory is kept for good.
struct FirstMemory : Tanh3 {
  mutable DlArray first;
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    if (!SameSizes(first.sizes(), x.sizes()) || first.type() != x.type()) first = memory[0];
    return Tanh3::Backward(x, Unused(), dy, Memory{first});
  }
};
/// What goes into the tanh is kept, where Backward means the tanh.
struct KeepsWrongValue : Tanh3 {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray z = scale * x;
    return {Tanh(z) + offset, Memory{z}};
  }
};
/// Kept in single, to save memory.
struct KeepsSingle : Tanh3 {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    auto [y, memory] = Tanh3::Forward(x);
    return {y, Memory{Cast(Round(memory[0] * 256) / 256, x.type())}};
  }
};
/// The memory is that of a Forward with the offset of the last training step.
struct RecomputesWithoutOffset : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory&) const {
    return Tanh3::Backward(x, Unused(), dy, Memory{Tanh(scale * x) + offset});
  }
};
/// Forward and Backward disagree about the order of what is kept.
struct SwappedMemory : Tanh3 {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray t = Tanh(scale * x), slope = 1 - Square(t);
    return {t + offset, Memory{slope, t}};
  }
};
/// Backward asks for a value that Forward did not keep.
struct MemoryTooShort : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    return Tanh3::Backward(x, Unused(), dy, Memory{memory[1]});
  }
};
/// Zeroed after its use: the second derivative of the same call finds nothing.
struct MemoryUsedUp : Tanh3 {
  mutable bool used = false;
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    const D d = Tanh3::Backward(x, Unused(), dy, used ? Memory{ZerosLike(x)} : memory);
    used = true;
    return d;
  }
};

}  // namespace

FaultGroup MemoryFaults() {
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const repeatable = "backwardIsRepeatable";
  return {
      "What Forward hands to Backward",
      {
          Of<Tanh3, StaleMemory>("a member carries it: that of the last call", Image(), repeatable),
          Of<Tanh3, FirstMemory>("that of the first call", Image(), repeatable),
          Of<Tanh3, KeepsWrongValue>("another value than Backward means", Image(), numeric),
          Of<Tanh3, KeepsSingle>("kept with 8 bits, to save memory", Image(), numeric),
          Of<Tanh3, RecomputesWithoutOffset>("computed anew, otherwise", Image(), numeric),
          Of<Tanh3, SwappedMemory>("in another order", Image(), numeric),
          Of<Tanh3, MemoryTooShort>("less than Backward reads", Image(), "backwardDoesNotError"),
          Of<Tanh3, MemoryUsedUp>("gone after its first use", Image(), repeatable),
      }};
}

}  // namespace lamina::faulty
