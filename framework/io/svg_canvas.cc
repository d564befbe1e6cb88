#include "framework/io/svg_canvas.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/utf8.h"
#include "framework/io/xml.h"

namespace lamina {
namespace {

// At most two decimals and no trailing zeros. What is not finite would make the whole picture
// invalid.
std::string Number(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = absl::StrFormat("%.2f", std::clamp(value, -1e6, 1e6));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string Attribute(const char* name, double value) {
  return absl::StrCat(" ", name, "=\"", Number(value), "\"");
}

std::string Attribute(const char* name, std::string_view value) {
  return absl::StrCat(" ", name, "=\"", XmlEscape(value), "\"");
}

}  // namespace

SvgCanvas::SvgCanvas(double width, double height, std::string_view title)
    : width_(width), height_(height), title_(title) {}

void SvgCanvas::Line(Point from, Point to, std::string_view colour, double width) {
  absl::StrAppend(&body_, "<line", Attribute("x1", from.x), Attribute("y1", from.y));
  absl::StrAppend(&body_, Attribute("x2", to.x), Attribute("y2", to.y));
  absl::StrAppend(&body_, Attribute("stroke", colour), Attribute("stroke-width", width), "/>\n");
}

void SvgCanvas::Polyline(const std::vector<Point>& points, std::string_view colour, double width,
                         std::string_view dash) {
  absl::StrAppend(&body_,
                  "<polyline fill=\"none\" stroke-linejoin=\"round\" stroke-linecap=\"round\"");
  absl::StrAppend(&body_, Attribute("stroke", colour), Attribute("stroke-width", width));
  if (!dash.empty()) body_ += Attribute("stroke-dasharray", dash);
  body_ += " points=\"";
  for (size_t i = 0; i < points.size(); ++i) {
    absl::StrAppend(&body_, i == 0 ? "" : " ", Number(points[i].x), ",", Number(points[i].y));
  }
  body_ += "\"/>\n";
}

void SvgCanvas::Circle(Point centre, double radius, std::string_view fill) {
  absl::StrAppend(&body_, "<circle", Attribute("cx", centre.x), Attribute("cy", centre.y));
  absl::StrAppend(&body_, Attribute("r", radius), Attribute("fill", fill), "/>\n");
}

void SvgCanvas::Rectangle(const Box& box, std::string_view fill, std::string_view stroke) {
  absl::StrAppend(&body_, "<rect", Attribute("x", box.x), Attribute("y", box.y));
  absl::StrAppend(&body_, Attribute("width", box.width), Attribute("height", box.height));
  body_ += Attribute("fill", fill.empty() ? "none" : fill);
  if (!stroke.empty()) body_ += Attribute("stroke", stroke);
  body_ += "/>\n";
}

void SvgCanvas::Pixels(const Box& box, int rows, int columns,
                       const std::vector<std::string>& colours) {
  // One path for each colour, and one piece of it for each run of equal pixels in a row.
  std::map<std::string, std::string> paths;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns;) {
      const std::string& colour = colours[r + rows * c];
      const int begin = c;
      while (c < columns && colours[r + rows * c] == colour) ++c;
      if (!colour.empty()) {
        absl::StrAppend(&paths[colour], "M", begin, " ", r, "h", c - begin, "v1h", begin - c, "z");
      }
    }
  }
  // Scales may be small fractions of a pixel, so they get more decimals.
  absl::StrAppend(
      &body_, "<g shape-rendering=\"crispEdges\" transform=\"translate(", Number(box.x), " ",
      Number(box.y),
      absl::StrFormat(") scale(%.6g %.6g)\">\n", box.width / columns, box.height / rows));
  for (const auto& [colour, path] : paths) {
    absl::StrAppend(&body_, "<path", Attribute("fill", colour), Attribute("d", path), "/>\n");
  }
  body_ += "</g>\n";
}

void SvgCanvas::Text(Point at, std::string_view text, const TextStyle& style) {
  absl::StrAppend(&body_, "<text", Attribute("x", at.x), Attribute("y", at.y),
                  Attribute("font-size", style.size));
  body_ += Attribute("fill", style.colour);
  if (style.anchor == TextAnchor::kMiddle) body_ += " text-anchor=\"middle\"";
  if (style.anchor == TextAnchor::kEnd) body_ += " text-anchor=\"end\"";
  if (style.bold) body_ += " font-weight=\"bold\"";
  if (style.upwards)
    absl::StrAppend(&body_, " transform=\"rotate(-90 ", Number(at.x), " ", Number(at.y), ")\"");
  absl::StrAppend(&body_, ">", XmlEscape(text), "</text>\n");
}

std::string SvgCanvas::Svg() const {
  const std::string title = XmlEscape(title_);
  return absl::StrCat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", Number(width_), "\" height=\"",
      Number(height_), "\" viewBox=\"0 0 ", Number(width_), " ", Number(height_),
      "\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" role=\"img\">\n<title>",
      title, "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#FFFFFF\"/>\n", body_,
      "</svg>\n");
}

double TextWidth(std::string_view text, double size) {
  // The average letter of a sans-serif font is a bit more than half as wide as its size.
  const auto characters =
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return 0.57 * size * static_cast<double>(characters);
}

std::string FitText(std::string_view text, double size, double width) {
  if (TextWidth(text, size) <= width) return std::string(text);
  std::string fit;
  while (!text.empty()) {
    const size_t next = std::max<size_t>(Utf8CharacterSize(text), 1);
    if (TextWidth(fit, size) + 2 * TextWidth("x", size) > width) break;
    fit += text.substr(0, next);
    text.remove_prefix(next);
  }
  return fit + "…";
}

}  // namespace lamina
