// Graphs on a device against the eager ops: on a CUDA device where there is one, and on an emulated
// one everywhere.
#include "framework/gpu/device_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/random_function.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/split.h"
#include "framework/ops/testing/bfloat16_numbers.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(Arrays)>;

std::vector<ArraySpec> SpecsOf(Arrays arrays) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : arrays) specs.push_back(x.spec());
  return specs;
}

Graph GraphOf(const Function& f, Arrays inputs) {
  return Optimize(RecordGraph(f, SpecsOf(inputs)), ImageLayouts::kPlain);
}

DlArrays AllToDevice(const std::shared_ptr<Gpu>& gpu, Arrays arrays) {
  DlArrays all;
  for (const DlArray& x : arrays) all.push_back(gpu->ToDevice(x));
  return all;
}

// The largest difference, in parts of the largest value.
double Difference(const DlArray& a, const DlArray& b) {
  double difference = 0, largest = 0;
  for (int64_t i = 0; i < a.numel(); ++i) {
    difference = std::max(difference, std::abs(a.At(i) - b.At(i)));
    largest = std::max(largest, std::abs(b.At(i)));
  }
  return largest == 0 ? difference : difference / largest;
}

using DeviceProgramTest = testing::EachDevice;
using testing::Identifier;
INSTANTIATE_TEST_SUITE_P(Devices, DeviceProgramTest, ::testing::Bool(), testing::DeviceKind);

// y = x^2 + c and the gradients of a sum of squares of it: a broadcast and reductions.
DlArrays Parabola(Arrays in) {
  return DlFeval(
      [](const DlArrays& p) {
        const DlArray y = p[0] * p[0] + p[1];
        const DlArrays gradients = DlGradient(Sum(y * y), p);
        return DlArrays{y, gradients[0], gradients[1]};
      },
      DlArrays(in.begin(), in.end()));
}

TEST_P(DeviceProgramTest, ExactFunctionsAreEqualBitForBit) {
  constexpr uint32_t kFunctions = 20;
  DlArrays inputs;
  for (uint32_t i = 0; i < kFunctions; ++i) {
    for (const DlArray& x : lamina::testing::RandomInputs(i)) inputs.push_back(x);
  }
  // Together: one run of the compiler.
  const auto all = [](Arrays x) {
    DlArrays outputs;
    for (uint32_t i = 0; i < kFunctions; ++i) {
      lamina::testing::RandomFunction f(i, 4 + static_cast<int>(i));
      for (const DlArray& y : f(x.subspan(2 * i, 2))) outputs.push_back(y);
    }
    return outputs;
  };
  const DeviceProgram program(GraphOf(all, inputs), gpu_);
  const DlArrays came = program.Run(AllToDevice(gpu_, inputs));
  const DlArrays expected = all(inputs);
  ASSERT_EQ(came.size(), expected.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_TRUE(IsEqual(Gather(came[k]), expected[k]))
        << "output " << k << ": " << Gather(came[k]) << "\neager: " << expected[k];
  }
}

TEST_P(DeviceProgramTest, RoundsToTheNearestOfBfloat16) {
  const DlArray x = NumbersAroundBfloat16();
  const auto round = [](Arrays in) { return DlArrays{RoundToBfloat16(in[0])}; };
  const DeviceProgram program(GraphOf(round, DlArrays{x}), gpu_);
  EXPECT_TRUE(IsNearestBfloat16(x, Gather(program.Run(AllToDevice(gpu_, DlArrays{x}))[0])));
}

DlArrays Drawn(const std::vector<ArraySpec>& specs) {
  RandomSource source(3);
  const ScopedRandomSource scope(source);
  DlArrays all;
  for (const ArraySpec& s : specs) all.push_back(Randn(s.sizes, s.type, s.format.str()));
  return all;
}

ArraySpec Single(const Sizes& sizes, std::string_view format) {
  return {DataType::kSingle, sizes, format};
}

// Sums are added in another order: by threads of a block, or of several blocks.
void ExpectAgreement(const std::shared_ptr<Gpu>& gpu, const Function& f, const DlArrays& inputs,
                     double bound) {
  const DeviceProgram program(GraphOf(f, inputs), gpu);
  const DlArrays came = program.Run(AllToDevice(gpu, inputs));
  const DlArrays expected = f(inputs);
  ASSERT_EQ(came.size(), expected.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_LE(Difference(Gather(came[k]), expected[k]), bound) << "output " << k;
  }
}

