// Matrix products that kernels write out: those that are small are faster so than by a library.
//
// Used by kernels.cc. Threads: pure functions.
#ifndef FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_
#define FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "framework/graph/graph.h"

namespace lamina::internal {

/// z = x y, m x n; each element is a sum of k products.
struct Product {
  int64_t m, n, k;
  bool transpose_x, transpose_y;  ///< Of how they lie in memory.
  DataType type;
};

/// The product that a step computes, if it is one that is written out.
std::optional<Product> SmallProductOf(const Graph& graph, const GraphStep& step);

/// Columns of z below twice of which a second thread costs more than it brings.
int64_t GrainOf(const Product& product);

/// What a kernel with the arguments x, y and z does: columns [begin, end) of z, or all where there
/// is only one. With `is_packed` x is as PackCall writes it.
std::string ProductCall(const Product& product, bool is_packed);

/// What a kernel with the arguments x and packed x does, for a transposed x: the order in which
/// products read it. There are PackedElements of them.
std::string PackCall(const Product& product);
int64_t PackedElements(const Product& product);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_
