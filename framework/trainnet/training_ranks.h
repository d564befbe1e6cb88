// What a training on several ranks (parallel/communicator.h) does together: who takes which
// observations, and what all must agree on.
//
//   const auto ranks = TrainingRanks::Of(ExecutionEnvironment::kAuto);  // Null: one rank.
//   const MiniBatch part = ranks->PartOf(batch);
//   const DlArrays mean = ranks->Mean(gradients, ranks->WeightOf(batch));
//
// Every function is called by all ranks, in the same order, unless it says otherwise.
//
// Errors of all: those of the communicator. Threads: one.
#ifndef FRAMEWORK_TRAINNET_TRAINING_RANKS_H_
#define FRAMEWORK_TRAINNET_TRAINING_RANKS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "framework/network/network.h"
#include "framework/parallel/communicator.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/training_options.h"

namespace lamina {

class TrainingRanks {
 public:
  /// Null where this process trains for itself: it is the only rank, or `where` says so. Does not
  /// wait for the others. Errors: "trainnet:RanksBusy" while another training of this process is
  /// divided; "parallel:Environment", "parallel:Rendezvous".
  static std::unique_ptr<TrainingRanks> Of(ExecutionEnvironment where);

  bool is_first() const { return ranks_->rank() == 0; }
  /// "rank 0 of 2".
  std::string Name() const { return ranks_->Name(); }
  uint64_t rank() const { return static_cast<uint64_t>(ranks_->rank()); }

  /// Whether all say so.
  bool All(bool mine);
  /// What the first rank says.
  int FirstSays(int mine);
  /// Errors: "trainnet:RanksDiffer", naming a rank and `what`, unless all give the same text.
  void CheckSame(std::string_view what, const std::string& mine);

  /// The observations of this rank: with n observations and k ranks rank r has those from n r / k
  /// to n (r + 1) / k. Where that is none, the last one, which then counts nothing. Sequences stay
  /// as long as in the whole. Does not wait for the others.
  MiniBatch PartOf(const MiniBatch& whole) const;
  /// By how much the mean over this rank's part counts in that over the whole: its share of the
  /// observations, of sequences with a mask its share of the real steps of the first target; a
  /// scalar in double. Does not wait for the others.
  DlArray WeightOf(const MiniBatch& whole) const;
  /// The sum over ranks of weight times each array: as one op, which may be recorded.
  DlArrays Mean(DlArrays x, const DlArray& weight) const;
  /// Outputs for all observations of the whole, from those of this rank's part. Errors:
  /// "trainnet:OutputObservations" for an output that has not one column along B for each.
  DlArrays Together(const MiniBatch& whole, const DlArrays& outputs);

  /// Gives learnables and states of the first rank to all.
  void TakeFromFirst(DlNetwork& network);
  /// Makes the calls of all other ranks fail. Called by one.
  void Abort(std::string_view why) noexcept { ranks_->Abort(why); }

 private:
  TrainingRanks(std::shared_ptr<parallel::Communicator> ranks, std::unique_lock<std::mutex> busy)
      : ranks_(std::move(ranks)), busy_(std::move(busy)) {}
  struct Range {
    int64_t begin, end;
  };
  Range RangeOf(int64_t n, int rank) const;

  const std::shared_ptr<parallel::Communicator> ranks_;
  const std::unique_lock<std::mutex> busy_;
};

/// For each state of the network, in the order of State(): does it gather over batches? Then
/// ResetState leaves it as it is.
std::vector<bool> StatesThatGather(DlNetwork network);

/// A number that changes with any bit of the arrays, which may lie on a device.
uint64_t BitsOf(const DlArrays& arrays);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_TRAINING_RANKS_H_
