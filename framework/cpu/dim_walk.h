#ifndef FRAMEWORK_CPU_DIM_WALK_H_
#define FRAMEWORK_CPU_DIM_WALK_H_

// Walking the indices of some dims of an array in column-major order, with the offset in memory
// that belongs to each.
//
//   DimWalk walk;
//   walk.Add(3, 1); walk.Add(2, 10);       // 3 indices with stride 1, 2 with stride 10
//   for (walk.Start(0); ...; walk.Next()) walk.offset();   // 0, 1, 2, 10, 11, 12
//
// Threads: a walk belongs to one thread; copies are independent.

#include <cstdint>

namespace lamina::cpu {

class DimWalk {
 public:
  static constexpr int kMaxRank = 32;

  // At most kMaxRank dims; the first is the fastest.
  void Add(int64_t size, int64_t stride) {
    sizes_[rank_] = size;
    strides_[rank_] = stride;
    ++rank_;
    count_ *= size;
  }

  // Number of indices: the product of the sizes.
  int64_t count() const { return count_; }
  int rank() const { return rank_; }
  int64_t size(int d) const { return sizes_[d]; }
  int64_t stride(int d) const { return strides_[d]; }

  // Moves to index number i, 0 <= i < count().
  void Start(int64_t i) {
    offset_ = 0;
    for (int d = 0; d < rank_; ++d) {
      index_[d] = i % sizes_[d];
      i /= sizes_[d];
      offset_ += index_[d] * strides_[d];
    }
  }

  // Moves to the next index; after the last one to the first.
  void Next() {
    for (int d = 0; d < rank_; ++d) {
      offset_ += strides_[d];
      if (++index_[d] < sizes_[d]) return;
      offset_ -= sizes_[d] * strides_[d];
      index_[d] = 0;
    }
  }

  int64_t offset() const { return offset_; }

 private:
  int rank_ = 0;
  int64_t count_ = 1;
  int64_t offset_ = 0;
  int64_t sizes_[kMaxRank];
  int64_t strides_[kMaxRank];
  int64_t index_[kMaxRank];
};

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_DIM_WALK_H_
