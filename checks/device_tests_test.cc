// CheckLayer's tests of a GPU, on one that the processor plays and on a real one where there is
// one.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checks/check_layer.h"
#include "checks/faulty/own_faults.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/op.h"
#include "gmock/gmock.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"

namespace lamina::faulty {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const NetworkDataLayout kImage({4, 3, 2, 5}, "SSCB");

class DeviceTestsTest : public gpu::testing::EachDevice {
 protected:
  // What its tests on this device say.
  template <class T>
  std::vector<TestPoint> PointsOf() {
    const gpu::ScopedGpu scope(gpu_);
    const CheckReport report = CheckLayer(T(), {kImage}, {.quiet = true});
    std::vector<TestPoint> points;
    for (const TestPoint& t : report.tests) {
      if (t.name.ends_with("OnGpu")) points.push_back(t);
    }
    return points;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, DeviceTestsTest, testing::Bool(), gpu::testing::DeviceKind);

std::vector<std::string> With(TestStatus status, const std::vector<TestPoint>& points) {
  std::vector<std::string> names;
  for (const TestPoint& t : points) {
    if (t.status == status) names.push_back(t.name);
  }
  return names;
}
// All that was found, as text.
std::string Findings(const std::vector<TestPoint>& points) {
  std::string text;
  for (const TestPoint& t : points) {
    for (const Diagnostic& d : t.diagnostics) text += d.expected + " " + d.came + "\n";
  }
  return text;
}

TEST_P(DeviceTestsTest, LayersThatAreRightPass) {
  const auto plain = PointsOf<SReluLayer>(), own = PointsOf<SReluBackwardLayer>();
  EXPECT_EQ(plain.size(), 4U);  // Predict and the gradients, one observation and several.
  EXPECT_EQ(With(TestStatus::kPassed, plain).size(), 4U) << Findings(plain);
  EXPECT_EQ(With(TestStatus::kPassed, own).size(), own.size()) << Findings(own);
  EXPECT_GE(own.size(), 6U);
}

// Twice its input; of no printed form.
class Unprinted : public Op {
 public:
  std::string_view Name() const override { return "unprinted"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override { out.Share(0, in[0] * 2); }
  DlArrays Gradient(const GradientCall& call) const override {
    return {call.output_gradients[0] * 2};
  }
};
struct CallsUnprinted : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Apply(std::make_shared<Unprinted>(), {x}); }
};
TEST_P(DeviceTestsTest, AFunctionWithoutKernelsIsNamed) {
  const auto points = PointsOf<CallsUnprinted>();
  EXPECT_EQ(With(TestStatus::kFailed, points).size(), 4U);
  EXPECT_THAT(Findings(points), HasSubstr("On a GPU, Predict runs. It threw:\n"));
  EXPECT_THAT(Findings(points), HasSubstr("was asked for unprinted of "));
  EXPECT_THAT(Findings(points), HasSubstr("[gpu:NoKernels]"));
}

struct MadeAnew : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Zeros(x.sizes(), x.type(), Dims(x)); }
};
TEST_P(DeviceTestsTest, AResultThatLiesElsewhereIsFound) {
  const auto points = PointsOf<MadeAnew>();
  EXPECT_THAT(With(TestStatus::kFailed, points),
              ElementsAre("predictIsConsistentInTypeOnGpu", "predictIsConsistentInTypeOnGpu"));
  EXPECT_THAT(Findings(points), HasSubstr("Output 1 of Predict lies on the GPU, as the inputs do. "
                                          "It lies with the processor."));
}

TEST_P(DeviceTestsTest, AnOpThatIsWrittenOtherwiseThanItRunsIsFound) {
  const auto points = PointsOf<WritesOtherwise>();
  EXPECT_THAT(
      With(TestStatus::kFailed, points),
      ElementsAre("gradientsAreNumericallyCorrectOnGpu", "gradientsAreNumericallyCorrectOnGpu"));
  EXPECT_THAT(Findings(points), HasSubstr("On a GPU, Predict gives what it gives op by op: "));
}

