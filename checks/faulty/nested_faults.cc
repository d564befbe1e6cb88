// Layers made of networks: what is done with the network, its values and its states.
#include <memory>

#include "checks/faulty/fault.h"
#include "layers/residual_block/residual_block_layer.h"
#include "layers/siamese_pair/siamese_pair_layer.h"

namespace lamina::faulty {
namespace {

// --- Residual blocks ----------------------------------------------------------------------------

struct Block : ResidualBlockLayer {
  Block() : ResidualBlockLayer(2) {}
};
struct BatchBlock : BatchNormResidualBlockLayer {
  BatchBlock() : BatchNormResidualBlockLayer(2) {}
};
DlArray Detached(const DlArray& x) { return DlArray(ExtractData(x), Dims(x)); }

struct BlockDetachesSkip : Block {
  DlArray Predict(const DlArray& x) const {
    return Relu(network.Predict(x) + Detached(skip.Predict(x)));
  }
  DlArray Forward(const DlArray& x) const { return Predict(x); }
};
struct BlockDetachesNetwork : Block {
  DlArray Predict(const DlArray& x) const {
    return Relu(Detached(network.Predict(x)) + skip.Predict(x));
  }
  DlArray Forward(const DlArray& x) const { return Predict(x); }
};
struct BlockForgetsNetwork : Block {
  DlArray Predict(const DlArray& x) const { return Relu(skip.Predict(x)); }
  DlArray Forward(const DlArray& x) const { return Predict(x); }
};
struct BlockInitializesAnew : Block {
  void Initialize(const NetworkDataLayout& x) {
    network = residual_block::Residual(2, GroupNormalizationLayer(1), 1);
    Block::Initialize(x);
  }
};
struct BlockInitializesHalf : Block {
  void Initialize(const NetworkDataLayout&) {}
};
/// A network that all copies of the layer share, whoever initialised it last.
struct BlockSharesNetwork : Block {
  std::shared_ptr<DlNetwork> shared = std::make_shared<DlNetwork>();
  void Initialize(const NetworkDataLayout& x) {
    Block::Initialize(x);
    *shared = network;
  }
  DlArray Predict(const DlArray& x) const { return Relu(shared->Predict(x) + skip.Predict(x)); }
  DlArray Forward(const DlArray& x) const { return Predict(x); }
};
struct BlockForwardSquares : Block {
  DlArray Forward(const DlArray& x) const { return Sum(Square(Block::Forward(x)), "C"); }
};
struct BlockCentersBatch : Block {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = Block::Predict(x);
    return y - Mean(y);
  }
  DlArray Forward(const DlArray& x) const { return Predict(x); }
};
struct BlockKeepsNetworkState : BatchBlock {
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    const auto [y, state] = network.PredictWithState(x);
    return {Relu(y + skip.Forward(x)), state};
  }
};
struct BlockDropsState : BatchBlock {
  DlArray Predict(const DlArray& x) const { return BatchBlock::Predict(x).first; }
  DlArray Forward(const DlArray& x) const { return BatchBlock::Forward(x).first; }
};
struct BlockReturnsOldState : BatchBlock {
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    return {BatchBlock::Forward(x).first, network.PredictWithState(x).second};
  }
};
struct BlockDropsOneState : BatchBlock {
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    auto [y, state] = BatchBlock::Forward(x);
    DlArrays values(state.values().begin(), state.values().end() - 1);
    return {y, NetworkState(values)};
  }
};

// --- The siamese pair ---------------------------------------------------------------------------

