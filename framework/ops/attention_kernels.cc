#include "framework/ops/attention_kernels.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lamina::internal {
namespace {

constexpr char kParts[] =
#include "framework/ops/attention_kernel_parts_text.inc"
    ;
constexpr char kForward[] =
#include "framework/ops/attention_forward_text.inc"
    ;
constexpr char kQueryGradient[] =
#include "framework/ops/attention_query_gradient_text.inc"
    ;
constexpr char kKeyGradient[] =
#include "framework/ops/attention_key_gradient_text.inc"
    ;

constexpr int64_t kThreads = 128, kMostDepth = 128, kFewest = 32;

enum class Kind { kForward, kQueryGradient, kKeyGradient };

// How a kernel is cut into blocks; the names are those of attention_kernel_parts.inc.
struct Cut {
  int64_t size;  // Channels that a row has room for.
  int64_t of_rows, of_columns;
  int64_t rows() const { return 8 * of_rows; }
  int64_t columns() const { return 16 * of_columns; }
  int64_t warp_columns() const { return 128 / size; }

  // Numbers in shared memory. The kernels look whether it is so many.
  int64_t Shared(Kind kind, int64_t of_a_load) const {
    const int64_t step = size + of_a_load, lane_columns = size / 8,
                  spare = lane_columns < 8 || of_a_load == 4 ? lane_columns : 8,
                  tiles = kThreads / lane_columns * of_rows * (of_columns * lane_columns + spare);
    switch (kind) {
      case Kind::kForward:
        return (rows() + 2 * columns()) * step + tiles + (2 * warp_columns() + 1) * rows();
      case Kind::kQueryGradient:
        return 2 * (rows() + columns()) * step + tiles + rows();
      case Kind::kKeyGradient:
        return 2 * (rows() + columns()) * step + tiles + 3 * columns();
    }
    return 0;
  }
};

// Two blocks of a kernel fit on a multiprocessor with 228 KiB of shared memory and 65536 registers,
// but for double of more than 64 channels.
Cut CutOf(Kind kind, DataType type, int64_t depth) {
  const int64_t size = depth <= 32 ? 32 : depth <= 64 ? 64 : 128;
  const bool is_single = type == DataType::kSingle;
  int64_t of_columns = size == 128 ? 2 : 4;
  if (is_single && kind == Kind::kForward && size == 32) of_columns = 8;
  if (!is_single && kind != Kind::kForward && size == 64) of_columns = 2;
  return {.size = size, .of_rows = is_single ? 8 : 4, .of_columns = of_columns};
}

DeviceKernel KernelOf(Kind kind, DataType type, const cpu::AttentionShape& s) {
  const Cut cut = CutOf(kind, type, std::max(s.depth, s.value_depth));
  const auto of_type = static_cast<int64_t>(SizeOf(type));
  const int64_t shared = cut.Shared(kind, 16 / of_type);
  const std::pair<const char*, const char*> texts[] = {{"AttentionForward", kForward},
                                                       {"AttentionQueryGradient", kQueryGradient},
                                                       {"AttentionKeyGradient", kKeyGradient}};
  const auto& [name, text] = texts[static_cast<int>(kind)];
  const std::string constants = absl::StrFormat(
      "constexpr int kDepth = %d, kValueDepth = %d, kSize = %d, kOfRows = %d, kOfColumns = %d,\n"
      "              kBlocks = 2, kShared = %d;\n"
      "constexpr double kScale = %a;\nconstexpr bool kCausal = %s;\n",
      s.depth, s.value_depth, cut.size, cut.of_rows, cut.of_columns, shared, s.scale,
      s.causal ? "true" : "false");
  const int64_t steps = kind == Kind::kKeyGradient ? s.keys : s.queries;
  return {.name = name,
          .source = absl::StrCat(constants, kParts, text),
          .types = {type},
          .launch = [=](std::span<const ArraySpec>, std::span<const ArraySpec>) {
            return KernelLaunch{.blocks = (steps + cut.rows() - 1) / cut.rows() * s.heads * s.batch,
                                .threads = kThreads,
                                .numbers = {s.queries, s.keys, s.heads, s.batch},
                                .shared_bytes = shared * of_type};
          }};
}

}  // namespace

std::optional<AttentionKernels> AttentionKernelsFor(DataType type,
                                                    const cpu::AttentionShape& shape) {
  if (type != DataType::kSingle && type != DataType::kDouble) return std::nullopt;
  if (std::max(shape.depth, shape.value_depth) > kMostDepth) return std::nullopt;
  if (std::min(shape.queries, shape.keys) < kFewest) return std::nullopt;
  return AttentionKernels{.forward = KernelOf(Kind::kForward, type, shape),
                          .query_gradient = KernelOf(Kind::kQueryGradient, type, shape),
                          .key_gradient = KernelOf(Kind::kKeyGradient, type, shape)};
}

}  // namespace lamina::internal