// 72,000 elements: four at a time, and sums that several blocks share.
TEST_P(DeviceProgramTest, LongSumsAgreeToRounding) {
  const auto f = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray loss = Mean(Square(Tanh(p[0] * p[1])));
          DlArrays all = DlGradient(loss, p);
          all.push_back(loss);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
  ExpectAgreement(gpu_, f, Drawn({Single({60, 60, 20}, "SSC"), Single({1, 1, 20}, "SSC")}), 1e-5);
}

// Sums over the slow dim: what neighbouring lanes read stands side by side, so a warp moves four
// sectors at a time, not one for each lane. Of integers, which are exact in any order, and each run
// gives the same bits; items that do not fill the last block; sums that blocks share or do not;
// extremes, and blocks of 1024 threads.
TEST_P(DeviceProgramTest, SumsOverTheSlowDimReadNeighbours) {
  const auto sum = [](Arrays in) { return DlArrays{Sum(in[0], 1)}; };
  const auto most = [](Arrays in) { return DlArrays{MaxOver(in[0], 1)}; };
  const auto first = [](Arrays in) { return DlArrays{ArgMax(in[0], 1)}; };
  struct Case {
    Function f;
    Sizes sizes;
  };
  for (const auto& [f, sizes] : {Case{sum, {100, 3000}}, Case{sum, {1040, 255}},
                                 Case{most, {100, 3000}}, Case{first, {70, 4200}}}) {
    SCOPED_TRACE(absl::StrCat(sizes[0], " x ", sizes[1]));
    std::vector<float> numbers(static_cast<size_t>(NumElements(sizes)));
    for (size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] = static_cast<float>((i * 7919) % 1009) - 500;
    }
    const DlArrays in{DlArray::FromVector(numbers, sizes)};
    const DeviceProgram program(GraphOf(f, in), gpu_);
    const DlArrays there = AllToDevice(gpu_, in), expected = f(in);
    DlArrays came;
    if (emulated_ != nullptr) {
      const testing::AccessCounts counts = emulated_->Count([&] { came = program.Run(there); });
      EXPECT_LT(counts.loads.SectorsPerRequest(), 5);
    } else {
      came = program.Run(there);
    }
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_TRUE(IsEqual(Gather(came[k]), expected[k])) << k;
    }
  }
}

// Enough sums to keep a device busy, each by one block: no launch to join parts.
TEST_P(DeviceProgramTest, ManySumsAreOneLaunch) {
  if (emulated_ == nullptr) GTEST_SKIP() << "Launches are counted on the emulated device.";
  const auto f = [](Arrays in) { return DlArrays{Sum(in[0], 0)}; };
  for (const auto& [columns, launches] : {std::pair{264, 1}, {100, 2}}) {
    const DlArrays in{Full({2100, columns}, 0.5F)};
    const DeviceProgram program(GraphOf(f, in), gpu_);
    const DlArrays there = AllToDevice(gpu_, in);
    DlArrays came;
    const testing::AccessCounts counts = emulated_->Count([&] { came = program.Run(there); });
    EXPECT_EQ(counts.launches, launches);
    EXPECT_TRUE(IsEqual(Gather(came[0]), f(in)[0]));
  }
}

// What an optimizer does at the end of a step, for learnables of several sizes.
TEST_P(DeviceProgramTest, ResultsSideBySideAreOneLaunch) {
  const auto f = [](Arrays in) {
    DlArrays all;
    for (size_t i = 1; i < in.size(); ++i) {
      all.push_back(in[i] - in[0] * in[i]);
      all.push_back(Abs(in[i]));
    }
    return all;
  };
  const DlArrays in =
      Drawn({Single({1}, ""), Single({7, 100}, ""), Single({3}, ""), Single({2, 5, 2}, "")});
  const DeviceProgram program(GraphOf(f, in), gpu_);
  const DlArrays there = AllToDevice(gpu_, in), expected = f(in);
  DlArrays came;
  if (emulated_ != nullptr) {
    EXPECT_EQ(emulated_->Count([&] { came = program.Run(there); }).launches, 1);
  } else {
    came = program.Run(there);
  }
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_TRUE(IsEqual(Gather(came[k]), expected[k])) << k;
  }
}

