// What a device's libraries compute: against the same function on the processor, whose products and
// convolutions have tests of their own. The emulated device here has libraries too: its calls look
// whether their memory is aligned, overwrite their workspace, and must have run before they are
// recorded.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/activation.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/spectral.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(const DlArrays&)>;

class LibraryCallsTest : public testing::EachDevice {
 protected:
  LibraryCallsTest() : EachDevice(/*has_libraries=*/true) {}

  std::shared_ptr<const DeviceProgram> ProgramOf(const Function& f, const DlArrays& inputs) const {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : inputs) specs.push_back(x.spec());
    const Graph graph =
        Optimize(RecordGraph([&](Arrays in) { return f(DlArrays(in.begin(), in.end())); }, specs),
                 ImageLayouts::kPlain);
    return std::make_shared<const DeviceProgram>(graph, gpu_);
  }

  // `terms`: how many numbers the longest sum has. The error of a sum of so many products of
  // numbers of about 1, in whatever order, with room for Winograd's filtering.
  void ExpectAsOnProcessor(const std::string& name, const Function& f, const DlArrays& inputs,
                           int num_calls, double terms) {
    SCOPED_TRACE(name);
    const auto program = ProgramOf(f, inputs);
    if (emulated_ != nullptr) {
      EXPECT_EQ(program->kernels().num_library_calls(), static_cast<size_t>(num_calls));
    } else {
      std::cout << name << ": " << program->kernels().num_library_calls() << " of " << num_calls
                << " by a library, " << program->kernels().num_launches() << " launches\n";
      if (FindCudaBlas().ok() && FindCudnn().ok() && FindCufft().ok()) {
        EXPECT_EQ(program->kernels().num_library_calls(), static_cast<size_t>(num_calls));
      }
    }
    DlArrays there;
    for (const DlArray& x : inputs) there.push_back(gpu_->ToDevice(x));
    const DlArrays expected = f(inputs), once = program->Run(there);
    DlArrays again = program->RoomForOutputs();
    const BoundProgram bound(program, there, again);
    for (int i = 0; i < 2; ++i) bound.Start();
    for (size_t k = 0; k < expected.size(); ++k) {
      const DlArray came = Gather(once[k]), recorded = Gather(again[k]);
      const double u = ToReal(came.type()) == DataType::kSingle ? 0x1p-24 : 0x1p-53;
      for (int64_t i = 0; i < came.numel(); ++i) {
        ASSERT_NEAR(std::abs(came.ComplexAt(i) - expected[k].ComplexAt(i)), 0, 30 * terms * u)
            << "output " << k << ", element " << i;
        ASSERT_EQ(came.ComplexAt(i), recorded.ComplexAt(i));
      }
    }
  }
};

DlArray Normal(const Sizes& sizes, DataType type, std::string_view format = "") {
  if (!IsComplex(type)) return Randn(sizes, type, format);
  return Complex(Randn(sizes, ToReal(type), format), Randn(sizes, ToReal(type), format));
}

TEST_P(LibraryCallsTest, ProductsOfMatrices) {
  Rng(1);
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    for (const bool tx : {false, true}) {
      for (const bool ty : {false, true}) {
        const Sizes x = tx ? Sizes{17, 5} : Sizes{5, 17}, y = ty ? Sizes{9, 17} : Sizes{17, 9};
        ExpectAsOnProcessor(
            std::string("product ") + (tx ? "t" : "n") + (ty ? "t" : "n"),
            [&](const DlArrays& in) { return DlArrays{MatMul(in[0], in[1], tx, ty)}; },
            {Normal(x, type), Normal(y, type)}, 1, 17);
      }
    }
  }
}

TEST_P(LibraryCallsTest, PagesOfProducts) {
  Rng(2);
  const auto product = [](const DlArrays& in) { return DlArrays{MatMul(in[0], in[1])}; };
  const DataType type = DataType::kSingle;
  ExpectAsOnProcessor("pages", product, {Normal({4, 6, 3, 2}, type), Normal({6, 5, 3, 2}, type)}, 1,
                      6);
  ExpectAsOnProcessor("one y", product, {Normal({4, 6, 3}, type), Normal({6, 5}, type)}, 1, 6);
  // Each repeats another dim of the pages: no library has strides for that.
  ExpectAsOnProcessor("both repeat", product,
                      {Normal({4, 6, 3, 1}, type), Normal({6, 5, 1, 2}, type)}, 0, 6);
}

