#include "framework/autodiff/gradient_sum.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// Slices that have no position in common, in order.
using Row = std::vector<std::pair<SliceRange, DlArray>>;

int64_t EndOf(const Row& row) { return row.back().first.start + row.back().first.count; }

// Slices in as few rows as can be. One with a step is a row of its own.
std::vector<Row> RowsOf(std::map<SliceRange, DlArray> parts) {
  std::vector<Row> rows;
  for (auto& [range, part] : parts) {  // By dim, then by start.
    const auto fits = [&range = range](const Row& row) {
      const SliceRange& last = row.back().first;
      return range.step == 1 && last.step == 1 && last.dim == range.dim &&
             EndOf(row) <= range.start;
    };
    const auto row = std::find_if(rows.begin(), rows.end(), fits);
    (row == rows.end() ? rows.emplace_back() : *row).emplace_back(range, std::move(part));
  }
  return rows;
}

// The slices of a row, zeros elsewhere.
DlArray WholeOf(const Row& row, const ArraySpec& whole) {
  const int dim = row[0].first.dim;
  const int64_t size = whole.sizes[dim];
  if (row.size() == 1) return EmbedSlice(row[0].second, row[0].first, size);
  DlArrays side_by_side;
  int64_t end = 0;
  const auto fill = [&](int64_t start) {
    if (start == end) return;
    ArraySpec gap = whole;
    gap.sizes[dim] = start - end;
    side_by_side.push_back(BroadcastTo(Cast(0.0, gap.type), gap));
  };
  for (const auto& [range, part] : row) {
    fill(range.start);
    side_by_side.push_back(part);
    end = range.start + range.count;
  }
  fill(size);
  return Cat(dim, side_by_side);
}

}  // namespace

void GradientSum::Add(const DlArray& term) { sum_ = sum_.empty() ? term : sum_ + term; }

void GradientSum::AddSlice(const ArraySpec& whole, const SliceRange& range, const DlArray& part) {
  // Slices that overlap (windows) are added up before they take more memory than the whole.
  if (slices_ != nullptr && slices_->numel + part.numel() > whole.numel()) Total();
  if (slices_ == nullptr) slices_ = std::make_unique<Slices>(Slices{.whole = whole, .parts = {}});
  const auto [same, is_new] = slices_->parts.try_emplace(range, part);
  if (is_new) {
    slices_->numel += part.numel();
  } else {
    same->second = same->second + part;
  }
}

const DlArray& GradientSum::Total() {
  if (slices_ != nullptr) {
    const std::unique_ptr<Slices> slices = std::move(slices_);
    for (const Row& row : RowsOf(std::move(slices->parts))) Add(WholeOf(row, slices->whole));
  }
  return sum_;
}

}  // namespace lamina
