#include "framework/gpu/cuda_device.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_collectives.h"
#include "framework/gpu/cuda_convolutions.h"
#include "framework/gpu/cuda_fourier.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cuda_products.h"
#include "framework/gpu/cuda_values.h"
#include "framework/gpu/idle_memory.h"
#include "framework/gpu/staging.h"

namespace lamina::gpu {
namespace {

std::string NameOf(const CudaDriver& driver, int error) {
  const char *name = nullptr, *text = nullptr;
  driver.GetErrorName(error, &name);
  driver.GetErrorString(error, &text);
  return absl::StrCat(name == nullptr ? "an unknown error" : name, text == nullptr ? "" : ": ",
                      text == nullptr ? "" : text);
}

// Clocks, multiprocessors, caches and memory, all in numbers.
std::string PropertiesOf(const CudaDriver& driver, int device, std::string name) {
  int driver_version = 0;
  driver.DriverGetVersion(&driver_version);
  std::string text = absl::StrCat(std::move(name), ", driver ", driver_version);
  for (const int attribute :
       {cuda::kMajor, cuda::kMinor, cuda::kClockRate, cuda::kMultiprocessors,
        cuda::kMemoryClockRate, cuda::kBusWidth, cuda::kL2Bytes, cuda::kThreadsOfMultiprocessor,
        cuda::kSharedOfMultiprocessor, cuda::kRegistersOfMultiprocessor, cuda::kSharedOfBlock}) {
    int value = -1;
    driver.DeviceGetAttribute(&value, attribute, device);
    absl::StrAppend(&text, ", ", attribute, ": ", value);
  }
  return text;
}

// Before what work may use goes, in any thread.
void Finish(Device& device) {
  // The error of a lost rank comes once; what is left of the work ends then. What failed otherwise
  // is not done any more.
  for (int i = 0; i < 2; ++i) {
    try {
      return device.Wait();
    } catch (const Error&) {
    }
  }
}

class CudaKernels : public LoadedKernels {
 public:
  CudaKernels(const CudaDriver& driver, Device& device, void* module)
      : driver_(driver), device_(device), module_(module) {}
  ~CudaKernels() override {
    Finish(device_);
    driver_.ModuleUnload(module_);
  }
  struct Function {
    void* function = nullptr;
    mutable unsigned shared_bytes = 0;  // The most that was asked for.
  };
  std::vector<Function>& functions() { return functions_; }
  const Function& function(size_t i) const { return functions_[i]; }

 private:
  const CudaDriver& driver_;
  Device& device_;
  void* module_;
  std::vector<Function> functions_;
};

class CudaRecord : public LaunchRecord {
 public:
  CudaRecord(const CudaDriver& driver, Device& device, void* graph)
      : driver_(driver), device_(device), graph_(graph) {}
  ~CudaRecord() override {
    Finish(device_);
    driver_.GraphExecDestroy(graph_);
  }
  void* graph() const { return graph_; }

 private:
  const CudaDriver& driver_;
  Device& device_;
  void* graph_;
};

class CudaDevice : public Device {
 public:
  CudaDevice(const CudaLibraries& libraries, int device)
      : driver_(libraries.driver), nccl_(libraries.nccl), device_(device) {}
  ~CudaDevice() override {
    if (staging_) Finish(*this);  // It may still copy pinned memory.
    staging_.reset();
    if (context_ != nullptr) driver_.CtxSetCurrent(context_);
    if (notes_ != nullptr) driver_.MemFreeHost(notes_);
    for (void* const idle : memory_.Clear()) driver_.MemFreeAsync(Address(idle), stream_);
    if (stream_ != nullptr) driver_.StreamDestroy(stream_);
    if (context_ != nullptr) driver_.DevicePrimaryCtxRelease(device_);
  }
  // Not OK: the object cannot be used.
  absl::Status Begin(const CudaCompiler& compiler);

  std::string Name() const override { return name_; }
  std::string CompilerKey() const override { return key_; }
  size_t MaxSharedBytes() const override { return max_shared_bytes_; }

