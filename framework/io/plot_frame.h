// plot_frame.h: what line charts and histograms have in common: a title, a legend, and two axes
// with a grid.
//
// Threads: one canvas belongs to one thread at a time.
#ifndef FRAMEWORK_IO_PLOT_FRAME_H_
#define FRAMEWORK_IO_PLOT_FRAME_H_

#include <string>
#include <string_view>
#include <vector>

#include "framework/io/plot_scale.h"
#include "framework/io/svg_canvas.h"

namespace lamina {

inline constexpr char kPlotTextColour[] = "#222222";
inline constexpr char kPlotWarningColour[] = "#D55E00";
inline constexpr double kPlotTitleSize = 15;
inline constexpr double kPlotTextSize = 13;
inline constexpr double kPlotDotRadius = 3.2;

/// The colour and the dash of the n-th series: eight colours that differ for the colour-blind too,
/// then the same colours with longer and longer dashes.
std::string_view PlotColour(size_t n);
std::string_view PlotDash(size_t n, bool dashed);

struct LegendEntry {
  std::string name{};
  std::string_view colour{};
  std::string_view dash{};
  bool dot = false;  // of points without a line between them
};

struct PlotFrame {
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::vector<LegendEntry> legend{};
  PlotScale x{};
  PlotScale y{};
  bool x_grid = true;

  /// Draws all of it into `panel` and returns the area that is left for the data.
  Box Draw(SvgCanvas& canvas, const Box& panel) const;

  /// Where the value (vx, vy) is, in the area that Draw returned.
  Point At(const Box& area, double vx, double vy) const {
    return {area.x + area.width * x.Position(vx), area.bottom() - area.height * y.Position(vy)};
  }
};

}  // namespace lamina

#endif  // FRAMEWORK_IO_PLOT_FRAME_H_
