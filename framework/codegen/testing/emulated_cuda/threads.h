// The threads of a block, played by one thread of the processor: they take turns where they wait
// for one another, in another order each time. What depends on the order gives other results.
//
//   Threads threads;
//   if (!threads.Run(256, &place.thread, [] { kernel(x, y); })) puts(threads.WhoWaits().c_str());
#ifndef EMULATED_THREADS_H_
#define EMULATED_THREADS_H_

#include <ucontext.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "machine.h"

namespace emulator {

class Threads {
 public:
  static constexpr unsigned kLanes = 32, kMost = 1024, kStackBytes = 256 * 1024;

  Threads() = default;
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// Runs `body` as each of the threads of a block, to its end; `index` is set to the one whose
  /// turn it is. False: one stopped the block, or threads wait for such that do not come
  /// (WhoWaits).
  bool Run(unsigned count, Index* index, const std::function<void()>& body) {
    if (count == 0 || count > kMost) std::abort();
    while (all_.size() < count) all_.push_back(std::make_unique<Thread>());
    count_ = count;
    index_ = index;
    body_ = &body;
    is_stopped_ = false;
    block_meetings_ = 0;
    warp_meetings_.assign((count + kLanes - 1) / kLanes, 0);
    for (unsigned t = 0; t < count; ++t) Prepare(all_[t].get());
    Threads* const outer = std::exchange(active_, this);
    while (!is_stopped_) {
      if (TakeTurns() || ReleaseWarps() || ReleaseBlock()) continue;
      break;
    }
    active_ = outer;
    return !is_stopped_ && NumIn(State::kEnded) == count;
  }

  /// The orders of the runs that follow are those that follow from the seed.
  void set_seed(unsigned seed) { random_ = seed; }

  // Called from within `body`:

  void MeetBlock() { Wait(State::kAtBlock); }
  void MeetWarp(unsigned lanes) {
    running().lanes = lanes;
    Wait(State::kAtWarp);
  }
  void Exchange(unsigned lanes, uint64_t value) {
    running().lanes = lanes;
    running().given = value;
    Wait(State::kAtExchange);
  }
  /// All bits of a lane that took no part are set: a NaN.
  uint64_t Received(unsigned lane) { return running().received[lane % kLanes]; }
  /// Ends the run.
  void Stop() {
    is_stopped_ = true;
    for (;;) swapcontext(&running().context, &scheduler_);
  }

  unsigned current() const { return current_; }
  bool IsOnStack(const void* memory) const {
    const auto* const byte = static_cast<const char*>(memory);
    const char* const stack = all_[current_]->stack.get();
    return byte >= stack && byte < stack + kStackBytes;
  }
  /// How often all threads met so far, and how often all of a warp did at a __syncwarp().
  unsigned block_meetings() const { return block_meetings_; }
  unsigned warp_meetings(unsigned warp) const { return warp_meetings_[warp]; }

  /// "thread 3 has ended, while thread 0 waits for all of the block"
  std::string WhoWaits() const {
    std::string text;
    const std::pair<State, const char*> kinds[] = {
        {State::kEnded, " has ended"},
        {State::kAtBlock, " waits at __syncthreads()"},
        {State::kAtWarp, " waits at __syncwarp()"},
        {State::kAtExchange, " waits for its warp to exchange values"}};
    for (const auto& [state, what] : kinds) {
      for (unsigned t = 0; t < count_; ++t) {
        if (all_[t]->state != state) continue;
        text += (text.empty() ? "thread " : ", thread ") + std::to_string(t) + what;
        break;
      }
    }
    return text;
  }

 private:
  enum class State { kReady, kAtBlock, kAtWarp, kAtExchange, kEnded };
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack{new char[kStackBytes]};
    State state = State::kReady;
    unsigned lanes = 0;
    uint64_t given = 0, received[kLanes] = {};
  };

  static void Begin() {
    Threads& threads = *active_;
    (*threads.body_)();
    threads.running().state = State::kEnded;
  }

  void Prepare(Thread* thread) {
    thread->state = State::kReady;
    getcontext(&thread->context);
    thread->context.uc_stack.ss_sp = thread->stack.get();
    thread->context.uc_stack.ss_size = kStackBytes;
    thread->context.uc_link = &scheduler_;
    makecontext(&thread->context, Begin, 0);
  }
  Thread& running() { return *all_[current_]; }
  void Wait(State state) {
    running().state = state;
    swapcontext(&running().context, &scheduler_);
  }
  unsigned NumIn(State state) const {
    unsigned n = 0;
    for (unsigned t = 0; t < count_; ++t) n += all_[t]->state == state;
    return n;
  }

  // Each thread that can go on does so. Whether one did.
  bool TakeTurns() {
    random_ = random_ * 1664525u + 1013904223u;
    unsigned step = random_ >> 16 | 1u;
    const unsigned first = random_ >> 8;
    while (std::gcd(step, count_) != 1) ++step;  // So that each thread has its turn.
    bool any = false;
    for (unsigned turn = 0; turn < count_ && !is_stopped_; ++turn) {
      current_ = (first % count_ + turn * (step % count_)) % count_;
      if (running().state != State::kReady) continue;
      any = true;
      index_->x = current_;
      swapcontext(&scheduler_, &running().context);
    }
    return any;
  }

  // Whether a thread waits for nobody any more.
  bool ReleaseWarps() {
    bool any = false;
    for (unsigned t = 0; t < count_; ++t) {
      const State state = all_[t]->state;
      if (state == State::kAtWarp || state == State::kAtExchange) any = Release(t) || any;
    }
    return any;
  }
  // The lanes that this thread waits for, if all of them are there.
  bool Release(unsigned thread) {
    const unsigned warp = thread / kLanes, lanes = all_[thread]->lanes;
    const State state = all_[thread]->state;
    std::vector<Thread*> group(kLanes, nullptr);
    bool is_whole = true;
    for (unsigned lane = 0; lane < kLanes && warp * kLanes + lane < count_; ++lane) {
      Thread* const other = all_[warp * kLanes + lane].get();
      if (other->state == State::kEnded) continue;
      if ((lanes >> lane & 1u) == 0) {
        is_whole = false;
        continue;
      }
      if (other->state != state || other->lanes != lanes) return false;
      group[lane] = other;
    }
    for (Thread* const to : group) {
      if (to == nullptr) continue;
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        to->received[lane] = group[lane] == nullptr ? ~uint64_t{0} : group[lane]->given;
      }
    }
    for (Thread* const member : group) {
      if (member != nullptr) member->state = State::kReady;
    }
    if (state == State::kAtWarp && is_whole) ++warp_meetings_[warp];
    return true;
  }
  bool ReleaseBlock() {
    if (NumIn(State::kAtBlock) != count_) return false;
    for (unsigned t = 0; t < count_; ++t) all_[t]->state = State::kReady;
    ++block_meetings_;
    return true;
  }

  inline static thread_local Threads* active_ = nullptr;

  Index* index_ = nullptr;
  std::vector<std::unique_ptr<Thread>> all_;
  unsigned count_ = 0, current_ = 0, random_ = 1, block_meetings_ = 0;
  std::vector<unsigned> warp_meetings_;
  const std::function<void()>* body_ = nullptr;
  bool is_stopped_ = false;
  ucontext_t scheduler_;
};

}  // namespace emulator

#endif  // EMULATED_THREADS_H_
