#include "framework/trainnet/training_ranks.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

std::string_view BytesOf(const DlArray& x) {
  return {static_cast<const char*>(x.data()->bytes()),
          static_cast<size_t>(x.numel()) * SizeOf(x.type())};
}

// What losses are a mean over, where parts have different numbers of it.
int64_t Count(const MiniBatch& batch) {
  if (batch.target_masks.empty() || batch.target_masks[0].empty()) return batch.num_observations;
  const DlArray& mask = batch.target_masks[0];
  const uint8_t* const real = mask.Data<uint8_t>();
  return std::accumulate(real, real + mask.numel(), int64_t{0});
}

// The observations from `begin` on; those of the whole if they are all.
MiniBatch Observe(const MiniBatch& whole, int64_t begin, int64_t count) {
  MiniBatch part;
  const auto take = [&](const DlArrays& from, DlArrays& to) {
    for (const DlArray& x : from) to.push_back(x.empty() ? x : Slice(x, 'B', begin, count));
  };
  take(whole.inputs, part.inputs);
  take(whole.targets, part.targets);
  take(whole.input_masks, part.input_masks);
  take(whole.target_masks, part.target_masks);
  part.num_observations = count;
  part.observations.assign(whole.observations.begin() + begin,
                           whole.observations.begin() + begin + count);
  return part;
}

}  // namespace

std::unique_ptr<TrainingRanks> TrainingRanks::Of(ExecutionEnvironment where) {
  if (where == ExecutionEnvironment::kCpu || where == ExecutionEnvironment::kGpu) return nullptr;
  const std::shared_ptr<parallel::Communicator> ranks = parallel::RanksOfProcess();
  if (ranks->size() == 1) return nullptr;
  static std::mutex& trainings = *new std::mutex;
  std::unique_lock<std::mutex> busy(trainings, std::try_to_lock);
  if (!busy.owns_lock()) {
    throw Error("trainnet:RanksBusy",
                "One training at a time is divided among the ranks of a program.",
                "Another thread of this process trains.",
                "Train one after another, or each for itself (kCpu, kGpu).");
  }
  return std::unique_ptr<TrainingRanks>(new TrainingRanks(ranks, std::move(busy)));
}

bool TrainingRanks::All(bool mine) {
  const std::vector<std::string> all = ranks_->AllGather(mine ? "1" : "0");
  return std::find(all.begin(), all.end(), "0") == all.end();
}

int TrainingRanks::FirstSays(int mine) {
  const std::string said = ranks_->Broadcast({reinterpret_cast<const char*>(&mine), sizeof(mine)});
  std::memcpy(&mine, said.data(), sizeof(mine));
  return mine;
}

void TrainingRanks::CheckSame(std::string_view what, const std::string& mine) {
  const std::vector<std::string> all = ranks_->AllGather(mine);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    throw Error("trainnet:RanksDiffer",
                absl::StrCat("All ranks of a training have the same ", std::string(what), "."),
                absl::StrCat("Rank 0 has ", all[0], ", rank ", rank, " has ", all[rank], "."),
                "Start the same program with the same arguments as each rank, and let it give "
                "TrainNet the same data, network and options.");
  }
}

TrainingRanks::Range TrainingRanks::RangeOf(int64_t n, int rank) const {
  return {n * rank / ranks_->size(), n * (rank + 1) / ranks_->size()};
}

MiniBatch TrainingRanks::PartOf(const MiniBatch& whole) const {
  const auto [begin, end] = RangeOf(whole.num_observations, ranks_->rank());
  if (begin == end) return Observe(whole, whole.num_observations - 1, 1);
  return Observe(whole, begin, end - begin);
}

DlArray TrainingRanks::WeightOf(const MiniBatch& whole) const {
  const auto [begin, end] = RangeOf(whole.num_observations, ranks_->rank());
  if (begin == end) return DlArray(0.0);
  return DlArray(static_cast<double>(Count(Observe(whole, begin, end - begin))) /
                 static_cast<double>(Count(whole)));
}

DlArrays TrainingRanks::Mean(DlArrays x, const DlArray& weight) const {
  // The product has the type of the array but for double, which single would win over.
  for (DlArray& a : x) a = Cast(weight, ToReal(a.type())) * a;
  return AllReduceSum(x, ranks_);
}

