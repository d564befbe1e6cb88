// svg_canvas.h: a white sheet to draw on, which becomes an SVG picture. Lengths are pixels; (0, 0)
// is the top left corner and y grows downwards. Numbers are written with two decimals at most, so
// that the same drawing gives the same bytes on every machine.
//
// Threads: one canvas belongs to one thread at a time.
//
//   SvgCanvas canvas(200, 100, "An example");
//   canvas.Line({10, 90}, {190, 10}, "#0072B2", 2);
//   canvas.Text({100, 20}, "accuracy", {.anchor = TextAnchor::kMiddle});
//   std::string svg = canvas.Svg();
#ifndef FRAMEWORK_IO_SVG_CANVAS_H_
#define FRAMEWORK_IO_SVG_CANVAS_H_

#include <string>
#include <string_view>
#include <vector>

namespace lamina {

struct Point {
  double x = 0;
  double y = 0;
};

/// A rectangle by its left upper corner.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

enum class TextAnchor { kStart, kMiddle, kEnd };

struct TextStyle {
  double size = 13;
  TextAnchor anchor = TextAnchor::kStart;
  bool bold = false;
  bool upwards = false;  // turned by 90 degrees, read from below
  std::string_view colour = "#222222";
};

class SvgCanvas {
 public:
  /// `title` is what a screen reader says of the picture.
  SvgCanvas(double width, double height, std::string_view title);

  void Line(Point from, Point to, std::string_view colour, double width);

  /// A line through the points; `dash` as in SVG ("6 4"), empty for a solid line.
  void Polyline(const std::vector<Point>& points, std::string_view colour, double width,
                std::string_view dash = "");

  void Circle(Point centre, double radius, std::string_view fill);

  /// An empty `fill` or `stroke` leaves it out.
  void Rectangle(const Box& box, std::string_view fill, std::string_view stroke = "");

  /// A small picture of h rows and w columns, stretched over `box`. `colours` are h w colours,
  /// column-major; an empty one lets the sheet shine through.
  void Pixels(const Box& box, int rows, int columns, const std::vector<std::string>& colours);

  /// One line of text; `at` is the start, middle or end of its base line.
  void Text(Point at, std::string_view text, const TextStyle& style = {});

  /// The picture so far, as a file's content.
  std::string Svg() const;

 private:
  double width_;
  double height_;
  std::string title_;
  std::string body_;
};

/// About how wide a text will be. Fonts differ, so leave some room.
double TextWidth(std::string_view text, double size);

/// The text as it is, or its first part and "…" when it is wider than `width`.
std::string FitText(std::string_view text, double size, double width);

}  // namespace lamina

#endif  // FRAMEWORK_IO_SVG_CANVAS_H_