// Factors have the same bits op by op, so that they are rounded to the same numbers.
TEST_P(DeviceProgramTest, ProductsOfBfloat16AgreeToRounding) {
  const auto f = [](Arrays in) {
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray y = DlConv(p[0], p[1], {}, {.padding = 1});
          const DlArray z = MatMul(p[2], p[3], true, false);
          DlArrays all = DlGradient(Sum(y) + Sum(z), p);
          all.push_back(y);
          all.push_back(z);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
  const DlArrays in = Drawn({Single({6, 5, 3, 2}, "SSCB"), Single({3, 3, 3, 4}, ""),
                             Single({30, 20}, ""), Single({30, 8}, "")});
  ExpectAgreement(gpu_, f, in, 1e-5);
}

TEST_P(DeviceProgramTest, ARefusedRecordIsNoError) {
  if (emulated_ == nullptr) GTEST_SKIP() << "A device does not refuse it.";
  const auto f = [](Arrays in) { return DlArrays{Sum(in[0], "S") + 1, Sum(in[0], "B")}; };
  const DlArrays in = Drawn({Single({60, 4}, "SB")}), there = AllToDevice(gpu_, in);
  const DeviceProgram program(GraphOf(f, in), gpu_);
  ASSERT_GT(program.kernels().num_launches(), 1U);
  // It is asked when memory comes again, in the third run at the latest, and then no more.
  for (int run = 0; run < 8; ++run) {
    emulated_->set_most_records(run < 4 ? 0 : INT_MAX);
    const DlArrays came = program.Run(there);
    EXPECT_LE(Difference(Gather(came[0]), f(in)[0]), 1e-5);
  }
  EXPECT_EQ(program.kernels().runs().recorded, 0);
}

// A small network with all of its gradients.
TEST_P(DeviceProgramTest, AStepOfANetworkAgreesToRounding) {
  const auto f = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray y = Relu(BatchNorm(DlConv(p[0], p[1], p[2]), p[5], p[6]).y);
          const DlArray pooled = MaxPool(y, {.window = {2}, .stride = {2}});
          const DlArray z = FullyConnect(pooled, p[3], p[4]);
          const DlArray t = Where(z > MaxOver(z, "C") - 1e-6, DlArray(1.0F), DlArray(0.0F));
          const DlArray loss = CrossEntropy(Softmax(z), t);
          // Not p[2]: a normalization takes a bias away, and rounding is left.
          DlArrays all = DlGradient(loss, {p[0], p[1], p[3], p[4], p[5], p[6]});
          all.push_back(loss);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
  ExpectAgreement(gpu_, f,
                  Drawn({Single({6, 6, 3, 4}, "SSCB"), Single({3, 3, 3, 2}, ""), Single({2, 1}, ""),
                         Single({7, 8}, ""), Single({7, 1}, ""), Single({2}, ""), Single({2}, "")}),
                  1e-4);
}

// The steps of a loop over time are the same kernels, called again: so are those of its gradient.
TEST_P(DeviceProgramTest, TimeStepsShareTheirKernels) {
  const auto f = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray &x = p[0], &w = p[1];
          DlArray h = Slice(x, 1, 0, 1);
          DlArrays states;
          for (int64_t t = 1; t < x.size(1); ++t) {
            h = Tanh(MatMul(w, h) + Slice(x, 1, t, 1));
            states.push_back(h);
          }
          const DlArray y = Cat(1, states);
          DlArrays all = DlGradient(Sum(y * y), p);
          all.push_back(y);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
  struct Numbers {
    size_t kernels, launches;
  };
  const auto numbers = [&](int64_t steps) -> Numbers {
    const DlArrays inputs = Drawn({Single({6, steps}, ""), Single({6, 6}, "")});
    ExpectAgreement(gpu_, f, inputs, 1e-5);
    const DeviceProgram program(GraphOf(f, inputs), gpu_);
    return {program.kernels().num_kernels(), program.kernels().num_launches()};
  };
  const Numbers few = numbers(16), more = numbers(32);
  EXPECT_LE(few.kernels, 12u);
  EXPECT_EQ(more.kernels, few.kernels);
  // A product and what follows it, the same of the gradient.
  EXPECT_EQ(more.launches, few.launches + 4 * 16);
}

// Weights that multiply element by element: their gradients are one sum each, after all steps.
TEST_P(DeviceProgramTest, SumsOfAllTimeStepsAreOne) {
  constexpr int64_t kSteps = 20;
  const auto f = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& p) {
          DlArray h = p[3];
          for (const DlArray& u : Split(p[0], 1, Sizes(kSteps, 3))) h = Tanh(p[1] * h + p[2] + u);
          DlArrays all = DlGradient(Sum(h * h), {p[0], p[1], p[2]});
          all.push_back(h);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
  const DlArrays in = Drawn(
      {Single({6, kSteps * 3}, ""), Single({6, 1}, ""), Single({6, 1}, ""), Single({6, 3}, "")});
  const auto is_sum = [](const GraphStep& step) { return step.op->Name() == "sum"; };
  const Graph graph = GraphOf(f, in);
  EXPECT_EQ(std::count_if(graph.steps().begin(), graph.steps().end(), is_sum), 2);
  ExpectAgreement(gpu_, f, in, 1e-5);
}

TEST_P(DeviceProgramTest, BoundArraysAreComputedByOneStart) {
  const DlArrays inputs = {DlArray::FromVector<float>({1, 2, 3}, {3, 1}, "CB"),
                           DlArray::FromVector<float>({0.5F, -1, 2}, {3}, "C")};
  const Function f = [](Arrays x) {
    DlArrays y = Parabola(x);
    y.push_back(x[0] * Sum(x[0]));
    return y;
  };
  const auto program = std::make_shared<DeviceProgram>(GraphOf(f, inputs), gpu_);
  EXPECT_GT(program->kernels().num_launches(), 1u);
  const DlArrays in = AllToDevice(gpu_, inputs);
  const DlArrays out = program->RoomForOutputs();
  const BoundProgram bound(program, in, out);
  for (const float first : {1.0F, 7.0F, 4.0F}) {  // The first time they are launched.
    const DlArray x = DlArray::FromVector<float>({first, 2, 3}, {3, 1}, "CB");
    gpu_->device()->CopyIn(gpu_->Address(in[0]), x.data()->bytes(), 3 * sizeof(float));
    bound.Start();
    const DlArrays expected = f(DlArrays{x, inputs[1]});
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_TRUE(IsEqual(Gather(out[k]), expected[k])) << "output " << k << Gather(out[k]);
    }
  }
  if (emulated_ != nullptr) {
    EXPECT_EQ(emulated_->num_starts(), 2);
  }
}

