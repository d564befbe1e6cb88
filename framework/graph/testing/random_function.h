// Functions of arrays made of ops that are drawn by chance, for tests that compare two ways of
// computing them bit for bit.
//
//   RandomFunction function(/*seed=*/7, /*num_ops=*/12);
//   function(RandomInputs(7));
//
// All values are kept at multiples of 1/16 within [-2, 2], so that every sum and product is exact
// and the order of adding does not matter.
#ifndef FRAMEWORK_GRAPH_TESTING_RANDOM_FUNCTION_H_
#define FRAMEWORK_GRAPH_TESTING_RANDOM_FUNCTION_H_

#include <random>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina::testing {

/// Two arrays of at most 4 x 4 x 3 and 5 x 5 numbers; sizes and numbers follow from the seed.
DlArrays RandomInputs(uint32_t seed);

class RandomFunction {
 public:
  RandomFunction(uint32_t seed, int num_ops) : seed_(seed), num_ops_(num_ops) {}

  /// The same ops in each call: they follow from the seed and the sizes alone.
  DlArrays operator()(Arrays inputs);

 private:
  int64_t Draw(int64_t least, int64_t most);
  const DlArray& Pick(const std::vector<DlArray>& known);
  int Dim(const DlArray& x) { return static_cast<int>(Draw(0, x.rank() - 1)); }
  DlArray Partner(const std::vector<DlArray>& known, const DlArray& x);
  DlArrays Step(const std::vector<DlArray>& known);

  uint32_t seed_;
  int num_ops_;
  std::mt19937 random_;
};

}  // namespace lamina::testing

#endif  // FRAMEWORK_GRAPH_TESTING_RANDOM_FUNCTION_H_
