// Is the driver of a device called as it wants to be? It is played here, with the memory that a
// device has: no kernel runs.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/cuda_values.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/graph.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/parallel/testing/run_ranks.h"

namespace lamina::gpu {
namespace {

using parallel::Communicator;
using parallel::RanksOfProcess;
using parallel::testing::RunRanks;

struct Played {
  // Memory that was given back is free when the host saw that the work is done and the pool was
  // trimmed.
  size_t room = SIZE_MAX, in_use = 0, given_back = 0, observed = 0;
  std::map<CudaAddress, size_t> sizes;
  bool has_pinned = true;
  int num_pinned = 0;
  std::vector<std::string> calls;
  int graphs = 0, records = 0, most_records = INT_MAX;
  int of_waiting = 0;                              // What waiting for the device ends with.
  std::atomic<bool> works{false}, aborted{false};  // Work goes on until NCCL is given up.
};
Played& Library() {
  static Played& played = *new Played;
  return played;
}
int kContext = 0, kStream = 0, kPool = 0, kModule = 0, kFunction = 0, kGraph = 0, kHandle = 0;

bool HasRoom(size_t bytes) { return Library().in_use + bytes <= Library().room; }
int Called(const std::string& call) {
  Library().calls.push_back(call);
  return 0;
}
bool IsDone() {
  const bool is_done = !Library().works || Library().aborted;
  if (is_done) Library().observed = Library().given_back;
  return is_done;
}

const CudaDriver& PlayedDriver() {
  static CudaDriver& d = *new CudaDriver;
  d.GetErrorName = [](int, const char** name) { return *name = "A_NAME", 0; };
  d.GetErrorString = [](int, const char** text) { return *text = "a text", 0; };
  d.DriverGetVersion = [](int* version) { return *version = 13000, 0; };
  d.DeviceGetName = [](char* name, int, int) { return name[0] = 'D', 0; };
  d.DeviceTotalMem = [](size_t* bytes, int) { return *bytes = size_t{1} << 30, 0; };
  d.DeviceGetAttribute = [](int* value, int attribute, int) {
    const std::map<int, int> known{{cuda::kSharedOfBlock, 227 << 10}, {cuda::kMinor, 0}};
    return *value = known.count(attribute) == 1 ? known.at(attribute) : 9, 0;
  };
  d.DevicePrimaryCtxRetain = [](void** context, int) { return *context = &kContext, 0; };
  d.DevicePrimaryCtxRelease = [](int) { return 0; };
  d.CtxSetCurrent = [](void* context) { return context == &kContext ? 0 : 1; };
  d.DeviceGetDefaultMemPool = [](void** pool, int) { return *pool = &kPool, 0; };
  d.MemPoolSetAttribute = [](void*, int, void*) { return 0; };
  d.StreamCreate = [](void** stream, unsigned) { return *stream = &kStream, 0; };
  d.StreamDestroy = [](void*) { return 0; };
  d.StreamQuery = [](void*) { return IsDone() ? 0 : cuda::kNotReady; };
  d.StreamSynchronize = [](void*) {
    while (!IsDone()) usleep(1000);
    return Library().of_waiting;
  };
  d.MemAllocAsync = [](CudaAddress* memory, size_t bytes, void*) {
    if (!HasRoom(bytes)) return cuda::kOutOfMemory;
    Library().in_use += bytes;
    *memory = reinterpret_cast<CudaAddress>(std::malloc(bytes));
    Library().sizes[*memory] = bytes;
    return 0;
  };
  d.MemFreeAsync = [](CudaAddress memory, void*) {
    Library().given_back += Library().sizes.at(memory);
    Library().sizes.erase(memory);
    std::free(reinterpret_cast<void*>(memory));
    return 0;
  };
  d.MemHostAlloc = [](void** memory, size_t bytes, unsigned) {
    if (!Library().has_pinned) return cuda::kOutOfMemory;
    ++Library().num_pinned;
    return *memory = std::memset(std::malloc(bytes), 0xff, bytes), 0;
  };
  d.MemFreeHost = [](void* memory) {
    --Library().num_pinned;
    return std::free(memory), 0;
  };
  d.MemPoolTrimTo = [](void* pool, size_t kept) {
    EXPECT_EQ(pool, &kPool);
    EXPECT_EQ(kept, 0u);
    Library().in_use -= std::exchange(Library().observed, 0);
    Library().given_back = 0;
    return 0;
  };
  d.ModuleLoadData = [](void** module, const void*) {
    return *module = &kModule, HasRoom(1000) ? 0 : cuda::kOutOfMemory;
  };
  d.ModuleUnload = [](void*) { return 0; };
  d.ModuleGetFunction = [](void** function, void*, const char*) {
    return *function = &kFunction, 0;
  };
  d.FuncSetAttribute = [](void*, int attribute, int value) {
    return Called(absl::StrCat("attribute ", attribute, ": ", value));
  };
  d.LaunchKernel = [](void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                      unsigned shared_bytes, void*, void**,
                      void**) { return Called(absl::StrCat("launch with ", shared_bytes)); };
  d.StreamBeginCapture = [](void*, int) { return Called("record"); };
  d.StreamEndCapture = [](void*, void** graph) {
    ++Library().graphs;
    return *graph = &kGraph, Called("recorded");
  };
  d.GraphInstantiate = [](void** ready, void* graph, unsigned long long) {  // NOLINT(runtime/int)
    if (!HasRoom(1000) || Library().records == Library().most_records) return cuda::kOutOfMemory;
    ++Library().records;
    return *ready = graph, 0;
  };
  d.GraphLaunch = [](void*, void*) { return Called("start"); };
  d.GraphDestroy = [](void*) { return --Library().graphs, 0; };
  d.GraphExecDestroy = [](void*) { return --Library().records, 0; };
  return d;
}

const absl::StatusOr<Nccl>& PlayedNccl() {
  static absl::StatusOr<Nccl>& nccl = *new absl::StatusOr<Nccl>(Nccl());
  nccl->GetUniqueId = [](NcclId*) { return 0; };
  nccl->CommInitRank = [](void** handle, int, NcclId, int) { return *handle = &kHandle, 0; };
  nccl->CommAbort = [](void*) { return Library().aborted = true, 0; };
  nccl->GroupStart = [] { return 0; };
  nccl->AllReduce = [](const void*, void*, size_t, int, int, void*, void*) {
    return Called("sum over ranks");
  };
  nccl->GroupEnd = [] { return 0; };
  nccl->CommGetAsyncError = [](void*, int* error) { return *error = 0; };
  return nccl;
}

absl::StatusOr<std::shared_ptr<Device>> TryToOpen() {
  static CudaCompiler& compiler = *new CudaCompiler;
  compiler.Version = [](int* major, int* minor) { return *major = 13, *minor = 0; };
  return OpenCudaDevice({PlayedDriver(), compiler, PlayedNccl()}, 0);
}
std::shared_ptr<Device> Open() { return *TryToOpen(); }

class CudaCallsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Library().room = SIZE_MAX;
    Library().in_use = Library().given_back = Library().observed = 0;
    Library().calls.clear();
    Library().most_records = INT_MAX;
  }
  // Leaves nothing free, but what is kept of an array of this size.
  static void Fill(Device& device, size_t bytes) {
    device.Free(device.Allocate(bytes));
    Library().room = Library().in_use;
  }
  void TearDown() override {
    EXPECT_EQ(Library().sizes.size(), 0u);
    EXPECT_EQ(Library().graphs, 0);
    EXPECT_EQ(Library().records, 0);
    EXPECT_EQ(Library().num_pinned, 0);
  }
};