  void* Allocate(size_t bytes) override {
    const Turn turn = Enter();
    const size_t rounded = IdleMemory::Rounded(bytes);
    if (void* const idle = memory_.Take(rounded)) return idle;
    CudaAddress address = 0;
    const int error = WithRoom([&] { return driver_.MemAllocAsync(&address, rounded, stream_); });
    if (error == cuda::kOutOfMemory) {
      throw Error("gpu:OutOfMemory",
                  absl::StrCat("An array needs ", bytes, " bytes of ", name_, "."),
                  "So much is not free there.",
                  "Take smaller batches, or give back arrays of the device that are not needed.");
    }
    Check(error, "give memory");
    memory_.Add(reinterpret_cast<void*>(address), rounded);
    return reinterpret_cast<void*>(address);
  }
  void Free(void* memory) override {
    const Turn turn(mutex_);
    memory_.Give(memory);
  }
  void CopyIn(void* to, const void* from, size_t bytes) override {
    const Turn turn = Enter();
    if (staging_->CopyIn(to, from, bytes)) return;
    Check(driver_.MemcpyHtoDAsync(Address(to), from, bytes, stream_), "copy to the device");
  }
  void CopyOut(void* to, const void* from, size_t bytes) override {
    const Turn turn = Enter();
    if (staging_->CopyOut(to, from, bytes)) return;
    // Such a copy waits by itself; where ranks may be lost, nobody but Wait does.
    if (!collectives_.empty()) Wait();
    Check(driver_.MemcpyDtoHAsync(to, Address(from), bytes, stream_), "copy from the device");
    Wait();
  }
  void Wait() override {
    const Turn turn = Enter();
    Check(collectives_.empty() ? driver_.StreamSynchronize(stream_)
                               : CudaCollectives::Wait(collectives_, driver_, stream_),
          "finish its work");
  }
  int64_t* Notes() override { return static_cast<int64_t*>(notes_); }

  absl::StatusOr<KernelImage> Compile(const KernelSource& source) override {
    return CompileCudaKernels(source, architecture_);
  }
  std::unique_ptr<LoadedKernels> Load(const KernelImage& image) override {
    const Turn turn = Enter();
    void* module = nullptr;
    Check(WithRoom([&] { return driver_.ModuleLoadData(&module, image.code.data()); }),
          "load kernels");
    auto kernels = std::make_unique<CudaKernels>(driver_, *this, module);
    for (const std::string& symbol : image.symbols) {
      void* function = nullptr;
      Check(driver_.ModuleGetFunction(&function, module, symbol.c_str()), "find a kernel");
      kernels->functions().push_back({function});
    }
    return kernels;
  }
  void Launch(const LoadedKernels& kernels, size_t kernel, LaunchSize size,
              void** arguments) override {
    const Turn turn = Enter();
    const auto& [function, asked] = static_cast<const CudaKernels&>(kernels).function(kernel);
    // How much a launch may have without asking depends on the memory of a fixed size that the
    // kernel declares. Never less than before: a record may launch it with that.
    if (size.shared_bytes > asked) {
      Check(driver_.FuncSetAttribute(function, cuda::kDynamicShared,
                                     static_cast<int>(size.shared_bytes)),
            "give a kernel shared memory");
      asked = size.shared_bytes;
    }
    Check(driver_.LaunchKernel(function, size.blocks, 1, 1, size.threads, 1, 1, size.shared_bytes,
                               stream_, arguments, nullptr),
          "launch a kernel");
  }
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall& call) override {
    const Turn turn = Enter();
    if (!products_) products_ = CudaProducts::Open(FindCudaBlas(), driver_, stream_, properties_);
    return Prepared(call, *products_, &prepared_products_);
  }
  std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall& call) override {
    const Turn turn = Enter();
    if (!convolutions_) {
      convolutions_ = CudaConvolutions::Open(FindCudnn(), stream_, properties_);
    }
    return Prepared(call, *convolutions_, &prepared_convolutions_);
  }
  std::shared_ptr<const LibraryCall> Prepare(const FourierCall& call) override {
    const Turn turn = Enter();
    if (!transforms_) transforms_ = CudaFourier::Open(stream_);
    return Prepared(call, *transforms_, &prepared_transforms_);
  }
  std::shared_ptr<const LibraryCall> Prepare(const AllReduceCall& call) override {
    const Turn turn = Enter();
    for (const auto& joined : collectives_) {
      if (joined->ranks() == call.ranks) return joined->Prepare(call);
    }
    collectives_.push_back(CudaCollectives::Join(call.ranks, nccl_, driver_, context_, stream_));
    return collectives_.back()->Prepare(call);
  }
  void Start(const LibraryCall& call, std::span<void* const> arrays, void* workspace) override {
    const Turn turn = Enter();
    call.Start(arrays, workspace);
  }

