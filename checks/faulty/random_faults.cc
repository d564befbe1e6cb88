// Random numbers: drawn anew in each run, from the current source, and declared.
#include <random>

#include "checks/faulty/fault.h"
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/srelu/srelu_layer.h"

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
/// Seeded in each call: the same mask for good.
struct DropoutSeedsEachCall : Dropout {
  DlArray Forward(const DlArray& x) const {
    std::mt19937 generator(1);
    return Where(FromGenerator(generator, x) >= probability, x / (1 - probability), 0);
  }
};
/// The same with a source of the framework.
struct DropoutSeedsSource : Dropout {
  DlArray Forward(const DlArray& x) const {
    RandomSource source{.seed = 1};
    const ScopedRandomSource scope(source);
    return Dropout::Forward(x);
  }
};
/// Rng is for main functions.
struct DropoutCallsRng : Dropout {
  DlArray Forward(const DlArray& x) const {
    Rng(1);
    return Dropout::Forward(x);
  }
};
/// The mask of the first call is kept.
struct DropoutKeepsMask : Dropout {
  mutable DlArray mask;
  DlArray Forward(const DlArray& x) const {
    if (!SameSizes(mask.sizes(), x.sizes())) mask = RandLike(x) >= probability;
    return Where(mask, x / (1 - probability), 0);
  }
};
struct DropoutNeverDraws : Dropout {
  DlArray Forward(const DlArray& x) const { return x; }
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
/// Noise that nobody was told of.
struct UndeclaredNoise : SReluLayer {
  DlArray Forward(const DlArray& x) const {
    return SReluLayer::Predict(x) * (1 + 0.1 * RandnLike(x));
  }
};
struct UndeclaredNoiseInPredict : SReluLayer {
  DlArray Predict(const DlArray& x) const { return SReluLayer::Predict(x) + 0.01 * RandnLike(x); }
};
struct DeclaredNoiseThatIsNone : SReluLayer, DrawsRandomNumbers {};

}  // namespace

FaultGroup RandomFaults() {
  const char* const repeatable = "forwardIsRepeatable";
  const char* const declared = "drawsRandomNumbersAsDeclared";
  const char* const numeric = "gradientsAreNumericallyCorrect";
  return {
      "Random numbers",
      {
          Of<Dropout, DropoutForeignStatic>("a static generator of the standard library", Image(),
                                            repeatable),
          Of<Dropout, DropoutForeignMember>("a generator in a mutable member", Image(), repeatable),
          Of<Dropout, DropoutSeedsEachCall>("a generator seeded in each call", Image(), declared),
          Of<Dropout, DropoutSeedsSource>("a source seeded in each call", Image(), declared),
          Of<Dropout, DropoutCallsRng>("Rng is called in Forward", Image(), declared),
          Of<Dropout, DropoutKeepsMask>("the first mask is kept", Image(), declared),
          Of<Dropout, DropoutNeverDraws>("nothing is drawn", Image(), declared),
          Of<Dropout, DropoutSingleMask>("the mask in single", Image(),
                                         "forwardIsConsistentInType"),
          Of<Dropout, DropoutDrawsAgain>("Backward draws another mask", Image(), numeric),
          Of<Dropout, DropoutBackwardForgetsMask>("Backward forgets the mask", Image(), numeric),
          Of<Dropout, DropoutBackwardForgetsScale>("Backward forgets the division by 1 - p",
                                                   Image(), numeric),
          Of<Dropout, DropoutDropsLabels>("Forward drops the labels", Image(),
                                          "predictReturnsLabels"),
          Of<SReluLayer, UndeclaredNoise>("noise in Forward, not declared", Image(), declared),
          Of<SReluLayer, UndeclaredNoiseInPredict>("noise in Predict, not declared", Image(),
                                                   declared),
          Of<SReluLayer, DeclaredNoiseThatIsNone>("declared, and nothing is drawn", Image(),
                                                  declared),
      }};
}

}  // namespace lamina::faulty
