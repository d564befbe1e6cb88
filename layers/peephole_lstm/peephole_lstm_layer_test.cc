// The peephole LSTM against its formulas, written out for one number at a time, and against the
// LSTM of framework/ops/lstm.h, whose values were recorded from PyTorch.
#include "layers/peephole_lstm/peephole_lstm_layer.h"

#include <cmath>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr int64_t kC = 2, kH = 3, kB = 2, kT = 4;

// In double, with all learnables and both states set.
PeepholeLstmLayer MakeLayer(std::string mode = "sequence") {
  PeepholeLstmLayer layer(kH, std::move(mode));
  layer.input_weights = RandomInput({4 * kH, kC}, "", -1, 1, 1);
  layer.recurrent_weights = RandomInput({4 * kH, kH}, "", -1, 1, 2);
  layer.peephole_weights = RandomInput({3 * kH, 1}, "", -1, 1, 3);
  layer.bias = RandomInput({4 * kH, 1}, "", -1, 1, 4);
  layer.hidden_state = RandomInput({kH, kB}, "", -1, 1, 5);
  layer.cell_state = RandomInput({kH, kB}, "", -1, 1, 6);
  return layer;
}

DlArray X() { return RandomInput({kC, kB, kT}, "CBT", -1, 1, 7); }

double Sigma(double x) { return 1 / (1 + std::exp(-x)); }

// Hidden and cell state of observation b after each step.
struct Step {
  double h[kH], c[kH];
};
std::vector<Step> Formula(const PeepholeLstmLayer& l, const DlArray& x, int64_t b) {
  std::vector<Step> steps;
  Step now;
  for (int64_t u = 0; u < kH; ++u) {
    now.h[u] = l.hidden_state.At(u + kH * b);
    now.c[u] = l.cell_state.At(u + kH * b);
  }
  for (int64_t t = 0; t < kT; ++t) {
    Step next;
    for (int64_t u = 0; u < kH; ++u) {
      double z[4];
      for (int64_t gate = 0; gate < 4; ++gate) {
        const int64_t row = gate * kH + u;
        z[gate] = l.bias.At(row);
        for (int64_t k = 0; k < kC; ++k) {
          z[gate] += l.input_weights.At(row + 4 * kH * k) * x.At(k + kC * (b + kB * t));
        }
        for (int64_t k = 0; k < kH; ++k) {
          z[gate] += l.recurrent_weights.At(row + 4 * kH * k) * now.h[k];
        }
      }
      const double i = Sigma(z[0] + l.peephole_weights.At(u) * now.c[u]);
      const double f = Sigma(z[1] + l.peephole_weights.At(kH + u) * now.c[u]);
      next.c[u] = f * now.c[u] + i * std::tanh(z[2]);
      next.h[u] =
          Sigma(z[3] + l.peephole_weights.At(2 * kH + u) * next.c[u]) * std::tanh(next.c[u]);
    }
    steps.push_back(now = next);
  }
  return steps;
}

TEST(PeepholeLstmLayerTest, FollowsTheFormulas) {
  const PeepholeLstmLayer layer = MakeLayer();
  const LayerResult result = AnyLayer(layer).Predict({X()});
  EXPECT_EQ(ToString(result.outputs[0].spec()), "3(C) x 2(B) x 4(T) double DlArray");
  ASSERT_EQ(result.states.size(), 2u);
  for (int64_t b = 0; b < kB; ++b) {
    const std::vector<Step> steps = Formula(layer, X(), b);
    for (int64_t u = 0; u < kH; ++u) {
      for (int64_t t = 0; t < kT; ++t) {
        EXPECT_NEAR(result.outputs[0].At(u + kH * (b + kB * t)), steps[t].h[u], 1e-14);
      }
      EXPECT_NEAR(result.states[0].At(u + kH * b), steps.back().h[u], 1e-14);
      EXPECT_NEAR(result.states[1].At(u + kH * b), steps.back().c[u], 1e-14);
    }
  }
}

