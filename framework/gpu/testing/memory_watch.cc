#include "framework/gpu/testing/memory_watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lamina::gpu::testing {
namespace {

using emulator::AccessKind;

constexpr uintptr_t kWordBytes = 4;
constexpr unsigned kLanes = 32;

const char* Verb(AccessKind kind) {
  switch (kind) {
    case AccessKind::kRead:
      return "reads";
    case AccessKind::kWrite:
      return "writes";
    case AccessKind::kAtomic:
      return "changes";
  }
  return "";
}

std::string Who(const MemoryWatch::When& when, const std::string& line) {
  return absl::StrCat("block ", when.block, ", thread ", when.thread, ", ", line);
}

std::string Capital(std::string text) {
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

void MemoryWatch::BeginLaunch(LineOf line_of, std::vector<uintptr_t> arguments) {
  line_of_ = std::move(line_of);
  arguments_ = std::move(arguments);
  region_bytes_ = 0;
  device_words_.clear();
}

void MemoryWatch::BeginBlock(const std::array<Range, 2>& shared) {
  shared_ = shared;
  shared_words_.clear();
}

MemoryWatch::Space MemoryWatch::SpaceOf(uintptr_t address) {
  for (const Range& range : shared_) {
    if (address - range.begin >= range.bytes) continue;
    touched_ = range;
    return Space::kShared;
  }
  if (address - region_ < region_bytes_) return Space::kDevice;
  const auto found = RegionOf(address);
  if (found == regions_->end()) return Space::kElsewhere;
  region_ = found->first;
  region_bytes_ = found->second;
  return Space::kDevice;
}

MemoryWatch::Regions::const_iterator MemoryWatch::RegionOf(uintptr_t address) const {
  const auto after = regions_->upper_bound(address);
  if (after == regions_->begin()) return regions_->end();
  const auto found = std::prev(after);
  return address - found->first < found->second ? found : regions_->end();
}

bool MemoryWatch::AreOrdered(const When& a, const When& b) {
  if (a.block != b.block) return false;
  return a.thread == b.thread || a.block_meetings != b.block_meetings ||
         (a.thread / kLanes == b.thread / kLanes && a.warp_meetings != b.warp_meetings);
}

// Of the two readers that are known the one that a later write can still meet least is forgotten.
void MemoryWatch::Remember(const Touch& touch, Word* word) {
  Touch* const reads = word->reads;
  size_t at = 1;
  if (reads[0].bytes == 0 || AreOrdered(reads[0].when, touch.when)) at = 0;
  const bool is_same = reads[at].bytes != 0 && reads[at].when.block == touch.when.block &&
                       reads[at].when.thread == touch.when.thread &&
                       reads[at].when.block_meetings == touch.when.block_meetings &&
                       reads[at].when.warp_meetings == touch.when.warp_meetings;
  const uint8_t before = is_same ? reads[at].bytes : uint8_t{0};
  reads[at] = touch;
  reads[at].bytes |= before;
}

std::optional<Error> MemoryWatch::Access(const When& when, uintptr_t address, size_t bytes,
                                         AccessKind kind, const void* code) {
  const Space space = SpaceOf(address);
  const bool is_shared = space == Space::kShared;
  const uintptr_t end = is_shared ? touched_.begin + touched_.bytes : region_ + region_bytes_;
  if (space == Space::kElsewhere || end - address < bytes) {
    return OutOfBounds(when, address, bytes, kind, code);
  }
  const bool writes = kind != AccessKind::kRead, is_atomic = kind == AccessKind::kAtomic;
  auto& words = is_shared ? shared_words_ : device_words_;
  for (uintptr_t a = address; a < address + bytes;) {
    const uintptr_t word_begin = a / kWordBytes * kWordBytes;
    const uintptr_t next = std::min(word_begin + kWordBytes, address + bytes);
    const auto mask = static_cast<uint8_t>(((1U << (next - a)) - 1) << (a - word_begin));
    const Touch touch{when, code, mask, is_atomic};
    Word& word = words[word_begin];
    const auto meets = [&](const Touch& other) {
      return (other.bytes & mask) != 0 && !(other.is_atomic && is_atomic) &&
             !AreOrdered(other.when, when);
    };
    if (is_shared && !writes && (word.set & mask) != mask) {
      return Error("kernel:Unset", "A kernel writes shared memory before it reads it.",
                   absl::StrCat(Capital(Who(when, line_of_(code))),
                                " reads what no thread of the block has written."),
                   "Compare how much is written, by how many threads, with what is read.");
    }
    if (meets(word.write)) return Race(word.write, true, touch, writes, a, is_shared);
    if (writes) {
      for (const Touch& read : word.reads) {
        if (meets(read)) return Race(read, false, touch, true, a, is_shared);
      }
      word.write = touch;
      word.set |= mask;
    } else {
      Remember(touch, &word);
    }
    a = next;
  }
  return std::nullopt;
}

std::string MemoryWatch::PlaceOf(uintptr_t address) const {
  size_t nearest = arguments_.size();
  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (arguments_[i] > address || RegionOf(arguments_[i]) == regions_->end()) continue;
    if (nearest == arguments_.size() || arguments_[i] > arguments_[nearest]) nearest = i;
  }
  if (nearest == arguments_.size()) return "";
  const uintptr_t begin = arguments_[nearest];
  const auto region = RegionOf(begin);
  return absl::StrCat("byte ", address - begin, " of argument ", nearest + 1, ", which has ",
                      region->first + region->second - begin, " bytes");
}

Error MemoryWatch::OutOfBounds(const When& when, uintptr_t address, size_t bytes, AccessKind kind,
                               const void* code) const {
  const std::string place = PlaceOf(address);
  return Error(
      "kernel:OutOfBounds", "A kernel stays within its arrays.",
      absl::StrCat(Capital(Who(when, line_of_(code))), " ", Verb(kind), " ", bytes, " bytes at ",
                   place.empty() ? "an address where the device has no array" : place, "."),
      "Compare the index with the number of elements before each access.");
}

Error MemoryWatch::Race(const Touch& first, bool first_writes, const Touch& second,
                        bool second_writes, uintptr_t address, bool is_shared) const {
  const bool same_block = first.when.block == second.when.block;
  const auto does = [&](const Touch& t, bool writes) {
    return absl::StrCat(Who(t.when, line_of_(t.code)), " ",
                        Verb(t.is_atomic ? AccessKind::kAtomic
                             : writes    ? AccessKind::kWrite
                                         : AccessKind::kRead));
  };
  return Error("kernel:Race",
               same_block ? "Between two barriers no thread touches what another one writes."
                          : "No block touches what another one writes.",
               absl::StrCat(Capital(does(first, first_writes)), " ",
                            is_shared ? "shared memory" : PlaceOf(address), "; ",
                            does(second, second_writes), " the same place",
                            same_block ? ", with no barrier between. Either may come first."
                                       : ". Blocks run in any order."),
               same_block
                   ? "Put __syncthreads() between the two, where all threads of the block come by."
                   : "Give each block elements of its own, or join them by a second kernel.");
}

}  // namespace lamina::gpu::testing
