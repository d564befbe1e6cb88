#include "framework/emit/scratch_plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>

namespace lamina::internal {
namespace {

constexpr size_t kFew = 1000;

int64_t BySize(const std::vector<size_t>& in_order, std::vector<Life>& lives) {
  int64_t total = 0;
  std::vector<const Life*> placed;
  for (size_t i : in_order) {
    Life& a = lives[i];
    std::vector<const Life*> beside;
    for (const Life* b : placed) {
      if (b->first <= a.last && a.first <= b->last) beside.push_back(b);
    }
    std::sort(beside.begin(), beside.end(),
              [](const Life* x, const Life* y) { return x->offset < y->offset; });
    a.offset = 0;
    for (const Life* b : beside) {
      if (b->offset >= a.offset + a.size) break;
      a.offset = std::max(a.offset, b->offset + b->size);
    }
    placed.push_back(&a);
    total = std::max(total, a.offset + a.size);
  }
  return total;
}

// Free stretches of memory, by their beginning; the last has no end.
class Stretches {
 public:
  // The smallest that is large enough.
  int64_t Take(int64_t size) {
    auto best = std::prev(free_.end());
    for (auto f = free_.begin(); f != free_.end(); ++f) {
      if (f->second >= size && f->second < best->second) best = f;
    }
    const int64_t offset = best->first, left = best->second - size;
    free_.erase(best);
    if (left > 0) free_[offset + size] = left;
    return offset;
  }
  void Give(int64_t offset, int64_t size) {
    auto after = free_.lower_bound(offset);
    if (after->first == offset + size) {
      size += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == offset) {
        before->second += size;
        return;
      }
    }
    free_[offset] = size;
  }

 private:
  std::map<int64_t, int64_t> free_{{0, int64_t{1} << 62}};
};

int64_t ByTime(const std::vector<size_t>& in_order, std::vector<Life>& lives) {
  int64_t total = 0;
  Stretches memory;
  std::multimap<int, const Life*> ends;
  for (size_t i : in_order) {
    Life& a = lives[i];
    while (!ends.empty() && ends.begin()->first < a.first) {
      memory.Give(ends.begin()->second->offset, ends.begin()->second->size);
      ends.erase(ends.begin());
    }
    a.offset = memory.Take(a.size);
    ends.emplace(a.last, &a);
    total = std::max(total, a.offset + a.size);
  }
  return total;
}

}  // namespace

int64_t PlanMemory(std::vector<Life>* lives) {
  std::vector<size_t> order;
  for (size_t i = 0; i < lives->size(); ++i) {
    if ((*lives)[i].size > 0) order.push_back(i);
  }
  const bool few = order.size() <= kFew;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return few ? (*lives)[a].size > (*lives)[b].size : (*lives)[a].first < (*lives)[b].first;
  });
  return few ? BySize(order, *lives) : ByTime(order, *lives);
}

}  // namespace lamina::internal
