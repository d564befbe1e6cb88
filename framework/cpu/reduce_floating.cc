// Sums, products and extremes of single and double. Compiled once for each instruction set, with
// LAMINA_ISA set to its name; see multi_isa.bzl.

#include "framework/cpu/reduce_loops.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

template <class T>
const ReduceLoops* Find(Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      return &kVectorLoops<SumOp, T>;
    case Reduction::kProd:
      return &kVectorLoops<ProdOp, T>;
    case Reduction::kSumSquares:
      return &kVectorLoops<SumSquaresOp, T>;
    case Reduction::kMax:
      return &kVectorLoops<MaxOp, T>;
    case Reduction::kMin:
      return &kVectorLoops<MinOp, T>;
    default:
      return nullptr;
  }
}

}  // namespace

const ReduceLoops* FindFloatingReduce(Reduction reduction, bool is_double) {
  return is_double ? Find<double>(reduction) : Find<float>(reduction);
}

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
