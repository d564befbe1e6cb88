// The precision in which matrices are multiplied and images are convolved: what is called mixed
// precision, since all else stays single.
//
//   const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
//   DlArray y = MatMul(x, w);            // sums of products of rounded numbers
//   DlArray z = Tanh(y + b);             // as ever
//
// Under kBfloat16 both factors of a product of single are rounded (RoundToBfloat16), and the
// products are added in single, which is what a unit of bfloat16 gives. That holds for MatMul,
// FullyConnect, Contract, DlConv, DlTranspConv and all that is made of them (Lstm, the layers),
// for the products of their derivatives, and in a recording (DlAccelerate keeps a trace for each
// precision). The bias of a convolution, double and complex factors, and products with a number
// instead of a matrix stay as they are; so do ops that multiply inside: Attention and its
// derivatives.
//
// A scope holds for what runs while it lives. A derivative that is taken outside of it is computed
// in single, from the rounded factors that the product kept; but that of an accelerated function in
// the precision of its call.
//
// A processor without such a unit gains nothing: rounding comes on top. Threads: each thread has a
// precision of its own.
#ifndef FRAMEWORK_OPS_PRODUCT_PRECISION_H_
#define FRAMEWORK_OPS_PRODUCT_PRECISION_H_

#include <cstdint>
#include <initializer_list>

#include "framework/ops/op.h"

namespace lamina {

enum class ProductPrecision : uint8_t {
  kSingle,    ///< Factors as they are.
  kBfloat16,  ///< Factors in single are rounded to bfloat16.
};

/// The precision of this thread while the object lives; scopes inside may set another.
class ScopedProductPrecision {
 public:
  explicit ScopedProductPrecision(ProductPrecision precision) : outer_(Current()) {
    Mode() = precision;
  }
  ~ScopedProductPrecision() { Mode() = outer_; }
  ScopedProductPrecision(const ScopedProductPrecision&) = delete;
  ScopedProductPrecision& operator=(const ScopedProductPrecision&) = delete;

  static ProductPrecision Current() { return Mode(); }

 private:
  static ProductPrecision& Mode();
  const ProductPrecision outer_;
};

namespace internal {

/// Applies an op whose first two inputs are multiplied with one another, in the precision of this
/// thread. Every op that is a sum of products of two arrays is applied here.
DlArray ApplyProduct(const OpPtr& op, std::initializer_list<DlArray> inputs);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_PRODUCT_PRECISION_H_