TEST_F(CudaCallsTest, WhatIsKeptForOtherSizesIsEnoughForAnArray) {
  const auto device = Open();
  Fill(*device, 4096);
  void* const other = device->Allocate(2048);
  try {
    device->Allocate(4096);
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "gpu:OutOfMemory");
  }
  device->Free(device->Allocate(2048));  // What is there can be used.
  device->Free(other);
}

TEST_F(CudaCallsTest, WhatIsKeptIsEnoughForKernelsAndRecords) {
  const auto device = Open();
  const auto refused = [&](const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& e) {
      return e.identifier();
    }
    return std::string();
  };
  Fill(*device, 4096);
  EXPECT_EQ(refused([&] { device->Load({.code = "code", .symbols = {"F"}}); }), "");
  Fill(*device, 4096);
  EXPECT_EQ(refused([&] { device->Record([] {}); }), "");
  void* const all = device->Allocate(4096);
  EXPECT_EQ(refused([&] { device->Load({.code = "code", .symbols = {"F"}}); }), "gpu:OutOfMemory");
  EXPECT_EQ(refused([&] { device->Record([] {}); }), "gpu:OutOfMemory");
  // The device is waited for before it is asked again.
  Library().of_waiting = 1;
  EXPECT_EQ(refused([&] { device->Record([] {}); }), "gpu:Driver");
  Library().of_waiting = 0;
  device->Free(all);
}

