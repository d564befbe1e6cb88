#include "framework/emit/kernel_products.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/emit/array_touches.h"
#include "framework/emit/language.h"
#include "framework/ops/matmul_op.h"

namespace lamina::internal {
namespace {

// Elements of the second factor, and products of numbers; and those below which a thread of its own
// costs more than it brings.
constexpr int64_t kMostOfASide = 20000, kMostProducts = 4 << 20, kProductGrain = 1 << 19;

std::string Function(const char* name, DataType type) {
  return absl::StrCat("  lamina_", name, type == DataType::kSingle ? "_f32(" : "_f64(");
}

// From row to row and from column to column of a matrix that has `rows` rows in memory.
std::string Steps(bool transposed, int64_t rows) {
  return transposed ? absl::StrCat(rows, ", 1, ") : absl::StrCat("1, ", rows, ", ");
}

}  // namespace

std::optional<Product> ProductOf(const Graph& graph, const GraphStep& step) {
  const auto* op = dynamic_cast<const MatMulOp*>(step.op.get());
  if (op == nullptr) return std::nullopt;
  const ArraySpec &x = graph.values()[step.inputs[0]].spec,
                  &z = graph.values()[step.outputs[0]].spec;
  const Product p{z.sizes[0],        z.sizes[1],        x.sizes[op->transpose_x() ? 0 : 1],
                  op->transpose_x(), op->transpose_y(), z.type};
  const bool has_pages = z.numel() != p.m * p.n;
  const bool is_empty = p.m * p.n * p.k == 0;
  if (has_pages || is_empty || !IsRealFloating(z.type)) return std::nullopt;
  return p;
}

bool IsSmall(const Product& p) {
  return p.n * p.k <= kMostOfASide && p.m * p.n * p.k <= kMostProducts;
}

int64_t GrainOf(const Product& p) { return std::max<int64_t>(1, kProductGrain / (p.m * p.k)); }

std::string ProductCall(const ProductKernel& kernel) {
  const Product& p = kernel.product;
  const std::string type = CType(p.type);
  const bool is_shared = p.n > 1, is_begun = kernel.begin == ProductKernel::kColumn;
  const auto from_begin = [is_shared](int64_t step) {
    return is_shared ? absl::StrCat(" + begin * ", step, ", ") : std::string(", ");
  };
  const auto result = [&](int argument, int64_t rows) {
    return absl::StrCat("(", type, " *)a[", argument, "]", from_begin(rows), rows);
  };
  return absl::StrCat(
      Function(kernel.more_rows > 0 ? "gemm_packed_two"
               : kernel.is_packed   ? "gemm_packed"
               : is_begun           ? "gemm_begun"
               : is_shared          ? "gemm_columns"
                                    : "gemm",
               p.type),
      p.m, ", ", kernel.more_rows > 0 ? absl::StrCat(kernel.more_rows, ", ") : "",
      is_shared ? "(int)(end - begin)" : "1", ", ", p.k, ", (const ", type, " *)a[0], ",
      kernel.is_packed ? "" : Steps(p.transpose_x, p.transpose_x ? p.k : p.m), "(const ", type,
      " *)a[1]", from_begin(p.transpose_y ? 1 : p.k),
      Steps(p.transpose_y, p.transpose_y ? p.n : p.k),
      is_begun                                 ? absl::StrCat("(const ", type, " *)a[3], ")
      : kernel.begin == ProductKernel::kResult ? "1, "
                                               : "0, ",
      result(2, p.m), kernel.more_rows > 0 ? ", " + result(3, kernel.more_rows) : "", ");\n");
}

KernelCall CallOf(const KernelProgram& program, const Product& p, const KernelArgument& x,
                  const KernelArgument& y, const KernelArgument& z) {
  const auto size = static_cast<int64_t>(SizeOf(p.type));
  const int64_t y_step = p.transpose_y ? 1 : p.k,
                y_width = p.transpose_y ? p.n * (p.k - 1) + 1 : p.k;
  KernelCall call;
  call.arguments = {x, y, z};
  call.count = p.n;
  call.grain = GrainOf(p);
  call.accesses = {WholeOf(program, x.array, false),
                   {y.array, false, y.offset, y_step * size, y_width * size},
                   {z.array, true, z.offset, p.m * size, p.m * size}};
  return call;
}

std::string PackCall(const Product& p) {
  const std::string type = CType(p.type);
  return absl::StrCat(Function("pack_all", p.type), p.m, ", ", p.k, ", (const ", type, " *)a[0], ",
                      Steps(true, p.k), "(", type, " *)a[1]);\n");
}

std::string PackTwoCall(const Product& p, int64_t more_rows) {
  const std::string type = CType(p.type);
  const auto copy = [&](int from, int64_t first, int64_t count) {
    return absl::StrCat("  memcpy((", type, " *)a[2] + ", first, ", a[", from, "], ",
                        count * static_cast<int64_t>(SizeOf(p.type)), ");\n");
  };
  return absl::StrCat(copy(0, 0, p.m * p.k), copy(1, p.m * p.k, more_rows * p.k),
                      Function("pack_all", p.type), p.m + more_rows, ", ", p.k, ", (const ", type,
                      " *)a[2], ", Steps(true, p.k), "(", type, " *)a[3]);\n");
}

int64_t PackedElements(const Product& p) { return (p.m + 15) / 16 * 16 * p.k; }

}  // namespace lamina::internal