// Memory that was given back is taken again, and then the launches of an earlier run are started.
TEST_P(DeviceProgramTest, RunsThatRepeatAreOneLaunch) {
  const auto f = [](Arrays x) { return DlArrays{x[0] / Sum(x[0] * x[0])}; };
  const DlArrays inputs = {DlArray::FromVector<float>({1, -1, 1, 1}, {4}, "C")};
  const DeviceProgram program(GraphOf(f, inputs), gpu_);
  const DlArrays in = AllToDevice(gpu_, inputs), expected = f(inputs);
  EXPECT_GT(program.kernels().num_launches(), 1u);
  for (int run = 0; run < 6; ++run) {
    const DlArrays out = program.Run(in);
    for (size_t k = 0; k < out.size(); ++k) EXPECT_TRUE(IsEqual(Gather(out[k]), expected[k])) << k;
  }
  if (emulated_ != nullptr) {
    EXPECT_GE(emulated_->num_starts(), 1);
  }
}

TEST_P(DeviceProgramTest, KernelsAreCompiledOnce) {
  const DlArrays inputs = {DlArray::FromVector<float>({1, 2, 3}, {3, 1}, "CB"),
                           DlArray::FromVector<float>({0.5F, -1, 2}, {3}, "C")};
  const Graph graph = GraphOf(Parabola, inputs);
  EXPECT_FALSE(DeviceProgram(graph, gpu_).kernels().from_cache());
  const DeviceProgram again(graph, gpu_);
  EXPECT_TRUE(again.kernels().from_cache());
  const DlArrays expected = Parabola(inputs);
  EXPECT_TRUE(IsEqual(Gather(again.Run(AllToDevice(gpu_, inputs))[1]), expected[1]));
  if (emulated_ != nullptr) {
    EXPECT_EQ(emulated_->num_compiled(), 1);
  }
}

