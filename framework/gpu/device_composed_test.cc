// Ops that are composed of others, on a device against the same ops here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/attention.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/spectral.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(const DlArrays&)>;

class DeviceComposedTest : public testing::EachDevice {
 protected:
  DlArrays There(const DlArrays& arrays) {
    DlArrays there;
    for (const DlArray& x : arrays) there.push_back(gpu_->ToDevice(x));
    return there;
  }
  // Results of the device come near those of the processor.
  static void ExpectNear(const DlArrays& came, const DlArrays& expected, double bound) {
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_TRUE(came[k].on_device()) << k;
      EXPECT_EQ(came[k].spec(), expected[k].spec());
      const DlArray y = Gather(came[k]);
      double difference = 0, largest = 0;
      for (int64_t i = 0; i < y.numel(); ++i) {
        const double d = std::abs(y.ComplexAt(i) - expected[k].ComplexAt(i));
        difference = std::isnan(d) ? INFINITY : std::max(difference, d);
        largest = std::max(largest, std::abs(expected[k].ComplexAt(i)));
      }
      EXPECT_LE(difference, bound * largest) << "output " << k;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, DeviceComposedTest, ::testing::Bool(), testing::DeviceKind);

DlArray SumOfSquares(const DlArray& y) { return Sum(Square(y)); }

// y and the derivatives of its square.
Function WithGradients(const std::function<DlArray(const DlArrays&)>& f) {
  return [f](const DlArrays& in) {
    return DlFeval(
        [&](const DlArrays& w) {
          const DlArray y = f(w);
          DlArrays all = DlGradient(SumOfSquares(y), w);
          all.push_back(y);
          return all;
        },
        in);
  };
}

DlArray Array(const Sizes& sizes, uint64_t seed) {
  return Cast(RandomInput(sizes, "CBT", -1, 1, seed), DataType::kSingle);
}

// Eleven keys: their positions are constants that do not stand in the source. Of so few no kernel
// of attention's own computes the result.
DlArrays Sequences() { return {Array({6, 2, 9}, 1), Array({6, 2, 11}, 2), Array({4, 2, 11}, 3)}; }
// Of so many they do.
DlArrays LongSequences() {
  return {Array({6, 2, 35}, 1), Array({6, 2, 33}, 2), Array({4, 2, 33}, 3)};
}

DlArray Attend(const DlArrays& in, bool causal) {
  return Attention(in[0], in[1], in[2], 2, {.causal = causal});
}

TEST_P(DeviceComposedTest, AttentionOpByOp) {
  const Function f = WithGradients([](const DlArrays& in) { return Attend(in, true); });
  ExpectNear(f(There(Sequences())), f(Sequences()), 1e-5);
}

TEST_P(DeviceComposedTest, AcceleratedAttentionWithDerivativesOfBothOrders) {
  for (const bool causal : {false, true}) {
    const auto attend = [causal](const DlArray& q, const DlArray& k, const DlArray& v) {
      return Attend({q, k, v}, causal);
    };
    const auto gradients_of = [](const auto& f) {
      return WithGradients([&f](const DlArrays& in) { return f(in[0], in[1], in[2]); });
    };
    // As a training would: value, derivatives and theirs are one program.
    const auto second = [causal](const DlArray& q, const DlArray& k, const DlArray& v) {
      return DlFeval(
          [&](const DlArrays& w) {
            const DlArrays g =
                DlGradient(SumOfSquares(Attend(w, causal)), w, {.enable_higher_derivatives = true});
            return DlGradient(SumOfSquares(g[0]) + SumOfSquares(g[1]) + SumOfSquares(g[2]), w);
          },
          DlArrays{q, k, v});
    };
    for (const DlArrays& here : {Sequences(), LongSequences()}) {
      auto fast = DlAccelerate(attend);
      ExpectNear(gradients_of(fast)(There(here)), gradients_of(attend)(here), 1e-5);
      EXPECT_EQ(fast.Report().find("op by op"), std::string::npos) << fast.Report();
      auto fast_second = DlAccelerate(second);
      const DlArrays there = There(here);
      ExpectNear(fast_second(there[0], there[1], there[2]), second(here[0], here[1], here[2]),
                 1e-4);
      EXPECT_EQ(fast_second.Report().find("op by op"), std::string::npos) << fast_second.Report();
    }
  }
}

// Values and derivatives have one array of probabilities.
TEST_P(DeviceComposedTest, TheGradientOfAttentionSharesItsScores) {
  const Function f = WithGradients([](const DlArrays& in) { return Attend(in, true); });
  std::vector<ArraySpec> specs;
  for (const DlArray& x : Sequences()) specs.push_back(x.spec());
  const Graph graph =
      PartsForDevice(RecordGraph([&](Arrays x) { return f(DlArrays(x.begin(), x.end())); }, specs),
                     *gpu_->device())
          .graph;
  int powers = 0, products = 0;
  for (const GraphStep& step : graph.steps()) {
    powers += step.op->Name() == "exp" ? 1 : 0;
    products += step.op->Name() == "matmul" ? 1 : 0;
  }
  EXPECT_EQ(powers, 1);
  EXPECT_EQ(products, 6);  // Scores, y, P, and three derivatives.
}

TEST_P(DeviceComposedTest, FourierTransforms) {
  for (const Sizes& sizes : {Sizes{3, 8, 2}, Sizes{2, 36, 3}, Sizes{2, 101, 1}}) {
    const auto filter = [](const DlArray& x) {
      const DlArray spectrum = Fft(x, 'B');
      return Real(Ifft(spectrum * spectrum, 'B'));
    };
    const Function f = WithGradients([&](const DlArrays& in) { return filter(in[0]); });
    const DlArrays in = {Array(sizes, 4)};
    // Op by op each kernel is compiled for itself: of one length, of one matrix.
    if (sizes[1] == 8) ExpectNear(f(There(in)), f(in), 2e-5);
    auto fast = DlAccelerate(filter);
    const Function g = WithGradients([&](const DlArrays& x) { return fast(x[0]); });
    ExpectNear(g(There(in)), f(in), 2e-5);
    EXPECT_EQ(fast.Report().find("op by op"), std::string::npos) << fast.Report();
  }
}

}  // namespace
}  // namespace lamina::gpu