  std::unique_ptr<LaunchRecord> Record(const std::function<void()>& launches) override {
    const Turn turn = Enter();
    Check(driver_.StreamBeginCapture(stream_, cuda::kCaptureThreadLocal), "record launches");
    void *graph = nullptr, *ready = nullptr;
    try {
      launches();
    } catch (...) {
      if (driver_.StreamEndCapture(stream_, &graph) == 0) driver_.GraphDestroy(graph);
      throw;
    }
    Check(driver_.StreamEndCapture(stream_, &graph), "record launches");
    const absl::Cleanup give_back = [&] { driver_.GraphDestroy(graph); };
    Check(WithRoom([&] { return driver_.GraphInstantiate(&ready, graph, 0); }),
          "make one launch of many");
    return std::make_unique<CudaRecord>(driver_, *this, ready);
  }
  void Start(const LaunchRecord& record) override {
    const Turn turn = Enter();
    Check(driver_.GraphLaunch(static_cast<const CudaRecord&>(record).graph(), stream_),
          "start recorded launches");
  }

 private:
  class Pinned;

  static CudaAddress Address(const void* memory) { return reinterpret_cast<CudaAddress>(memory); }
  // One thread at a time: what another asked for in the middle of a record would stand in it.
  using Turn = std::unique_lock<std::recursive_mutex>;
  // The driver's calls are for the context of the calling thread.
  [[nodiscard]] Turn Enter() {
    Turn turn(mutex_);
    Check(driver_.CtxSetCurrent(context_), "take a thread's calls");
    return turn;
  }
  // What the driver answers to what takes memory of the device. One that is full is asked again
  // without what is kept for arrays of other sizes. That is free for others when the host has seen
  // that the work that used it is done.
  template <class Ask>
  int WithRoom(const Ask& ask) {
    const int error = ask();
    if (error != cuda::kOutOfMemory) return error;
    for (void* const idle : memory_.Clear()) driver_.MemFreeAsync(Address(idle), stream_);
    Wait();
    driver_.MemPoolTrimTo(pool_, 0);
    return ask();
  }
  void Check(int error, const char* what) const {
    if (error == 0) return;
    if (error == cuda::kOutOfMemory) {
      throw Error("gpu:OutOfMemory", absl::StrCat(name_, " was asked to ", what, "."),
                  "It has no room for that.",
                  "Take smaller batches, or give back arrays of the device that are not needed.");
    }
    throw Error("gpu:Driver", absl::StrCat(name_, " was asked to ", what, "."),
                absl::StrCat("The driver answers ", NameOf(driver_, error), "."),
                "After a fault in a kernel the process must be started again.");
  }

  // A library is opened when it is first asked. What was prepared is kept: there are few sizes,
  // and to prepare them takes long.
  template <class Library>
  using Opened = absl::StatusOr<std::unique_ptr<Library>>;
  template <class Description>
  using Calls = std::vector<std::pair<Description, std::shared_ptr<const LibraryCall>>>;
  template <class Description, class Library>
  static std::shared_ptr<const LibraryCall> Prepared(const Description& description,
                                                     const Opened<Library>& library,
                                                     Calls<Description>* calls) {
    if (!library.ok()) return nullptr;
    for (const auto& [known, call] : *calls) {
      if (known == description) return call;
    }
    calls->emplace_back(description, (*library)->Prepare(description));
    return calls->back().second;
  }

  const CudaDriver& driver_;
  const absl::StatusOr<Nccl>& nccl_;
  const int device_;
  std::string name_ = "The device", key_, architecture_;
  std::string properties_;  // All of the device that what libraries choose depends on.
  size_t max_shared_bytes_ = 0;
  std::recursive_mutex mutex_;
  void *context_ = nullptr, *stream_ = nullptr, *pool_ = nullptr, *notes_ = nullptr;
  IdleMemory memory_;
  std::optional<Staging> staging_;
  std::optional<Opened<CudaProducts>> products_;
  std::optional<Opened<CudaConvolutions>> convolutions_;
  std::optional<Opened<CudaFourier>> transforms_;
  std::vector<std::unique_ptr<CudaCollectives>> collectives_;  // One for each communicator.
  Calls<ProductCall> prepared_products_;
  Calls<ConvolutionCall> prepared_convolutions_;
  Calls<FourierCall> prepared_transforms_;
};

// Copies of pinned memory in the device's stream, with an event for each chunk.
class CudaDevice::Pinned : public PinnedCopies {
 public:
  explicit Pinned(CudaDevice& device) : device_(device) {}
  ~Pinned() override {
    for (void* const event : events_) device_.driver_.EventDestroy(event);
  }

