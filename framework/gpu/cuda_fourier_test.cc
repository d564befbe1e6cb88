// How lines of a transform are shared out: by the processor's transform, line by line. What cuFFT
// makes of them is tried on a device (library_calls_test.cc).
#include "framework/gpu/cuda_fourier.h"

#include <cmath>
#include <complex>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"

namespace lamina::gpu {
namespace {

using Number = std::complex<double>;

TEST(CudaFourierTest, ExecutionsReachEachLineOnce) {
  constexpr int64_t kN = 6;
  for (const auto& [inner, outer, executions] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1},
                                                 {1, 7, 1},
                                                 {7, 1, 1},
                                                 {3, 5, 3},
                                                 {5, 3, 3}}) {
    const FourierCall call{
        .type = DataType::kComplexDouble, .inner = inner, .n = kN, .outer = outer};
    std::vector<Number> x(inner * kN * outer), expected(x.size()), y(x.size(), NAN);
    for (size_t i = 0; i < x.size(); ++i) x[i] = {1.0 / (1 + i), 0.1 * i};
    cpu::Fft(call.type, call.sign, inner, kN, outer, x.data(), expected.data());
    const FourierLines lines = LinesOf(call);
    EXPECT_EQ(lines.executions, executions);
    EXPECT_EQ(lines.executions * lines.lines, inner * outer);
    for (int64_t e = 0; e < lines.executions; ++e) {
      for (int64_t l = 0; l < lines.lines; ++l) {
        const int64_t first = e * lines.between + l * lines.distance;
        Number line[kN], spectrum[kN];
        for (int64_t j = 0; j < kN; ++j) line[j] = x[first + j * inner];
        cpu::Fft(call.type, call.sign, 1, kN, 1, line, spectrum);
        for (int64_t j = 0; j < kN; ++j) y[first + j * inner] = spectrum[j];
      }
    }
    for (size_t i = 0; i < x.size(); ++i) EXPECT_LE(std::abs(y[i] - expected[i]), 1e-14) << i;
  }
}

}  // namespace
}  // namespace lamina::gpu
