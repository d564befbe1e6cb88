#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/plot_frame.h"
#include "framework/io/svg_plot.h"

namespace lamina {
namespace {

bool CanStand(double value, const Axis& axis) {
  return std::isfinite(value) && (!axis.logarithmic || value > 0);
}

bool CanStand(const Series& series, size_t i, const LineChart& chart) {
  return CanStand(series.x[i], chart.x) && CanStand(series.y[i], chart.y);
}

// Whether any two neighbours can be drawn, so that there is a line between them.
bool HasLine(const Series& series, const LineChart& chart) {
  for (size_t i = 1; i < series.x.size(); ++i) {
    if (CanStand(series, i - 1, chart) && CanStand(series, i, chart)) return true;
  }
  return false;
}

absl::Status CheckChart(const LineChart& chart) {
  int64_t points = 0;
  for (const Series& series : chart.series) {
    if (series.x.size() != series.y.size()) {
      return absl::InvalidArgumentError(absl::StrCat("series \"", series.name, "\" has ",
                                                     series.x.size(), " values of x, but ",
                                                     series.y.size(), " of y"));
    }
    points += static_cast<int64_t>(series.x.size());
  }
  if (points > kMaxPictureElements) {
    return absl::InvalidArgumentError(absl::StrCat("chart \"", chart.title, "\" has ", points,
                                                   " points, more than ", kMaxPictureElements));
  }
  return absl::OkStatus();
}

// The axis for the values of all points that can be drawn.
absl::StatusOr<PlotScale> MakeScale(const LineChart& chart, bool is_x, int ticks) {
  const Axis& axis = is_x ? chart.x : chart.y;
  bool any = false;
  bool whole = true;
  ValueRange range;
  for (const Series& series : chart.series) {
    for (size_t i = 0; i < series.x.size(); ++i) {
      if (!CanStand(series, i, chart)) continue;
      const double value = is_x ? series.x[i] : series.y[i];
      range = any ? ValueRange{std::min(range.low, value), std::max(range.high, value)}
                  : ValueRange{value, value};
      any = true;
      whole = whole && value == std::floor(value);
    }
  }
  if (!any) {
    return absl::InvalidArgumentError(
        absl::StrCat("chart \"", chart.title, "\" has no point that can be drawn"));
  }
  range.low = axis.low.value_or(range.low);
  range.high = axis.high.value_or(range.high);
  // x ends where the data end: time has no need for an empty margin. Where it counts, there is
  // nothing between whole numbers; that y, say an accuracy, is 0 or 1 tells no such thing.
  absl::StatusOr<PlotScale> scale =
      is_x && !axis.logarithmic
          ? PlotScale::MakeExact(range, ticks, whole ? TickKind::kWhole : TickKind::kAny)
          : PlotScale::Make(range, axis.logarithmic, ticks);
  if (scale.ok()) return scale;
  return absl::InvalidArgumentError(absl::StrCat("chart \"", chart.title, "\", axis ",
                                                 is_x ? "x" : "y", ": ", scale.status().message()));
}

// The part of the segment from a to b that lies in the area; false when none does (Liang and
// Barsky, 1984).
bool Clip(const Box& area, Point* a, Point* b) {
  double from = 0, to = 1;
  const double dx = b->x - a->x, dy = b->y - a->y;
  const double direction[4] = {-dx, dx, -dy, dy};
  const double distance[4] = {a->x - area.x, area.right() - a->x, a->y - area.y,
                              area.bottom() - a->y};
  for (int edge = 0; edge < 4; ++edge) {
    if (direction[edge] == 0) {
      if (distance[edge] < 0) return false;
      continue;
    }
    const double t = distance[edge] / direction[edge];
    if (direction[edge] < 0) from = std::max(from, t);
    if (direction[edge] > 0) to = std::min(to, t);
  }
  if (from > to) return false;
  *b = {a->x + to * dx, a->y + to * dy};
  *a = {a->x + from * dx, a->y + from * dy};
  return true;
}

bool Inside(const Box& area, Point p) {
  constexpr double kSlack = 1e-6;
  return p.x >= area.x - kSlack && p.x <= area.right() + kSlack && p.y >= area.y - kSlack &&
         p.y <= area.bottom() + kSlack;
}

// Draws the pieces of a series between values that cannot be drawn, cut at the edges of the area.
void DrawSeries(SvgCanvas& canvas, const LineChart& chart, const PlotFrame& frame, const Box& area,
                size_t n) {
  const Series& series = chart.series[n];
  const std::string_view colour = PlotColour(n), dash = PlotDash(n, series.dashed);
  std::vector<Point> piece;
  const auto finish = [&] {
    if (piece.size() > 1) canvas.Polyline(piece, colour, 2, dash);
    piece.clear();
  };
  bool has_before = false;
  Point before;
  for (size_t i = 0; i < series.x.size(); ++i) {
    if (!CanStand(series, i, chart)) {
      finish();
      has_before = false;
      continue;
    }
    const Point point = frame.At(area, series.x[i], series.y[i]);
    // A point without neighbours has no line, so it gets a dot.
    const bool alone = !has_before && (i + 1 == series.x.size() || !CanStand(series, i + 1, chart));
    if ((series.markers || alone) && Inside(area, point))
      canvas.Circle(point, kPlotDotRadius, colour);
    if (has_before) {
      Point a = before, b = point;
      if (Clip(area, &a, &b)) {
        if (piece.empty()) piece.push_back(a);
        piece.push_back(b);
        if (!Inside(area, point)) finish();
      } else {
        finish();
      }
    }
    before = point;
    has_before = true;
  }
  finish();
}

absl::Status DrawLineChart(SvgCanvas& canvas, const Box& panel, const LineChart& chart) {
  if (absl::Status s = CheckChart(chart); !s.ok()) return s;
  const absl::StatusOr<PlotScale> x =
      MakeScale(chart, true, std::max(2, static_cast<int>(panel.width / 90)));
  if (!x.ok()) return x.status();
  const absl::StatusOr<PlotScale> y =
      MakeScale(chart, false, std::max(2, static_cast<int>(panel.height / 50)));
  if (!y.ok()) return y.status();
  PlotFrame frame{chart.title, chart.x.label, chart.y.label, {}, *x, *y};
  for (size_t n = 0; n < chart.series.size(); ++n) {
    const Series& series = chart.series[n];
    if (!series.name.empty())
      frame.legend.push_back({.name = series.name,
                              .colour = PlotColour(n),
                              .dash = PlotDash(n, series.dashed),
                              .dot = !HasLine(series, chart)});
  }
  const Box area = frame.Draw(canvas, panel);
  for (size_t n = 0; n < chart.series.size(); ++n) DrawSeries(canvas, chart, frame, area, n);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> LineChartSvg(const std::vector<LineChart>& panels, int columns,
                                         int width, int height) {
  const int count = static_cast<int>(std::min<size_t>(panels.size(), 1000));
  if (panels.empty() || panels.size() > 100 || columns < 1 || columns > 100) {
    return absl::InvalidArgumentError("a picture has 1 to 100 line charts in 1 to 100 columns");
  }
  if (width < 100 || width > 4000 || height < 100 || height > 4000) {
    return absl::InvalidArgumentError("a line chart is 100 to 4000 pixels wide and high");
  }
  columns = std::min(columns, count);
  const int lines = (count + columns - 1) / columns;
  SvgCanvas canvas(width * columns, height * lines, panels[0].title);
  for (int i = 0; i < count; ++i) {
    const Box panel{static_cast<double>(width * (i % columns)),
                    static_cast<double>(height * (i / columns)), static_cast<double>(width),
                    static_cast<double>(height)};
    if (absl::Status s = DrawLineChart(canvas, panel, panels[i]); !s.ok()) return s;
  }
  return canvas.Svg();
}

}  // namespace lamina
