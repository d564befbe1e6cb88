#include "framework/parallel/communicator.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina::parallel {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostRanks = 64;
constexpr uint64_t kMagic = 0x31736b6e61726d4c;
// What a rank shows the others at a time.
constexpr size_t kChunkBytes = size_t{1} << 20;
// Loads before a waiting rank gives its processor away: some microseconds.
constexpr int kSpins = 1000;
// How often a waiting rank asks whether the others live.
constexpr long kLookNanoseconds = 20'000'000;  // NOLINT(runtime/int): timespec
// Places of locks, beyond all contents of the file.
constexpr off_t kLockOfSetup = off_t{1} << 40, kLockOfRank = kLockOfSetup + 1;
constexpr uint32_t kFailing = UINT32_MAX;

// A lock on a byte of the file that belongs to the open file, not to the process: so that several
// communicators of one process are several ranks too.
struct flock LockAt(off_t place, int16_t type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = place;
  lock.l_len = 1;
  return lock;
}

void WaitForChange(const std::atomic<uint32_t>& word, uint32_t from) {
  const timespec time{.tv_sec = 0, .tv_nsec = kLookNanoseconds};
  syscall(SYS_futex, &word, FUTEX_WAIT, from, &time, nullptr, 0);
}
void WakeAll(const std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

template <size_t N>
void CopyText(std::string_view text, char (&to)[N]) {
  const size_t n = std::min(text.size(), N - 1);
  std::memcpy(to, text.data(), n);
  to[n] = 0;
}

// How many of the numbers are of this type or are pairs of it.
int64_t NumbersOf(const std::vector<Communicator::Part>& parts, DataType type) {
  int64_t count = 0;
  for (const Communicator::Part& p : parts) {
    if (ToReal(p.type) == type) count += p.count * (IsComplex(p.type) ? 2 : 1);
  }
  return count;
}

[[noreturn]] void ThrowEnvironment(const std::string& came) {
  throw Error("parallel:Environment",
              "LAMINA_RANK, a number from 0, LAMINA_RANKS, the number of ranks, and "
              "LAMINA_RENDEZVOUS, a file, are all set or none is.",
              came, "Start the program by tools/data_parallel, which sets them.");
}

}  // namespace

// What lies in the file; all of it begins as zeros.
struct Communicator::Shared {
  struct alignas(64) Slot {
    std::atomic<uint32_t> meetings;  // How often the rank came; others wait for it.
    std::atomic<uint32_t> joined;
    uint64_t bytes;  // That it gives.
    char call[112];  // What it does.
  };
  uint64_t magic;
  int32_t size;
  std::atomic<uint32_t> failed;  // 0, kFailing while the message is written, or 1 + rank.
  char message[2000];
  Slot slots[kMostRanks];
};

struct Communicator::Calls {
  std::mutex mutex;
  std::optional<Error> error;
};

RankOptions RankOptionsFromEnvironment() {
  const char* const rank = std::getenv("LAMINA_RANK");
  const char* const size = std::getenv("LAMINA_RANKS");
  const char* const file = std::getenv("LAMINA_RENDEZVOUS");
  RankOptions options;
  if (const char* const time = std::getenv("LAMINA_RANK_TIMEOUT"); time != nullptr) {
    if (!absl::SimpleAtod(time, &options.timeout_seconds) || !(options.timeout_seconds > 0)) {
      throw Error("parallel:Environment", "LAMINA_RANK_TIMEOUT is a number of seconds above 0.",
                  absl::StrCat("It is \"", time, "\"."), "");
    }
  }
  if (rank == nullptr && size == nullptr && file == nullptr) return options;
  const auto text = [](const char* value) {
    return value == nullptr ? std::string("not set") : absl::StrCat("\"", value, "\"");
  };
  if (rank == nullptr || size == nullptr || file == nullptr || *file == 0 ||
      !absl::SimpleAtoi(rank, &options.rank) || !absl::SimpleAtoi(size, &options.size) ||
      options.size < 1 || options.rank < 0 || options.rank >= options.size) {
    ThrowEnvironment(
        absl::StrCat("They are ", text(rank), ", ", text(size), " and ", text(file), "."));
  }
  options.rendezvous = file;
  return options;
}