  void* Take(size_t bytes) override {
    void *event = nullptr, *memory = nullptr;
    if (device_.driver_.EventCreate(&event, cuda::kWithoutTime) != 0) return nullptr;
    if (device_.driver_.MemHostAlloc(&memory, bytes, 0) != 0) {
      device_.driver_.EventDestroy(event);
      return nullptr;
    }
    events_.push_back(event);  // Chunks are numbered as they are taken.
    return memory;
  }
  void Give(void* pinned) override { device_.driver_.MemFreeHost(pinned); }
  void AskIn(void* to, const void* pinned, size_t bytes, size_t chunk) override {
    Check(device_.driver_.MemcpyHtoDAsync(Address(to), pinned, bytes, device_.stream_), chunk,
          "copy to the device");
  }
  void AskOut(void* pinned, const void* from, size_t bytes, size_t chunk) override {
    Check(device_.driver_.MemcpyDtoHAsync(pinned, Address(from), bytes, device_.stream_), chunk,
          "copy from the device");
  }
  void WaitFor(size_t chunk) override {
    // Where ranks may be lost, nobody but Wait does.
    if (!device_.collectives_.empty()) return device_.Wait();
    device_.Check(device_.driver_.EventSynchronize(events_[chunk]), "finish a copy");
  }

 private:
  void Check(int error, size_t chunk, const char* what) {
    device_.Check(error, what);
    device_.Check(device_.driver_.EventRecord(events_[chunk], device_.stream_), what);
  }

  CudaDevice& device_;
  std::vector<void*> events_;
};

absl::Status CudaDevice::Begin(const CudaCompiler& compiler) {
  const auto failed = [&](int error) {
    return absl::UnavailableError(
        absl::StrCat("The device cannot be used: the driver answers ", NameOf(driver_, error)));
  };
  char name[256] = {};
  size_t bytes = 0;
  int major = 0, minor = 0, shared = 0, compiler_major = 0, compiler_minor = 0;
  uint64_t kept = UINT64_MAX;
  for (const int error :
       {driver_.DeviceGetName(name, sizeof(name) - 1, device_),
        driver_.DeviceTotalMem(&bytes, device_),
        driver_.DeviceGetAttribute(&major, cuda::kMajor, device_),
        driver_.DeviceGetAttribute(&minor, cuda::kMinor, device_),
        driver_.DeviceGetAttribute(&shared, cuda::kSharedOfBlock, device_),
        driver_.DevicePrimaryCtxRetain(&context_, device_), driver_.CtxSetCurrent(context_),
        driver_.StreamCreate(&stream_, cuda::kNonBlocking),
        driver_.DeviceGetDefaultMemPool(&pool_, device_),
        driver_.MemPoolSetAttribute(pool_, cuda::kReleaseThreshold, &kept),
        // Pinned memory has one address for the host and the device.
        driver_.MemHostAlloc(&notes_, kNotes * sizeof(int64_t), 0)}) {
    if (error != 0) return failed(error);
  }
  std::fill_n(Notes(), kNotes, 0);
  compiler.Version(&compiler_major, &compiler_minor);
  name_ = absl::StrFormat("%s, %.1f GiB", name, static_cast<double>(bytes) / (1 << 30));
  architecture_ = absl::StrCat("sm_", major, minor);
  max_shared_bytes_ = static_cast<size_t>(shared);
  key_ = absl::StrCat("nvrtc ", compiler_major, ".", compiler_minor, " ", architecture_);
  staging_.emplace(std::make_unique<Pinned>(*this), Staging::Options());
  properties_ = PropertiesOf(driver_, device_, absl::StrCat(name, ", ", bytes, " bytes"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> CountCudaDevices() {
  const absl::StatusOr<CudaDriver>& driver = FindCudaDriver();
  if (!driver.ok()) return driver.status();
  if (const int error = driver->Init(0); error != 0) {
    return absl::UnavailableError(
        absl::StrCat("The driver cannot begin: ", NameOf(*driver, error)));
  }
  int count = 0;
  if (const int error = driver->DeviceGetCount(&count); error != 0) {
    return absl::UnavailableError(NameOf(*driver, error));
  }
  return count;
}

absl::StatusOr<std::shared_ptr<Device>> OpenCudaDevice(int number) {
  const absl::StatusOr<int> count = CountCudaDevices();
  if (!count.ok()) return count.status();
  const absl::StatusOr<CudaDriver>& driver = FindCudaDriver();
  int device = 0;
  if (number < 0 || number >= *count || driver->DeviceGet(&device, number) != 0) {
    return absl::NotFoundError(
        absl::StrCat("There is no device ", number, ": the driver counts ", *count, "."));
  }
  const absl::StatusOr<CudaCompiler>& compiler = FindCudaCompiler();
  if (!compiler.ok()) return compiler.status();
  return OpenCudaDevice({*driver, *compiler, FindNccl()}, device);
}

absl::StatusOr<std::shared_ptr<Device>> OpenCudaDevice(const CudaLibraries& libraries, int device) {
  auto opened = std::make_shared<CudaDevice>(libraries, device);
  if (const absl::Status status = opened->Begin(libraries.compiler); !status.ok()) return status;
  return opened;
}

}  // namespace lamina::gpu
