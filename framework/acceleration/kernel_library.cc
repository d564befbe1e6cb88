#include "framework/acceleration/kernel_library.h"

#include <dlfcn.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "framework/emit/c_compiler.h"
#include "framework/io/file.h"
#include "framework/io/process.h"
#include "framework/io/sha256.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

using internal::ChildProcess;
using internal::KernelCache;
using Clock = std::chrono::steady_clock;

// The thread that compiles. It starts with the first request and ends with the process: what it
// was compiling then is given up.
class Worker {
 public:
  static Worker& Get() {
    static Worker worker;
    return worker;
  }

  void Add(std::function<void()> task) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

  // All compilers that this process starts, so that its end can end them.
  static ChildProcess& Child() {
    static ChildProcess child;
    return child;
  }

 private:
  Worker() { Child(); }
  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    Child().Kill();
    if (thread_.joinable()) thread_.join();
  }

  void Work() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
        if (ending_) return;  // Nobody is left to wait for the others.
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread thread_;
};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// "cc (Debian 12.2.0-14) 12.2.0": asked once for each command.
absl::StatusOr<std::string> VersionOf(const CompilerSettings& settings, const std::string& folder) {
  static std::mutex mutex;
  static auto* const known = new std::map<std::string, std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = known->find(settings.compiler);
  if (found != known->end()) return found->second;
  const std::string output = absl::StrCat(folder, "/version");
  const absl::StatusOr<int> status =
      Worker::Child().Run({settings.compiler, "--version"}, settings.environment, output);
  if (!status.ok()) return status.status();
  const absl::StatusOr<std::string> text = ReadFile(output);
  if (!text.ok()) return text.status();
  return (*known)[settings.compiler] = FirstLine(*text);
}

// What -march=native depends on.
const std::string& Processor() {
  static const std::string* const kProcessor = [] {
    auto* text = new std::string;
    const absl::StatusOr<std::string> info = ReadFile("/proc/cpuinfo");
    if (!info.ok()) return text;
    for (const auto line : absl::StrSplit(*info, '\n')) {
      if (line.empty()) break;  // The others are like the first.
      for (const char* key : {"vendor_id", "cpu family", "model", "stepping", "flags", "Features",
                              "CPU implementer", "CPU part", "isa"}) {
        if (line.rfind(key, 0) == 0) absl::StrAppend(text, line, "\n");
      }
    }
    return text;
  }();
  return *kProcessor;
}

// Compiles in `folder` and returns the path of the shared object.
absl::StatusOr<std::string> Compile(const std::string& text, const CompilerSettings& settings,
                                    const std::string& folder) {
  const std::string c = absl::StrCat(folder, "/kernels.c"),
                    so = absl::StrCat(folder, "/kernels.so"),
                    messages = absl::StrCat(folder, "/messages");
  if (const absl::Status s = WriteFileAtomically(c, text); !s.ok()) return s;
  std::vector<std::string> command{settings.compiler};
  for (const auto flag : absl::StrSplit(settings.flags, ' ', absl::SkipEmpty())) {
    command.emplace_back(flag);
  }
  command.insert(command.end(), {"-o", so, c, "-lm"});
  const absl::StatusOr<int> status = Worker::Child().Run(command, settings.environment, messages);
  if (!status.ok()) return status.status();
  if (*status == 0) return so;
  const absl::StatusOr<std::string> said = ReadFile(messages);
  return absl::InvalidArgumentError(absl::StrCat(settings.compiler, " ended with status ", *status,
                                                 ":\n", said.ok() ? said->substr(0, 2000) : ""));
}

}  // namespace

CompilerSettings CompilerSettings::FromEnvironment() {
  CompilerSettings settings;
  settings.compiler = CompilerCommand();
  settings.cache_folder = KernelCache::DefaultFolder();
  return settings;
}

absl::StatusOr<std::shared_ptr<KernelLibrary>> KernelLibrary::Open(const std::string& path,
                                                                   int num_kernels) {
  const std::shared_ptr<KernelLibrary> library(new KernelLibrary);
  library->handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library->handle_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot load ", path, ": ", dlerror()));
  }
  for (int i = 0; i < num_kernels; ++i) {
    void* const kernel = dlsym(library->handle_, absl::StrCat("k", i).c_str());
    if (kernel == nullptr) {
      return absl::UnavailableError(absl::StrCat(path, " has no function k", i));
    }
    library->kernels_.push_back(reinterpret_cast<Kernel>(kernel));
  }
  return library;
}

KernelLibrary::~KernelLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

absl::StatusOr<std::shared_ptr<const KernelLibrary>> KernelLibrary::Load(
    const KernelSource& source, const CompilerSettings& settings) {
  const auto start = Clock::now();
  const auto finished = [&](std::shared_ptr<KernelLibrary> library, bool from_cache) {
    library->from_cache_ = from_cache;
    library->seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    return std::shared_ptr<const KernelLibrary>(std::move(library));
  };
  if (source.num_kernels == 0)
    return finished(std::shared_ptr<KernelLibrary>(new KernelLibrary), true);
  const KernelCache cache(settings.cache_folder, settings.cache_bytes);
  const TemporaryFolder folder(KernelCache::kWorkFolder, cache.folder());
  if (folder.path().empty()) return absl::UnavailableError("cannot make a temporary folder");
  const absl::StatusOr<std::string> version = VersionOf(settings, folder.path());
  if (!version.ok()) {
    return absl::IsNotFound(version.status())
               ? absl::NotFoundError(
                     absl::StrCat("there is no C compiler: ", version.status().message()))
               : version.status();
  }
  // Each part with its length, so that two different keys never read the same.
  std::string key;
  for (const std::string& part : {source.text, settings.flags, *version, Processor()}) {
    absl::StrAppend(&key, part.size(), ":", part);
  }
  key = Sha256Hex(key);
  if (const std::optional<std::string> path = cache.Find(key)) {
    auto library = Open(*path, source.num_kernels);
    if (library.ok()) return finished(*std::move(library), true);
    cache.Remove(key);
  }
  const absl::StatusOr<std::string> compiled = Compile(source.text, settings, folder.path());
  if (!compiled.ok()) return compiled.status();
  const absl::StatusOr<std::string> path = cache.Insert(key, *compiled);
  if (!path.ok()) return path.status();
  auto library = Open(*path, source.num_kernels);
  if (!library.ok()) return library.status();
  return finished(*std::move(library), false);
}

std::shared_ptr<const KernelLoading> KernelLoading::Start(
    std::function<absl::StatusOr<KernelSource>()> write, const CompilerSettings& settings) {
  const auto loading = std::make_shared<KernelLoading>();
  Worker::Get().Add([loading, write = std::move(write), settings]() mutable {
    const absl::StatusOr<KernelSource> source = write();
    write = nullptr;  // What it holds is gone when somebody has waited for the end.
    loading->Finish(source.ok() ? KernelLibrary::Load(*source, settings) : source.status());
  });
  return loading;
}

const KernelLoading::Result& KernelLoading::Wait() const {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return Ready(); });
  return result_;
}

void KernelLoading::Finish(Result result) {
  const std::lock_guard<std::mutex> lock(mutex_);
  result_ = std::move(result);
  ready_.store(true, std::memory_order_release);
  changed_.notify_all();
}

}  // namespace lamina
