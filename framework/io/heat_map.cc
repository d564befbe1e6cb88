#include <algorithm>
#include <array>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/plot_frame.h"
#include "framework/io/svg_plot.h"

namespace lamina {
namespace {

using Rgb = std::array<double, 3>;
constexpr Rgb kWhite = {255, 255, 255};
// White to blue through the palette's blue, dark enough at the end to be told apart; and the
// palette's vermilion.
constexpr Rgb kBlue = {0, 114, 178};
constexpr Rgb kDeepBlue = {0, 42, 84};
constexpr Rgb kVermilion = {213, 94, 0};

Rgb Mix(const Rgb& a, const Rgb& b, double t) {
  return {a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])};
}

// The colour at 0 (least) to 1 (greatest).
Rgb Colour(double at, bool diverging) {
  at = std::clamp(at, 0.0, 1.0);
  if (diverging) return at < 0.5 ? Mix(kVermilion, kWhite, 2 * at) : Mix(kWhite, kBlue, 2 * at - 1);
  return at < 0.6 ? Mix(kWhite, kBlue, at / 0.6) : Mix(kBlue, kDeepBlue, (at - 0.6) / 0.4);
}

std::string Hex(const Rgb& c) {
  return absl::StrFormat("#%02X%02X%02X", std::lround(c[0]), std::lround(c[1]), std::lround(c[2]));
}

// Black or white, whichever is easier to read on the colour (luma of ITU-R BT.601).
const char* TextOn(const Rgb& c) {
  return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2] > 140 ? kPlotTextColour : "#FFFFFF";
}

absl::Status CheckMap(const HeatMap& map, double cell) {
  const auto bad = [&](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat("heat map \"", map.title, "\": ", why...));
  };
  if (map.rows < 1 || map.columns < 1 || map.rows > kMaxPictureElements ||
      map.columns > kMaxPictureElements || map.rows * map.columns > kMaxPictureElements) {
    return bad("it has 1 to ", kMaxPictureElements, " cells, not ", map.rows, " x ", map.columns);
  }
  if (static_cast<int64_t>(map.values.size()) != map.rows * map.columns) {
    return bad(map.values.size(), " values do not fill ", map.rows, " x ", map.columns, " cells");
  }
  if (!map.row_names.empty() && static_cast<int64_t>(map.row_names.size()) != map.rows) {
    return bad(map.row_names.size(), " names of rows for ", map.rows, " rows");
  }
  if (!map.column_names.empty() && static_cast<int64_t>(map.column_names.size()) != map.columns) {
    return bad(map.column_names.size(), " names of columns for ", map.columns, " columns");
  }
  if (!(cell >= 0.1 && cell <= 200)) return bad("a cell is 0.1 to 200 pixels wide and high");
  return absl::OkStatus();
}

// The values that the ends of the colour bar stand for.
absl::StatusOr<ValueRange> Limits(const HeatMap& map) {
  bool any = false;
  ValueRange range;
  for (const double v : map.values) {
    if (!std::isfinite(v)) continue;
    range = any ? ValueRange{std::min(range.low, v), std::max(range.high, v)} : ValueRange{v, v};
    any = true;
  }
  if (!any)
    return absl::InvalidArgumentError(
        absl::StrCat("heat map \"", map.title, "\" has no finite value"));
  if (map.diverging) {
    const double size = std::max({std::abs(range.low), std::abs(range.high), 1e-280});
    range = {-size, size};
  }
  return range;
}

std::string NameOf(const std::vector<std::string>& names, int64_t i) {
  return names.empty() ? absl::StrCat(i) : names[i];
}

void DrawNames(SvgCanvas& canvas, const HeatMap& map, const Box& area, double cell, double size) {
  // Where cells are smaller than text, some names are left out.
  const int64_t every = std::max<int64_t>(1, static_cast<int64_t>(std::ceil((size + 2) / cell)));
  for (int64_t r = 0; r < map.rows; r += every) {
    canvas.Text({area.x - 8, area.y + (static_cast<double>(r) + 0.5) * cell + size * 0.35},
                NameOf(map.row_names, r), {.size = size, .anchor = TextAnchor::kEnd});
  }
  double widest = 0;
  for (int64_t c = 0; c < map.columns; ++c)
    widest = std::max(widest, TextWidth(NameOf(map.column_names, c), size));
  const int64_t every_column =
      std::max<int64_t>(1, static_cast<int64_t>(std::ceil((widest + 4) / cell)));
  for (int64_t c = 0; c < map.columns; c += every_column) {
    canvas.Text({area.x + (static_cast<double>(c) + 0.5) * cell, area.bottom() + 6 + size},
                NameOf(map.column_names, c), {.size = size, .anchor = TextAnchor::kMiddle});
  }
}

