// Graphs of ops drawn by chance, printed, compiled and compared with the eager ops bit for bit:
// what is fused, shared and planned must not change what is computed.
//
// All values are kept at multiples of 1/16 within [-2, 2], so that every sum and product is exact
// and the order of adding does not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "framework/emit/testing/run_printed.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

DlArray Tame(const DlArray& x) { return Floor(Max(Min(x, 2), -2) * 16) / 16; }

class RandomFunction {
 public:
  RandomFunction(uint32_t seed, int num_ops) : seed_(seed), num_ops_(num_ops) {}

  // The same ops in each call: they follow from the seed and the sizes alone.
  DlArrays operator()(Arrays inputs) {
    random_.seed(seed_);
    std::vector<DlArray> known(inputs.begin(), inputs.end());
    for (int i = 0; i < num_ops_; ++i) {
      for (const DlArray& y : Step(known)) {
        if (y.numel() <= 400) known.push_back(y);
      }
    }
    DlArrays outputs;
    const int64_t count = Draw(1, 3);
    for (int64_t k = 0; k < count; ++k) outputs.push_back(Pick(known));
    outputs.push_back(known.back());
    return outputs;
  }

 private:
  int64_t Draw(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  // Rather one of the newest.
  const DlArray& Pick(const std::vector<DlArray>& known) {
    const auto n = static_cast<int64_t>(known.size());
    return known[Draw(0, 1) == 0 ? Draw(0, n - 1) : Draw(std::max<int64_t>(0, n - 4), n - 1)];
  }
  int Dim(const DlArray& x) { return static_cast<int>(Draw(0, x.rank() - 1)); }

  // One that meets x: of its sizes, perhaps repeated along some dims.
  DlArray Partner(const std::vector<DlArray>& known, const DlArray& x) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const DlArray& y = Pick(known);
      bool fits = y.rank() <= x.rank();
      for (int d = 0; fits && d < y.rank(); ++d) fits = y.size(d) == 1 || y.size(d) == x.size(d);
      if (fits) return y;
    }
    return DlArray(static_cast<double>(Draw(-8, 8)) / 16);
  }

  DlArrays Step(const std::vector<DlArray>& known) {
    const DlArray x = Pick(known);
    switch (Draw(0, 15)) {
      case 0:
        return {Tame(x + Partner(known, x))};
      case 1:
        return {Tame(x - Partner(known, x))};
      case 2:
        return {Tame(x * Partner(known, x))};
      case 3:
        return {Max(x, Partner(known, x))};
      case 4:
        return {Where(x > Partner(known, x), x, Partner(known, x))};
      case 5:
        return {Relu(x), -x};
      case 6:
        return {Tame(Square(Abs(x)))};
      case 7: {
        std::vector<int> order(x.rank());
        for (int d = 0; d < x.rank(); ++d) order[d] = d;
        std::shuffle(order.begin(), order.end(), random_);
        return {Permute(x, order)};
      }
      case 8: {
        const int64_t rows = x.size(0);
        return {Reshape(x, Draw(0, 1) ? Sizes{x.numel() / rows, rows} : Sizes{1, x.numel(), 1})};
      }
      case 9: {
        const int d = Dim(x);
        const int64_t start = Draw(0, x.size(d) - 1);
        return {Slice(x, d, start, Draw(1, x.size(d) - start))};
      }
      case 10: {
        const int d = Dim(x);
        if (x.size(d) < 2) return {};
        const int64_t first = Draw(1, x.size(d) - 1);
        return Split(x, d, {first, x.size(d) - first});
      }
      case 11:
        return {Cat(Dim(x), DlArrays{x, Relu(x), x})};
      case 12:
        return {Tame(Sum(x, Dim(x)))};
      case 13:
        return {MaxOver(x, std::vector<int>{Dim(x)})};
      case 14: {
        const DlArray matrix = Reshape(x, {x.size(0), x.numel() / x.size(0)});
        return {Tame(MatMul(matrix, matrix, true, false)),
                Tame(MatMul(matrix, matrix, false, true))};
      }
      default:
        return {Flip(x, Dim(x))};
    }
  }

  uint32_t seed_;
  int num_ops_;
  std::mt19937 random_;
};

TEST(RandomGraphsTest, ComputeWhatTheEagerOpsCompute) {
  const char* const asked = std::getenv("LAMINA_RANDOM_GRAPHS");
  const int count = asked != nullptr ? std::atoi(asked) : 150;
  constexpr int kPerProgram = 50;
  for (int first = 0; first < count; first += kPerProgram) {
    std::vector<testing::PrintedCase> cases;
    std::vector<DlArrays> expected;
    for (int i = first; i < std::min(count, first + kPerProgram); ++i) {
      std::mt19937 random(1000 + i);
      const auto draw = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % most); };
      DlArrays inputs;
      for (const Sizes& sizes : {Sizes{draw(4), draw(4), draw(3)}, Sizes{draw(5), draw(5)}}) {
        std::vector<float> values(NumElements(sizes));
        for (float& v : values) v = static_cast<float>(static_cast<int>(random() % 65) - 32) / 16;
        inputs.push_back(DlArray::FromVector<float>(values, sizes));
      }
      RandomFunction function(static_cast<uint32_t>(i), 4 + i % 20);
      const std::vector<ArraySpec> specs{inputs[0].spec(), inputs[1].spec()};
      cases.push_back({RecordGraph([&](Arrays x) { return function(x); }, specs), inputs});
      expected.push_back(function(inputs));
    }
    const std::vector<DlArrays> came =
        testing::RunPrinted(cases, "-fsanitize=address,undefined -fno-sanitize-recover=all");
    ASSERT_EQ(came.size(), cases.size());
    for (size_t i = 0; i < cases.size(); ++i) {
      ASSERT_EQ(came[i].size(), expected[i].size());
      for (size_t k = 0; k < expected[i].size(); ++k) {
        ASSERT_TRUE(IsEqual(came[i][k], expected[i][k]))
            << "graph " << first + static_cast<int>(i) << ", output " << k << "\n"
            << ToString(cases[i].graph) << testing::PrintedFunction(cases[i].graph, "f")
            << "printed gives " << came[i][k] << "\neager gives " << expected[i][k];
      }
    }
  }
}

}  // namespace
}  // namespace lamina
