#include "framework/graph/testing/random_function.h"

#include <algorithm>

#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina::testing {
namespace {

DlArray Tame(const DlArray& x) { return Floor(Max(Min(x, 2), -2) * 16) / 16; }

}  // namespace

DlArrays RandomInputs(uint32_t seed) {
  std::mt19937 random(1000 + seed);
  const auto draw = [&](int64_t most) { return 1 + static_cast<int64_t>(random() % most); };
  DlArrays inputs;
  for (const Sizes& sizes : {Sizes{draw(4), draw(4), draw(3)}, Sizes{draw(5), draw(5)}}) {
    std::vector<float> values(NumElements(sizes));
    for (float& v : values) v = static_cast<float>(static_cast<int>(random() % 65) - 32) / 16;
    inputs.push_back(DlArray::FromVector<float>(values, sizes));
  }
  return inputs;
}

DlArrays RandomFunction::operator()(Arrays inputs) {
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

int64_t RandomFunction::Draw(int64_t least, int64_t most) {
  return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
}

// Rather one of the newest.
const DlArray& RandomFunction::Pick(const std::vector<DlArray>& known) {
  const auto n = static_cast<int64_t>(known.size());
  return known[Draw(0, 1) == 0 ? Draw(0, n - 1) : Draw(std::max<int64_t>(0, n - 4), n - 1)];
}

// One that meets x: of its sizes, perhaps repeated along some dims.
DlArray RandomFunction::Partner(const std::vector<DlArray>& known, const DlArray& x) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const DlArray& y = Pick(known);
    bool fits = y.rank() <= x.rank();
    for (int d = 0; fits && d < y.rank(); ++d) fits = y.size(d) == 1 || y.size(d) == x.size(d);
    if (fits) return y;
  }
  return DlArray(static_cast<double>(Draw(-8, 8)) / 16);
}

DlArrays RandomFunction::Step(const std::vector<DlArray>& known) {
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
    case 12: {
      const int d = Dim(x);
      const DlArray sum = Sum(x, d);
      if (Draw(0, 2) > 0) return {Tame(sum)};
      // Several sums and another term, as a tree of additions.
      const DlArray greatest = MaxOver(x, d);
      return {Tame((sum + Sum(Relu(x), d)) + (greatest + (Sum(-x, d) + Sum(Flip(x, d), d))))};
    }
    case 13:
      return {MaxOver(x, std::vector<int>{Dim(x)})};
    case 14: {
      const DlArray matrix = Reshape(x, {x.size(0), x.numel() / x.size(0)});
      return {Tame(MatMul(matrix, matrix, true, false)), Tame(MatMul(matrix, matrix, false, true))};
    }
    default:
      return {Flip(x, Dim(x))};
  }
}

}  // namespace lamina::testing
