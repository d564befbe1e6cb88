#include "framework/gpu/testing/kernel_player.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <regex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/io/file.h"
#include "framework/io/runfiles.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu::testing {
namespace {

using emulator::AccessKind;

// So that the kernels' loops over items are tried too.
constexpr unsigned kMostBlocks = 3;
constexpr char kLibrarySymbol[] = "lamina_library";

struct Header {
  std::string name, text;
};
std::vector<Header> Headers() {
  std::vector<Header> headers;
  for (const char* const name : {"kernel_library.h", "device_functions.h", "machine.h"}) {
    const absl::StatusOr<std::string> text =
        ReadFile(RunfilePath(absl::StrCat("framework/codegen/testing/emulated_cuda/", name)));
    LAMINA_CHECK(text.ok());
    headers.push_back({name, *text});
  }
  return headers;
}

}  // namespace

std::string PlayerKey() {
  std::string key = "emulated";
  for (const Header& header : Headers()) {
    absl::StrAppend(&key, " ", std::hash<std::string>()(header.text));
  }
  return key;
}

absl::StatusOr<KernelImage> CompileForPlayer(const KernelSource& source) {
  const TemporaryFolder folder("lamina_emulated_");
  const std::string& f = folder.path();
  LAMINA_CHECK(!f.empty());
  for (const Header& header : Headers()) {
    LAMINA_CHECK(WriteFileAtomically(absl::StrCat(f, "/", header.name), header.text).ok());
  }
  // The pragma is one of CUDA's compilers; an array without a size is memory of the launch's size.
  std::string text =
      absl::StrCat("#include \"kernel_library.h\"\n#line 1 \"kernels.cc\"\n",
                   std::regex_replace(
                       std::regex_replace(source.text, std::regex("#pragma unroll[^\n]*\n"), "\n"),
                       std::regex(R"(extern\s+__shared__\s+(\w+)\s+(\w+)\s*\[\s*\]\s*;)"),
                       "$1* const $2 = static_cast<$1*>(emulator::place.shared);"),
                   "\n#line 1 \"library.cc\"\n");
  KernelImage image;
  for (size_t i = 0; i < source.kernels.size(); ++i) {
    image.symbols.push_back(absl::StrCat("lamina_kernel_", i));
    absl::StrAppend(&text, "LAMINA_KERNEL(", image.symbols.back(), ", ", source.kernels[i], ")\n");
  }
  absl::StrAppend(&text, "LAMINA_LIBRARY(",
                  source.runs_any_number_of_blocks ? absl::StrCat(kMostBlocks) : "~0u", ")\n");
  LAMINA_CHECK(WriteFileAtomically(f + "/kernels.cc", text).ok());
  // Linked apart: the sanitizers' own libraries are not wanted. Hidden: each library has variables
  // of its own, which go with it.
  const char* const from_environment = std::getenv("CXX");
  const std::string compiler = from_environment == nullptr ? "c++" : from_environment;
  const std::string command =
      absl::StrCat("cd '", f, "' && (", compiler,
                   " -std=c++20 -O0 -g1 -ffp-contract=off -fPIC -fvisibility=hidden"
                   " -fsanitize=thread,alignment,bounds -c -o kernels.o kernels.cc && ",
                   compiler, " -shared -o kernels.so kernels.o) >messages 2>&1");
  if (std::system(command.c_str()) != 0) {
    return absl::InvalidArgumentError(ReadFile(f + "/messages").value_or("no compiler"));
  }
  image.code = *ReadFile(f + "/kernels.so");
  return image;
}

PlayedKernels::PlayedKernels(const KernelImage& image) : image_(image.code) {
  const TemporaryFolder folder("lamina_emulated_");
  const std::string path = folder.path() + "/kernels.so";
  LAMINA_CHECK(WriteFileAtomically(path, image_).ok());
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) BrokenInvariant(__FILE__, __LINE__, dlerror());
  library_ = static_cast<const emulator::LibraryEntry*>(dlsym(handle_, kLibrarySymbol));
  LAMINA_CHECK(library_ != nullptr);
  for (const std::string& symbol : image.symbols) {
    kernels_.push_back(static_cast<const emulator::KernelEntry*>(dlsym(handle_, symbol.c_str())));
    LAMINA_CHECK(kernels_.back() != nullptr);
  }
  link_map* map = nullptr;
  LAMINA_CHECK(dlinfo(handle_, RTLD_DI_LINKMAP, &map) == 0);
  base_ = map->l_addr;
  begin_ = UINTPTR_MAX;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* self) {
        auto& k = *static_cast<PlayedKernels*>(self);
        if (info->dlpi_addr != k.base_) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = info->dlpi_phdr[i];
          if (part.p_type == PT_TLS) k.shared_bytes_ = part.p_memsz;
          if (part.p_type != PT_LOAD) continue;
          k.begin_ = std::min<uintptr_t>(k.begin_, k.base_ + part.p_vaddr);
          k.end_ = std::max<uintptr_t>(k.end_, k.base_ + part.p_vaddr + part.p_memsz);
        }
        return 1;
      },
      this);
}

PlayedKernels::~PlayedKernels() { dlclose(handle_); }

PlayedKernels::Values PlayedKernels::Copy(size_t kernel, void* const* arguments) const {
  Values values;
  for (size_t i = 0; i < kernels_[kernel]->num_arguments; ++i) {
    const char* const value = static_cast<const char*>(arguments[i]);
    values.emplace_back(value, value + kernels_[kernel]->argument_bytes[i]);
  }
  return values;
}