TEST(PeepholeLstmLayerTest, DerivativesAreTheNumericOnes) {
  EXPECT_TRUE(LayerGradientsAgree(MakeLayer(), {X()}));
  EXPECT_TRUE(LayerGradientsAgree(MakeLayer("last"), {X()}));
}

TEST(PeepholeLstmLayerTest, WithoutPeepholesItIsAnLstm) {
  PeepholeLstmLayer layer = MakeLayer();
  layer.peephole_weights = ZerosLike(layer.peephole_weights);
  const LayerResult result = AnyLayer(layer).Predict({X()});
  const LstmResult lstm = Lstm(X(), layer.hidden_state, layer.cell_state, layer.input_weights,
                               layer.recurrent_weights, layer.bias);
  EXPECT_TRUE(Near(result.outputs[0], lstm.y, 1e-14));
  EXPECT_TRUE(Near(result.states[1], StripDims(lstm.cell_state), 1e-14));
}

TEST(PeepholeLstmLayerTest, TheLastStepHasNoTime) {
  const LayerResult all = AnyLayer(MakeLayer()).Predict({X()});
  const LayerResult last = AnyLayer(MakeLayer("last")).Predict({X()});
  EXPECT_EQ(ToString(last.outputs[0].spec()), "3(C) x 2(B) double DlArray");
  EXPECT_TRUE(IsEqual(StripDims(last.outputs[0]),
                      Reshape(Slice(all.outputs[0], 'T', kT - 1, 1), {kH, kB})));
}

TEST(PeepholeLstmLayerTest, TwoHalvesWithTheStateHandedOnAreTheWhole) {
  AnyLayer layer = MakeLayer();
  const DlArray whole = layer.Predict({X()}).outputs[0];
  const LayerResult first = layer.Predict({Slice(X(), 'T', 0, 1)});
  layer.SetStates(first.states);
  const LayerResult second = layer.Predict({Slice(X(), 'T', 1, kT - 1)});
  EXPECT_TRUE(Near(Cat('T', {first.outputs[0], second.outputs[0]}), whole, 1e-14));
}

TEST(PeepholeLstmLayerTest, ResetStateForgets) {
  AnyLayer layer = PeepholeLstmLayer(kH);
  layer.Initialize({NetworkDataLayout({kC, kUnknown, kUnknown}, "CBT")});
  const DlArray x = Single(X());
  const LayerResult fresh = layer.Predict({x});
  layer.SetStates(fresh.states);
  EXPECT_FALSE(IsEqual(layer.Predict({x}).outputs[0], fresh.outputs[0]));
  layer.ResetState();
  EXPECT_TRUE(IsEqual(layer.Predict({x}).outputs[0], fresh.outputs[0]));
}

TEST(PeepholeLstmLayerTest, InitializeSetsWhatIsUnset) {
  PeepholeLstmLayer some(kH);
  some.bias = Full({4 * kH, 1}, 0.5);
  AnyLayer layer = some;
  EXPECT_FALSE(layer.IsInitialized());
  layer.Initialize({NetworkDataLayout({kC, kUnknown, kUnknown}, "CBT")});
  const auto* l = layer.As<PeepholeLstmLayer>();
  EXPECT_EQ(l->input_weights.sizes(), Sizes({4 * kH, kC}));
  EXPECT_EQ(l->recurrent_weights.sizes(), Sizes({4 * kH, kH}));
  EXPECT_EQ(l->peephole_weights.sizes(), Sizes({3 * kH, 1}));
  EXPECT_TRUE(IsEqual(l->bias, some.bias));
  // The forget gates of a new layer are open.
  AnyLayer fresh = PeepholeLstmLayer(kH);
  fresh.Initialize({NetworkDataLayout({kC, kUnknown, kUnknown}, "CBT")});
  EXPECT_EQ(fresh.As<PeepholeLstmLayer>()->bias.ToVector<float>(),
            std::vector<float>({0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(PeepholeLstmLayerTest, RefusesAnotherMode) {
  EXPECT_EQ(MessageOf([] { PeepholeLstmLayer(kH, "final"); }),
            "OutputMode is \"sequence\" or \"last\". \"final\" came. [layer:InvalidSetting]");
}

}  // namespace
}  // namespace lamina
