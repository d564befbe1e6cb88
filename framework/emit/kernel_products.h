// Matrix products that kernels write out: those that are small are faster so than by a library.
//
// Used by kernels.cc. Threads: pure functions.
#ifndef FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_
#define FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "framework/emit/kernels.h"
#include "framework/graph/graph.h"

namespace lamina::internal {

/// z = x y, m x n; each element is a sum of k products.
struct Product {
  int64_t m, n, k;
  bool transpose_x, transpose_y;  ///< Of how they lie in memory.
  DataType type;
};

/// The product that a step computes, of one page and real numbers.
std::optional<Product> ProductOf(const Graph& graph, const GraphStep& step);
/// Whether it is written out, as one call or as a part of the columns of a larger product.
bool IsSmall(const Product& product);

/// Columns of z below twice of which a second thread costs more than it brings.
int64_t GrainOf(const Product& product);

/// A kernel with the arguments x, y and z, and perhaps one more. It computes columns [begin, end)
/// of z, or all where there is only one.
struct ProductKernel {
  enum Begin : uint8_t {
    kZero,
    kColumn,  ///< Sums of a row begin with an element of the last argument.
    kResult,  ///< Sums begin with what is in z.
  };
  Product product;
  bool is_packed = false;  ///< x is as PackCall writes it.
  Begin begin = kZero;     ///< Of a packed x kZero.
  /// Of a packed x: further rows, which are those of the last argument, a matrix of its own.
  int64_t more_rows = 0;
};
std::string ProductCall(const ProductKernel& kernel);
/// The call of such a kernel of x, y and z, from these bytes on, of which threads take columns of y
/// and z. It has no kernel yet.
KernelCall CallOf(const KernelProgram& program, const Product& product, const KernelArgument& x,
                  const KernelArgument& y, const KernelArgument& z);

/// What a kernel with the arguments x and packed x does, for a transposed x: the order in which
/// products read it. There are PackedElements of them.
std::string PackCall(const Product& product);
int64_t PackedElements(const Product& product);

/// The same for the arguments x, x', both, where they are to lie one behind the other, and packed.
/// x' has `more_rows` rows when transposed.
std::string PackTwoCall(const Product& product, int64_t more_rows);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_PRODUCTS_H_
