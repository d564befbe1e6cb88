#include "framework/gpu/testing/emulated_device.h"

#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "framework/cpu/convolution.h"
#include "framework/cpu/fft.h"
#include "framework/cpu/gemm.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/idle_memory.h"
#include "framework/gpu/testing/kernel_player.h"
#include "framework/gpu/testing/late_copies.h"
#include "framework/parallel/communicator.h"

namespace lamina::gpu::testing {
namespace {

class LaunchList : public LaunchRecord {
 public:
  explicit LaunchList(std::atomic<int>* count) : count_(*count) { ++count_; }
  ~LaunchList() override { --count_; }
  std::vector<std::function<void()>> launches;

 private:
  std::atomic<int>& count_;
};

// A call by the code for the processor. The workspace is written, as that of a library is.
class ProcessorCall : public LibraryCall {
 public:
  using Compute = std::function<void(std::span<void* const> arrays)>;
  explicit ProcessorCall(Compute compute, bool may_be_recorded = true)
      : compute_(std::move(compute)), may_be_recorded_(may_be_recorded) {}
  bool may_be_recorded() const override { return may_be_recorded_; }
  size_t workspace_bytes() const override { return 300; }
  void Start(std::span<void* const> arrays, void* workspace) const override {
    std::memset(workspace, 0xff, workspace_bytes());
    compute_(arrays);
  }

 private:
  const Compute compute_;
  const bool may_be_recorded_;
};

// What is said to be rounded to bfloat16 is: the lower half of a number is 0.
void CheckIsRounded(const void* array, int64_t numel) {
  for (int64_t i = 0; i < numel; ++i) {
    LAMINA_CHECK((static_cast<const uint32_t*>(array)[i] & 0xffff) == 0);
  }
}

// What is done beside the product.
template <class T>
void Finish(const ProductCall& p, std::span<void* const> arrays, T* z) {
  for (int64_t i = 0; i < p.m * p.n; ++i) {
    if (p.adds_bias) z[i] += static_cast<const T*>(arrays[2])[i % p.m];
    if (p.has_relu && z[i] < 0) z[i] = 0;
  }
  if (p.sums == ProductCall::kNone) return;
  const bool of_x = p.sums == ProductCall::kOfX;
  const T* const factor = static_cast<const T*>(arrays[of_x ? 0 : 1]);
  const bool terms_first = of_x ? p.transpose_x : !p.transpose_y;
  const int64_t count = of_x ? p.m : p.n;
  for (int64_t i = 0; i < count; ++i) {
    T sum = 0;
    for (int64_t t = 0; t < p.k; ++t) sum += factor[terms_first ? t + p.k * i : i + count * t];
    static_cast<T*>(arrays.back())[i] = sum;
  }
}

void Multiply(const ProductCall& p, std::span<void* const> arrays) {
  if (p.is_rounded) {
    CheckIsRounded(arrays[0], p.m * p.k);
    CheckIsRounded(arrays[1], p.k * p.n);
  }
  const auto flag = [](bool transpose) {
    return transpose ? cpu::Transpose::kConjugate : cpu::Transpose::kNo;
  };
  void* const z = arrays[p.adds_bias ? 3 : 2];
  cpu::GemmBatched(p.type, flag(p.transpose_x), flag(p.transpose_y), p.m, p.n, p.k, 1.0, arrays[0],
                   p.transpose_x ? p.k : p.m, p.x_page, arrays[1], p.transpose_y ? p.n : p.k,
                   p.y_page, 0.0, z, p.m, p.m * p.n, p.pages);
  if (!p.has_epilogue()) return;
  if (p.type == DataType::kSingle) {
    Finish<float>(p, arrays, static_cast<float*>(z));
  } else {
    Finish<double>(p, arrays, static_cast<double*>(z));
  }
}

void Convolve(const ConvolutionCall& c, std::span<void* const> arrays) {
  if (c.is_rounded) {
    const cpu::ConvolutionShape& s = c.shape;
    const int64_t of_x = s.batch * s.channels_in * s.input[0],
                  of_w = s.channels_out * (s.channels_in / s.groups) * s.kernel[0],
                  of_y = s.batch * s.channels_out * s.output[0];
    CheckIsRounded(arrays[0], c.kind == ConvolutionCall::kData ? of_y : of_x);
    CheckIsRounded(arrays[1], c.kind == ConvolutionCall::kWeights ? of_y : of_w);
  }
  switch (c.kind) {
    case ConvolutionCall::kForward:
      return cpu::ConvolutionForward(c.type, c.shape, arrays[0], arrays[1], nullptr, arrays[2]);
    case ConvolutionCall::kData:
      return cpu::ConvolutionBackwardData(c.type, c.shape, arrays[0], arrays[1], arrays[2]);
    case ConvolutionCall::kWeights:
      return cpu::ConvolutionBackwardWeights(c.type, c.shape, arrays[0], arrays[1], arrays[2],
                                             nullptr);
  }
}

void AddOverRanks(const AllReduceCall& call, std::span<void* const> arrays) {
  std::vector<parallel::Communicator::Part> parts;
  for (size_t i = 0; i < call.arrays.size(); ++i) {
    const auto& [type, numel] = call.arrays[i];
    parts.push_back({type, arrays[i], arrays[call.arrays.size() + i], numel});
  }
  call.ranks->AllReduceSum(parts);
}

class Emulated : public EmulatedDevice {
 public:
  explicit Emulated(bool has_libraries) : has_libraries_(has_libraries) {
    auto copies = std::make_unique<LateCopies>(&most_chunks_);
    copies_ = copies.get();
    regions_[reinterpret_cast<uintptr_t>(notes_)] = sizeof(notes_);
    staging_.emplace(std::move(copies), Staging::Options{.smallest = kSmallestStaged,
                                                         .chunk_bytes = kChunkBytes,
                                                         .most_chunks = kMostChunks});
  }
  ~Emulated() override {
    LAMINA_CHECK(memory_.num_taken() == 0);
    for (void* const idle : memory_.Clear()) std::free(idle);
  }