TEST_P(DeviceProgramTest, WrongArraysAreRefused) {
  const DlArrays inputs = {DlArray::FromVector<float>({1, 2, 3}, {3, 1}, "CB"),
                           DlArray::FromVector<float>({0.5F, -1, 2}, {3}, "C")};
  const DeviceProgram program(GraphOf(Parabola, inputs), gpu_);
  const DlArrays in = AllToDevice(gpu_, inputs);
  EXPECT_EQ(Identifier([&] { program.Run({&in[0], 1}); }), "gpu:InputCount");
  const DlArrays swapped = {in[1], in[0]};
  EXPECT_EQ(Identifier([&] { program.Run(swapped); }), "gpu:InputSpec");
  const DlArrays elsewhere = AllToDevice(Gpu::Make(testing::MakeEmulatedDevice()), inputs);
  EXPECT_EQ(Identifier([&] { program.Run(elsewhere); }), "gpu:InputSpec");
}

// Numbers are taken in the recorded order, also where they are needed in another one, and anew in
// each run; a record of launches draws too.
TEST_P(DeviceProgramTest, RandomNumbersHaveTheBitsOfTheProcessor) {
  const Function f = [](Arrays x) {
    const DlArray late = Rand({1001}), normal = Randn({77}),
                  normal_double = Randn({600}, DataType::kDouble);
    const DlArray early = Rand({5, 3}, DataType::kDouble);
    return DlArrays{x[0] + early, normal, normal_double, late + Sum(x[0] + early), Rand({2000})};
  };
  const DlArrays inputs = {DlArray(2.0)};
  const Graph graph = GraphOf(f, inputs);
  const auto program = std::make_shared<const DeviceProgram>(graph, gpu_);
  const DlArrays in = AllToDevice(gpu_, inputs);
  RandomSource here{.seed = 5, .subsequence = 3}, there = here;
  DlArrays bound_to = program->RoomForOutputs();
  const BoundProgram bound(program, in, bound_to);
  for (int run = 0; run < 4; ++run) {
    DlArrays expected, came;
    {
      const ScopedRandomSource scope(here);
      expected = f(inputs);
    }
    {
      const ScopedRandomSource scope(there);
      if (run < 2) {
        came = program->Run(in);
      } else {
        bound.Start();
        came = bound_to;
      }
    }
    EXPECT_EQ(there.offset, here.offset);
    for (const size_t k : {0, 1, 2, 4}) {
      EXPECT_TRUE(IsEqual(Gather(came[k]), expected[k])) << "run " << run << ", output " << k;
    }
    EXPECT_LT(Difference(Gather(came[3]), expected[3]), 1e-6);
  }
}

class Opaque : public Op {
 public:
  std::string_view Name() const override { return "opaque"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override { out.Share(0, in[0]); }
};

TEST_P(DeviceProgramTest, AnOpWithoutKernelsIsNamed) {
  const Graph graph = RecordGraph(
      [](Arrays x) { return DlArrays{x[0] + Apply(std::make_shared<Opaque>(), {x[0]})}; },
      std::vector<ArraySpec>{DlArray(1.0F).spec()});
  try {
    const DeviceProgram program(graph, gpu_);
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "emit:CannotPrint");
    EXPECT_NE(std::string(e.what()).find("opaque"), std::string::npos) << e.what();
  }
}

// Whatever does not fit is refused, and all goes on.
TEST_P(DeviceProgramTest, MemoryThatIsFullIsAnError) {
  if (emulated_ == nullptr) GTEST_SKIP() << "Only the emulated device can be made small.";
  const DlArrays inputs = {DlArray::FromVector<float>({1, 2, 3}, {3, 1}, "CB"),
                           DlArray::FromVector<float>({0.5F, -1, 2}, {3}, "C")};
  const DeviceProgram program(GraphOf(Parabola, inputs), gpu_);
  const DlArrays in = AllToDevice(gpu_, inputs);
  const size_t used = emulated_->bytes_in_use();
  emulated_->set_most_bytes(used + 300);  // Room for the first output.
  EXPECT_EQ(Identifier([&] { program.Run(in); }), "gpu:OutOfMemory");
  EXPECT_EQ(emulated_->bytes_in_use(), used);
  emulated_->set_most_bytes(SIZE_MAX);
  EXPECT_TRUE(IsEqual(Gather(program.Run(in)[0]), Parabola(inputs)[0]));
}

}  // namespace
}  // namespace lamina::gpu
