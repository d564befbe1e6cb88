#include "framework/io/plot_frame.h"

#include <algorithm>
#include <array>
#include <string>

namespace lamina {
namespace {

// M. Okabe and K. Ito, "Color Universal Design", 2008; their yellow is too pale for lines on white,
// grey stands for it.
constexpr std::array<std::string_view, 8> kColours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                      "#E69F00", "#56B4E9", "#222222", "#8C8C8C"};
constexpr std::array<std::string_view, 4> kDashes = {"", "7 4", "2 4", "9 4 2 4"};

constexpr char kGridColour[] = "#E4E4E4";
constexpr char kAxisColour[] = "#666666";
constexpr double kLegendLine = 19;
constexpr double kLegendSwatch = 24;

double LegendWidth(const LegendEntry& entry, double available) {
  return std::min(kLegendSwatch + 6 + TextWidth(entry.name, kPlotTextSize) + 18, available);
}

// Draws the entries in lines as wide as the area, and returns the height that they took. The data
// need most of the height: entries for which `height` has no room are counted instead of drawn.
double DrawLegend(SvgCanvas& canvas, const std::vector<LegendEntry>& legend, const Box& room) {
  if (legend.empty()) return 0;
  double x = room.x;
  double y = room.y;
  for (size_t i = 0; i < legend.size(); ++i) {
    const LegendEntry& entry = legend[i];
    const double wanted = LegendWidth(entry, room.width);
    if (x > room.x && x + wanted > room.right()) {
      x = room.x;
      y += kLegendLine;
      if (y + 2 * kLegendLine > room.bottom()) {
        canvas.Text({x, y + kLegendLine / 2 + 4.5},
                    "and " + std::to_string(legend.size() - i) + " more");
        break;
      }
    }
    const double middle = y + kLegendLine / 2;
    if (entry.dot) {
      canvas.Circle({x + kLegendSwatch / 2, middle}, kPlotDotRadius, entry.colour);
    } else {
      canvas.Polyline({{x, middle}, {x + kLegendSwatch, middle}}, entry.colour, 2.5, entry.dash);
    }
    canvas.Text({x + kLegendSwatch + 6, middle + 4.5},
                FitText(entry.name, kPlotTextSize, wanted - kLegendSwatch - 12));
    x += wanted;
  }
  return y - room.y + kLegendLine + 4;
}

// The labels that have room beside each other: all, every second, every third, ...
size_t LabelStride(const PlotScale& x, double width) {
  double widest = 0;
  for (const PlotTick& tick : x.ticks())
    widest = std::max(widest, TextWidth(tick.label, kPlotTextSize));
  const double room = width / static_cast<double>(std::max<size_t>(x.ticks().size(), 1));
  return std::max<size_t>(1, static_cast<size_t>((widest + 8) / room + 0.999));
}

}  // namespace

std::string_view PlotColour(size_t n) { return kColours[n % kColours.size()]; }

std::string_view PlotDash(size_t n, bool dashed) {
  return kDashes[std::min(n / kColours.size() + (dashed ? 1 : 0), kDashes.size() - 1)];
}

Box PlotFrame::Draw(SvgCanvas& canvas, const Box& panel) const {
  // Not less than a label of four characters, so that the axes of panels above one another are in
  // line.
  double y_labels = TextWidth("0.00", kPlotTextSize);
  for (const PlotTick& tick : y.ticks())
    y_labels = std::max(y_labels, TextWidth(tick.label, kPlotTextSize));
  const double left = 14 + y_labels + 8 + (y_label.empty() ? 0 : 22);
  const double last = x.ticks().empty() ? 0 : TextWidth(x.ticks().back().label, kPlotTextSize) / 2;
  const double right = std::max(18.0, last + 8);
  double top = 14;
  if (!title.empty()) {
    canvas.Text({panel.x + left, panel.y + top + 11},
                FitText(title, kPlotTitleSize, panel.width - left - 10),
                {.size = kPlotTitleSize, .bold = true});
    top += 24;
  }
  top +=
      DrawLegend(canvas, legend,
                 {panel.x + left, panel.y + top, panel.width - left - right, 0.3 * panel.height});
  const double bottom = 26 + (x_label.empty() ? 4 : 22);
  const Box area{panel.x + left, panel.y + top, std::max(panel.width - left - right, 10.0),
                 std::max(panel.height - top - bottom, 10.0)};

  for (const PlotTick& tick : y.ticks()) {
    const double at = At(area, x.low(), tick.value).y;
    canvas.Line({area.x, at}, {area.right(), at}, kGridColour, 1);
    canvas.Text({area.x - 8, at + 4.5}, tick.label, {.anchor = TextAnchor::kEnd});
  }
  const size_t stride = LabelStride(x, area.width);
  for (size_t i = 0; i < x.ticks().size(); ++i) {
    const double at = At(area, x.ticks()[i].value, y.low()).x;
    if (x_grid) canvas.Line({at, area.y}, {at, area.bottom()}, kGridColour, 1);
    canvas.Line({at, area.bottom()}, {at, area.bottom() + 4}, kAxisColour, 1);
    if (i % stride == 0)
      canvas.Text({at, area.bottom() + 19}, x.ticks()[i].label, {.anchor = TextAnchor::kMiddle});
  }
  canvas.Line({area.x, area.bottom()}, {area.right(), area.bottom()}, kAxisColour, 1);
  canvas.Line({area.x, area.y}, {area.x, area.bottom()}, kAxisColour, 1);
  if (!x_label.empty()) {
    canvas.Text({area.x + area.width / 2, area.bottom() + 40},
                FitText(x_label, kPlotTextSize, area.width + left),
                {.anchor = TextAnchor::kMiddle});
  }
  if (!y_label.empty()) {
    canvas.Text({panel.x + 20, area.y + area.height / 2},
                FitText(y_label, kPlotTextSize, panel.height - 10),
                {.anchor = TextAnchor::kMiddle, .upwards = true});
  }
  return area;
}

}  // namespace lamina