Communicator::Communicator(const RankOptions& options)
    : options_(options), calls_(std::make_unique<Calls>()) {
  if (size() < 1 || size() > kMostRanks || rank() < 0 || rank() >= size()) {
    throw Error("parallel:Environment",
                absl::StrCat("There are 1 to ", kMostRanks, " ranks, counted from 0."),
                absl::StrCat("Rank ", rank(), " of ", size(), " was to join."), "");
  }
  if (size() > 1) Map();
}

Communicator::~Communicator() {
  if (shared_ != nullptr) {
    munmap(shared_, sizeof(Shared) + kChunkBytes * static_cast<size_t>(size() + 1));
  }
  if (file_ >= 0) close(file_);
}

std::string Communicator::Name() const { return absl::StrCat("rank ", rank(), " of ", size()); }

void Communicator::Map() {
  const auto refuse = [this](const std::string& came, const std::string& fix) {
    if (file_ >= 0) close(std::exchange(file_, -1));
    throw Error("parallel:Rendezvous",
                absl::StrCat("Ranks meet in a file, \"", options_.rendezvous,
                             "\", that is empty at first and serves once."),
                came, fix);
  };
  const auto system = [] { return std::string(std::strerror(errno)); };
  file_ = open(options_.rendezvous.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) refuse(absl::StrCat("It cannot be opened: ", system(), "."), "");
  struct flock setup = LockAt(kLockOfSetup, F_WRLCK);
  if (fcntl(file_, F_OFD_SETLKW, &setup) != 0) {
    refuse(absl::StrCat("It cannot be locked: ", system(), "."),
           "Take a file in /dev/shm or /tmp.");
  }
  const size_t bytes = sizeof(Shared) + kChunkBytes * static_cast<size_t>(size() + 1);
  struct stat status = {};
  if (fstat(file_, &status) != 0) refuse(absl::StrCat(system(), "."), "");
  // What is not there when it is touched would end the process.
  if (const int error =
          status.st_size == 0 ? posix_fallocate(file_, 0, static_cast<off_t>(bytes)) : 0;
      error != 0) {
    refuse(absl::StrCat("It cannot be given ", bytes, " bytes: ", std::strerror(error), "."),
           "Take a file on a file system with room.");
  }
  if (status.st_size != 0 && static_cast<size_t>(status.st_size) != bytes) {
    refuse(absl::StrCat("It has ", status.st_size,
                        " bytes: those of something else, or of another "
                        "number of ranks."),
           "Take a new file.");
  }
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (memory == MAP_FAILED) refuse(absl::StrCat("It cannot be mapped: ", system(), "."), "");
  shared_ = static_cast<Shared*>(memory);
  const auto unmap_and_refuse = [&](const std::string& came) {
    munmap(std::exchange(shared_, nullptr), bytes);
    refuse(came, "Take a new file for each start, and a number of its own for each rank.");
  };
  if (shared_->magic == 0) {
    shared_->magic = kMagic;
    shared_->size = size();
  }
  if (shared_->magic != kMagic || shared_->size != size()) {
    unmap_and_refuse("It is of something else, or of another number of ranks.");
  }
  struct flock own = LockAt(kLockOfRank + rank(), F_WRLCK);
  if (shared_->slots[rank()].joined.load() != 0 || fcntl(file_, F_OFD_SETLK, &own) != 0) {
    unmap_and_refuse(absl::StrCat("Rank ", rank(), " has joined before."));
  }
  shared_->slots[rank()].joined.store(1);
  setup.l_type = F_UNLCK;
  fcntl(file_, F_OFD_SETLK, &setup);
}