// x + sin(a x)^2 / a, with a kernel of its own; the wrong one forgets the division.
constexpr char kRightEnd[] = "y[i] = x[i] + s * s / a[0]; }",
               kWrongEnd[] = "y[i] = x[i] + s * s; }";
std::string SnakeKernel(const char* end) {
  return std::string(
             "__global__ void Snake(const T* x, const T* a, T* y, long long n) {\n"
             "  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;\n"
             "  if (i >= n) return;\n"
             "  const T s = sin(a[0] * x[i]);\n  ") +
         end;
}
template <const char* kEnd>
struct SnakeLayer : Layer, Formattable, Acceleratable, CodeGeneratable {
  Learnable frequency{*this, "Frequency", DlArray(1.5F)};
  DlArray Predict(const DlArray& x) const {
    static const KernelFunction snake(
        {.name = "Snake", .source = SnakeKernel(kEnd)},
        [](const DlArray& in, const DlArray& a) { return in + Square(Sin(a * in)) / a; });
    return snake(x, frequency);
  }
};
TEST_P(DeviceTestsTest, AKernelThatComputesSomethingElseThanItsFunctionIsFound) {
  const auto right = PointsOf<SnakeLayer<kRightEnd>>();
  EXPECT_EQ(With(TestStatus::kPassed, right).size(), 4U) << Findings(right);
  const auto wrong = PointsOf<SnakeLayer<kWrongEnd>>();
  EXPECT_THAT(With(TestStatus::kFailed, wrong), ElementsAre("gradientsAreNumericallyCorrectOnGpu",
                                                            "gradientsAreNumericallyCorrectOnGpu"));
  EXPECT_THAT(Findings(wrong), HasSubstr("On a GPU, Predict gives what it gives op by op: "));
  EXPECT_THAT(wrong.back().diagnostics.at(0).causes,
              testing::Contains("The kernel Snake computes something else than its function."));
}

constexpr char kEndOfOther[] = "y[i + 1] = x[i] + s * s / a[0]; }";
TEST_P(DeviceTestsTest, WhatTheEmulatedDeviceFindsInAKernelIsTold) {
  if (GetParam()) GTEST_SKIP() << "A real device may pass over it.";
  const auto wrong = PointsOf<SnakeLayer<kEndOfOther>>();
  EXPECT_EQ(With(TestStatus::kFailed, wrong).size(), 4U) << Findings(wrong);
  EXPECT_THAT(Findings(wrong), HasSubstr("Kernel \"Snake\" on an emulated device: "));
  EXPECT_THAT(Findings(wrong), HasSubstr("[kernel:OutOfBounds]"));
  for (const TestPoint& t : wrong) {
    EXPECT_EQ(t.diagnostics.at(0).fix, "Mend the kernel where the message says.");
  }
}
// All other tests, code generation among them, see the function.
TEST(WithoutDeviceTest, ALayerWithAKernelIsCheckedAsItsFunction) {
  const CheckReport report = CheckLayer(SnakeLayer<kRightEnd>(), {kImage},
                                        {.check_codegen_compatibility = true, .quiet = true});
  std::string failed;
  int generated = 0;
  for (const TestPoint& t : report.tests) {
    if (t.status == TestStatus::kFailed) failed += t.name + "\n";
    generated += t.name == "predictSupportsCodegen" && t.status == TestStatus::kPassed ? 1 : 0;
  }
  EXPECT_EQ(failed, "");
  EXPECT_GT(generated, 0);
}

TEST(WithoutDeviceTest, TheReportSaysWhy) {
  if (CanUseGpu().ok()) GTEST_SKIP() << "There is a device.";
  const CheckReport report = CheckLayer(SReluLayer(), {kImage}, {.quiet = true});
  EXPECT_THAT(report.skips,
              testing::Contains("Skipping GPU tests. " + std::string(CanUseGpu().message())));
}

}  // namespace
}  // namespace lamina::faulty