TEST_P(LibraryCallsTest, BetweenKernelsAndInSequence) {
  Rng(3);
  const auto f = [](const DlArrays& in) {
    const DlArray h = Relu(MatMul(in[0], in[1]) + in[2]);
    const DlArray y = Tanh(MatMul(in[0], h) + h);
    return DlArrays{y, Sum(y), MatMul(y, y, true)};
  };
  ExpectAsOnProcessor("layers", f,
                      {Normal({7, 7}, DataType::kSingle) / 3, Normal({7, 7}, DataType::kSingle) / 3,
                       Normal({7, 1}, DataType::kSingle)},
                      3, 49);
}

// A bias, a ReLU and the gradient of a bias are done by the product's call: fewer launches, the
// same results.
TEST_P(LibraryCallsTest, ProductsWithEpilogues) {
  Rng(8);
  const auto gradient = [](const DlArrays& in) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray y = Relu(FullyConnect(p[0], p[1], p[2]));
          DlArrays out{y};
          const DlArrays g = DlGradient(Sum(Tanh(FullyConnect(y, p[3], p[4]))), p);
          out.insert(out.end(), g.begin(), g.end());
          return out;
        },
        in);
  };
  struct Case {
    std::string name;
    Function f;
    size_t inputs;
    int calls;
    size_t launches, more;  // With epilogues, and how many more without.
  };
  const std::vector<Case> cases = {
      {"bias and ReLU",
       [](const DlArrays& in) { return DlArrays{Relu(FullyConnect(in[0], in[1], in[2]))}; }, 3, 1,
       1, 1},
      {"bias", [](const DlArrays& in) { return DlArrays{FullyConnect(in[0], in[1], in[2])}; }, 3, 1,
       1, 1},
      {"ReLU", [](const DlArrays& in) { return DlArrays{Relu(FullyConnect(in[0], in[1], {}))}; }, 2,
       1, 1, 1},
      {"a kernel reads it",
       [](const DlArrays& in) { return DlArrays{Tanh(FullyConnect(in[0], in[1], in[2]))}; }, 3, 1,
       2, 0},
      {"sums of x",
       [](const DlArrays& in) {
         return DlArrays{MatMul(in[3], in[1]), Sum(in[3], 1)};
       },
       4, 1, 1, 1},
      {"sums of one row",
       [](const DlArrays& in) {
         const DlArray x = Slice(in[3], 0, 0, 1);
         return DlArrays{MatMul(x, in[1]), Sum(x, 1)};
       },
       4, 1, 0, 0},
      {"sums of one column",
       [](const DlArrays& in) {
         const DlArray x = Slice(in[3], 1, 0, 1);
         return DlArrays{MatMul(x, in[2], false, true), Sum(x, 1)};
       },
       4, 1, 0, 0},
      {"sums of y",
       [](const DlArrays& in) {
         return DlArrays{MatMul(in[1], in[3], true, true), Sum(in[3], 1)};
       },
       4, 1, 1, 1},
      {"gradients of two layers", gradient, 5, 6, 0, 1},
  };
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArrays all = {Normal({4, 3, 5}, type, "CBT"), Normal({6, 4}, type),
                          Normal({6, 1}, type), Normal({2, 6}, type), Normal({2, 1}, type)};
    for (const Case& c : cases) {
      const DlArrays in(all.begin(), all.begin() + static_cast<int64_t>(c.inputs));
      ExpectAsOnProcessor(c.name, c.f, in, c.calls, 64);
      if (emulated_ == nullptr) {
        std::cout << c.name << ": with all epilogues there are " << c.launches << " launches\n";
        continue;
      }
      const size_t with = ProgramOf(c.f, in)->kernels().num_launches();
      emulated_->set_takes_epilogues(false);
      ExpectAsOnProcessor(c.name + " without", c.f, in, c.calls, 64);
      const size_t without = ProgramOf(c.f, in)->kernels().num_launches();
      emulated_->set_takes_epilogues(true);
      if (c.launches > 0) {
        EXPECT_EQ(with, c.launches) << c.name;
      }
      EXPECT_GE(without, with + c.more) << c.name;
    }
  }
}

