// The steps of the lesson compile, compute what the prose says, and end at the real layer.
#include <gtest/gtest.h>

#include <complex>

#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "lessons/complex_values/fourier_layers.h"
#include "lessons/complex_values/steps/complex_weights_layer.h"

namespace lamina {
namespace {

TEST(StepsTest, FourierMakesComplexNumbersAsLargeAsPixels) {
  const DlArray x = Rand({8, 8, 1, 5}, DataType::kDouble, "SSCB");
  const DlArray z = AnyLayer(FourierLayer()).Predict({x}).outputs[0];
  EXPECT_EQ(ToString(z.spec()), "8(S) x 8(S) x 1(C) x 5(B) complex double DlArray");
  // Parseval: the squares have the same sum.
  EXPECT_NEAR(Sum(Abs(z) * Abs(z)).Scalar(), Sum(x * x).Scalar(), 1e-10);
}

TEST(StepsTest, TheWholeLayerWithoutBiasIsTheFirstStep) {
  const DlArray x = Randn({4, 7}, DataType::kDouble, "CB");
  ComplexWeightsLayer first;
  first.weights = Complex(Randn({3, 4}, DataType::kDouble), Randn({3, 4}, DataType::kDouble));
  ComplexFullyConnectedLayer whole(3);
  whole.weights = first.weights;
  whole.bias = Zeros({3, 1}, DataType::kDouble);
  const DlArray a = AnyLayer(first).Predict({x}).outputs[0];
  const DlArray b = AnyLayer(whole).Predict({x}).outputs[0];
  EXPECT_LT(MaxOver(Abs(a - b)).Scalar(), 1e-14);
}

// The drawing of modReLU: the length is cut, the angle stays.
TEST(StepsTest, TheBiasCutsLengths) {
  ComplexFullyConnectedLayer layer(2);
  layer.weights = DlArray::FromVector<std::complex<double>>({{3, 4}, {0.3, 0.4}}, {2, 1});
  layer.bias = Full({2, 1}, -1, DataType::kDouble);
  const DlArray y = AnyLayer(layer).Predict({Ones({1, 1}, DataType::kDouble, "CB")}).outputs[0];
  EXPECT_NEAR(std::abs(y.ComplexAt(0) - std::complex<double>(2.4, 3.2)), 0, 1e-15);
  EXPECT_EQ(y.ComplexAt(1), 0.0);
}

}  // namespace
}  // namespace lamina