  std::string Name() const override { return "an emulated device"; }
  std::string CompilerKey() const override { return PlayerKey(); }
  size_t MaxSharedBytes() const override { return max_shared_bytes_; }

  void* Allocate(size_t bytes) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(record_ == nullptr);
    if (bytes_in_use_ + IdleMemory::Rounded(bytes) > most_bytes_) {
      throw Error("gpu:OutOfMemory", absl::StrCat("An array needs ", bytes, " bytes."),
                  "So much is not free on the emulated device.", "");
    }
    copies_->DoAll();
    const size_t rounded = IdleMemory::Rounded(bytes);
    void* memory = memory_.Take(rounded);
    if (memory == nullptr) {
      LAMINA_CHECK(posix_memalign(&memory, 256, rounded) == 0);
      memory_.Add(memory, rounded);
    }
    std::memset(memory, 0xff, rounded);
    bytes_in_use_ += rounded;
    regions_[reinterpret_cast<uintptr_t>(memory)] = bytes;
    return memory;
  }
  void Free(void* memory) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(record_ == nullptr);
    bytes_in_use_ -= memory_.BytesOf(memory);
    regions_.erase(reinterpret_cast<uintptr_t>(memory));
    memory_.Give(memory);
  }
  void CopyIn(void* to, const void* from, size_t bytes) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(record_ == nullptr);
    is_ahead_ = true;
    if (staging_->CopyIn(to, from, bytes)) return;
    copies_->DoAll();
    std::memcpy(to, from, bytes);
  }
  void CopyOut(void* to, const void* from, size_t bytes) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(record_ == nullptr);
    num_copies_ahead_ += is_ahead_ ? 1 : 0;
    is_ahead_ = false;
    if (staging_->CopyOut(to, from, bytes)) return;
    copies_->DoAll();
    std::memcpy(to, from, bytes);
  }
  void Wait() override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    copies_->DoAll();
  }
  int64_t* Notes() override { return notes_; }

  absl::StatusOr<KernelImage> Compile(const KernelSource& source) override {
    ++num_compiled_;
    return CompileForPlayer(source);
  }
  std::unique_ptr<LoadedKernels> Load(const KernelImage& image) override {
    return std::make_unique<PlayedKernels>(image);
  }

  void Launch(const LoadedKernels& kernels, size_t kernel, LaunchSize size,
              void** arguments) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(size.shared_bytes <= max_shared_bytes_);
    const auto& played = static_cast<const PlayedKernels&>(kernels);
    std::function<void()> launch = [this, &played, kernel, size,
                                    values = played.Copy(kernel, arguments)] {
      player_.Play(played, kernel, size, values);
    };
    if (record_ == nullptr) {
      ++num_single_starts_;
      DoCopies();
      launch();
    } else {
      record_->launches.push_back(std::move(launch));
    }
  }
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall& call) override {
    if (call.has_epilogue() && !takes_epilogues_) return nullptr;
    LAMINA_CHECK(!call.has_epilogue() || (IsRealFloating(call.type) && call.pages == 1));
    num_rounded_ += call.is_rounded ? 1 : 0;
    return Prepared([call](std::span<void* const> arrays) { Multiply(call, arrays); });
  }
  std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall& call) override {
    num_rounded_ += call.is_rounded ? 1 : 0;
    return Prepared([call](std::span<void* const> arrays) { Convolve(call, arrays); });
  }
  std::shared_ptr<const LibraryCall> Prepare(const FourierCall& call) override {
    return Prepared([call](std::span<void* const> arrays) {
      cpu::Fft(call.type, call.sign, call.inner, call.n, call.outer, arrays[0], arrays[1]);
    });
  }
  std::shared_ptr<const LibraryCall> Prepare(const AllReduceCall& call) override {
    return std::make_shared<const ProcessorCall>(
        [call](std::span<void* const> arrays) { AddOverRanks(call, arrays); },
        /*may_be_recorded=*/false);
  }
  void Start(const LibraryCall& call, std::span<void* const> arrays, void* workspace) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    for (void* const array : arrays) LAMINA_CHECK(reinterpret_cast<uintptr_t>(array) % 256 == 0);
    std::function<void()> start = [&call, own = std::vector(arrays.begin(), arrays.end()),
                                   workspace] { call.Start(own, workspace); };
    if (record_ == nullptr) {
      ++num_single_starts_;
      DoCopies();
      start();
    } else {
      LAMINA_CHECK(started_.count(&call) == 1 && call.may_be_recorded());
      record_->launches.push_back(std::move(start));
    }
    started_.insert(&call);
  }
  std::unique_ptr<LaunchRecord> Record(const std::function<void()>& launches) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    LAMINA_CHECK(record_ == nullptr);
    if (num_records_ >= most_records_) {
      throw Error("gpu:OutOfMemory", "Launches are recorded.",
                  absl::StrCat("There are ", num_records_.load(),
                               " records, and there is no room for more."),
                  "");
    }
    record_ = std::make_unique<LaunchList>(&num_records_);
    launches();
    return std::move(record_);
  }
  void Start(const LaunchRecord& record) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    ++num_starts_;
    DoCopies();
    for (const auto& launch : static_cast<const LaunchList&>(record).launches) launch();
  }

  size_t bytes_in_use() const override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    return bytes_in_use_;
  }
  void set_most_bytes(size_t bytes) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    most_bytes_ = bytes;
  }
  void set_max_shared_bytes(size_t bytes) override { max_shared_bytes_ = bytes; }
  void set_most_records(int records) override { most_records_ = records; }
  int num_records() const override { return num_records_; }
  void set_takes_epilogues(bool takes) override { takes_epilogues_ = takes; }
  void set_most_chunks(int chunks) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    most_chunks_ = chunks;
  }
  int num_copies_ahead() const override { return num_copies_ahead_; }
  int num_compiled() const override { return num_compiled_; }
  int num_starts() const override { return num_starts_; }
  int num_single_starts() const override { return num_single_starts_; }
  int num_rounded() const override { return num_rounded_; }
  AccessCounts Count(const std::function<void()>& work) override {
    const std::lock_guard<std::recursive_mutex> lock(mutex_);
    AccessCounts counts;
    player_.set_counts(&counts);
    const absl::Cleanup stop = [&] { player_.set_counts(nullptr); };
    work();
    return counts;
  }

 private:
  // Before other work.
  void DoCopies() {
    is_ahead_ = false;
    copies_->DoAll();
  }
  std::shared_ptr<const LibraryCall> Prepared(ProcessorCall::Compute compute) const {
    return has_libraries_ ? std::make_shared<const ProcessorCall>(std::move(compute)) : nullptr;
  }

  const bool has_libraries_;
  std::atomic<bool> takes_epilogues_{true};
  std::atomic<int> most_records_{INT_MAX}, num_records_{0};
  std::atomic<size_t> max_shared_bytes_{size_t{227} << 10};
  mutable std::recursive_mutex mutex_;  // Of what follows.
  std::set<const LibraryCall*> started_;
  size_t bytes_in_use_ = 0, most_bytes_ = SIZE_MAX;
  IdleMemory memory_;
  int64_t notes_[kNotes] = {};
  MemoryWatch::Regions regions_;
  KernelPlayer player_{&regions_};
  int most_chunks_ = INT_MAX;
  LateCopies* copies_;  // Those of staging_.
  bool is_ahead_ = false;
  std::optional<Staging> staging_;
  std::unique_ptr<LaunchList> record_;
  std::atomic<int> num_compiled_{0}, num_starts_{0}, num_single_starts_{0}, num_rounded_{0},
      num_copies_ahead_{0};
};

}  // namespace

std::shared_ptr<EmulatedDevice> MakeEmulatedDevice(bool has_libraries) {
  return std::make_shared<Emulated>(has_libraries);
}

}  // namespace lamina::gpu::testing