TEST_P(LibraryCallsTest, NanStaysNanInAnEpilogue) {
  const auto f = [](const DlArrays& in) {
    return DlArrays{Relu(FullyConnect(in[0], in[1], in[2]))};
  };
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    DlArrays in = {Ones({4, 3}, type, "CB"), Ones({6, 4}, type), Ones({6, 1}, type)};
    in[0] = in[0] * Log(-in[0]);
    const auto program = ProgramOf(f, in);
    DlArrays there;
    for (const DlArray& x : in) there.push_back(gpu_->ToDevice(x));
    const DlArray y = Gather(program->Run(there)[0]);
    for (int64_t i = 0; i < y.numel(); ++i) EXPECT_TRUE(std::isnan(y.At(i))) << i;
  }
}

// Another process finds plans and algorithms of libraries on the disk, and kernels.
TEST_P(LibraryCallsTest, WhatIsKeptComputesTheSame) {
  Rng(9);
  const auto f = [](const DlArrays& in) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray h = Relu(DlConv(p[0], p[1], DlArray()));
          const DlArray y = Relu(MatMul(p[2], Reshape(h, {h.numel() / 4, 4})) + p[3]);
          DlArrays out{y};
          const DlArrays gradients = DlGradient(Sum(Tanh(y)), p);
          out.insert(out.end(), gradients.begin(), gradients.end());
          return out;
        },
        in);
  };
  const DataType type = DataType::kSingle;
  const DlArrays in = {Normal({9, 8, 3, 4}, type, "SSCB"), Normal({3, 3, 3, 5}, type) / 4,
                       Normal({6, 7 * 6 * 5}, type) / 16, Normal({6, 1}, type)};
  const auto results = [&](const std::shared_ptr<Gpu>& gpu) {
    gpu_ = gpu;
    DlArrays there;
    for (const DlArray& x : in) there.push_back(gpu->ToDevice(x));
    DlArrays here;
    for (const DlArray& y : ProgramOf(f, in)->Run(there)) here.push_back(Gather(y));
    return here;
  };
  const DlArrays first = results(gpu_);
  std::shared_ptr<Device> other = testing::MakeEmulatedDevice(/*has_libraries=*/true);
  if (emulated_ == nullptr) other = *OpenCudaDevice();
  const DlArrays second = results(Gpu::Make(other));
  for (size_t k = 0; k < first.size(); ++k) EXPECT_TRUE(IsEqual(first[k], second[k])) << k;
}

TEST_P(LibraryCallsTest, AFactorFromConstantsIsWrittenOut) {
  Rng(4);
  const auto f = [](const DlArrays& in) {
    return DlArrays{MatMul(Reshape(DlArray::FromVector<float>({1, 2, 3, 4}, {4}), {2, 2}), in[0])};
  };
  ExpectAsOnProcessor("constant", f, {Normal({2, 3}, DataType::kSingle)}, 0, 8);
}

TEST_P(LibraryCallsTest, ConvolutionsAndTheirGradients) {
  Rng(5);
  struct Case {
    std::string name;
    Sizes x;
    std::string format;
    Sizes w;
    ConvOptions options;
    double terms;  // Of the gradient of the weights, the longest sum.
  };
  const std::vector<Case> cases = {
      {"plain", {9, 8, 3, 4}, "SSCB", {3, 2, 3, 5}, {}, 200},
      {"strides", {9, 8, 3, 4}, "SSCB", {3, 3, 3, 5}, {.stride = {2, 1}, .padding = "same"}, 160},
      {"one dim", {20, 3, 4}, "SCB", {5, 3, 6}, {.dilation = {2}}, 50},
      {"uneven padding", {20, 3, 4}, "CBT", {4, 20, 6}, {.padding = "causal"}, 12},
      {"three dims", {5, 6, 4, 2, 3}, "SSSCB", {2, 3, 2, 2, 4}, {}, 150},
      {"groups", {9, 8, 6, 4}, "SSCB", {3, 3, 2, 4, 3}, {}, 170},
      {"winograd", {14, 14, 32, 2}, "SSCB", {3, 3, 32, 32}, {.padding = "same"}, 400},
  };
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    for (const Case& c : cases) {
      const auto f = [&c](const DlArrays& in) {
        return DlFeval(
            [&c](const DlArrays& p) {
              DlArrays out{DlConv(p[0], p[1], DlArray(), c.options)};
              const DlArrays gradients = DlGradient(Sum(Tanh(out[0])), p);
              out.insert(out.end(), gradients.begin(), gradients.end());
              return out;
            },
            in);
      };
      ExpectAsOnProcessor(c.name, f, {Normal(c.x, type, c.format), Normal(c.w, type) / 4}, 3,
                          c.terms);
    }
  }
}

