// Gradients of normalizations: which are taken apart, and that they stay what they are.
#include "framework/graph/batch_norm_gradients.h"

#include <gtest/gtest.h>

#include "framework/autodiff/dlgradient.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/count_ops.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/normalization.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

using testing::Count;

using Normalize = DlArray (*)(const DlArray& x, const DlArray& offset, const DlArray& scale);

DlArray OfBatch(const DlArray& x, const DlArray& offset, const DlArray& scale) {
  return BatchNorm(x, offset, scale).y;
}
DlArray OfInstance(const DlArray& x, const DlArray& offset, const DlArray& scale) {
  return InstanceNorm(x, offset, scale);
}
DlArray OfGroup(const DlArray& x, const DlArray& offset, const DlArray& scale) {
  return GroupNorm(x, 2, offset, scale);
}
DlArray OfLayer(const DlArray& x, const DlArray& offset, const DlArray& scale) {
  return LayerNorm(x, offset, scale);
}

// Of x, offset, scale and weights of the loss: the derivatives of the first three.
std::function<DlArrays(Arrays)> Gradient(Normalize normalize) {
  return [normalize](Arrays in) {
    const DlArray weights = in[3];
    return DlFeval(
        [&](const DlArrays& x) {
          const DlArray z = Relu(normalize(x[0], x[1], x[2]));
          return DlGradient(Sum(z * weights), {x[0], x[1], x[2]});
        },
        DlArrays(in.begin(), in.begin() + 3));
  };
}

struct Example {
  Graph graph, apart;
  DlArrays in;
};

Example Of(Normalize normalize, const Sizes& parameters = {6}) {
  Rng(5);
  const DataType type = DataType::kDouble;
  const DlArrays in{2 * Randn({3, 4, 6, 5}, type, "SSCB") + 1, Randn(parameters, type),
                    Randn(parameters, type), Randn({3, 4, 6, 5}, type, "SSCB")};
  std::vector<ArraySpec> specs;
  for (const DlArray& x : in) specs.push_back(x.spec());
  const Graph graph = RecordGraph(Gradient(normalize), specs);
  const Graph apart = RemoveDeadSteps(ShareEqualSteps(TakeApartBatchNormGradients(graph)));
  CheckGraph(apart);
  return {graph, apart, in};
}

void ExpectSameValues(const Example& e) {
  const DlArrays expected = e.graph.Evaluate(e.in), came = e.apart.Evaluate(e.in);
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_LE(MaxOver(Abs(expected[k] - came[k])).At(0), 1e-14 * MaxOver(Abs(expected[k])).At(0))
        << k;
  }
}

TEST(BatchNormGradientsTest, ShareTheSumsOfScaleAndOffset) {
  for (const Normalize normalize : {OfBatch, OfInstance}) {
    const Example e = Of(normalize);
    EXPECT_EQ(Count(e.graph, "standardize_gradient"), 1);
    EXPECT_EQ(Count(e.apart, "standardize_gradient"), 0) << ToString(e.apart);
    ExpectSameValues(e);
  }
  // Of a batch they are the very sums: of g and of g y.
  const Example e = Of(OfBatch);
  EXPECT_EQ(Count(e.apart, "sum"), 2) << ToString(e.apart);
  // One scale for all channels: its derivative adds up those of the channels.
  ExpectSameValues(Of(OfBatch, {}));
}

TEST(BatchNormGradientsTest, StayWholeWhereTheScaleVariesWithinAGroup) {
  for (const Normalize normalize : {OfGroup, OfLayer}) {
    const Example e = Of(normalize);
    EXPECT_EQ(Count(e.apart, "standardize_gradient"), 1) << ToString(e.apart);
    ExpectSameValues(e);
  }
}

TEST(BatchNormGradientsTest, StayWholeWithoutAScale) {
  const Normalize plain = [](const DlArray& x, const DlArray&, const DlArray&) {
    return BatchNorm(x, DlArray(), DlArray()).y;
  };
  const Example e = Of(plain);
  EXPECT_EQ(Count(e.apart, "standardize_gradient"), 1) << ToString(e.apart);
}

}  // namespace
}  // namespace lamina
