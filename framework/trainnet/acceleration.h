// Whether what is computed for batch after batch is recorded, compiled and replayed.
//
// What is accelerated: each step of TrainNet as a whole (forward, loss, gradients, L2
// regularization, clipping, solver), and the network in predictions and validations (predict.h).
// It runs op by op at first. When what is left would take a second or more, batches of that size
// are recorded (dl_accelerate.h) and compiled in the background; kernels take over when they are
// ready. So short work is not slowed down, and results differ from unaccelerated ones by rounding;
// random numbers are the same.
//
// What is not: networks with a layer that is not Acceleratable (all built-in ones are), losses and
// layers that read values, batches in which targets are padded (their size depends on the mask),
// and batches of more than 50 different sizes. A report tells the reason.
//
//   TrainingOptions options{.acceleration = Acceleration::kNone};
//   std::cout << TrainNet(data, network, "mse").info.acceleration_report;
//
// Environment: LAMINA_WAIT_FOR_COMPILER=1 records batches of each size from their second one on and
// waits for the compiler; then the same arguments give the same bits. The variables of
// dl_accelerate.h choose the compiler and the folder of what it made.
//
// Threads: a plain value.
#ifndef FRAMEWORK_TRAINNET_ACCELERATION_H_
#define FRAMEWORK_TRAINNET_ACCELERATION_H_

#include <cstdint>

namespace lamina {

enum class Acceleration : uint8_t {
  kAuto,  ///< Where it can be and is worth it.
  kNone,  ///< Everything runs op by op: the same bits on each run.
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_ACCELERATION_H_
