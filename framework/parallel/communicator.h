// Several processes that compute one thing together: ranks. Each is a process on this machine; they
// meet in a file that all of them map into memory.
//
//   Communicator ranks({.rank = 0, .size = 2, .rendezvous = "/dev/shm/training"});
//   const float mine[2] = {1, 2};
//   float sum[2];
//   ranks.AllReduceSum({{DataType::kSingle, mine, sum, 2}});    // the same bits in all ranks
//
// All ranks call the same functions in the same order, with the same sizes. A call returns when all
// ranks have come, and never waits for one that cannot come: a rank that ended, that called Abort,
// or that called another function is an Error in all others at once, one that does not come in time
// is an Error too. After an Error the communicator is of no more use: each further call throws the
// first one again.
//
//   tools/data_parallel 2 PROGRAM       starts two ranks, and tells them of each other by
//                                       LAMINA_RANK, LAMINA_RANKS and LAMINA_RENDEZVOUS
//
// The file begins empty and serves once. A rank is known to live by a lock on a byte of the file,
// which the system takes from a process that ends in whatever way.
//
// Errors: "parallel:Environment" for settings that cannot be; "parallel:Rendezvous" for a file that
// cannot be opened, or where a rank of this number is or was; "parallel:RankMissing" for a rank
// that did not come in time, "parallel:RankLost" for one that ended, "parallel:RankFailed" with the
// message of one that called Abort, "parallel:Mismatch" for ranks that called different things. All
// of them name the rank.
//
// Threads: any; one call at a time is done, so calls of several threads need an order of their own.
#ifndef FRAMEWORK_PARALLEL_COMMUNICATOR_H_
#define FRAMEWORK_PARALLEL_COMMUNICATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/dlarray/data_type.h"

namespace lamina::parallel {

/// Who a process is among its like.
struct RankOptions {
  int rank = 0, size = 1;
  std::string rendezvous{};  ///< The file; none is needed for one rank.
  /// How long a call waits for a rank that lives, or that has not come yet.
  double timeout_seconds = 600;
};

/// What the environment says: LAMINA_RANK, LAMINA_RANKS, LAMINA_RENDEZVOUS and, if it is set,
/// LAMINA_RANK_TIMEOUT in seconds. One rank without the first three. Errors:
/// "parallel:Environment".
RankOptions RankOptionsFromEnvironment();

class Communicator {
 public:
  /// Numbers of a floating type: where a rank's lie and where the sum goes; both may be the same.
  struct Part {
    DataType type;
    const void* in;
    void* out;
    int64_t count;
  };

  /// Does not wait for the others.
  explicit Communicator(const RankOptions& options);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  int rank() const { return options_.rank; }
  int size() const { return options_.size; }
  const std::string& rendezvous() const { return options_.rendezvous; }
  /// For a reader: "rank 1 of 2".
  std::string Name() const;

  /// The sum over ranks of each number; complex numbers are pairs of real ones. Added in the order
  /// of ranks, ((x0 + x1) + x2) + ..., in the type of the numbers.
  void AllReduceSum(const std::vector<Part>& parts);
  /// What each rank gives, in their order.
  std::vector<std::string> AllGather(std::string_view mine);
  /// What `root` gives; others may give anything.
  std::string Broadcast(std::string_view mine, int root = 0);

  /// Makes the calls of all other ranks fail with `why`. The first call of any rank counts.
  void Abort(std::string_view why) noexcept;
  /// Throws if a rank ended or aborted: for those who wait in another way, for a device.
  void CheckPeers();

 private:
  struct Shared;  // What lies in the file.
  struct Calls;   // One at a time, and the first error.

  void Map();
  void Begin(std::string_view call);
  void Meet();
  void CheckSameCall();
  std::vector<std::string> Gather(std::string_view call, std::string_view mine);
  [[noreturn]] void Fail(std::string_view identifier, const std::string& expected,
                         const std::string& came, const std::string& fix);
  void ThrowIfFailed();
  bool Lives(int rank) const;
  char* ChunkOf(int rank) const;
  template <class T>
  void Sum(const std::vector<Part>& parts);

  const RankOptions options_;
  int file_ = -1;
  Shared* shared_ = nullptr;  // Null for one rank.
  uint32_t meetings_ = 0;
  std::unique_ptr<Calls> calls_;
};

/// The ranks that the environment tells of, joined by the first call; one rank without it. Errors:
/// as the constructor.
std::shared_ptr<Communicator> RanksOfProcess();

}  // namespace lamina::parallel

#endif  // FRAMEWORK_PARALLEL_COMMUNICATOR_H_
