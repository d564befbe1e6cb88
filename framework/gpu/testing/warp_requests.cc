#include "framework/gpu/testing/warp_requests.h"

#include <algorithm>
#include <set>

namespace lamina::gpu::testing {
namespace {

constexpr unsigned kLanes = 32, kBanks = 32;
constexpr size_t kSectorBytes = 32, kWordBytes = 4;

using Lanes = std::vector<std::pair<unsigned, uintptr_t>>;

int64_t Sectors(const Lanes& lanes, size_t bytes) {
  std::set<uintptr_t> sectors;
  for (const auto& [lane, a] : lanes) {
    for (uintptr_t s = a / kSectorBytes; s <= (a + bytes - 1) / kSectorBytes; ++s) {
      sectors.insert(s);
    }
  }
  return static_cast<int64_t>(sectors.size());
}

// A pass serves 32 words: all lanes where each wants one word, half of them where each wants two.
int64_t Passes(Lanes lanes, size_t bytes) {
  std::sort(lanes.begin(), lanes.end());
  const size_t words = std::max<size_t>(1, bytes / kWordBytes);
  const size_t together = std::max<size_t>(1, kLanes / words);
  int64_t passes = 0;
  for (size_t first = 0; first < lanes.size(); first += together) {
    std::set<uintptr_t> of_bank[kBanks];
    size_t most = 1;
    for (size_t i = first; i < std::min(first + together, lanes.size()); ++i) {
      for (size_t w = 0; w < words; ++w) {
        const uintptr_t word = lanes[i].second / kWordBytes + w;
        std::set<uintptr_t>& bank = of_bank[word % kBanks];
        bank.insert(word);
        most = std::max(most, bank.size());
      }
    }
    passes += static_cast<int64_t>(most);
  }
  return passes;
}

}  // namespace

void WarpRequests::Add(unsigned thread, const void* code, uintptr_t address, size_t bytes,
                       bool is_shared, bool is_load) {
  const int64_t time = times_[{thread, code}]++;
  Request& request = requests_[{thread / kLanes, code, time}];
  request.is_shared = is_shared;
  request.is_load = is_load;
  request.bytes = bytes;
  request.lanes.emplace_back(thread % kLanes, address);
}

void WarpRequests::EndBlock(AccessCounts* counts) {
  for (auto& [key, request] : requests_) {
    if (request.is_shared) {
      ++counts->shared_requests;
      counts->shared_passes += Passes(request.lanes, request.bytes);
      continue;
    }
    AccessCounts::Requests& of = request.is_load ? counts->loads : counts->stores;
    ++of.requests;
    of.bytes += static_cast<int64_t>(request.lanes.size() * request.bytes);
    of.sectors += Sectors(request.lanes, request.bytes);
  }
  times_.clear();
  requests_.clear();
}

}  // namespace lamina::gpu::testing
