#include "lessons/gpu_kernels/chapters.h"

#include "lessons/gpu_kernels/elements/snake.h"
#include "lessons/gpu_kernels/products/product.h"
#include "lessons/gpu_kernels/rows/rms_norm.h"

namespace lamina {
namespace {

template <class F>
KernelVersion Version(const std::string& name, const F& f) {
  return {name, [f](const DlArrays& in) { return f(in[0], in[1]); }};
}

DlArray Between(const Sizes& sizes, DataType type, std::string_view format = "") {
  return 2 * Rand(sizes, type, format) - 1;
}

KernelChapter Elements() {
  return {.name = "elements",
          .versions = {Version("a thread for an element", plain_snake),
                       Version("a thread for many", stride_snake),
                       Version("four neighbours", four_snake)},
          .without = Version(
              "no kernel of one's own",
              [](const DlArray& x, const DlArray& a) { return x + Square(Sin(a * x)) / a; }),
          .inputs =
              [](const Sizes& sizes, DataType type) {
                return DlArrays{Between(sizes, type), Full({1, 1}, 1.5, type)};
              },
          .small = {int64_t{1} << 20, 1},
          .large = {int64_t{1} << 26, 1},
          .tried = {{1, 1}, {3, 1}, {255, 1}, {256, 2}, {257, 3}, {1030, 1}, {0, 4}}};
}

KernelChapter Rows() {
  return {
      .name = "rows",
      .versions = {Version("a thread for a row", plain_rms_norm),
                   Version("a block for a row", shared_rms_norm),
                   Version("warps hand over", warps_rms_norm), Version("read once", kept_rms_norm)},
      .without = Version("no kernel of one's own",
                         [](const DlArray& x, const DlArray& scale) {
                           return x / Sqrt(Mean(Square(x), "C") + 1e-5) * scale;
                         }),
      .inputs =
          [](const Sizes& sizes, DataType type) {
            return DlArrays{Between(sizes, type, "CB"), Between({sizes[0], 1}, type)};
          },
      .small = {4096, 64},
      .large = {4096, 16384},
      .tried = {{1, 1}, {5, 3}, {32, 1}, {100, 2}, {256, 3}, {1000, 2}, {4100, 2}, {3, 300}}};
}

KernelChapter Products() {
  return {.name = "products",
          .versions = {Version("a thread for a result", plain_product),
                       Version("tiles in shared memory", tiles_product),
                       Version("16 results in registers", block_product)},
          .without = Version("no kernel of one's own",
                             [](const DlArray& w, const DlArray& x) { return MatMul(w, x); }),
          .inputs =
              [](const Sizes& mnk, DataType type) {
                return DlArrays{Between({mnk[0], mnk[2]}, type), Between({mnk[2], mnk[1]}, type)};
              },
          .small = {128, 128, 64},
          .large = {4096, 4096, 4096},
          .tried = {{1, 1, 1}, {16, 16, 16}, {17, 33, 5}, {64, 64, 64}, {65, 66, 70}, {130, 3, 20}},
          .is_product = true};
}

}  // namespace

const std::vector<KernelChapter>& KernelChapters() {
  static const auto* const kAll = new std::vector<KernelChapter>{Elements(), Rows(), Products()};
  return *kAll;
}

}  // namespace lamina
