// What the exercise asks for. It finds the parameter by its name, so it compiles before there is
// one. The solution passes the same test.

#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

const NetworkDataLayout kLayout({4, 6, 2, 3}, "SSCB");

// The array of the property "Filter"; null where there is none.
DlArray* FindFilter(AnyLayer& layer) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == "Filter" && property.kind == PropertyKind::kLearnable) {
      return layer->ArrayOf(property);
    }
  }
  return nullptr;
}

TEST(FourierFilterTest, Step1HasALearnableFilter) {
  AnyLayer layer = FourierFilterLayer();
  EXPECT_NE(FindFilter(layer), nullptr) << "name a property: Learnable filter{*this, \"Filter\"};";
}

TEST(FourierFilterTest, Step2InitializesTheFilterToComplexOnes) {
  AnyLayer layer = FourierFilterLayer();
  ASSERT_NE(FindFilter(layer), nullptr) << "first step 1";
  layer.Initialize({kLayout});
  const DlArray filter = *FindFilter(layer);
  ASSERT_EQ(filter.numel(), 4 * 6 * 2) << "one for each element of an observation";
  EXPECT_EQ(filter.type(), DataType::kComplexSingle) << "Ones(sizes, DataType::kComplexSingle)";
  for (int64_t i = 0; i < filter.numel(); ++i) EXPECT_EQ(filter.ComplexAt(i), 1.0);
}

TEST(FourierFilterTest, Step2KeepsAFilterThatIsSet) {
  AnyLayer layer = FourierFilterLayer();
  ASSERT_NE(FindFilter(layer), nullptr) << "first step 1";
  *FindFilter(layer) = Full({4, 6, 2}, 3, DataType::kComplexSingle);
  layer.Initialize({kLayout});
  EXPECT_EQ(FindFilter(layer)->ComplexAt(1), 3.0) << "a loaded layer keeps its values";
}

// A product of spectra is a circular convolution: here with the picture `kernel`.
TEST(FourierFilterTest, Step3IsTheFunction) {
  AnyLayer layer = FourierFilterLayer();
  ASSERT_NE(FindFilter(layer), nullptr) << "first step 1";
  const DlArray x = Randn({4, 3}, DataType::kDouble, "SB"), kernel = Randn({4}, DataType::kDouble);
  *FindFilter(layer) = Fft(kernel, 0);
  const DlArray y = layer.Predict({x}).outputs[0];
  EXPECT_EQ(y.spec(), x.spec()) << "real again, with the labels of x";
  for (int b = 0; b < 3; ++b) {
    for (int i = 0; i < 4; ++i) {
      double sum = 0;
      for (int j = 0; j < 4; ++j) sum += kernel.At((i - j + 4) % 4) * x.At(j + 4 * b);
      EXPECT_NEAR(y.At(i + 4 * b), sum, 1e-12);
    }
  }
}

TEST(FourierFilterTest, PassesCheckLayer) {
  const CheckReport report = CheckLayer(FourierFilterLayer(), {kLayout}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
