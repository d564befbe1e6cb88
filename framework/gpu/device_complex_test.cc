// Complex numbers on a device, against the same functions here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(Arrays)>;

// u of the array's precision.
double RoundingOf(const DlArray& x) {
  return ToReal(x.type()) == DataType::kDouble ? 0x1p-53 : 0x1p-24;
}

// Both parts are multiples of 1/16 in [-2, 2]: sums and products of few of them are exact.
DlArray Draw(uint64_t seed, const Sizes& sizes, std::string_view format, DataType type) {
  RandomSource source(seed);
  const ScopedRandomSource scope(source);
  const auto part = [&] { return Round(Rand(sizes, DataType::kDouble, format) * 64 - 32) / 16; };
  const DlArray re = part();
  return Cast(Complex(re, part()), type);
}

class DeviceComplexTest : public testing::EachDevice {
 protected:
  // The outputs there. NVRTC, where it is found, has to take the kernels.
  DlArrays Run(const Function& f, const DlArrays& inputs) {
    std::vector<ArraySpec> specs;
    DlArrays there;
    for (const DlArray& x : inputs) {
      specs.push_back(x.spec());
      there.push_back(gpu_->ToDevice(x));
    }
    const DeviceProgram program(Optimize(RecordGraph(f, specs), ImageLayouts::kPlain), gpu_);
    source_ = program.kernels().source();
    if (FindCudaCompiler().ok()) {
      const auto image = CompileCudaKernels({.text = source_, .kernels = {}}, "sm_90");
      EXPECT_TRUE(image.ok()) << image.status() << source_;
    }
    DlArrays came;
    for (const DlArray& y : program.Run(there)) came.push_back(Gather(y));
    return came;
  }

  void ExpectEqual(const Function& f, const DlArrays& inputs) {
    const DlArrays came = Run(f, inputs), expected = f(inputs);
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < came.size(); ++k) {
      EXPECT_TRUE(IsEqual(came[k], expected[k]))
          << "output " << k << ": " << came[k] << "\nexpected: " << expected[k];
    }
  }

  // Each number within `bound` u of its own size; or, with `of_greatest`, of the array's greatest.
  void ExpectNear(const Function& f, const DlArrays& inputs, double bound, bool of_greatest) {
    const DlArrays came = Run(f, inputs), expected = f(inputs);
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < came.size(); ++k) {
      ASSERT_EQ(came[k].spec(), expected[k].spec());
      double greatest = 0;
      for (int64_t i = 0; i < came[k].numel(); ++i) {
        greatest = std::max(greatest, std::abs(expected[k].ComplexAt(i)));
      }
      for (int64_t i = 0; i < came[k].numel(); ++i) {
        const std::complex<double> a = came[k].ComplexAt(i), b = expected[k].ComplexAt(i);
        if (a == b) continue;
        EXPECT_LE(std::abs(a - b),
                  bound * RoundingOf(expected[k]) * (of_greatest ? greatest : std::abs(b)))
            << "output " << k << ", element " << i << ": " << a << ", expected " << b;
      }
    }
  }

  std::string source_;  // Of the kernels that ran last.
};
INSTANTIATE_TEST_SUITE_P(Devices, DeviceComplexTest, ::testing::Bool(), testing::DeviceKind);

constexpr DataType kTypes[] = {DataType::kComplexSingle, DataType::kComplexDouble};