struct Pair : SiamesePairLayer {
  Pair() : SiamesePairLayer(DlNetwork({FullyConnectedLayer(3)})) {}
};
/// As for a target network, where it is meant.
struct PairDetachesRight : Pair {
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Abs(network.Predict(left) - Detached(network.Predict(right)));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const { return Predict(left, right); }
};
/// The difference to the pair before.
struct PairKeepsRight : Pair {
  mutable DlArray kept;
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    const DlArray a = network.Predict(left), b = network.Predict(right);
    if (!SameSizes(kept.sizes(), b.sizes()) || kept.type() != b.type()) kept = ExtractData(b);
    return Abs(a - DlArray(kept, Dims(b)));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const { return Predict(left, right); }
};
/// All pairs of the batch: the first of the right ones with each of the left ones.
struct PairComparesWithFirst : Pair {
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Abs(network.Predict(left) - Slice(network.Predict(right), 'B', 0, 1));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const { return Predict(left, right); }
};
struct PairForwardSumsChannels : Pair {
  DlArray Forward(const DlArray& left, const DlArray& right) const {
    return Sum(Pair::Forward(left, right), "C");
  }
};
struct PairDeclaresOne : Pair {
  PairDeclaresOne() { SetNumInputs(1); }
};
struct PairInitializesAnew : Pair {
  void Initialize(const NetworkDataLayout& left, const NetworkDataLayout&) {
    network = DlNetwork({FullyConnectedLayer(3)});
    network.Initialize(left);
  }
};
/// Distances by a dot product of the whole batch.
struct PairMultipliesBatch : Pair {
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    const DlArray a = StripDims(network.Predict(left)), b = StripDims(network.Predict(right));
    return DlArray(MatMul(a, MatMul(Transpose(b), b)), "CB");
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const { return Predict(left, right); }
};

}  // namespace

FaultGroup NestedFaults() {
  using R = ResidualBlockLayer;
  using B = BatchNormResidualBlockLayer;
  using S = SiamesePairLayer;
  const Layouts in = Image(), pair = TwoFeatures();
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const lost = "gradientsAreNotLost";
  const char* const keeps = "initializeKeepsSetParameters";
  const char* const apart = "predictKeepsObservationsApart";
  const char* const sizes = "forwardPredictAreConsistentInSize";
  return {
      "Layers made of networks",
      {
          Of<R, BlockDetachesSkip>("the skip connection taken out of the computation", in, numeric),
          Of<R, BlockDetachesNetwork>("the network taken out of the computation", in, lost),
          Of<R, BlockForgetsNetwork>("the network is not used", in, "learnablesAreUsed"),
          Of<R, BlockInitializesAnew>("a trained network is replaced", in, keeps),
          Of<R, BlockInitializesHalf>("the networks are not initialised", in,
                                      "predictDoesNotError"),
          Of<R, BlockSharesNetwork>("a network shared by all copies is used", in,
                                    "learnablesAreUsed"),
          Of<R, BlockForwardSquares>("Forward sums over a dim, Predict does not", in, sizes),
          Of<R, BlockCentersBatch>("the mean of the batch taken off", in, apart),
          Of<B, BlockKeepsNetworkState>("PredictWithState in Forward", in, "statesAreUsed"),
          Of<B, BlockDropsState>("the network's state is not returned", in,
                                 "functionSyntaxesAreCorrect"),
          Of<B, BlockReturnsOldState>("the network's old state is returned", in, "statesAreUsed"),
          Of<B, BlockDropsOneState>("a part of the network's state is not returned", in,
                                    "functionSyntaxesAreCorrect"),
          Of<S, PairDetachesRight>("one of two uses taken out of the computation", pair, lost),
          Of<S, PairKeepsRight>("what the first call made of an input is kept", pair,
                                "predictIsRepeatable"),
          Of<S, PairComparesWithFirst>("all are compared with the first observation", pair, apart),
          Of<S, PairForwardSumsChannels>("Forward sums over a dim, Predict does not", pair, sizes),
          Of<S, PairDeclaresOne>("one input declared, two taken", Features(),
                                 "functionSyntaxesAreCorrect"),
          Of<S, PairInitializesAnew>("a trained network is replaced", pair, keeps),
          Of<S, PairMultipliesBatch>("a product over the observations", pair, apart),
      }};
}

}  // namespace lamina::faulty
