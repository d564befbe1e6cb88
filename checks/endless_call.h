// A call that may never end: nothing can stop it but the end of the program, which tells first what
// it was.
//
//   {
//     const EndlessCall watch(20, [&] { std::cerr << "Predict hangs.\n"; });
//     Predict(infinity);
//   }
//
// Threads: watches from a thread of its own.
#ifndef CHECKS_ENDLESS_CALL_H_
#define CHECKS_ENDLESS_CALL_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace lamina::checks {

class EndlessCall {
 public:
  /// Unless the object's life ends within `seconds`, calls `tell` in another thread and ends the
  /// program with status 1. Time in which the whole program is stopped does not count.
  EndlessCall(double seconds, std::function<void()> tell);
  ~EndlessCall();
  EndlessCall(const EndlessCall&) = delete;
  EndlessCall& operator=(const EndlessCall&) = delete;

 private:
  void Watch(double seconds);

  const std::function<void()> tell_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  std::thread thread_;
};

}  // namespace lamina::checks

#endif  // CHECKS_ENDLESS_CALL_H_
