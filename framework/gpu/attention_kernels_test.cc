// Attention by its own kernels on a device: against its formulas in double, one number at a time.
#include "framework/ops/attention_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/attention.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/shape.h"

namespace lamina::gpu {
namespace {

struct Case {
  int64_t heads, depth, values, batch, queries, keys;
  bool causal = false;
  double scale = 0.5;
};

std::string ToString(const Case& c) {
  return absl::StrCat(c.heads, " heads of ", c.depth, " and ", c.values, ", batch ", c.batch, ", ",
                      c.queries, " queries, ", c.keys, " keys", c.causal ? ", causal" : "");
}

// Queries, keys, values, and the gradient of the result.
DlArrays Inputs(const Case& c, DataType type) {
  const auto array = [&](int64_t channels, int64_t steps, uint64_t seed) {
    return Cast(RandomInput({channels * c.heads, c.batch, steps}, "CBT", -1, 1, seed), type);
  };
  return {array(c.depth, c.queries, 1), array(c.depth, c.keys, 2), array(c.values, c.keys, 3),
          array(c.values, c.queries, 4)};
}

DlArray Attend(const Case& c, Arrays in) {
  return Attention(in[0], in[1], in[2], c.heads, {.scale = c.scale, .causal = c.causal});
}

// y and the gradients of queries, keys and values.
DlArrays WithGradients(const Case& c, const DlArrays& in) {
  return DlFeval(
      [&](const DlArrays& w) {
        const DlArray y = Attend(c, w);
        DlArrays all{y};
        for (const DlArray& g : DlVectorJacobian(y, in[3], w)) all.push_back(g);
        return all;
      },
      DlArrays{in[0], in[1], in[2]});
}

// The formulas of attention.h and attention_op.cc.
DlArrays Formulas(const Case& c, const DlArrays& in) {
  const auto offset = [&](int64_t depth, int64_t h, int64_t b, int64_t t) {
    return depth * (h + c.heads * (b + c.batch * t));
  };
  std::vector<double> q = Gather(Double(in[0])).ToVector<double>(),
                      k = Gather(Double(in[1])).ToVector<double>(),
                      v = Gather(Double(in[2])).ToVector<double>(),
                      dy = Gather(Double(in[3])).ToVector<double>(), y(dy.size()), dq(q.size()),
                      dk(k.size()), dv(v.size());
  for (int64_t page = 0; page < c.heads * c.batch; ++page) {
    const int64_t h = page % c.heads, b = page / c.heads;
    const auto dot = [](int64_t n, const double* x, const double* z) {
      double sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += x[i] * z[i];
      return sum;
    };
    for (int64_t t = 0; t < c.queries; ++t) {
      const int64_t of_q = offset(c.depth, h, b, t), of_y = offset(c.values, h, b, t);
      const int64_t seen = c.causal ? std::min(t + 1, c.keys) : c.keys;
      std::vector<double> a(seen), p(seen);
      double most = -INFINITY, sum = 0, mean = 0;
      for (int64_t s = 0; s < seen; ++s) {
        a[s] = c.scale * dot(c.depth, &q[of_q], &k[offset(c.depth, h, b, s)]);
        most = std::max(most, a[s]);
      }
      for (double& x : a) sum += x = std::exp(x - most);
      for (int64_t s = 0; s < seen; ++s) {
        a[s] /= sum;
        p[s] = dot(c.values, &dy[of_y], &v[offset(c.values, h, b, s)]);
        mean += a[s] * p[s];
      }
      for (int64_t s = 0; s < seen; ++s) {
        const int64_t of_k = offset(c.depth, h, b, s), of_v = offset(c.values, h, b, s);
        const double ds = c.scale * a[s] * (p[s] - mean);
        for (int64_t i = 0; i < c.depth; ++i) {
          dq[of_q + i] += ds * k[of_k + i];
          dk[of_k + i] += ds * q[of_q + i];
        }
        for (int64_t i = 0; i < c.values; ++i) {
          y[of_y + i] += a[s] * v[of_v + i];
          dv[of_v + i] += a[s] * dy[of_y + i];
        }
      }
    }
  }
  const auto array = [](const std::vector<double>& x, const DlArray& like) {
    return DlArray::FromVector<double>(x, like.sizes(), "CBT");
  };
  return {array(y, in[3]), array(dq, in[0]), array(dk, in[1]), array(dv, in[2])};
}

class AttentionKernelsTest : public testing::EachDevice {
 protected:
  DlArrays There(const DlArrays& arrays) {
    DlArrays there;
    for (const DlArray& x : arrays) there.push_back(gpu_->ToDevice(x));
    return there;
  }
  // What a recorded function is for the device.
  Graph Prepared(const Case& c, DataType type) {
    std::vector<ArraySpec> specs;
    for (const DlArray& x : Inputs(c, type)) specs.push_back(x.spec());
    return PartsForDevice(
               RecordGraph([&](Arrays x) { return WithGradients(c, DlArrays(x.begin(), x.end())); },
                           specs),
               *gpu_->device())
        .graph;
  }
  std::multiset<std::string> OpsOf(const Case& c, DataType type) {
    std::multiset<std::string> ops;
    const Graph graph = Prepared(c, type);
    for (const GraphStep& step : graph.steps()) ops.emplace(step.op->Name());
    return ops;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, AttentionKernelsTest, ::testing::Bool(), testing::DeviceKind);

// The worst that attention_kernels.h tells of is far away: errors are of both signs.
TEST_P(AttentionKernelsTest, FollowsTheFormulas) {
  const std::vector<Case> cases = {
      {2, 32, 32, 2, 70, 90},           // More than a block of rows, and than a tile of columns.
      {1, 16, 24, 1, 64, 64, true},     // Just these; narrower than the room.
      {3, 5, 7, 2, 33, 150, true},      // No load of 16 bytes fits; keys that nobody sees.
      {1, 32, 8, 1, 150, 40, true},     // Queries that see all keys.
      {2, 64, 48, 1, 80, 130, true},    // Two warps for rows, two for columns.
      {1, 128, 100, 1, 70, 100, true},  // Four for rows.
      {1, 65, 128, 1, 32, 33},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
      if (type == DataType::kDouble && i % 3 == 1) continue;
      SCOPED_TRACE(ToString(c) + (type == DataType::kSingle ? ", single" : ", double"));
      const DlArrays in = Inputs(c, type);
      const DeviceProgram program(Prepared(c, type), gpu_);
      const DlArrays came = program.Run(There(in)), expected = Formulas(c, in);
      const double u = type == DataType::kSingle ? 0x1p-24 : 0x1p-53;
      for (size_t a = 0; a < came.size(); ++a) {
        const DlArray x = Gather(came[a]);
        double worst = 0, largest = 0;
        for (int64_t e = 0; e < x.numel(); ++e) {
          const double error = std::abs(x.At(e) - expected[a].At(e));
          worst = std::isnan(error) ? INFINITY : std::max(worst, error);
          largest = std::max(largest, std::abs(expected[a].At(e)));
        }
        EXPECT_LE(worst, 32 * u * largest) << "array " << a;
        std::cout << ToString(c) << ", array " << a << ": error " << worst / largest / u
                  << " u of the largest\n";
      }
    }
  }
}

TEST_P(AttentionKernelsTest, NothingElseRunsAndNoArrayOfScoresIsThere) {
  const Case few{2, 32, 32, 1, 64, 64}, many{2, 32, 32, 1, 512, 512};
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    std::multiset<std::string> ops = OpsOf(few, type);
    EXPECT_EQ(ops.count("own_kernel"), 3U);
    for (const char* const moves_nothing : {"own_kernel", "relabel", "reshape"}) {
      ops.erase(moves_nothing);
    }
    EXPECT_TRUE(ops.empty()) << *ops.begin();
    const auto bytes = [&](const Case& c) {
      return DeviceKernels(Prepared(c, type), gpu_->device()).bytes();
    };
    EXPECT_GT(bytes(few), 0);  // The greatest scores, the sums and the means.
    EXPECT_EQ(bytes(many), 8 * bytes(few));
    EXPECT_LT(bytes(many), 3 * 2 * 512 * 8 + 1000);
  }
}

TEST_P(AttentionKernelsTest, EachRunGivesTheSameBits) {
  const Case c{2, 32, 32, 2, 100, 130};
  const DlArrays there = There(Inputs(c, DataType::kSingle));
  const DlArrays once = WithGradients(c, there);
  const ScopedProductPrecision rounded(ProductPrecision::kBfloat16);  // Holds for no attention.
  for (int run = 0; run < 3; ++run) {
    const DlArrays again = WithGradients(c, there);
    for (size_t i = 0; i < once.size(); ++i) {
      EXPECT_TRUE(IsEqual(Gather(once[i]), Gather(again[i]))) << i;
    }
  }
}

TEST_P(AttentionKernelsTest, WhatTheKernelsDoNotTakeIsComposed) {
  for (const Case& c : {Case{1, 129, 4, 1, 40, 40}, Case{1, 4, 129, 1, 40, 40},
                        Case{2, 8, 8, 1, 31, 40}, Case{2, 8, 8, 1, 40, 31}}) {
    EXPECT_EQ(OpsOf(c, DataType::kSingle).count("own_kernel"), 0U) << ToString(c);
  }
  if (emulated_ == nullptr) return;
  const Case c{2, 64, 64, 1, 40, 40};
  emulated_->set_max_shared_bytes(64 << 10);
  EXPECT_EQ(OpsOf(c, DataType::kSingle).count("own_kernel"), 0U);
  emulated_->set_max_shared_bytes(99 << 10);
  EXPECT_EQ(OpsOf(c, DataType::kSingle).count("own_kernel"), 3U);
}

TEST_P(AttentionKernelsTest, ScoresThatAreNoNumbers) {
  const Case c{1, 4, 4, 1, 40, 70};
  DlArrays in = Inputs(c, DataType::kSingle);
  // Queries begin with a positive number, and key 65 with -infinity: it has no share.
  std::vector<float> q = in[0].ToVector<float>(), k = in[1].ToVector<float>();
  for (size_t t = 0; t < 40; ++t) q[4 * t] = 1;
  const DlArray without = [&] {
    const DlArrays rest = {DlArray::FromVector<float>(q, {4, 1, 40}, "CBT"),
                           Slice(in[1], 'T', 0, 65), Slice(in[2], 'T', 0, 65)};
    const DlArrays last = {rest[0], Slice(in[1], 'T', 66, 4), Slice(in[2], 'T', 66, 4)};
    return Attend(c, DlArrays{rest[0], Cat('T', {rest[1], last[1]}), Cat('T', {rest[2], last[2]})});
  }();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  k[4 * 65] = -kInfinity;
  const auto attend = [&] {
    return Gather(Attend(c, There({DlArray::FromVector<float>(q, {4, 1, 40}, "CBT"),
                                   DlArray::FromVector<float>(k, {4, 1, 70}, "CBT"), in[2]})));
  };
  const DlArray y = attend();
  for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.At(i), without.At(i), 1e-6) << i;
  // A query of NaN, and one whose score is +infinity: in their results alone.
  q[4 * 3] = NAN;
  q[4 * 7] = -1;
  const DlArray z = attend();
  for (int64_t i = 0; i < z.numel(); ++i) {
    if (i / 4 == 3 || i / 4 == 7) {
      EXPECT_TRUE(std::isnan(z.At(i))) << i;
    } else {
      EXPECT_EQ(z.At(i), y.At(i)) << i;
    }
  }
}

