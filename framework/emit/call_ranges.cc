#include "framework/emit/call_ranges.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lamina::internal {
namespace {

int64_t FloorDivide(int64_t x, int64_t y) { return x / y - (x % y < 0); }

class RangeFinder {
 public:
  explicit RangeFinder(const KernelProgram& program) : program_(program) {}

  std::vector<CallRange> Run() {
    for (size_t i = 0; i < program_.calls.size(); ++i) {
      const KernelCall& call = program_.calls[i];
      if (call.kernel < 0 || call.count < 2) {
        Close();
        continue;
      }
      if (items_ > 0 && Joins(call)) {
        Add(static_cast<int>(i));
        continue;
      }
      Close();
      items_ = call.count;
      if (Fits(call, items_)) {
        Add(static_cast<int>(i));
      } else {
        Close();
      }
    }
    Close();
    return std::move(ranges_);
  }

 private:
  struct Touched {
    KernelAccess access;
    int64_t count;  // Of the call.
  };

  // Becomes a part of the open range, perhaps with fewer items.
  bool Joins(const KernelCall& call) {
    const int64_t items = call.count % items_ == 0   ? items_
                          : items_ % call.count == 0 ? call.count
                                                     : 0;
    if (items == 0 || !Fits(call, items)) return false;
    items_ = items;
    return true;
  }

  bool Fits(const KernelCall& call, int64_t items) const {
    for (const KernelAccess& a : call.accesses) {
      const ItemWindow window = WindowOf(a, call.count, items);
      for (const KernelAccess& b : call.accesses) {
        if (a.array != b.array) continue;
        if (!IsApart(window, WindowOf(b, call.count, items), items)) return false;
      }
      const auto before = touched_.find(a.array);
      if (before == touched_.end()) continue;
      for (const Touched& b : before->second) {
        if (!IsApart(window, WindowOf(b.access, b.count, items), items)) return false;
      }
    }
    return true;
  }

  void Add(int i) {
    const KernelCall& call = program_.calls[i];
    if (open_.first < 0) open_.first = i;
    open_.last = i;
    work_ += static_cast<double>(call.count) / static_cast<double>(call.grain);
    for (const KernelAccess& a : call.accesses) {
      std::vector<Touched>& known = touched_[a.array];
      const auto same = [&](const Touched& b) {
        return b.count == call.count && b.access.first == a.first && b.access.step == a.step &&
               b.access.width == a.width && b.access.is_stored == a.is_stored;
      };
      if (std::find_if(known.rbegin(), known.rend(), same) == known.rend()) {
        known.push_back({a, call.count});
      }
    }
  }

  void Close() {
    if (open_.first >= 0 && open_.last > open_.first) {
      open_.items = items_;
      open_.grain = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(items_) / work_));
      ranges_.push_back(open_);
    }
    open_ = {-1, -1};
    items_ = 0;
    work_ = 0;
    touched_.clear();
  }

  const KernelProgram& program_;
  std::vector<CallRange> ranges_;
  CallRange open_{-1, -1};
  int64_t items_ = 0;                            // Of the open range; 0 without one.
  double work_ = 0;                              // Of the open range, in grains.
  std::map<int, std::vector<Touched>> touched_;  // By the open range, by array.
};

}  // namespace

ItemWindow WindowOf(const KernelAccess& a, int64_t count, int64_t items) {
  const int64_t parts = count / items;
  return {a.first, a.step * parts, a.width + a.step * (parts - 1), a.is_stored};
}

bool IsApart(const ItemWindow& a, const ItemWindow& b, int64_t items) {
  if (!a.is_stored && !b.is_stored) return true;
  const auto end = [items](const ItemWindow& w) {
    return w.first + w.step * (items - 1) + w.width;
  };
  if (end(a) <= b.first || end(b) <= a.first) return true;
  if (a.step != b.step || a.step <= 0) return false;
  // Items i and j meet when -b.width < distance - (i - j) step < a.width.
  const int64_t distance = b.first - a.first, least = 1 - items;
  for (int64_t k = std::max(least, FloorDivide(distance - a.width, a.step) + 1);
       k < items && k * a.step < distance + b.width; ++k) {
    if (k != 0) return false;
  }
  return true;
}

bool PartsAreApart(const std::vector<KernelAccess>& accesses, int64_t count) {
  for (const KernelAccess& a : accesses) {
    for (const KernelAccess& b : accesses) {
      if (a.array != b.array) continue;
      if (!IsApart(WindowOf(a, count, count), WindowOf(b, count, count), count)) return false;
    }
  }
  return true;
}

std::vector<CallRange> FindRanges(const KernelProgram& program) {
  return RangeFinder(program).Run();
}

}  // namespace lamina::internal
