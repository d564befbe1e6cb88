// Is NCCL called as it wants to be, and given up when it would wait for ever? Its functions are
// played here, and the stream of a device: what they do to numbers is not in question.
#include "framework/gpu/cuda_collectives.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/parallel/testing/run_ranks.h"

namespace lamina::gpu {
namespace {

using parallel::Communicator;
using parallel::RanksOfProcess;
using parallel::testing::RankResult;
using parallel::testing::RunRanks;

std::string Identifier(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.identifier();
  }
  return "";
}

// One library in each process.
struct Played {
  std::string id;
  int rank = -1, size = 0, groups = 0;
  bool in_group = false;
  std::vector<std::string> calls;
  int answer_of_init = 0, async_error = 0;
  std::atomic<bool> init_waits{false}, abort_waits{false}, aborted{false};
  int queries_until_done = 0;
};
Played& Library() {
  static Played& played = *new Played;
  return played;
}
int kContext = 0, kStream = 0, kHandle = 0;

int GetUniqueId(NcclId* id) {
  std::fill(std::begin(id->bytes), std::end(id->bytes), 'x');
  const std::string text = absl::StrCat("process ", getpid());
  std::memcpy(id->bytes, text.data(), text.size());
  id->bytes[127] = 'e';
  return 0;
}
int CommInitRank(void** handle, int size, NcclId id, int rank) {
  while (Library().init_waits) usleep(1000);
  Library().id = std::string(id.bytes, sizeof(id.bytes));
  Library().size = size;
  Library().rank = rank;
  *handle = &kHandle;
  return Library().answer_of_init;
}
int CommAbort(void* handle) {
  EXPECT_EQ(handle, &kHandle);
  while (Library().abort_waits) usleep(1000);
  Library().aborted = true;
  return 0;
}
int CommGetAsyncError(void*, int* error) {
  *error = Library().async_error;
  return 0;
}
int GroupStart() {
  Library().in_group = true;
  ++Library().groups;
  return 0;
}
int GroupEnd() {
  Library().in_group = false;
  return 0;
}
int AllReduce(const void* in, void* out, size_t count, int type, int op, void* handle,
              void* stream) {
  Library().calls.push_back(absl::StrCat(
      count, " of ", type, op == 0 ? " added" : " wrong", Library().in_group ? "" : " alone",
      handle == &kHandle ? "" : " handle", stream == &kStream ? "" : " stream"));
  // All ranks give the same.
  for (size_t i = 0; i < count; ++i) {
    if (type == 7) {
      static_cast<float*>(out)[i] =
          static_cast<const float*>(in)[i] * static_cast<float>(Library().size);
    } else {
      static_cast<double*>(out)[i] = static_cast<const double*>(in)[i] * Library().size;
    }
  }
  return 0;
}
int GetVersion(int* version) { return *version = 22900, 0; }

const absl::StatusOr<Nccl>& PlayedNccl() {
  static const auto& nccl =
      *new absl::StatusOr<Nccl>(Nccl{GetUniqueId, CommInitRank, CommAbort, CommGetAsyncError,
                                     GroupStart, GroupEnd, AllReduce, GetVersion});
  return nccl;
}
const CudaDriver& PlayedDriver() {
  static CudaDriver& driver = *new CudaDriver;
  driver.CtxSetCurrent = [](void* context) { return context == &kContext ? 0 : 1; };
  driver.StreamQuery = [](void*) {
    if (Library().aborted) return 0;
    return Library().queries_until_done-- > 0 ? 600 : 0;
  };
  return driver;
}
std::unique_ptr<CudaCollectives> Join(const absl::StatusOr<Nccl>& nccl = PlayedNccl()) {
  return CudaCollectives::Join(RanksOfProcess(), nccl, PlayedDriver(), &kContext, &kStream);
}

int Wait(const std::unique_ptr<CudaCollectives>& collectives) {
  return CudaCollectives::Wait({&collectives, 1}, PlayedDriver(), &kStream);
}

TEST(CudaCollectivesTest, ArraysAreAddedInOneGroup) {
  for (const int size : {1, 3}) {
    const auto results = RunRanks(size, [](Communicator& ranks) -> std::string {
      const auto collectives = Join();
      const std::vector<float> a{1, 2, 3}, c{1, -1, 2, -2};
      const std::vector<double> b{0.5};
      std::vector<float> sum_a(3), sum_c(4);
      std::vector<double> sum_b(1);
      const auto call = collectives->Prepare({.ranks = RanksOfProcess(),
                                              .arrays = {{DataType::kSingle, 3},
                                                         {DataType::kDouble, 1},
                                                         {DataType::kSingle, 0},
                                                         {DataType::kComplexSingle, 2}}});
      if (call->may_be_recorded()) return "may be recorded";
      void* const arrays[] = {const_cast<float*>(a.data()),
                              const_cast<double*>(b.data()),
                              nullptr,
                              const_cast<float*>(c.data()),
                              sum_a.data(),
                              sum_b.data(),
                              nullptr,
                              sum_c.data()};
      call->Start(arrays, nullptr);
      const int n = ranks.size();
      if (sum_a[2] != 3 * n || sum_b[0] != 0.5 * n || sum_c[3] != -2 * n) return "wrong sums";
      Library().queries_until_done = 2000;
      if (Wait(collectives) != 0 || Library().queries_until_done > 0) return "did not wait";
      if (Library().rank != ranks.rank() || Library().size != n) return "wrong rank";
      std::string text = Library().id;
      for (const std::string& c : Library().calls) absl::StrAppend(&text, "|", c);
      return absl::StrCat(text, "|", Library().groups, Library().aborted ? " aborted" : "");
    });
    for (const RankResult& r : results) {
      EXPECT_EQ(r.error, "") << r.text;
      EXPECT_EQ(r.text, results[0].text);  // The identifier of the first rank, all of it.
      EXPECT_EQ(r.text.substr(0, 8), "process ");
      EXPECT_EQ(r.text.substr(127), "e|3 of 7 added|1 of 8 added|4 of 7 added|1");
    }
  }
}

TEST(CudaCollectivesTest, WithoutTheLibraryAllAreToldWhatToInstall) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    static const absl::StatusOr<Nccl> none = absl::NotFoundError("Install it.");
    Join(ranks.rank() == 1 ? none : PlayedNccl());
    return std::string();
  });
  for (const RankResult& r : results) {
    EXPECT_EQ(r.error, "gpu:NoCollectives");
    EXPECT_NE(r.text.find("Rank 1 has no such library"), std::string::npos) << r.text;
    EXPECT_NE(r.text.find("Install it."), std::string::npos) << r.text;
  }
}