// An element of one of q, k, v and dy that is no number, or infinite: in the first channel of a
// step.
struct Spot {
  size_t array;
  size_t step;
  double value;
};

// There is NaN where the formulas have it, and nowhere else but where the processor has it too.
TEST_P(AttentionKernelsTest, NaNAndInfinityReachNoMoreThanOnTheProcessor) {
  struct Spotted {
    Case of;
    std::vector<Spot> spots;
  };
  const Case partial{1, 4, 4, 1, 40, 70}, wide{2, 64, 40, 1, 70, 33},
      fewer_keys{1, 8, 6, 1, 150, 100, true}, more_keys{1, 8, 6, 1, 100, 150, true},
      two_tiles{1, 100, 6, 1, 96, 96, true};
  // Scores of -infinity are probabilities of 0, also where queries do not fill a tile: those that
  // are not there have scores of 0 times infinity.
  std::vector<Spotted> all = {{partial, {{1, 31, -INFINITY}}}, {wide, {{1, 31, -INFINITY}}}};
  for (const Case& c : {fewer_keys, more_keys, two_tiles}) {
    all.push_back({c, {{2, 70, NAN}}});       // Who sees key 70, or is in their block.
    all.push_back({c, {{1, 70, INFINITY}}});  // Likewise, for its gradients.
    all.push_back({c, {{3, 40, NAN}, {0, 90, NAN}}});
  }
  all.push_back({more_keys, {{2, 100, NAN}, {1, 120, NAN}}});  // Keys that nobody sees.
  for (const auto& [c, spots] : all) {
    for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
      SCOPED_TRACE(absl::StrCat(ToString(c), ": array ", spots[0].array, ", step ", spots[0].step));
      DlArrays in = Inputs(c, type);
      const auto set = [&](size_t array, size_t first, size_t last, double value) {
        std::vector<double> x = Double(in[array]).ToVector<double>();
        const size_t channels = x.size() / static_cast<size_t>(in[array].sizes()[2]);
        for (size_t step = first; step < last; ++step) x[step * channels] = value;
        in[array] = Cast(DlArray::FromVector<double>(x, in[array].sizes(), "CBT"), type);
      };
      set(0, 0, static_cast<size_t>(c.queries), 1);  // So infinity in a key is one in each score.
      for (const Spot& spot : spots) set(spot.array, spot.step, spot.step + 1, spot.value);
      const DlArrays formulas = Formulas(c, in), processor = WithGradients(c, in),
                     came = WithGradients(c, There(in));
      for (size_t a = 0; a < came.size(); ++a) {
        const DlArray x = Gather(came[a]);
        for (int64_t i = 0; i < x.numel(); ++i) {
          if (std::isnan(formulas[a].At(i))) {
            ASSERT_TRUE(std::isnan(x.At(i))) << "array " << a << ", element " << i;
          } else if (!std::isnan(processor[a].At(i))) {
            ASSERT_NEAR(x.At(i), formulas[a].At(i), 1e-5) << "array " << a << ", element " << i;
          }
        }
      }
    }
  }
}

