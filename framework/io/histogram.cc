#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/plot_frame.h"
#include "framework/io/svg_plot.h"

namespace lamina {
namespace {

constexpr int kMaxBins = 1000;

}  // namespace

absl::StatusOr<std::string> HistogramSvg(const Histogram& histogram, int width, int height) {
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("histogram \"", histogram.title, "\": ", why));
  };
  if (width < 100 || width > 4000 || height < 100 || height > 4000)
    return bad("it is 100 to 4000 pixels wide and high");
  if (histogram.bins < 1 || histogram.bins > kMaxBins) return bad("it has 1 to 1000 bins");
  if (histogram.x.logarithmic) return bad("its bins have equal widths, so x is not logarithmic");
  std::vector<double> values;
  std::copy_if(histogram.values.begin(), histogram.values.end(), std::back_inserter(values),
               [](double v) { return std::isfinite(v); });
  if (values.empty()) return bad("it has no finite value");
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  // MakeExact widens a range of one value, so that its bins have a width.
  const absl::StatusOr<PlotScale> x =
      PlotScale::MakeExact({histogram.x.low.value_or(*least), histogram.x.high.value_or(*greatest)},
                           std::max(2, width / 90));
  if (!x.ok()) return bad(x.status().message());

  std::vector<double> counts(histogram.bins, 0);
  for (const double v : values) {
    const double at = x->Position(v);
    if (at < 0 || at > 1) continue;  // outside the axis that was asked for
    ++counts[std::min(static_cast<int>(at * histogram.bins), histogram.bins - 1)];
  }
  const double most = *std::max_element(counts.begin(), counts.end());
  const absl::StatusOr<PlotScale> y =
      PlotScale::Make({0, std::max(most, 1.0)}, false, std::max(2, height / 50), TickKind::kWhole);
  if (!y.ok()) return bad(y.status().message());

  std::string title = histogram.title;
  if (const size_t left_out = histogram.values.size() - values.size(); left_out > 0) {
    absl::StrAppend(&title, " (", left_out, " not finite)");
  }
  SvgCanvas canvas(width, height, title);
  const PlotFrame frame{title, histogram.x.label, histogram.y_label, {}, *x, *y, /*x_grid=*/false};
  const Box area =
      frame.Draw(canvas, {0, 0, static_cast<double>(width), static_cast<double>(height)});
  const double step = area.width / histogram.bins;
  for (int i = 0; i < histogram.bins; ++i) {
    if (counts[i] == 0) continue;
    const double tall = area.height * y->Position(counts[i]);
    const double gap = step > 4 ? 1 : 0;
    canvas.Rectangle({area.x + i * step, area.bottom() - tall, step - gap, tall}, PlotColour(0));
  }
  return canvas.Svg();
}

}  // namespace lamina