TEST_P(DeviceComplexTest, WhatIsExactIsEqual) {
  const auto f = [](Arrays x) {
    const DlArray &z = x[0], &w = x[1], r = Real(z);
    return DlArrays{
        Conj(z),
        -z,
        z + w,
        z - w,
        z * w,
        z * r,
        Square(z),
        z * DlArray(std::complex<double>(0, 1)) + 1,
        r,
        Imag(z),
        Complex(r, Imag(w)),
        Where(r > 0, z, w),
        Equal(z, w),
        NotEqual(z, Conj(z)),
        Cast(z, DataType::kComplexDouble),
        Cast(z, DataType::kComplexSingle),
        Cast(z, DataType::kDouble),
        Cast(r > 0, DataType::kComplexSingle),
        z * DlArray::FromVector<std::complex<double>>({{1, 2}, {0, -1}, {0.5, 0}}, {3})};
  };
  for (const DataType type : kTypes) {
    const DlArray z = Draw(1, {3, 4, 5}, "SCB", type);
    ExpectEqual(f, {z, Where(Real(z) > 0.5, z, Draw(2, {3, 4, 5}, "SCB", type))});
  }
}

// Here and there each is within 8 u, and CUDA's functions have a few ulp: cuda_complex.h.
TEST_P(DeviceComplexTest, FunctionsAgreeToRounding) {
  const auto f = [](Arrays x) {
    const DlArray &z = x[0], &w = x[1];
    return DlArrays{z / w,  Reciprocal(w), Exp(z),     Log(w),          Sqrt(z),
                    Abs(z), Sign(z),       z / Abs(w), Exp(z) / Sqrt(w)};
  };
  for (const DataType type : kTypes) {
    const DlArray z = Draw(1, {200}, "C", type), w = Draw(2, {200}, "C", type);
    ExpectNear(f, {z, Where(Equal(w, 0), DlArray(1.0F), w)}, 64, /*of_greatest=*/false);
  }
}

TEST_P(DeviceComplexTest, ElementaryFunctionsAgreeToRounding) {
  const auto f = [](Arrays x) {
    const DlArray &z = x[0], &w = x[1];
    return DlArrays{Sin(z),  Cos(z),   Tan(z),   Asin(z),    Acos(z),    Atan(z),  Sinh(z),
                    Cosh(z), Tanh(z),  Asinh(z), Acosh(z),   Atanh(z),   Expm1(z), Log1p(z),
                    Log2(w), Log10(w), Rsqrt(w), Sigmoid(z), Power(w, z)};
  };
  for (const DataType type : kTypes) {
    const DlArray z = Draw(1, {200}, "C", type), w = Draw(2, {200}, "C", type);
    ExpectNear(f, {z, Where(Equal(w, 0), DlArray(1.0F), w)}, 128, /*of_greatest=*/false);
  }
}

// Numbers whose squares are not numbers of the type.
TEST_P(DeviceComplexTest, NothingIsTooLargeOrTooSmallOnTheWay) {
  const auto f = [](Arrays x) {
    const DlArray &z = x[0], &w = x[1];
    return DlArrays{z / w, Abs(z), Sign(z), Sqrt(z), Log(z)};
  };
  for (const double size : {0x1p100, 0x1p-100}) {
    const DlArray z = Draw(1, {50}, "C", DataType::kComplexSingle) + 3,
                  w = Draw(2, {50}, "C", DataType::kComplexSingle) + 3;
    ExpectNear(f, {z * size, w * size}, 64, /*of_greatest=*/false);
  }
}

// By a thread for each sum, by a block, by several blocks; several sums at a time, more than one
// block joins at once. They are exact, in whatever order they are added.
TEST_P(DeviceComplexTest, SumsAreJoined) {
  const auto f = [](Arrays x) {
    const DlArray& z = x[0];
    const auto sum = [](const DlArray& of) { return Sum(of, "S"); };
    return DlArrays{sum(z),       sum(z * z),       sum(Conj(z) + 1), sum(Real(z)),
                    sum(z - 0.5), sum(z * Imag(z)), sum(2 * z),       sum(-z)};
  };
  for (const DataType type : kTypes) {
    ExpectEqual(f, {Draw(1, {5, 40}, "SC", type)});
    EXPECT_EQ(source_.find("__shared__"), std::string::npos);
    ExpectEqual(f, {Draw(2, {300, 3}, "SC", type)});
    EXPECT_NE(source_.find("__shared__ lamina_cuda::Complex<double> Parts_Complex_double"),
              std::string::npos)
        << source_;
    EXPECT_EQ(source_.find("joins["), std::string::npos);
    ExpectEqual(f, {Draw(3, {5000, 3}, "SC", type)});
    EXPECT_NE(source_.find("joins["), std::string::npos) << source_;
  }
}

