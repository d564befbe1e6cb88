// Products that kernels compute in parts (framework/emit/kernel_product_parts.h), against the ops
// one by one: which are, and that they are the same.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "framework/acceleration/executable.h"
#include "framework/emit/kernels.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/lstm_function.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using Function = std::function<DlArrays(Arrays)>;

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// How many calls, products of single and double, name this function of the prelude.
class Written {
 public:
  Written(const Function& function, const DlArrays& inputs) {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : inputs) specs.push_back(x.spec());
    const Graph graph = Optimize(RecordGraph(function, specs));
    program_ = WriteKernels(graph);
    const TemporaryFolder folder("product_parts");
    CompilerSettings settings = CompilerSettings::FromEnvironment();
    settings.cache_folder = folder.path();
    Executable executable(graph, WriteKernels);
    executable.Compile(settings);
    EXPECT_TRUE(executable.Wait().ok()) << executable.Wait();
    // Twice: what one run leaves in memory must not matter to the next.
    for (int run = 0; run < 2; ++run) {
      const DlArrays came = executable.Run(inputs), expected = function(inputs);
      for (size_t k = 0; k < expected.size(); ++k) {
        const double scale = MaxAbs(expected[k]), u = came[k].type() == DataType::kSingle
                                                          ? std::ldexp(1.0, -24)
                                                          : std::ldexp(1.0, -53);
        EXPECT_LE(MaxAbs(came[k] - expected[k]), 300 * u * scale) << "output " << k;
      }
    }
  }

  int Products(const std::string& name) const {
    int count = 0;
    for (const KernelCall& call : program_.calls) {
      if (call.kernel < 0) continue;
      const size_t begin = program_.source.find("void k" + std::to_string(call.kernel) + "("),
                   end = program_.source.find("\n}\n", begin);
      count += Count(program_.source.substr(begin, end - begin), "lamina_" + name + "_f");
    }
    return count;
  }

 private:
  static double MaxAbs(const DlArray& x) {
    double most = 0;
    for (int64_t i = 0; i < x.numel(); ++i) most = std::max(most, std::abs(x.ComplexAt(i)));
    return most;
  }

  KernelProgram program_;
};

DlArrays LstmInputs(int64_t channels, int64_t units, int64_t batch, int64_t steps, DataType type) {
  RandomSource source{.seed = 5};
  const ScopedRandomSource scope(source);
  return testing::LstmInputs(channels, units, batch, steps, type);
}

TEST(ProductPartsTest, ARecurrentLayerComputesAllOfATimeStepAtOnce) {
  // Rows of both factors in one vector, in two, and more of the second than of the first.
  const struct {
    int64_t channels, units, batch;
  } sizes[] = {{3, 13, 20}, {12, 20, 16}, {40, 9, 33}};
  for (const auto& [channels, units, batch] : sizes) {
    for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
      constexpr int kSteps = 24;
      const Written written(testing::LstmAndGradients,
                            LstmInputs(channels, units, batch, kSteps, type));
      EXPECT_EQ(written.Products("gemm_begun"), kSteps);
      EXPECT_EQ(written.Products("gemm_packed_two"), kSteps - 1);
      EXPECT_EQ(written.Products("gemm_packed"), 0);
    }
  }
}

TEST(ProductPartsTest, FewColumnsAreLeftAsTheyAre) {
  const Written written(testing::LstmAndGradients, LstmInputs(3, 13, 15, 24, DataType::kSingle));
  EXPECT_EQ(written.Products("gemm_begun"), 0);
  EXPECT_EQ(written.Products("gemm_packed_two"), 0);
}

TEST(ProductPartsTest, WhatIsReadElsewhereTooIsStored) {
  const auto function = [](Arrays in) {
    DlArrays all = testing::LstmAndGradients(in);
    // The layer's own product of weights and inputs.
    all.push_back(Sum(MatMul(in[1], Reshape(StripDims(in[0]), {3, 20 * 24})), 1));
    return all;
  };
  const Written written(function, LstmInputs(3, 13, 20, 24, DataType::kSingle));
  EXPECT_EQ(written.Products("gemm_begun"), 0);
  EXPECT_EQ(written.Products("gemm_packed_two"), 23);
}

}  // namespace
}  // namespace lamina
