// The mistakes of the lesson do what the lesson says of them.
#include <gtest/gtest.h>

#include <complex>
#include <numbers>
#include <utility>

#include "framework/trainnet/updates.h"
#include "lessons/complex_values/broken/conjugated_layer.h"
#include "lessons/complex_values/broken/unconjugated_layer.h"
#include "lessons/complex_values/turned_pictures.h"

namespace lamina {
namespace {

// The loss of one weight after 40 steps towards w x = 1, with x at 50 degrees; it begins at 0.04.
template <class T>
double LossAfterDescent() {
  const DlArray x(DlArray(std::polar(1.0, 50 * std::numbers::pi / 180)), "CB");
  T layer;
  layer.weights = Reshape(DlArray(std::complex<double>(0.5, -1)), {1, 1});
  DlNetwork net({layer});
  net.Initialize(NetworkDataLayout({1, 1}, "CB"));
  SgdmState state;
  double loss = 0;
  for (int step = 0; step < 40; ++step) {
    const auto [l, g] = DlFeval(
        [&](const DlNetwork& watched) {
          const DlArray l = Mse(watched.Forward(x), DlArray(DlArray(1.0), "CB"));
          return std::pair(l, DlGradient(l, watched.LearnableValues()));
        },
        net);
    loss = l.Scalar();
    SgdmUpdate(net, g, state, {.learn_rate = 0.2, .momentum = 0});
  }
  return loss;
}

TEST(BrokenTest, WithoutTheConjugateTheLossGrows) {
  EXPECT_LT(LossAfterDescent<ConjugatedLayer>(), 1e-5);
  EXPECT_GT(LossAfterDescent<UnconjugatedLayer>(), 1);
}

TEST(BrokenTest, ValuesAreTheSame) {
  AnyLayer right = ConjugatedLayer(), wrong = UnconjugatedLayer();
  const DlArray x = Randn({4, 3}, DataType::kSingle, "CB");
  for (AnyLayer* layer : {&right, &wrong}) {
    Rng(3);
    layer->Initialize({NetworkDataLayout::Of(x)});
  }
  EXPECT_TRUE(IsEqual(right.Predict({x}).outputs[0], wrong.Predict({x}).outputs[0]));
}

TEST(BrokenTest, ARealPartCannotTellAPictureFromItsHalfTurn) {
  const DlArray x = Rand({8, 8, 1, 5}, DataType::kDouble, "SSCB");
  const DlArray z = Fft(x, "S"), turned = Fft(HalfTurn(x), "S");
  EXPECT_LT(MaxOver(Abs(turned - Conj(z))).Scalar(), 1e-13);
  EXPECT_GT(MaxOver(Abs(turned - z)).Scalar(), 1);
}

}  // namespace
}  // namespace lamina
