#include "framework/ops/product_precision.h"

#include "framework/ops/bfloat16.h"

namespace lamina {

ProductPrecision& ScopedProductPrecision::Mode() {
  thread_local ProductPrecision mode = ProductPrecision::kSingle;
  return mode;
}

namespace internal {

DlArray ApplyProduct(const OpPtr& op, std::initializer_list<DlArray> inputs) {
  if (ScopedProductPrecision::Current() == ProductPrecision::kSingle) return Apply(op, inputs);
  DlArrays in(inputs);
  for (size_t i = 0; i < 2; ++i) {
    if (in[i].type() == DataType::kSingle) in[i] = RoundToBfloat16(in[i]);
  }
  return Apply(op, in);
}

}  // namespace internal
}  // namespace lamina