void DrawColourBar(SvgCanvas& canvas, const HeatMap& map, const Box& bar, const PlotScale& scale) {
  constexpr int kSteps = 64;
  std::vector<std::string> colours;
  for (int i = 0; i < kSteps; ++i)
    colours.push_back(Hex(Colour(1 - (i + 0.5) / kSteps, map.diverging)));
  canvas.Pixels(bar, kSteps, 1, colours);
  canvas.Rectangle(bar, "", "#BBBBBB");
  double widest = 0;
  for (const PlotTick& tick : scale.ticks()) {
    const double at = bar.bottom() - bar.height * scale.Position(tick.value);
    canvas.Line({bar.right(), at}, {bar.right() + 4, at}, "#666666", 1);
    canvas.Text({bar.right() + 8, at + 4.5}, tick.label);
    widest = std::max(widest, TextWidth(tick.label, kPlotTextSize));
  }
  if (!map.value_label.empty()) {
    canvas.Text({bar.right() + 8 + widest + 20, bar.y + bar.height / 2}, map.value_label,
                {.anchor = TextAnchor::kMiddle, .upwards = true});
  }
}

}  // namespace

absl::StatusOr<std::string> HeatMapSvg(const HeatMap& map, double cell) {
  if (absl::Status s = CheckMap(map, cell); !s.ok()) return s;
  const absl::StatusOr<ValueRange> range = Limits(map);
  if (!range.ok()) return range.status();
  const double cells_height = cell * static_cast<double>(map.rows);
  const absl::StatusOr<PlotScale> scale =
      PlotScale::MakeExact(*range, std::max(2, static_cast<int>(cells_height / 50)));
  if (!scale.ok()) return scale.status();

  const double size = kPlotTextSize;
  double row_names = 0;
  for (int64_t r = 0; r < map.rows; ++r)
    row_names = std::max(row_names, TextWidth(NameOf(map.row_names, r), size));
  const double left = 14 + row_names + 10 + (map.row_label.empty() ? 0 : 22);
  const double top = 16 + (map.title.empty() ? 0 : 26);
  const Box area{left, top, cell * static_cast<double>(map.columns), cells_height};
  const Box bar{area.right() + 22, area.y, 16, area.height};
  const double width =
      map.bar ? bar.right() + 8 + 60 + (map.value_label.empty() ? 0 : 24) : area.right() + 14;
  SvgCanvas canvas(width, area.bottom() + 28 + (map.column_label.empty() ? 0 : 22), map.title);
  if (!map.title.empty()) {
    canvas.Text({left, 27}, FitText(map.title, kPlotTitleSize, width - left),
                {.size = kPlotTitleSize, .bold = true});
  }
  std::vector<std::string> colours;
  for (const double v : map.values) {
    colours.push_back(std::isfinite(v) ? Hex(Colour(scale->Position(v), map.diverging)) : "");
  }
  canvas.Pixels(area, static_cast<int>(map.rows), static_cast<int>(map.columns), colours);
  canvas.Rectangle(area, "", "#BBBBBB");
  if (map.numbers) {
    for (int64_t c = 0; c < map.columns; ++c) {
      for (int64_t r = 0; r < map.rows; ++r) {
        const double v = map.values[r + map.rows * c];
        if (!std::isfinite(v)) continue;
        canvas.Text({area.x + (static_cast<double>(c) + 0.5) * cell,
                     area.y + (static_cast<double>(r) + 0.5) * cell + 4},
                    absl::StrFormat("%.4g", v),
                    {.size = 12,
                     .anchor = TextAnchor::kMiddle,
                     .colour = TextOn(Colour(scale->Position(v), map.diverging))});
      }
    }
  }
  DrawNames(canvas, map, area, cell, size);
  if (map.bar) DrawColourBar(canvas, map, bar, *scale);
  if (!map.column_label.empty()) {
    canvas.Text({area.x + area.width / 2, area.bottom() + 40}, map.column_label,
                {.anchor = TextAnchor::kMiddle});
  }
  if (!map.row_label.empty()) {
    canvas.Text({20, area.y + area.height / 2}, map.row_label,
                {.anchor = TextAnchor::kMiddle, .upwards = true});
  }
  return canvas.Svg();
}

}  // namespace lamina