// The gradient of a few weights is a kernel of our own, whose blocks share long sums; that of the
// data and what is rounded are calls.
TEST_P(LibraryCallsTest, FewWeightsOfLongSums) {
  Rng(7);
  const auto gradients = [](const DlArrays& in) {
    return DlFeval(
        [](const DlArrays& p) {
          return DlGradient(Sum(Tanh(DlConv(p[0], p[1], DlArray(), {.padding = "same"}))), p);
        },
        in);
  };
  const auto rounded = [&](const DlArrays& in) {
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    return gradients(in);
  };
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArrays in = {Normal({28, 28, 2, 11}, type, "SSCB"), Normal({3, 3, 2, 4}, type) / 4};
    ExpectAsOnProcessor("few", gradients, in, 2, 28 * 28 * 11);
    const DlArrays shorter = {Normal({28, 28, 2, 10}, type, "SSCB"), in[1]};
    ExpectAsOnProcessor("shorter", gradients, shorter, 3, 28 * 28 * 10);
    if (type == DataType::kSingle && emulated_ != nullptr) {
      EXPECT_EQ(ProgramOf(rounded, in)->kernels().num_library_calls(), 3u);
    }
  }
}

TEST_P(LibraryCallsTest, FourierTransforms) {
  Rng(7);
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    // The first, a middle and the last dim; real and complex; a prime above 100; both directions.
    for (const int dim : {0, 1, 2}) {
      const auto f = [dim](const DlArrays& in) {
        const DlArray spectrum = Fft(in[0], dim);
        return DlArrays{spectrum, Ifft(in[1], dim), Real(Ifft(spectrum * in[1], dim))};
      };
      const Sizes sizes = dim == 0   ? Sizes{101, 4, 3}
                          : dim == 1 ? Sizes{3, 36, 5}
                                     : Sizes{5, 2, 16};
      ExpectAsOnProcessor("transforms", f, {Normal(sizes, type), Normal(sizes, ToComplex(type))}, 3,
                          101);
    }
    // Two dims, with derivatives: each of the two has a transform of its own.
    ExpectAsOnProcessor(
        "gradient",
        [](const DlArrays& in) {
          return DlFeval(
              [](const DlArrays& p) {
                const DlArray y = Real(Ifft(Fft(p[0], {0, 1}) * p[1], {0, 1}));
                DlArrays out{y};
                const DlArrays gradients = DlGradient(Sum(y * Tanh(y)), p, {.allow_complex = true});
                out.insert(out.end(), gradients.begin(), gradients.end());
                return out;
              },
              in);
        },
        {Normal({9, 8, 3}, type), Normal({9, 8, 3}, ToComplex(type)) / 9}, 8, 400);
  }
  // One of numbers that stand in the source is composed.
  ExpectAsOnProcessor(
      "constants",
      [](const DlArrays& in) {
        return DlArrays{in[0] * Fft(DlArray::FromVector<float>({1, 2, 4}, {3}) + 0 * in[0], 0),
                        Fft(DlArray::FromVector<float>({1, 2, 3, 4}, {4}), 0)};
      },
      {Normal({3}, DataType::kSingle)}, 1, 30);
}

// Units of bfloat16 may compute products of what is rounded to it; the emulated device looks
// whether it is.
TEST_P(LibraryCallsTest, ProductsInBfloat16) {
  Rng(6);
  const auto f = [](const DlArrays& in) {
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray h = Relu(DlConv(p[0], p[1], DlArray()));
          const DlArray y = MatMul(p[2], Reshape(h, {h.numel() / 4, 4}));
          DlArrays out{y};
          const DlArrays gradients = DlGradient(Sum(Tanh(y)), p);
          out.insert(out.end(), gradients.begin(), gradients.end());
          return out;
        },
        in);
  };
  // A difference in the last bit of a sum may become one in that of a bfloat16, 2^-9 of a number.
  const DataType type = DataType::kSingle;
  ExpectAsOnProcessor("bfloat16", f,
                      {Normal({9, 8, 3, 4}, type, "SSCB"), Normal({3, 3, 3, 5}, type) / 4,
                       Normal({6, 7 * 6 * 5}, type) / 16},
                      6, 0x1p10);
  if (emulated_ != nullptr) {
    EXPECT_EQ(emulated_->num_rounded(), 6);
  }
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(Devices, LibraryCallsTest, ::testing::Bool(), testing::DeviceKind);

}  // namespace lamina::gpu
