#include "framework/ops/window.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// Above this the arithmetic on sizes could overflow; no data is that long.
constexpr int64_t kMaxOption = int64_t{1} << 30;

}  // namespace

Padding Padding::BeginEnd(Sizes begin, Sizes end) {
  Padding p;
  p.begin_ = std::move(begin);
  p.end_ = std::move(end);
  return p;
}

Padding::Padding(std::string_view mode) {
  if (mode == "same") {
    mode_ = kSame;
  } else if (mode == "causal") {
    mode_ = kCausal;
  } else {
    throw Error("ops:InvalidPadding", "A padding is a number, numbers, \"same\" or \"causal\".",
                absl::StrCat("\"", std::string(mode), "\" came."), "Write one of these.");
  }
}

std::pair<Sizes, Sizes> Padding::Explicit(std::string_view function, int rank) const {
  LAMINA_CHECK(mode_ == kExplicit);
  return {
      internal::ExpandOption(function, "ops:InvalidPadding", "padding at the begin", begin_, rank,
                             0),
      internal::ExpandOption(function, "ops:InvalidPadding", "padding at the end", end_, rank, 0)};
}

WindowGeometry WindowGeometry::Resolve(std::string_view function, const Sizes& input,
                                       const Sizes& window, const Sizes& stride,
                                       const Sizes& dilation, const Padding& padding) {
  const std::string name(function);
  const int rank = static_cast<int>(input.size());
  WindowGeometry g;
  g.stride = internal::ExpandOption(function, "ops:InvalidStride", "stride", stride, rank, 1);
  g.dilation =
      internal::ExpandOption(function, "ops:InvalidDilation", "dilation factor", dilation, rank, 1);
  if (padding.mode_ == Padding::kExplicit) {
    std::tie(g.pad_begin, g.pad_end) = padding.Explicit(function, rank);
  } else {
    if (padding.mode_ == Padding::kCausal && rank != 1) {
      throw Error("ops:InvalidPadding", absl::StrCat(name, " can be causal along one dim only."),
                  absl::StrCat("The window moves along ", rank, " dims."),
                  "Give the padding of each dim in numbers.");
    }
    g.pad_begin.assign(rank, 0);
    g.pad_end.assign(rank, 0);
    for (int d = 0; d < rank; ++d) {
      const int64_t extent = (window[d] - 1) * g.dilation[d] + 1;
      const int64_t outputs = (input[d] + g.stride[d] - 1) / g.stride[d];
      const int64_t total =
          padding.mode_ == Padding::kCausal
              ? extent - 1
              : std::max<int64_t>((outputs - 1) * g.stride[d] + extent - input[d], 0);
      g.pad_begin[d] = padding.mode_ == Padding::kCausal ? total : total / 2;
      g.pad_end[d] = total - g.pad_begin[d];
    }
  }
  for (int d = 0; d < rank; ++d) {
    const int64_t extent = (window[d] - 1) * g.dilation[d] + 1;
    if (window[d] >= 1 && window[d] <= kMaxOption && input[d] >= 1 &&
        extent <= input[d] + g.pad_begin[d] + g.pad_end[d]) {
      continue;
    }
    throw Error(
        "ops:WindowTooLarge",
        absl::StrCat(name,
                     " needs a window of at least one element that fits into the "
                     "padded data."),
        absl::StrCat("Along dim ", d, " the window has ", internal::Counted(window[d], "element"),
                     " with dilation ", g.dilation[d], ", the data ", input[d], " and the padding ",
                     g.pad_begin[d], " + ", g.pad_end[d], "."),
        "Make the window smaller, or pad the data more.");
  }
  return g;
}

std::string WindowGeometry::ToString() const {
  return absl::StrCat("stride=", lamina::ToString(stride), " dilation=", lamina::ToString(dilation),
                      " padding=", lamina::ToString(pad_begin), ",", lamina::ToString(pad_end));
}

namespace internal {

Sizes ExpandOption(std::string_view function, std::string_view identifier, std::string_view what,
                   const Sizes& option, int rank, int64_t least) {
  Sizes all = option;
  if (option.size() == 1) all.assign(rank, option[0]);
  bool valid = static_cast<int>(all.size()) == rank;
  for (int64_t n : all) valid = valid && n >= least && n <= kMaxOption;
  if (!valid) {
    throw Error(
        identifier,
        absl::StrCat(std::string(function), " expects a ", std::string(what), " of ", least, " to ",
                     kMaxOption, ", one number for all or one for each of ", Counted(rank, "dim"),
                     "."),
        option.empty() ? "None came." : absl::StrCat("[", absl::StrJoin(option, " "), "] came."),
        "Count the dims that the window moves along.");
  }
  return all;
}

WindowedInput::WindowedInput(std::string_view function, const DlArray& x, std::string_view format,
                             bool over_time)
    : input_(function, x, format), x_(input_.x()) {
  const Format& labels = x_.format();
  const int spatial = labels.Count('S');
  moves_time_ = labels.Find('T') >= 0 && (over_time || spatial == 0);
  const int moved = spatial + (moves_time_ ? 1 : 0);
  if (moved < 1 || moved > 3 || labels.Find('U') >= 0) {
    throw Error("dlarray:FormatMismatch",
                absl::StrCat(std::string(function),
                             " moves along one to three dims labelled S (or T), besides C and B."),
                absl::StrCat("A ", lamina::ToString(x_.spec()), " came."),
                "Relabel the array; merge or move dims labelled U into B first.");
  }
  if (!moves_time_) return;
  // T moves behind the S dims and is called S there.
  std::vector<int> order(labels.rank());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + spatial, order.end() - 1, order.end());
  std::string moved_labels = labels.str();
  moved_labels.pop_back();
  moved_labels.insert(0, 1, 'S');
  x_ = DlArray(Permute(StripDims(x_), order), moved_labels);
}

DlArray WindowedInput::Finish(const DlArray& y) const {
  if (!moves_time_) return input_.Finish(y);
  const int time = rank() - 1;
  std::vector<int> order(y.rank());
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + time, order.begin() + time + 1, order.end());
  const std::string labels = y.format().str().substr(1) + 'T';
  return input_.Finish(DlArray(Permute(StripDims(y), order), labels));
}

}  // namespace internal
}  // namespace lamina