bool Communicator::Lives(int rank) const {
  struct flock lock = LockAt(kLockOfRank + rank, F_WRLCK);
  return fcntl(file_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

char* Communicator::ChunkOf(int rank) const {
  return reinterpret_cast<char*>(shared_ + 1) + kChunkBytes * static_cast<size_t>(rank);
}

void Communicator::Abort(std::string_view why) noexcept {
  if (shared_ == nullptr) return;
  uint32_t expected = 0;
  if (!shared_->failed.compare_exchange_strong(expected, kFailing)) return;
  CopyText(why, shared_->message);
  shared_->failed.store(1 + static_cast<uint32_t>(rank()), std::memory_order_release);
  // Those that wait look at it by themselves within kLookNanoseconds.
}

void Communicator::Fail(std::string_view identifier, const std::string& expected,
                        const std::string& came, const std::string& fix) {
  calls_->error.emplace(identifier, expected, came, fix);
  Abort(absl::StrCat(expected, " ", came));
  throw *calls_->error;
}

void Communicator::ThrowIfFailed() {
  const uint32_t failed = shared_->failed.load(std::memory_order_acquire);
  if (failed == 0 || failed == kFailing) return;
  const int who = static_cast<int>(failed) - 1;
  const std::string message(shared_->message, strnlen(shared_->message, sizeof(shared_->message)));
  Fail("parallel:RankFailed", absl::StrCat("All ranks of ", size(), " go on together."),
       absl::StrCat("Rank ", who, " failed: ", message), "");
}

// Returns when all ranks came as often as this one.
void Communicator::Meet() {
  Shared::Slot* const slots = shared_->slots;
  slots[rank()].meetings.store(++meetings_, std::memory_order_release);
  WakeAll(slots[rank()].meetings);
  const auto start = Clock::now();
  for (int other = 0; other < size(); ++other) {
    const std::atomic<uint32_t>& word = slots[other].meetings;
    const auto came = [&] {
      return static_cast<int32_t>(word.load(std::memory_order_acquire) - meetings_) >= 0;
    };
    for (int spin = 0; spin < kSpins && !came(); ++spin) {
    }
    while (!came()) {
      const uint32_t seen = word.load(std::memory_order_acquire);
      if (static_cast<int32_t>(seen - meetings_) >= 0) break;
      WaitForChange(word, seen);
      if (came()) break;
      ThrowIfFailed();
      const bool joined = slots[other].joined.load() != 0;
      if (joined && !Lives(other) && !came()) {
        Fail("parallel:RankLost",
             absl::StrCat("Rank ", rank(), " of ", size(), " waited for rank ", other, "."),
             "That process has ended.", "See what it printed last.");
      }
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      if (seconds > options_.timeout_seconds) {
        Fail("parallel:RankMissing",
             absl::StrCat("Rank ", rank(), " of ", size(), " waited for rank ", other, " for ",
                          options_.timeout_seconds, " s."),
             joined ? "That process lives, but did not come."
                    : "No process has joined as that rank.",
             "Start all ranks (tools/data_parallel does); LAMINA_RANK_TIMEOUT in the environment "
             "sets another time.");
      }
    }
  }
}

// What this rank does now; the others see it after the next meeting.
void Communicator::Begin(std::string_view call) {
  if (calls_->error.has_value()) throw *calls_->error;
  ThrowIfFailed();
  CopyText(call, shared_->slots[rank()].call);
}

void Communicator::CheckSameCall() {
  const std::string_view own = shared_->slots[rank()].call;
  for (int other = 0; other < size(); ++other) {
    const std::string_view call = shared_->slots[other].call;
    if (call == own) continue;
    Fail("parallel:Mismatch", "All ranks call the same functions with the same sizes.",
         absl::StrCat("Rank ", rank(), " called ", std::string(own), ", rank ", other, " called ",
                      std::string(call), "."),
         "");
  }
}

template <class T>
void Communicator::Sum(const std::vector<Part>& parts) {
  const int64_t in_chunk = static_cast<int64_t>(kChunkBytes / sizeof(T));
  const int64_t all = NumbersOf(parts, DataTypeOf<T>());
  // Calls f(part, first number of it, place in the chunk, count) for what numbers [begin, end) of
  // all parts, one after another, come from.
  const auto for_each = [&](int64_t begin, int64_t end, auto f) {
    int64_t first = 0;
    for (const Part& p : parts) {
      const int64_t last = first + NumbersOf({p}, DataTypeOf<T>());
      const int64_t from = std::max(begin, first), to = std::min(end, last);
      if (from < to) f(p, from - first, from - begin, to - from);
      first = last;
    }
  };
  T* const own = reinterpret_cast<T*>(ChunkOf(rank()));
  T* const sums = reinterpret_cast<T*>(ChunkOf(size()));
  int64_t begin = 0;
  do {
    const int64_t end = std::min(all, begin + in_chunk), count = end - begin;
    for_each(begin, end, [&](const Part& p, int64_t first, int64_t place, int64_t n) {
      std::copy_n(static_cast<const T*>(p.in) + first, n, own + place);
    });
    Meet();
    if (begin == 0) CheckSameCall();
    // Each rank adds its share of the chunk.
    const int64_t share_begin = count * rank() / size(), share_end = count * (rank() + 1) / size();
    std::copy(reinterpret_cast<const T*>(ChunkOf(0)) + share_begin,
              reinterpret_cast<const T*>(ChunkOf(0)) + share_end, sums + share_begin);
    for (int other = 1; other < size(); ++other) {
      const T* const x = reinterpret_cast<const T*>(ChunkOf(other));
      for (int64_t i = share_begin; i < share_end; ++i) sums[i] += x[i];
    }
    Meet();
    for_each(begin, end, [&](const Part& p, int64_t first, int64_t place, int64_t n) {
      std::copy_n(sums + place, n, static_cast<T*>(p.out) + first);
    });
    begin = end;
  } while (begin < all);
}

void Communicator::AllReduceSum(const std::vector<Part>& parts) {
  for (const Part& p : parts) LAMINA_CHECK(IsFloating(p.type));
  if (shared_ == nullptr) {
    for (const Part& p : parts) {
      std::memmove(p.out, p.in, static_cast<size_t>(p.count) * SizeOf(p.type));
    }
    return;
  }
  const std::lock_guard<std::mutex> lock(calls_->mutex);
  const int64_t singles = NumbersOf(parts, DataType::kSingle),
                doubles = NumbersOf(parts, DataType::kDouble);
  Begin(absl::StrCat("AllReduceSum of ", singles, " single and ", doubles, " double numbers"));
  Sum<float>(parts);
  if (doubles > 0) Sum<double>(parts);
}

std::vector<std::string> Communicator::Gather(std::string_view call, std::string_view mine) {
  if (shared_ == nullptr) return {std::string(mine)};
  const std::lock_guard<std::mutex> lock(calls_->mutex);
  Begin(call);
  shared_->slots[rank()].bytes = mine.size();
  Meet();
  CheckSameCall();
  std::vector<size_t> bytes;
  for (int other = 0; other < size(); ++other) bytes.push_back(shared_->slots[other].bytes);
  const size_t most = *std::max_element(bytes.begin(), bytes.end());
  std::vector<std::string> all(bytes.size());
  size_t begin = 0;
  do {
    const auto count = [&](size_t n) { return n <= begin ? 0 : std::min(n - begin, kChunkBytes); };
    if (count(mine.size()) > 0) {
      std::memcpy(ChunkOf(rank()), mine.data() + begin, count(mine.size()));
    }
    Meet();
    for (size_t other = 0; other < all.size(); ++other) {
      all[other].append(ChunkOf(static_cast<int>(other)), count(bytes[other]));
    }
    Meet();
    begin += kChunkBytes;
  } while (begin < most);
  return all;
}

std::vector<std::string> Communicator::AllGather(std::string_view mine) {
  return Gather("AllGather", mine);
}

std::string Communicator::Broadcast(std::string_view mine, int root) {
  LAMINA_CHECK(root >= 0 && root < size());
  return Gather(absl::StrCat("Broadcast from ", root), rank() == root ? mine : "")[root];
}

void Communicator::CheckPeers() {
  if (shared_ == nullptr) return;
  const std::lock_guard<std::mutex> lock(calls_->mutex);
  if (calls_->error.has_value()) throw *calls_->error;
  ThrowIfFailed();
  for (int other = 0; other < size(); ++other) {
    if (other == rank() || shared_->slots[other].joined.load() == 0 || Lives(other)) continue;
    Fail("parallel:RankLost",
         absl::StrCat("Rank ", rank(), " of ", size(), " waited for rank ", other, "."),
         "That process has ended.", "See what it printed last.");
  }
}

std::shared_ptr<Communicator> RanksOfProcess() {
  // Never destroyed: the others would take it for lost while the process still cleans up.
  static const auto& ranks = *new std::shared_ptr<Communicator>(
      std::make_shared<Communicator>(RankOptionsFromEnvironment()));
  return ranks;
}

}  // namespace lamina::parallel