// NCCL waits in the other ranks for the one that failed.
TEST(CudaCollectivesTest, OneThatCannotJoinIsToldToTheOthers) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    Library().answer_of_init = ranks.rank() == 1 ? 5 : 0;
    Library().init_waits = ranks.rank() == 0;
    Join();
    return std::string();
  });
  EXPECT_EQ(results[1].error, "gpu:Driver");
  EXPECT_NE(results[1].text.find("NCCL answers 5."), std::string::npos) << results[1].text;
  EXPECT_EQ(results[0].error, "parallel:RankFailed") << results[0].text;
}

TEST(CudaCollectivesTest, OneThatDiesWhileTheyJoinIsNoticed) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    Library().init_waits = ranks.rank() == 0;
    Join();
    if (ranks.rank() == 1) raise(SIGKILL);
    return std::string();
  });
  EXPECT_EQ(results[0].error, "parallel:RankLost") << results[0].text;
  EXPECT_LT(results[0].seconds, 5);
}

// The work of the device does not end before NCCL is given up.
TEST(CudaCollectivesTest, OneThatDiesLaterDoesNotLetTheDeviceHang) {
  const auto results = RunRanks(2, [](Communicator& ranks) -> std::string {
    const auto collectives = Join();
    ranks.AllGather("");
    if (ranks.rank() == 1) raise(SIGKILL);
    Library().queries_until_done = 1 << 30;
    const std::string error = Identifier([&] { Wait(collectives); });
    return absl::StrCat(error, " ", Wait(collectives));  // What was asked is done.
  });
  EXPECT_EQ(results[0].text, "parallel:RankLost 0");
  EXPECT_LT(results[0].seconds, 5);
}

// NCCL may take as long as it wants to give up.
TEST(CudaCollectivesTest, NobodyWaitsUntilNcclIsGivenUp) {
  const auto results = RunRanks(2, [](Communicator& ranks) -> std::string {
    const auto collectives = Join();
    ranks.AllGather("");
    if (ranks.rank() == 1) raise(SIGKILL);
    Library().queries_until_done = 1 << 30;
    Library().abort_waits = true;
    const auto start = std::chrono::steady_clock::now();
    const std::string error = Identifier([&] { Wait(collectives); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (Library().aborted || seconds.count() > 3) return "waited";
    // No call of what may be gone; and an error where the device still works.
    const auto call = collectives->Prepare({.ranks = RanksOfProcess(), .arrays = {}});
    return absl::StrCat(error, " ", Identifier([&] { call->Start({}, nullptr); }), " ",
                        Identifier([&] { Wait(collectives); }), Library().groups);
  });
  EXPECT_EQ(results[0].text, "parallel:RankLost gpu:Driver gpu:Driver0");
}

TEST(CudaCollectivesTest, TheRanksOfEachAreLookedAfter) {
  const auto results = RunRanks(2, [](Communicator& ranks) -> std::string {
    std::vector<std::unique_ptr<CudaCollectives>> all;
    all.push_back(Join());
    all.push_back(CudaCollectives::Join(std::make_shared<Communicator>(parallel::RankOptions()),
                                        PlayedNccl(), PlayedDriver(), &kContext, &kStream));
    ranks.AllGather("");
    if (ranks.rank() == 1) raise(SIGKILL);
    Library().queries_until_done = 1 << 30;
    return Identifier([&] { CudaCollectives::Wait(all, PlayedDriver(), &kStream); });
  });
  EXPECT_EQ(results[0].text, "parallel:RankLost");
}

TEST(CudaCollectivesTest, ErrorsThatComeLaterAreTold) {
  const auto results = RunRanks(1, [](Communicator&) {
    const auto collectives = Join();
    Library().queries_until_done = 1 << 30;
    Library().async_error = 3;
    Wait(collectives);
    return std::string();
  });
  EXPECT_EQ(results[0].error, "gpu:Driver");
  EXPECT_NE(results[0].text.find("NCCL answers 3."), std::string::npos) << results[0].text;
}

}  // namespace
}  // namespace lamina::gpu