uintptr_t PlayedKernels::TakeSharedMemory() const {
  library_->take_shared_memory();
  void* begin = nullptr;
  LAMINA_CHECK(dlinfo(handle_, RTLD_DI_TLS_DATA, &begin) == 0 && begin != nullptr);
  return reinterpret_cast<uintptr_t>(begin);
}

std::string PlayedKernels::LineOf(const void* code) const {
  const TemporaryFolder folder("lamina_emulated_");
  const std::string path = folder.path() + "/kernels.so";
  if (!WriteFileAtomically(path, image_).ok()) return "a line";
  // The address is the one to return to.
  const std::string command =
      absl::StrCat("addr2line -s -e '", path, "' 0x",
                   absl::Hex(reinterpret_cast<uintptr_t>(code) - base_ - 1), " 2>/dev/null");
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) return "a line";
  char text[256] = "";
  const bool any = std::fgets(text, sizeof text, output) != nullptr;
  pclose(output);
  const char* const colon = any ? std::strrchr(text, ':') : nullptr;
  const int line = colon == nullptr ? 0 : std::atoi(colon + 1);
  return line == 0 ? "a line" : absl::StrCat("line ", line);
}

void KernelPlayer::Play(const PlayedKernels& kernels, size_t kernel, LaunchSize size,
                        const PlayedKernels::Values& values) {
  const emulator::KernelEntry& entry = kernels.kernel(kernel);
  const emulator::LibraryEntry& compiled = kernels.compiled();
  emulator::Place& place = *compiled.place;
  std::vector<void*> arguments;
  std::vector<uintptr_t> words;
  for (const std::vector<char>& value : values) {
    arguments.push_back(const_cast<char*>(value.data()));
    words.push_back(0);
    std::memcpy(&words.back(), value.data(), std::min(value.size(), sizeof(uintptr_t)));
  }
  watch_.BeginLaunch([&](const void* code) { return kernels.LineOf(code); }, std::move(words));
  fault_.reset();
  threads_.set_seed(1);  // What is found does not depend on what ran before.
  playing_ = &kernels;
  *compiled.machine = this;
  place.grid_size.x = std::min(size.blocks, compiled.most_blocks);
  place.block_size.x = size.threads;
  const uintptr_t shared = kernels.TakeSharedMemory();
  std::vector<std::max_align_t> of_launch((size.shared_bytes + sizeof(std::max_align_t) - 1) /
                                          sizeof(std::max_align_t));
  place.shared = of_launch.data();
  for (block_ = 0; block_ < place.grid_size.x && !fault_.has_value(); ++block_) {
    place.block.x = block_;
    watch_.BeginBlock({{{shared, kernels.shared_bytes()},
                        {reinterpret_cast<uintptr_t>(of_launch.data()), size.shared_bytes}}});
    PlayBlock(entry, size.threads, arguments.data());
  }
  *compiled.machine = nullptr;
  if (counts_ != nullptr) ++counts_->launches;
  if (!fault_.has_value()) return;
  fault_->AddPlace(absl::StrCat("Kernel \"", entry.name, "\" on an emulated device"));
  throw *std::move(fault_);
}

void KernelPlayer::PlayBlock(const emulator::KernelEntry& kernel, unsigned num_threads,
                             void* const* arguments) {
  const bool all_ended = threads_.Run(num_threads, &playing_->compiled().place->thread,
                                      [&] { kernel.call(arguments); });
  if (!all_ended && !fault_.has_value()) {
    fault_ = Error("kernel:Barrier", "All threads of a block come to the same barriers.",
                   absl::StrCat("In block ", block_, " ", threads_.WhoWaits(), "."),
                   "Let no thread return before the last barrier, and put none where only some "
                   "threads come by.");
  }
  if (counts_ == nullptr) return;
  requests_.EndBlock(counts_);
  ++counts_->blocks;
  counts_->barriers += threads_.block_meetings();
}

void KernelPlayer::Access(const void* memory, size_t bytes, AccessKind kind, const void* code) {
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const MemoryWatch::Space space = watch_.SpaceOf(address);
  // A variable of the thread's own, or a constant.
  if (space == MemoryWatch::Space::kElsewhere &&
      (threads_.IsOnStack(memory) || playing_->Has(address))) {
    return;
  }
  const unsigned thread = threads_.current();
  std::optional<Error> fault =
      watch_.Access({.block = block_,
                     .thread = thread,
                     .block_meetings = threads_.block_meetings(),
                     .warp_meetings = threads_.warp_meetings(thread / emulator::Threads::kLanes)},
                    address, bytes, kind, code);
  if (fault.has_value()) return Stop(*std::move(fault));
  if (counts_ == nullptr) return;
  requests_.Add(thread, code, address, bytes, space == MemoryWatch::Space::kShared,
                kind == AccessKind::kRead);
}

void KernelPlayer::Misaligned(const void*, size_t alignment, unsigned line) {
  Stop(Error("kernel:Misaligned", "What is read at once begins at a multiple of its own size.",
             absl::StrCat(Who(), ", line ", line, " has an address that is no multiple of ",
                          alignment, "."),
             "Arrays begin at multiples of 256 bytes: let each thread begin at a multiple too."));
}

void KernelPlayer::OutsideOfArray(const char* array_type, int64_t index, unsigned line) {
  Stop(Error("kernel:OutOfBounds", "A kernel stays within its arrays.",
             absl::StrCat(Who(), ", line ", line, " has index ", index, " of ", array_type, "."),
             "Compare the array's size with the number of threads that use it."));
}

void KernelPlayer::Stop(Error fault) {
  fault_ = std::move(fault);
  threads_.Stop();
}

std::string KernelPlayer::Who() const {
  return absl::StrCat("Block ", block_, ", thread ", threads_.current());
}

}  // namespace lamina::gpu::testing
