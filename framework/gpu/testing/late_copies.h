// Copies of pinned memory (staging.h) that are done as late as a device may do them: when they are
// waited for, or when other work is asked for.
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_TESTING_LATE_COPIES_H_
#define FRAMEWORK_GPU_TESTING_LATE_COPIES_H_

#include <climits>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "framework/gpu/staging.h"

namespace lamina::gpu::testing {

class LateCopies : public PinnedCopies {
 public:
  /// How many chunks can be had, of `room`.
  explicit LateCopies(const int* room) : room_(room) {}

  void* Take(size_t bytes) override {
    if (num_taken_ >= *room_) return nullptr;
    ++num_taken_;
    return std::malloc(bytes);
  }
  void Give(void* pinned) override {
    --num_taken_;
    std::free(pinned);
  }
  void AskIn(void* to, const void* pinned, size_t bytes, size_t chunk) override {
    asked_.push_back({to, pinned, bytes, chunk});
  }
  void AskOut(void* pinned, const void* from, size_t bytes, size_t chunk) override {
    asked_.push_back({pinned, from, bytes, chunk});
  }
  void WaitFor(size_t chunk) override {
    size_t wanted = asked_.size();
    while (wanted > 0 && asked_[wanted - 1].chunk != chunk) --wanted;
    if (wanted > 0) ++num_waits_;
    Do(wanted);
  }

  /// What a device does before anything else that is asked for now.
  void DoAll() { Do(asked_.size()); }
  size_t num_asked() const { return asked_.size(); }
  int num_taken() const { return num_taken_; }
  /// How often somebody waited for a copy that was not done.
  int num_waits() const { return num_waits_; }

 private:
  struct Copy {
    void* to;
    const void* from;
    size_t bytes, chunk;
  };
  void Do(size_t count) {
    for (; count > 0; --count) {
      std::memcpy(asked_.front().to, asked_.front().from, asked_.front().bytes);
      asked_.pop_front();
    }
  }

  const int* const room_;
  std::deque<Copy> asked_;
  int num_taken_ = 0, num_waits_ = 0;
};

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_LATE_COPIES_H_
