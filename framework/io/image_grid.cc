#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/plot_frame.h"
#include "framework/io/svg_plot.h"

namespace lamina {
namespace {

constexpr double kMargin = 16;
constexpr double kGap = 10;
constexpr double kCaptionHeight = 18;
constexpr int kMaxSide = 4096;

absl::Status CheckGrid(const ImageGrid& grid) {
  const auto bad = [&](const auto&... why) {
    return absl::InvalidArgumentError(absl::StrCat("image grid \"", grid.title, "\": ", why...));
  };
  if (grid.rows < 1 || grid.columns < 1 || grid.rows > kMaxSide || grid.columns > kMaxSide) {
    return bad("images have 1 to ", kMaxSide, " rows and columns, not ", grid.rows, " and ",
               grid.columns);
  }
  if (grid.images.empty() || grid.images_per_line < 1)
    return bad("it has no images, or none in a line");
  if (!(grid.scale >= 0.1 && grid.scale <= 100)) return bad("its scale is not between 0.1 and 100");
  if (!std::isfinite(grid.white) || !std::isfinite(grid.black) || grid.white == grid.black) {
    return bad("white and black must be two different finite values");
  }
  const int64_t pixels = int64_t{grid.rows} * grid.columns;
  if (pixels * static_cast<int64_t>(std::min<size_t>(grid.images.size(), kMaxPictureElements)) >
      kMaxPictureElements) {
    return bad("it has more than ", kMaxPictureElements, " pixels");
  }
  for (size_t i = 0; i < grid.images.size(); ++i) {
    if (static_cast<int64_t>(grid.images[i].values.size()) != pixels) {
      return bad("image ", i, " has ", grid.images[i].values.size(), " values, not ", grid.rows,
                 " x ", grid.columns);
    }
  }
  return absl::OkStatus();
}

std::vector<std::string> Greys(const ImageGrid& grid, const GridImage& image) {
  std::vector<std::string> colours;
  for (const double value : image.values) {
    if (!std::isfinite(value)) {
      colours.push_back(kPlotWarningColour);
      continue;
    }
    const double darkness = std::clamp((value - grid.white) / (grid.black - grid.white), 0.0, 1.0);
    const int grey = static_cast<int>(std::lround(255 * (1 - darkness)));
    // White pixels are left to the sheet.
    colours.push_back(grey == 255 ? "" : absl::StrFormat("#%02X%02X%02X", grey, grey, grey));
  }
  return colours;
}

}  // namespace

absl::StatusOr<std::string> ImageGridSvg(const ImageGrid& grid) {
  if (absl::Status s = CheckGrid(grid); !s.ok()) return s;
  const int count = static_cast<int>(grid.images.size());
  const int across = std::min(grid.images_per_line, count);
  const int lines = (count + across - 1) / across;
  const bool captions = std::any_of(grid.images.begin(), grid.images.end(),
                                    [](const GridImage& image) { return !image.caption.empty(); });
  const double width = grid.columns * grid.scale;
  const double height = grid.rows * grid.scale;
  const double line_height = height + kGap + (captions ? kCaptionHeight : 0);
  const double top = kMargin + (grid.title.empty() ? 0 : 26);
  const double title_width = TextWidth(grid.title, kPlotTitleSize);
  const double total_width =
      std::max(across * (width + kGap) - kGap, std::min(title_width, 600.0)) + 2 * kMargin;
  SvgCanvas canvas(total_width, top + lines * line_height - kGap + kMargin, grid.title);
  if (!grid.title.empty()) {
    canvas.Text({kMargin, kMargin + 12},
                FitText(grid.title, kPlotTitleSize, total_width - 2 * kMargin),
                {.size = kPlotTitleSize, .bold = true});
  }
  for (int i = 0; i < count; ++i) {
    const GridImage& image = grid.images[i];
    const Box box{kMargin + (i % across) * (width + kGap), top + (i / across) * line_height, width,
                  height};
    canvas.Pixels(box, grid.rows, grid.columns, Greys(grid, image));
    canvas.Rectangle({box.x - 1, box.y - 1, box.width + 2, box.height + 2}, "",
                     image.marked ? kPlotWarningColour : "#BBBBBB");
    if (!image.caption.empty()) {
      canvas.Text({box.x + width / 2, box.bottom() + 16},
                  FitText(image.caption, kPlotTextSize, width + kGap),
                  {.anchor = TextAnchor::kMiddle,
                   .bold = image.marked,
                   .colour = image.marked ? kPlotWarningColour : kPlotTextColour});
    }
  }
  return canvas.Svg();
}

}  // namespace lamina
