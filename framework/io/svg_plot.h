// svg_plot.h: pictures of numbers, drawn by programs, as SVG: line charts, histograms, grids of
// images, heat maps. Text and colours are made to be read on white, also by the colour-blind
// (palette: M. Okabe and K. Ito, 2008). The same input gives the same bytes, so a picture can stand
// in a repository beside the program that drew it.
//
// Threads: pure functions and plain values.
//
//   LineChart chart{.title = "SReLU on the UCI digits",
//                   .x = {.label = "epoch"},
//                   .y = {.label = "loss", .logarithmic = true},
//                   .series = {{.name = "training", .x = epochs, .y = loss},
//                              {.name = "validation", .x = epochs, .y = validation_loss}}};
//   absl::StatusOr<std::string> svg = LineChartSvg({chart});
//   if (svg.ok()) WriteFileAtomically("curve.svg", *svg);
//
// Errors of all functions: kInvalidArgument, which names the series, the image or the field, for
// lengths that do not fit one another, nothing to draw, more than kMaxPictureElements points or
// pixels, and values that an axis cannot show.
#ifndef FRAMEWORK_IO_SVG_PLOT_H_
#define FRAMEWORK_IO_SVG_PLOT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina {

/// More points, pixels or cells than this are refused: no viewer shows them.
inline constexpr int64_t kMaxPictureElements = 1'000'000;

struct Axis {
  std::string label{};  // what and in which unit: "loss", "time (s)"
  bool logarithmic = false;
  // The axis begins here, or lower at a round number; absent: at the least value.
  std::optional<double> low{};
  std::optional<double> high{};  // and ends here, or higher
};

struct Series {
  std::string name{};       // in the legend; empty: not in the legend
  std::vector<double> x{};  // where all of a chart are whole numbers, its ticks are too
  std::vector<double> y{};  // as many as x; a value that is not finite interrupts the line
  bool dashed = false;
  bool markers = false;  // a dot at each point
};

struct LineChart {
  std::string title{};
  Axis x{};
  Axis y{};
  std::vector<Series> series{};
};

/// Draws each chart into a panel of `width` by `height` pixels (100 to 4000), `columns` panels side
/// by side.
absl::StatusOr<std::string> LineChartSvg(const std::vector<LineChart>& panels, int columns = 1,
                                         int width = 640, int height = 400);

struct Histogram {
  std::string title{};
  Axis x{};
  std::string y_label = "count";
  std::vector<double> values{};  // what is not finite is left out, and the title says how many
  int bins = 30;  // of equal width between the least and the greatest value; 1 to 1000
};

/// Draws how many values fall into each bin.
absl::StatusOr<std::string> HistogramSvg(const Histogram& histogram, int width = 640,
                                         int height = 400);

struct GridImage {
  std::vector<double> values{};  // [rows columns] of the grid, column-major
  std::string caption{};         // below the image
  bool marked = false;           // a frame and a caption in the colour of warnings
};

struct ImageGrid {
  std::string title{};
  int rows = 0;  // of each image
  int columns = 0;
  std::vector<GridImage> images{};
  int images_per_line = 10;
  double scale = 8;  // pixels of the picture for each pixel of an image
  double white = 0;  // the value that is white, and the value that is black; between them lie greys
  double black = 1;
};

/// Draws grey images line by line. A value that is not finite is drawn in the colour of warnings.
absl::StatusOr<std::string> ImageGridSvg(const ImageGrid& grid);

struct HeatMap {
  std::string title{};
  std::string row_label{};  // what the rows are
  std::string column_label{};
  std::string value_label{};  // beside the bar that explains the colours
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values{};          // [rows columns], column-major; not finite: left white
  std::vector<std::string> row_names{};  // as many as rows; empty: counted from 0
  std::vector<std::string> column_names{};
  // Two colours, white at zero; otherwise one colour from the least to the greatest.
  bool diverging = false;
  bool numbers = false;  // the value in each cell
  bool bar = true;       // false where the colours only tell cells apart and stand for no values
};

/// Draws a matrix as coloured cells, and a bar of the colours beside it.
absl::StatusOr<std::string> HeatMapSvg(const HeatMap& map, double cell = 32);

}  // namespace lamina

#endif  // FRAMEWORK_IO_SVG_PLOT_H_
