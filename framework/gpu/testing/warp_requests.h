// Groups the accesses of a block's threads into requests of warps, and counts them.
//
// The n-th time that a thread comes to a place in the code belongs together with the n-th time of
// the other threads of its warp, as if they ran in step.
#ifndef FRAMEWORK_GPU_TESTING_WARP_REQUESTS_H_
#define FRAMEWORK_GPU_TESTING_WARP_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "framework/gpu/testing/access_counts.h"

namespace lamina::gpu::testing {

class WarpRequests {
 public:
  /// By the code at this address.
  void Add(unsigned thread, const void* code, uintptr_t address, size_t bytes, bool is_shared,
           bool is_load);
  /// Counts what the block's threads did.
  void EndBlock(AccessCounts* counts);

 private:
  struct Request {
    bool is_shared = false, is_load = false;
    size_t bytes = 0;                                   // Of each lane.
    std::vector<std::pair<unsigned, uintptr_t>> lanes;  // And their addresses.
  };
  absl::flat_hash_map<std::pair<unsigned, const void*>, int64_t> times_;  // Of a thread.
  absl::flat_hash_map<std::tuple<unsigned, const void*, int64_t>, Request> requests_;  // Of a warp.
};

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_WARP_REQUESTS_H_
