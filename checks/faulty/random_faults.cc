// Random numbers: drawn anew in each run, from the current source, and declared.
#include <random>

#include "checks/faulty/fault.h"
#include "layers/channel_dropout/channel_dropout_layer.h"

namespace lamina::faulty {
namespace {

using Dropout = ChannelDropoutLayer;

/// One number for each element, from a generator of the standard library.
DlArray FromGenerator(std::mt19937& generator, const DlArray& x) {
  std::vector<double> values(static_cast<size_t>(x.numel()));
  for (double& v : values) v = static_cast<double>(generator() % 1000) / 1000;
  return Cast(Reshape(DlArray::FromVector<double>(values, {x.numel()}), x.sizes(), Dims(x)),
              x.type());
}

struct DropoutForeignStatic : Dropout {
  DlArray Forward(const DlArray& x) const {
    static std::mt19937 generator(1);
    return Where(FromGenerator(generator, x) >= probability, x / (1 - probability), 0);
  }
};
struct DropoutForeignMember : Dropout {
  mutable std::mt19937 generator{1};
  DlArray Forward(const DlArray& x) const {
    return Where(FromGenerator(generator, x) >= probability, x / (1 - probability), 0);
  }
};
/// A mask of numbers in single, times the input.
struct DropoutSingleMask : Dropout {
  DlArray Forward(const DlArray& x) const {
    const DlArray mask =
        Cast(Rand(x.sizes(), DataType::kSingle, Dims(x)) >= probability, DataType::kSingle);
    return x * mask / (1 - probability);
  }
};
/// Draws another mask for the derivative.
struct DropoutDrawsAgain : Dropout {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    return {Dropout::Forward(x), Memory()};
  }
  DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const {
    return Dropout::Forward(dy);
  }
};
/// The derivative forgets the mask.
struct DropoutBackwardForgetsMask : Dropout {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    return {Dropout::Forward(x), Memory()};
  }
  DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const { return dy; }
};
/// The derivative forgets the division by 1 - p.
struct DropoutBackwardForgetsScale : Dropout {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray stays = RandLike(x) >= probability;
    return {Where(stays, x / (1 - probability), 0), Memory{stays}};
  }
  DlArray Backward(Unused, Unused, const DlArray& dy, const Memory& memory) const {
    return Where(memory[0], dy, 0);
  }
};
struct DropoutDropsLabels : Dropout {
  DlArray Forward(const DlArray& x) const { return StripDims(Dropout::Forward(x)); }
};

}  // namespace

FaultGroup RandomFaults() {
  const char* const repeatable = "forwardIsRepeatable";
  const char* const numeric = "gradientsAreNumericallyCorrect";
  return {
      "Random numbers",
      {
          Of<Dropout, DropoutForeignStatic>("a static generator of the standard library", Image(),
                                            repeatable),
          Of<Dropout, DropoutForeignMember>("a generator in a mutable member", Image(), repeatable),
          Of<Dropout, DropoutSingleMask>("the mask in single", Image(),
                                         "forwardIsConsistentInType"),
          Of<Dropout, DropoutDrawsAgain>("Backward draws another mask", Image(), numeric),
          Of<Dropout, DropoutBackwardForgetsMask>("Backward forgets the mask", Image(), numeric),
          Of<Dropout, DropoutBackwardForgetsScale>("Backward forgets the division by 1 - p",
                                                   Image(), numeric),
          Of<Dropout, DropoutDropsLabels>("Forward drops the labels", Image(),
                                          "predictReturnsLabels"),
      }};
}

}  // namespace lamina::faulty
