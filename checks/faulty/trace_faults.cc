// What a recorded computation cannot do again: look at values, and draw what it drew then.
#include "checks/faulty/fault.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina::faulty {
namespace {

struct BranchOnValue : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    return MaxOver(x).Scalar() > 100 ? x : SReluLayer::Predict(x);
  }
};
struct BranchOnLearnable : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    return left_slope.At(0) > 100 ? Relu(x) : SReluLayer::Predict(x);
  }
};
/// Halved until it is small.
struct LoopOnValue : WeightedAdditionLayer {
  DlArray Predict(const DlArrays& x) const {
    DlArray y = WeightedAdditionLayer::Predict(x);
    for (int i = 0; i < 10 && MaxOver(Abs(y)).Scalar() > 100; ++i) y = y / 2;
    return y;
  }
};
struct SizeFromValue : ProjectAndReshapeLayer {
  SizeFromValue() : ProjectAndReshapeLayer({2, 2, 1}) {}
  DlArray Predict(const DlArray& x) const {
    const DlArray y = ProjectAndReshapeLayer::Predict(x);
    const int64_t count = MaxOver(Abs(x)).Scalar() < 100 ? 2 : 1;
    return Slice(y, 0, 0, count);
  }
};
struct NamesTheWorst : SplitLevelLayer {
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    auto result = SplitLevelLayer::Predict(x);
    if (std::get<2>(result).At(0) == 0) throw Error("split:Flat", "A series moves.", "", "");
    return result;
  }
};

}  // namespace

FaultGroup TraceFaults() {
  const char* const values = "tracesReadNoValues";
  return {
      "What a recorded computation cannot do again",
      {
          Of<SReluLayer, BranchOnValue>("a branch on a value of the input", Image(), values),
          Of<SReluLayer, BranchOnLearnable>("a branch on a value of a learnable", Image(), values),
          Of<WeightedAdditionLayer, LoopOnValue>("a loop that ends by a value", TwoImages(),
                                                 values),
          Of<ProjectAndReshapeLayer, SizeFromValue>("a size that follows from a value", Features(),
                                                    values),
          Of<SplitLevelLayer, NamesTheWorst>("an error that looks at a value",
                                             {NetworkDataLayout({6, 2, 4}, "SCB")}, values),
      }};
}

}  // namespace lamina::faulty
