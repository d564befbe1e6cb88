#include "framework/gpu/cuda_collectives.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_values.h"

namespace lamina::gpu {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A step of a training is done in less; a longer wait leaves the processor to others.
constexpr auto kBusy = milliseconds(2);
constexpr auto kLook = milliseconds(20);
// So long work may go on after NCCL was given up.
constexpr auto kEnding = seconds(5);

[[noreturn]] void ThrowNccl(const std::string& asked, int status) {
  throw Error(
      "gpu:Driver", asked, absl::StrCat("NCCL answers ", status, "."),
      "NCCL_DEBUG=WARN in the environment lets it say more. Each rank needs a device of its "
      "own.");
}

class Sum : public LibraryCall {
 public:
  Sum(const Nccl& nccl, void* handle, std::shared_ptr<const bool> is_given_up, void* stream,
      const AllReduceCall& call)
      : nccl_(nccl),
        handle_(handle),
        is_given_up_(std::move(is_given_up)),
        stream_(stream),
        arrays_(call.arrays) {}

  // Nor could NCCL's communicator be given up while a record has one of its sums.
  bool may_be_recorded() const override { return false; }
  // Between the two functions for groups NCCL joins what it can.
  void Start(std::span<void* const> arrays, void* /*workspace*/) const override {
    if (*is_given_up_) {
      throw Error("gpu:Driver", "A device was asked for a sum over ranks.",
                  "NCCL was given up after an error.", "Start all ranks again.");
    }
    int status = nccl_.GroupStart();
    for (size_t i = 0; i < arrays_.size() && status == 0; ++i) {
      const auto& [type, numel] = arrays_[i];
      const size_t count = static_cast<size_t>(numel) * (IsComplex(type) ? 2 : 1);
      if (count == 0) continue;
      status = nccl_.AllReduce(arrays[i], arrays[arrays_.size() + i], count,
                               ToReal(type) == DataType::kSingle ? nccl::kSingle : nccl::kDouble,
                               nccl::kSum, handle_, stream_);
    }
    const int ended = nccl_.GroupEnd();
    if (status == 0) status = ended;
    if (status != 0) ThrowNccl("A device was asked for a sum over ranks.", status);
  }

 private:
  const Nccl& nccl_;
  void* const handle_;
  const std::shared_ptr<const bool> is_given_up_;
  void* const stream_;
  const std::vector<AllReduceCall::Array> arrays_;
};

// What a thread tells that waits for all ranks, and may wait for ever.
struct Joining {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  int status = 0;
  void* handle = nullptr;
};

}  // namespace

std::unique_ptr<CudaCollectives> CudaCollectives::Join(
    std::shared_ptr<parallel::Communicator> ranks, const absl::StatusOr<Nccl>& nccl,
    const CudaDriver& driver, void* context, void* stream) {
  const std::vector<std::string> errors =
      ranks->AllGather(nccl.ok() ? std::string() : nccl.status().ToString());
  for (size_t rank = 0; rank < errors.size(); ++rank) {
    if (errors[rank].empty()) continue;
    throw Error("gpu:NoCollectives", "Ranks with devices add by NCCL.",
                absl::StrCat("Rank ", rank, " has no such library: ", errors[rank]), "");
  }
  NcclId id = {};
  if (ranks->rank() == 0) {
    if (const int status = nccl->GetUniqueId(&id); status != 0) {
      ranks->Abort("NCCL makes no identifier.");
      ThrowNccl("NCCL was asked for an identifier.", status);
    }
  }
  const std::string given = ranks->Broadcast(std::string_view(id.bytes, sizeof(id.bytes)));
  std::memcpy(id.bytes, given.data(), sizeof(id.bytes));

  const auto joining = std::make_shared<Joining>();
  std::thread([joining, &driver, &library = *nccl, context, id, size = ranks->size(),
               rank = ranks->rank()] {
    driver.CtxSetCurrent(context);
    void* handle = nullptr;
    const int status = library.CommInitRank(&handle, size, id, rank);
    const std::lock_guard<std::mutex> lock(joining->mutex);
    joining->status = status;
    joining->handle = handle;
    joining->done = true;
    joining->changed.notify_all();
  }).detach();
  std::unique_lock<std::mutex> lock(joining->mutex);
  while (!joining->changed.wait_for(lock, kLook, [&] { return joining->done; })) {
    ranks->CheckPeers();
  }
  if (joining->status != 0) {
    ranks->Abort("NCCL could not join the ranks.");
    ThrowNccl(absl::StrCat(ranks->Name(), " was to join the others."), joining->status);
  }
  return std::unique_ptr<CudaCollectives>(
      new CudaCollectives(std::move(ranks), driver, *nccl, joining->handle, context, stream));
}

std::shared_ptr<const LibraryCall> CudaCollectives::Prepare(const AllReduceCall& call) const {
  return std::make_shared<const Sum>(nccl_, handle_, is_given_up_, stream_, call);
}

void CudaCollectives::AskRanks() const {
  int status = 0;
  const int asked = nccl_.CommGetAsyncError(handle_, &status);
  if (asked != 0) status = asked;
  if (status != 0 && status != nccl::kInProgress) ThrowNccl("Ranks add by NCCL.", status);
  ranks_->CheckPeers();
}

// Ends the kernels that wait.
void CudaCollectives::GiveUp() {
  *is_given_up_ = true;
  given_up_at_ = std::chrono::steady_clock::now();
  std::thread([&driver = driver_, context = context_, abort = nccl_.CommAbort, handle = handle_] {
    driver.CtxSetCurrent(context);
    abort(handle);
  }).detach();
}

void CudaCollectives::CheckRanks() {
  if (*is_given_up_) {
    if (std::chrono::steady_clock::now() - given_up_at_ < kEnding) return;
    throw Error("gpu:Driver", "Work of a device ends when NCCL is given up.",
                "It goes on after some seconds.", "The process must be started again.");
  }
  try {
    AskRanks();
  } catch (...) {
    GiveUp();
    throw;
  }
}

int CudaCollectives::Wait(std::span<const std::unique_ptr<CudaCollectives>> all,
                          const CudaDriver& driver, void* stream) {
  const auto start = std::chrono::steady_clock::now();
  auto looked = start;
  for (;;) {
    const int answer = driver.StreamQuery(stream);
    if (answer != cuda::kNotReady) return answer;
    const auto now = std::chrono::steady_clock::now();
    if (now - looked > kLook) {
      looked = now;
      std::exception_ptr first;
      for (const auto& collectives : all) {
        try {
          collectives->CheckRanks();
        } catch (...) {
          if (first == nullptr) first = std::current_exception();
        }
      }
      if (first != nullptr) std::rethrow_exception(first);
    }
    if (now - start > kBusy) std::this_thread::sleep_for(microseconds(50));
  }
}

}  // namespace lamina::gpu
