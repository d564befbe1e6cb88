#include "framework/trainnet/loss_function.h"

#include <cmath>
#include <string>
#include <vector>

#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

const std::vector<double> kY{0.7, 0.3, 0.1, 0.9};  // Two classes, two observations.
const std::vector<double> kT{1, 0, 0, 1};

double Loss(const LossFunction& loss) {
  const DlArray y = DlArray::FromVector(kY, {2, 2}, "CB"),
                t = DlArray::FromVector(kT, {2, 2}, "CB");
  return loss(DlArrays{y}, DlArrays{t}).Scalar();
}

// Each name against its formula, written out.
TEST(LossFunctionTest, NamesMeanTheirFormulas) {
  const double n = 2;
  double squares = 0, sizes = 0, binary = 0;
  for (int i = 0; i < 4; ++i) {
    squares += std::pow(kY[i] - kT[i], 2);
    sizes += std::abs(kY[i] - kT[i]);
    binary -= kT[i] * std::log(kY[i]) + (1 - kT[i]) * std::log(1 - kY[i]);
  }
  EXPECT_NEAR(Loss("crossentropy"), -(std::log(0.7) + std::log(0.9)) / n, 1e-15);
  EXPECT_NEAR(Loss("binary-crossentropy"), binary / n, 1e-15);
  for (const char* name : {"mse", "mean-squared-error"}) {
    EXPECT_NEAR(Loss(name), squares / (2 * n), 1e-15);
  }
  for (const char* name : {"mae", "mean-absolute-error", "l1loss"}) {
    EXPECT_NEAR(Loss(name), sizes / n, 1e-15);
  }
  EXPECT_NEAR(Loss("l2loss"), squares / n, 1e-15);
  EXPECT_NEAR(Loss("huber"), squares / (2 * n), 1e-15) << "all differences are below 1";
}

TEST(LossFunctionTest, ClassNumbersAreTargetsToo) {
  const DlArrays y{DlArray::FromVector(kY, {2, 2}, "CB")};
  const DlArrays t{DlArray::FromVector<int32_t>({0, 1}, {2}, "B")};
  const double expected = Loss("crossentropy");
  EXPECT_NEAR(LossFunction("crossentropy")(y, t).Scalar(), expected, 1e-15);
  EXPECT_NEAR(LossFunction("index-crossentropy")(y, t).Scalar(), expected, 1e-15);
}

TEST(LossFunctionTest, FunctionsOfOneAndOfSeveral) {
  const LossFunction one = [](const DlArray& y, const DlArray& t) { return Sum(y - t); };
  EXPECT_NEAR(Loss(one), 0.7 + 0.3 + 0.1 + 0.9 - 2, 1e-15);
  EXPECT_EQ(one.name(), "custom");
  const LossFunction several = [](const DlArrays& y, const DlArrays& t) {
    return Sum(y[0] - t[0]) + 10 * Sum(y[1]);
  };
  const DlArray a(2.0), b(3.0);
  EXPECT_NEAR(several({a, b}, {a}).Scalar(), 30, 1e-15);
}

TEST(LossFunctionTest, WrongUsesAreErrors) {
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [] { LossFunction("logloss"); }));
  const DlArray y = DlArray::FromVector(kY, {2, 2}, "CB");
  EXPECT_TRUE(Throws("trainnet:LossOutputs", [&] { LossFunction("mse")({y, y}, {y, y}); }));
  const LossFunction vector = [](const DlArray& y, const DlArray& t) { return y - t; };
  EXPECT_TRUE(Throws("trainnet:LossNotScalar", [&] { vector({y}, {y}); }));
  try {
    LossFunction("mse")({y}, {DlArray::FromVector(kT, {4, 1}, "CB")});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "dlarray:SizeMismatch");
    const std::string what = e.what();
    EXPECT_NE(what.find("Loss \"mse\""), std::string::npos) << what;
    EXPECT_NE(what.find("4(C) x 1(B)"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace lamina