// A load of 16 bytes is four passes at least, a store less. Rows that begin in one bank are more.
TEST_P(AttentionKernelsTest, RowsInSharedMemoryBeginInDifferentBanks) {
  if (emulated_ == nullptr) GTEST_SKIP() << "Passes are counted on the emulated device.";
  for (const auto& [type, depth] : {std::pair{DataType::kSingle, 128},
                                    {DataType::kDouble, 32},
                                    {DataType::kDouble, 64},
                                    {DataType::kDouble, 128}}) {
    const Case c{1, depth, depth, 1, 64, 64};
    const DlArrays there = There(Inputs(c, type));
    const testing::AccessCounts counts = emulated_->Count([&] { WithGradients(c, there); });
    EXPECT_GT(counts.shared_requests, 0);
    EXPECT_LT(counts.shared_passes, 4.2 * static_cast<double>(counts.shared_requests))
        << ToString(c) << (type == DataType::kSingle ? ", single" : ", double");
  }
}

TEST(AttentionKernelTextsTest, TheCompilerTakesAllOfThem) {
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    for (const int64_t depth : {32, 64, 128}) {
      const auto kernels = lamina::internal::AttentionKernelsFor(type, {.heads = 2,
                                                                        .batch = 3,
                                                                        .queries = 100,
                                                                        .keys = 100,
                                                                        .depth = depth,
                                                                        .value_depth = depth - 1,
                                                                        .scale = 0.1,
                                                                        .causal = true});
      ASSERT_TRUE(kernels.has_value());
      for (const DeviceKernel* kernel :
           {&kernels->forward, &kernels->query_gradient, &kernels->key_gradient}) {
        const std::string text = absl::StrCat(
            CudaPreamble(), "using T = ", type == DataType::kSingle ? "float" : "double", ";\n",
            kernel->source);
        const auto image = CompileCudaKernels({.text = text, .kernels = {kernel->name}},
                                              depth == 64 ? "sm_80" : "sm_90");
        EXPECT_TRUE(image.ok()) << kernel->name << ": " << image.status();
      }
    }
  }
}

}  // namespace
}  // namespace lamina::gpu
