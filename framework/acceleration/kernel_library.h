// From C source to functions that can be called: compiled by the machine's compiler, kept on the
// disk, loaded.
//
// The same source with the same flags, compiler and processor is compiled once on a machine. A
// program that cannot be compiled (no compiler, an error in it) gives a status that says why; who
// asked goes on without it.
//
//   auto loading = KernelLoading::Start([] { return KernelSource{text, 3}; });
//   ...                                              // other work
//   if (loading->Ready() && loading->Wait().ok()) (*loading->Wait())->kernel(0)(arrays, 0, n);
//
// Threads: everything may be used from any thread. One thread of the process compiles.
#ifndef FRAMEWORK_ACCELERATION_KERNEL_LIBRARY_H_
#define FRAMEWORK_ACCELERATION_KERNEL_LIBRARY_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/acceleration/kernel_cache.h"
#include "framework/io/process.h"

namespace lamina {

/// Computes the parts `begin` to `end` of what it computes; `arrays` has the start of each of its
/// arguments. C linkage: `void k0(char *const *a, int64_t begin, int64_t end)`.
using Kernel = void (*)(char* const* arrays, int64_t begin, int64_t end);

struct KernelSource {
  std::string text;     ///< C that defines k0, k1, ...
  int num_kernels = 0;  ///< How many.
};

/// Who compiles, how, and where the result is kept.
struct CompilerSettings {
  static constexpr char kFlags[] =
      "-std=gnu99 -shared -fPIC -O3 -march=native -ffp-contract=off -fno-math-errno "
      "-fno-trapping-math -fopenmp-simd"
#ifdef __SANITIZE_ADDRESS__  // What checks the program checks the kernels too.
      " -fsanitize=address,undefined -fno-sanitize-recover=undefined"
#endif
#ifdef __SANITIZE_THREAD__
      " -fsanitize=thread"
#endif
      ;

  std::string compiler = "cc";  ///< One command, without arguments.
  std::string flags = kFlags;   ///< Divided by spaces.
  /// The variables that the compiler sees: those of this moment, whatever the program sets until
  /// the thread that compiles comes to it.
  std::vector<std::string> environment = internal::CurrentEnvironment();
  std::string cache_folder;  ///< "": a temporary one.
  int64_t cache_bytes = internal::KernelCache::kDefaultMaxBytes;

  /// The compiler in the environment's CC, or cc; the folder in LAMINA_CACHE, or the user's.
  static CompilerSettings FromEnvironment();
};

class KernelLibrary {
 public:
  /// Compiles and loads `source`, or loads what was compiled before; without kernels there is
  /// nothing to do. Errors: kNotFound without a
  /// compiler; kInvalidArgument with the compiler's messages; kUnavailable when files cannot be
  /// written or the result cannot be loaded; kCancelled when the process ends.
  static absl::StatusOr<std::shared_ptr<const KernelLibrary>> Load(
      const KernelSource& source, const CompilerSettings& settings);

  ~KernelLibrary();
  KernelLibrary(const KernelLibrary&) = delete;
  KernelLibrary& operator=(const KernelLibrary&) = delete;

  Kernel kernel(int i) const { return kernels_[i]; }
  int num_kernels() const { return static_cast<int>(kernels_.size()); }
  /// True when nothing had to be compiled.
  bool from_cache() const { return from_cache_; }
  /// What Load took.
  double seconds() const { return seconds_; }

 private:
  KernelLibrary() = default;
  static absl::StatusOr<std::shared_ptr<KernelLibrary>> Open(const std::string& path,
                                                             int num_kernels);

  void* handle_ = nullptr;
  std::vector<Kernel> kernels_;
  bool from_cache_ = false;
  double seconds_ = 0;
};

/// A library that is being made in the background.
class KernelLoading {
 public:
  using Result = absl::StatusOr<std::shared_ptr<const KernelLibrary>>;

  /// Returns at once. Another thread calls `write` and loads what it gives; requests are served in
  /// their order.
  static std::shared_ptr<const KernelLoading> Start(
      std::function<absl::StatusOr<KernelSource>()> write,
      const CompilerSettings& settings = CompilerSettings::FromEnvironment());

  /// Whether the end is reached, good or bad.
  bool Ready() const { return ready_.load(std::memory_order_acquire); }
  /// Waits for the end.
  const Result& Wait() const;

 private:
  void Finish(Result result);

  Result result_ = absl::UnknownError("not ready");
  std::atomic<bool> ready_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
};

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_KERNEL_LIBRARY_H_