// Four at a time, and sums of what was read so.
TEST_P(DeviceComplexTest, LargeArrays) {
  const auto f = [](Arrays x) {
    const DlArray y = Conj(x[0]) * 2 + 1;
    return DlArrays{y, Sum(y), Sum(y, "S"), Any(x[0]), All(Real(x[0]) > 3)};
  };
  for (const DataType type : kTypes) {
    ExpectEqual(f, {Draw(1, {20000, 4}, "SC", type)});
    EXPECT_NE(source_.find("LoadFour"), std::string::npos) << source_;
  }
}

TEST_P(DeviceComplexTest, ProductsAreEqualWhereTheyAreExact) {
  const auto f = [](Arrays x) {
    const DlArray &a = x[0], &b = x[1];
    return DlArrays{MatMul(a, b),
                    MatMul(a, a, false, true),
                    MatMul(a, a, true, false),
                    MatMul(b, a, true, true),
                    Contract(x[2], x[3], 'C'),
                    FullyConnect(x[2], a, x[4]),
                    DlConv(x[2], x[5], x[6])};
  };
  for (const DataType type : kTypes) {
    ExpectEqual(
        f, {Draw(1, {5, 8}, "", type), Draw(2, {8, 3}, "", type), Draw(3, {4, 2, 3}, "SCB", type),
            Draw(4, {2, 3}, "CU", type), Draw(5, {5, 1}, "", type), Draw(6, {3, 2, 4}, "", type),
            Draw(7, {4, 1}, "", type)});
  }
}

// Products whose sums the threads of several blocks share.
TEST_P(DeviceComplexTest, LongProducts) {
  for (const DataType type : kTypes) {
    ExpectNear(
        [](Arrays x) {
          return DlArrays{MatMul(x[0], x[1]), MatMul(x[1], x[1], true)};
        },
        {Draw(1, {2, 5000}, "", type), Draw(2, {5000, 2}, "", type)}, 100,
        /*of_greatest=*/true);
    // A device with a library prints none of it.
    if (emulated_ != nullptr) {
      EXPECT_NE(source_.find("joins["), std::string::npos) << source_;
    }
  }
}

// Of products, sums, divisions and roots; numbers that are not real have derivatives that are not.
TEST_P(DeviceComplexTest, Gradients) {
  const auto f = [](Arrays x) {
    return DlFeval(
        [](const DlArrays& p) {
          const DlArray z = FullyConnect(p[0], p[1], p[2]);
          const DlArray y = Relu(Abs(z) + p[3]) * Sign(z) + Exp(z) / (3 + z * Conj(z)) +
                            Log(4 + z) * Sqrt(z + 5) + DlConv(p[0], p[4], {});
          const DlArray loss = Mse(y, p[5]) + L1Loss(Real(y), Imag(y));
          DlArrays all = DlGradient(Real(loss), p, {.allow_complex = true});
          all.push_back(y);
          all.push_back(loss);
          return all;
        },
        DlArrays(x.begin(), x.end()));
  };
  for (const DataType type : kTypes) {
    ExpectNear(f,
               {Draw(1, {1, 4, 6}, "SCB", type), Draw(2, {3, 4}, "", type) / 4,
                Draw(3, {3, 1}, "", type), Real(Draw(4, {3, 1}, "", type)),
                Draw(5, {1, 4, 3}, "", type) / 4, Draw(6, {1, 3, 6}, "SCB", type)},
               300, /*of_greatest=*/true);
  }
}

}  // namespace
}  // namespace lamina::gpu
