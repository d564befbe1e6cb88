// Sums over ranks by NCCL, for cuda_device.cc: each rank is a process with a device of its own.
//
//   const auto collectives = CudaCollectives::Join(ranks, FindNccl(), driver, context, stream);
//   const auto call = collectives->Prepare({.ranks = ranks, .arrays = {{DataType::kSingle, 10}}});
//
// NCCL meets by an identifier that the first rank makes and the communicator hands over. What NCCL
// does by itself when a rank is lost is to wait for ever; so whoever waits, waits here, looks after
// the other ranks meanwhile (Communicator::CheckPeers), and gives up NCCL's communicator with an
// Error. To give up may take NCCL long, so a thread of its own does it, and nobody waits for that.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDA_COLLECTIVES_H_
#define FRAMEWORK_GPU_CUDA_COLLECTIVES_H_

#include <chrono>
#include <memory>
#include <span>

#include "framework/gpu/cuda_library.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

class CudaCollectives {
 public:
  /// All ranks call it. What it gets lives as long as the program. Errors: "gpu:NoCollectives" in
  /// all ranks when one has no library; "gpu:Driver" when NCCL does not begin; those of the
  /// communicator.
  static std::unique_ptr<CudaCollectives> Join(std::shared_ptr<parallel::Communicator> ranks,
                                               const absl::StatusOr<Nccl>& nccl,
                                               const CudaDriver& driver, void* context,
                                               void* stream);

  const std::shared_ptr<parallel::Communicator>& ranks() const { return ranks_; }
  std::shared_ptr<const LibraryCall> Prepare(const AllReduceCall& call) const;
  /// Returns what the driver answers when all that was asked of the stream is done, and looks after
  /// the ranks of all of them meanwhile. Errors: those of the communicators; "gpu:Driver" for what
  /// NCCL tells, and when work does not end after NCCL was given up. The next call waits for what
  /// is left.
  static int Wait(std::span<const std::unique_ptr<CudaCollectives>> all, const CudaDriver& driver,
                  void* stream);

 private:
  CudaCollectives(std::shared_ptr<parallel::Communicator> ranks, const CudaDriver& driver,
                  const Nccl& nccl, void* handle, void* context, void* stream)
      : ranks_(std::move(ranks)),
        driver_(driver),
        nccl_(nccl),
        handle_(handle),
        context_(context),
        stream_(stream) {}
  // Gives up with an Error when a rank is lost.
  void CheckRanks();
  void AskRanks() const;
  void GiveUp();

  const std::shared_ptr<parallel::Communicator> ranks_;
  const CudaDriver& driver_;
  const Nccl& nccl_;
  void* const handle_;  // Never destroyed: calls may live as long as the program.
  void *const context_, *const stream_;
  // Calls see it too: NCCL's communicator is none any more.
  const std::shared_ptr<bool> is_given_up_ = std::make_shared<bool>(false);
  std::chrono::steady_clock::time_point given_up_at_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_COLLECTIVES_H_
