#include "framework/cpu/permute.h"

#include "framework/cpu/dim_walk.h"
#include "framework/cpu/strided_copy.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {

void Permute(size_t element_size, const void* in, std::span<const int64_t> sizes,
             std::span<const int> order, void* out) {
  const size_t rank = sizes.size();
  LAMINA_CHECK(rank <= DimWalk::kMaxRank && order.size() == rank);
  int64_t dense[DimWalk::kMaxRank], from[DimWalk::kMaxRank], to[DimWalk::kMaxRank],
      out_sizes[DimWalk::kMaxRank];
  int64_t step = 1;
  for (size_t d = 0; d < rank; ++d) {
    dense[d] = step;
    step *= sizes[d];
  }
  step = 1;
  for (size_t d = 0; d < rank; ++d) {
    out_sizes[d] = sizes[order[d]];
    from[d] = dense[order[d]];
    to[d] = step;
    step *= out_sizes[d];
  }
  StridedCopy(element_size, {out_sizes, rank}, in, {from, rank}, out, {to, rank});
}

}  // namespace lamina::cpu