DlArrays TrainingRanks::Together(const MiniBatch& whole, const DlArrays& outputs) {
  const auto [begin, end] = RangeOf(whole.num_observations, ranks_->rank());
  const int64_t own = std::max<int64_t>(end - begin, 1);
  std::string bytes;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (FindDim(outputs[i], 'B') < 0 || Size(outputs[i], 'B') != own) {
      throw Error(
          "trainnet:OutputObservations",
          "Where several ranks train, each output of the network that metrics or validation "
          "read has a dim \"B\" with an element for each observation.",
          absl::StrCat("Output ", i + 1, " for ", own, " observations is a ",
                       ToString(outputs[i].spec()), "."),
          "Train by one process, or without metrics and validation data.");
    }
    if (begin < end) bytes += BytesOf(outputs[i]);
  }
  const std::vector<std::string> all = ranks_->AllGather(bytes);
  DlArrays together;
  std::vector<size_t> next(all.size());  // What was read of each rank's bytes.
  for (const DlArray& output : outputs) {
    DlArrays parts;
    for (int rank = 0; rank < ranks_->size(); ++rank) {
      const auto [from, to] = RangeOf(whole.num_observations, rank);
      if (from == to) continue;
      Sizes sizes = output.sizes();
      sizes[FindDim(output, 'B')] = to - from;
      const int64_t count = output.numel() / own * (to - from);
      size_t& place = next[static_cast<size_t>(rank)];
      const char* const elements = all[static_cast<size_t>(rank)].data() + place;
      parts.push_back(DlArray::FromBytes(output.type(), elements, static_cast<size_t>(count), sizes,
                                         output.format().str()));
      place += static_cast<size_t>(count) * SizeOf(output.type());
    }
    together.push_back(parts.size() == 1 ? parts[0] : Cat('B', parts));
  }
  return together;
}

void TrainingRanks::TakeFromFirst(DlNetwork& network) {
  std::string own;
  const auto for_each = [&network](const std::function<void(DlArray&)>& visit) {
    network.ForEachLearnable(visit);
    network.ForEachState(visit);
  };
  std::string specs;
  for_each(
      [&](DlArray& x) { absl::StrAppend(&specs, specs.empty() ? "" : ", ", ToString(x.spec())); });
  CheckSame("learnables and states", specs);
  if (is_first()) {
    for_each([&](DlArray& x) {
      if (!x.empty()) own += BytesOf(x);
    });
  }
  const std::string first = ranks_->Broadcast(own);
  if (is_first()) return;
  size_t next = 0;
  for_each([&](DlArray& x) {
    if (x.empty()) return;
    const size_t bytes = BytesOf(x).size();
    x = DlArray::FromBytes(x.type(), first.data() + next, static_cast<size_t>(x.numel()), x.sizes(),
                           x.format().str());
    next += bytes;
  });
}

std::vector<bool> StatesThatGather(DlNetwork network) {
  std::vector<const void*> before;
  network.ForEachState([&](DlArray& x) {
    // Elements of its own: what a reset puts there are others.
    if (!x.empty()) {
      x = DlArray::FromBytes(x.type(), x.data()->bytes(), static_cast<size_t>(x.numel()), x.sizes(),
                             x.format().str());
    }
    before.push_back(x.data().get());
  });
  network.ResetState();
  std::vector<bool> gather;
  network.ForEachState(
      [&](DlArray& x) { gather.push_back(!x.empty() && x.data().get() == before[gather.size()]); });
  return gather;
}

uint64_t BitsOf(const DlArrays& arrays) {
  // Fowler, Noll and Vo's hash, over words of 8 bytes.
  uint64_t hash = 0xcbf29ce484222325;
  for (const DlArray& x : arrays) {
    if (x.empty()) continue;
    const DlArray here = Gather(x);
    const std::string_view bytes = BytesOf(here);
    for (size_t i = 0; i < bytes.size(); i += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i, std::min(sizeof(word), bytes.size() - i));
      hash = (hash ^ word) * 0x100000001b3;
      hash ^= hash >> 29;
    }
  }
  return hash;
}

}  // namespace lamina