TEST_F(CudaCallsTest, NotesAreMemoryThatIsNoughtAtFirst) {
  const auto device = Open();
  EXPECT_EQ(Library().num_pinned, 1);
  const int64_t* const notes = device->Notes();
  EXPECT_EQ(std::vector<int64_t>(notes, notes + Device::kNotes),
            std::vector<int64_t>(Device::kNotes));
  Library().has_pinned = false;
  EXPECT_EQ(TryToOpen().status().code(), absl::StatusCode::kUnavailable);
  Library().has_pinned = true;
}

// What a kernel may share without asking depends on what it has of a fixed size. A record may still
// launch it with the most.
TEST_F(CudaCallsTest, SharedMemoryOfALaunchIsAskedForWhenItIsMoreThanBefore) {
  const auto device = Open();
  const auto kernels = device->Load({.code = "code", .symbols = {"F"}});
  for (const unsigned bytes : {0U, 1000U, 1000U, 100000U, 2000U}) {
    device->Launch(*kernels, 0, {.shared_bytes = bytes}, nullptr);
  }
  EXPECT_EQ(Library().calls,
            (std::vector<std::string>{"launch with 0", "attribute 8: 1000", "launch with 1000",
                                      "launch with 1000", "attribute 8: 100000",
                                      "launch with 100000", "launch with 2000"}));
}

// What goes with kernels and records waits for work that a lost rank would let wait for ever.
TEST_F(CudaCallsTest, ALostRankLetsNothingHangThatGoes) {
  const auto results = RunRanks(2, [](Communicator& ranks) -> std::string {
    {
      const auto device = Open();
      device->Prepare({.ranks = RanksOfProcess(), .arrays = {}});
      // Another one, of a rank alone, that nobody can leave.
      const auto alone = std::make_shared<Communicator>(parallel::RankOptions());
      device->Prepare({.ranks = alone, .arrays = {}});
      auto kernels = device->Load({.code = "code", .symbols = {"F"}});
      auto record = device->Record([] {});
      ranks.AllGather("");
      if (ranks.rank() == 1) raise(SIGKILL);
      Library().works = true;
      record.reset();
      kernels.reset();
    }
    return Library().aborted ? "given up" : "not given up";
  });
  EXPECT_EQ(results[0].text, "given up");
  EXPECT_LT(results[0].seconds, 5);
}

// What ranks do together never stands between "record" and "recorded": NCCL would have to be
// recorded and started by all of them in the same run.
TEST_F(CudaCallsTest, ARunIsRecordedBetweenItsSumsOverRanks) {
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  const TemporaryFolder cache("cache");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  const auto gpu = Gpu::Make(Open());
  const auto ranks = std::make_shared<Communicator>(parallel::RankOptions());
  const ArraySpec spec{DataType::kSingle, {300}, ""};
  const auto program = std::make_shared<const DeviceProgram>(
      RecordGraph(
          [&](Arrays x) {
            const DlArray y = AllReduceSum(DlArrays{x[0] * Sum(x[0])}, ranks)[0];
            return DlArrays{AllReduceSum(DlArrays{y + Sum(y)}, ranks)[0] - x[0]};
          },
          std::vector<ArraySpec>{spec}),
      gpu);
  const auto calls_of = [](const BoundProgram& bound) {
    Library().calls.clear();
    bound.Start();
    return absl::StrJoin(Library().calls, ", ");
  };
  const DlArrays in{gpu->Room(spec)};
  const std::string two = "launch with 0, launch with 0", sum = "sum over ranks",
                    launched =
                        absl::StrJoin({two, sum, two, sum, std::string("launch with 0")}, ", "),
                    record = absl::StrCat("record, ", two, ", recorded"),
                    started = "start, sum over ranks, start, sum over ranks, launch with 0";
  const BoundProgram bound(program, in, program->RoomForOutputs());
  EXPECT_EQ(calls_of(bound), launched);  // Libraries load what they need.
  EXPECT_EQ(calls_of(bound), absl::StrJoin({record, record, started}, ", "));
  EXPECT_EQ(calls_of(bound), started);
  Library().most_records = 3;
  const BoundProgram refused(program, in, program->RoomForOutputs());
  EXPECT_EQ(calls_of(refused), absl::StrJoin({record, record, launched}, ", "));
  EXPECT_EQ(Library().records, 2);  // The first of the two was given back.
  EXPECT_EQ(calls_of(refused), launched);
  EXPECT_EQ(calls_of(bound), started);
}

}  // namespace
}  // namespace lamina::gpu
