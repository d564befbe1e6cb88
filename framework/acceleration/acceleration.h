// Whether networks record what they compute, compile it and replay it.
//
// What is accelerated: each step of TrainNet as a whole (forward, loss, gradients, L2
// regularization, clipping, solver), the network in predictions and validations (predict.h), and,
// in every other call of Predict or Forward, the layers that are Acceleratable (network.h). All of
// it runs op by op at first. It is recorded (dl_accelerate.h) and compiled in the background when
// that is worth it: when what is left of a training would take a second or more, or, where nobody
// knows what is left, when such calls have taken a second already. Kernels take over when they are
// ready. So short work is not slowed down, and results differ from unaccelerated ones by rounding;
// random numbers are the same. docs/acceleration.md tells the rest.
//
//   DlArray y = network.Predict(x, Acceleration::kNone);
//   TrainingOptions options{.acceleration = Acceleration::kNone};
//   const ScopedAcceleration scope(Acceleration::kNone);         // All that this thread calls.
//
// Environment: LAMINA_WAIT_FOR_COMPILER=1 records calls of each size from their second one on and
// waits for the compiler; then the same calls give the same bits. The variables of
// dl_accelerate.h choose the compiler and the folder of what it made.
//
// Threads: each thread has a mode of its own.
#ifndef FRAMEWORK_ACCELERATION_ACCELERATION_H_
#define FRAMEWORK_ACCELERATION_ACCELERATION_H_

#include <cstdint>

namespace lamina {

enum class Acceleration : uint8_t {
  kAuto,  ///< Where it can be and is worth it.
  kNone,  ///< Everything runs op by op: the same bits on each run.
};

/// The mode of this thread while the object lives. kNone holds for all that is called inside,
/// nested networks too, whatever they ask for.
class ScopedAcceleration {
 public:
  explicit ScopedAcceleration(Acceleration acceleration) : outer_(Current()) {
    if (acceleration == Acceleration::kNone) Mode() = Acceleration::kNone;
  }
  ~ScopedAcceleration() { Mode() = outer_; }
  ScopedAcceleration(const ScopedAcceleration&) = delete;
  ScopedAcceleration& operator=(const ScopedAcceleration&) = delete;

  static Acceleration Current() { return Mode(); }

 private:
  static Acceleration& Mode() {
    thread_local Acceleration mode = Acceleration::kAuto;
    return mode;
  }
  const Acceleration outer_;
};

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_ACCELERATION_H_
