// Sums that kernels add in parts are the sums, within the bound of framework/cpu/reduce.h, and the
// same for every number of threads. The oracle adds in double, one term after another.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/executable.h"
#include "framework/cpu/threads.h"
#include "framework/emit/kernels.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

struct Case {
  Sizes sizes;
  std::vector<int> dims;
};

// The sums of the terms and of their sizes, over the dims.
std::pair<std::vector<double>, std::vector<double>> Oracle(const std::vector<float>& x,
                                                           const Case& c) {
  int64_t kept = 1;
  std::vector<int64_t> stride(c.sizes.size(), 0);  // In the results.
  for (size_t d = 0; d < c.sizes.size(); ++d) {
    if (std::count(c.dims.begin(), c.dims.end(), static_cast<int>(d)) > 0) continue;
    stride[d] = kept;
    kept *= c.sizes[d];
  }
  std::vector<double> sum(kept, 0.0), size(kept, 0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), at = 0;
    for (size_t d = 0; d < c.sizes.size(); ++d) {
      at += rest % c.sizes[d] * stride[d];
      rest /= c.sizes[d];
    }
    sum[at] += x[i];
    size[at] += std::abs(x[i]);
  }
  return {sum, size};
}

TEST(KernelSumsTest, AreTheSumsWhoeverAddsThem) {
  const TemporaryFolder folder("kernel_sums_test_");
  CompilerSettings settings = CompilerSettings::FromEnvironment();
  settings.cache_folder = folder.path();
  const int threads = cpu::NumThreads();
  // Numbers of all elements and of channels; rows of sums; one, two and more dims around; numbers
  // of terms that no part divides; rows of more than 1,024 terms.
  const std::vector<Case> cases = {
      {{64, 1024}, {0, 1}},
      {{3, 7, 1031}, {0, 1, 2}},
      {{5000}, {0}},
      {{128, 512}, {1}},
      {{7, 3001}, {1}},
      {{33, 40, 60}, {1, 2}},
      {{4, 3, 50, 90}, {1, 3}},
      {{24, 24, 5, 32}, {0, 1, 3}},
      {{1500, 4, 30}, {0, 2}},
      {{2, 100000}, {1}},
      {{100000, 2}, {0}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(absl::StrCat(c.sizes.size(), " dims, first ", c.sizes[0]));
    RandomSource source{.seed = 7};
    const ScopedRandomSource scope(source);
    // Numbers of one sign and of both, and what the loop stores besides.
    const DlArrays in = {Randn(c.sizes), Rand(c.sizes)};
    const Graph graph = RecordGraph(
        [&c](Arrays x) {
          const DlArray y = 2 * x[0];
          return DlArrays{Sum(y, c.dims), y, Sum(x[1] * x[1], c.dims)};
        },
        std::vector<ArraySpec>{in[0].spec(), in[1].spec()});
    Executable executable(graph, WriteKernels);
    executable.Compile(settings);
    ASSERT_TRUE(executable.Wait().ok()) << executable.Wait();
    ASSERT_EQ(executable.plan()->num_op_calls(), 0);
    cpu::SetNumThreads(1);
    const DlArrays alone = executable.Run(in);
    cpu::SetNumThreads(2);
    const DlArrays shared = executable.Run(in);
    cpu::SetNumThreads(threads);
    for (size_t k = 0; k < alone.size(); ++k) EXPECT_TRUE(IsEqual(alone[k], shared[k])) << k;
    EXPECT_TRUE(IsEqual(alone[1], 2 * in[0]));
    for (const int k : {0, 2}) {
      const DlArray terms = k == 0 ? alone[1] : in[1] * in[1];
      const auto [sum, size] = Oracle(terms.ToVector<float>(), c);
      const double n = static_cast<double>(terms.numel()) / static_cast<double>(sum.size());
      ASSERT_EQ(alone[k].numel(), static_cast<int64_t>(sum.size()));
      for (size_t i = 0; i < sum.size(); ++i) {
        EXPECT_NEAR(alone[k].At(i), sum[i], (130 + std::log2(n)) * std::ldexp(size[i], -24)) << i;
      }
    }
  }
}

}  // namespace
}  // namespace lamina
