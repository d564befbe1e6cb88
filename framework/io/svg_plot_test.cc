#include "framework/io/svg_plot.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

// Tags are balanced, nothing but the known characters is bare, and no number is NaN or infinite.
void ExpectWellFormed(const std::string& svg) {
  std::vector<std::string> open;
  for (size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const size_t end = svg.find('>', at);
    ASSERT_NE(end, std::string::npos);
    ASSERT_GT(svg.find('<', at + 1), end) << "a bare <";
    const std::string tag = svg.substr(at + 1, end - at - 1);
    ASSERT_EQ(Count(tag, "\"") % 2, 0) << tag;
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty());
      ASSERT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(Count(svg, "nan"), 0);
  EXPECT_EQ(Count(svg, "inf"), 0);
  EXPECT_EQ(svg.find("<svg xmlns=\"http://www.w3.org/2000/svg\""), 0u);
}

std::string Svg(const absl::StatusOr<std::string>& svg) {
  EXPECT_TRUE(svg.ok()) << svg.status();
  if (!svg.ok()) return "";
  ExpectWellFormed(*svg);
  return *svg;
}

LineChart Chart() {
  return {.title = "loss & <accuracy>",
          .x = {.label = "epoch"},
          .y = {.label = "loss"},
          .series = {
              {.name = "training", .x = {0, 1, 2, 3}, .y = {4, 3, 2, 1}},
              {.name = "validation", .x = {0, 1}, .y = {0, 4}, .dashed = true, .markers = true}}};
}

TEST(LineChartTest, DrawsSeriesAxesAndLegend) {
  const std::string svg = Svg(LineChartSvg({Chart()}));
  for (const char* text : {">training<", ">validation<", ">epoch<", ">loss<",
                           ">loss &amp; &lt;accuracy&gt;<", ">0<", ">4.0<"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  EXPECT_EQ(Count(svg, "<polyline"), 4) << "two lines and two in the legend";
  EXPECT_EQ(Count(svg, "<circle"), 2) << "the markers";
  EXPECT_EQ(Count(svg, "stroke-dasharray"), 2);
  EXPECT_EQ(svg, Svg(LineChartSvg({Chart()}))) << "the same bytes again";
}

TEST(LineChartTest, PointsAreWhereTheyBelong) {
  // Axes from 0 to 10 whose ends can be found again in the picture: the corners of the diagonal.
  LineChart chart{.series = {{.name = "", .x = {0, 5, 10}, .y = {0, 5, 10}}}};
  const std::string svg = Svg(LineChartSvg({chart}, 1, 300, 200));
  const size_t at = svg.find("points=\"");
  double x[3], y[3];
  ASSERT_EQ(sscanf(svg.c_str() + at, "points=\"%lf,%lf %lf,%lf %lf,%lf\"", x, y, x + 1, y + 1,
                   x + 2, y + 2),
            6);
  EXPECT_LT(x[0], x[2]);
  EXPECT_GT(y[0], y[2]) << "up is up";
  EXPECT_NEAR(x[1], (x[0] + x[2]) / 2, 0.011);
  EXPECT_NEAR(y[1], (y[0] + y[2]) / 2, 0.011);
  EXPECT_GE(x[0], 0);
  EXPECT_LE(x[2], 300);
  EXPECT_GE(y[2], 0);
  EXPECT_LE(y[0], 200);
}

TEST(LineChartTest, InterruptsAndCuts) {
  const double nan = std::nan("");
  LineChart chart{
      .series = {{.name = "", .x = {0, 1, 2, 3, 4, 5, 6}, .y = {1, 2, nan, 3, HUGE_VAL, 2, 1}}}};
  const std::string svg = Svg(LineChartSvg({chart}));
  EXPECT_EQ(Count(svg, "<polyline"), 2) << "two lines";
  EXPECT_EQ(Count(svg, "<circle"), 1) << "and a point alone";
  // A logarithmic axis leaves out what is not positive.
  chart.y.logarithmic = true;
  chart.series[0].y = {1, 0.1, 0.01, 0, -1, 10, 100};
  EXPECT_EQ(Count(Svg(LineChartSvg({chart})), "<polyline"), 2);
  // The line is cut where the axis ends: 10 is far above it.
  LineChart cut{.y = {.low = 0, .high = 1},
                .series = {{.name = "", .x = {0, 1, 2}, .y = {0, 10, 0}}}};
  EXPECT_EQ(Count(Svg(LineChartSvg({cut})), "<polyline"), 2);
}

TEST(LineChartTest, CountsHaveTicksAtWholeNumbers) {
  LineChart chart{.series = {{.name = "", .x = {1, 2, 3}, .y = {0.1, 0.2, 0.3}}}};
  EXPECT_EQ(Count(Svg(LineChartSvg({chart})), ">1.5<"), 0);
  chart.series.push_back({.name = "", .x = {1.25}, .y = {0.1}});
  EXPECT_EQ(Count(Svg(LineChartSvg({chart})), ">1.5<"), 1) << "x does not count";
}

TEST(LineChartTest, PointsWithoutALineHaveADotInTheLegend) {
  const LineChart chart{.series = {{.name = "line", .x = {0, 1}, .y = {0, 1}, .markers = true},
                                   {.name = "points", .x = {0, 1, 2}, .y = {1, std::nan(""), 0}}}};
  const std::string svg = Svg(LineChartSvg({chart}));
  EXPECT_EQ(Count(svg, "<polyline"), 2) << "the line, and the line in the legend";
  EXPECT_EQ(Count(svg, "<circle"), 5) << "two markers, two points, and the dot in the legend";
}

TEST(LineChartTest, SeveralPanels) {
  const std::string svg = Svg(LineChartSvg({Chart(), Chart(), Chart()}, 2, 300, 200));
  EXPECT_NE(svg.find("width=\"600\" height=\"400\""), std::string::npos);
  EXPECT_EQ(Count(svg, ">training<"), 3);
}

TEST(LineChartTest, OddData) {
  // One value, huge and tiny ranges, 40 series, text that is not UTF-8.
  for (const std::vector<double>& y : std::vector<std::vector<double>>{{5, 5},
                                                                       {0, 0},
                                                                       {1e-300, 2e-300},
                                                                       {-1e299, 1e299},
                                                                       {1, 1 + 1e-15},
                                                                       {1e15, 1e15 + 1},
                                                                       {-0.0, 5e-324}}) {
    LineChart chart{.series = {{.name = "\xff", .x = {0, 1}, .y = y}}};
    EXPECT_NE(Svg(LineChartSvg({chart})), "") << y[0];
    chart.y.logarithmic = true;
    if (y[0] > 0) {
      EXPECT_NE(Svg(LineChartSvg({chart})), "") << y[0];
    }
  }
  LineChart many;
  for (int i = 0; i < 40; ++i)
    many.series.push_back({.name = "series " + std::to_string(i), .x = {0, 1}, .y = {0, 1.0 * i}});
  EXPECT_NE(Svg(LineChartSvg({many}, 1, 300, 200)).find(" more<"), std::string::npos)
      << "the legend leaves room";
  many.title = std::string(1000, 'w');
  EXPECT_NE(Svg(LineChartSvg({many}, 1, 100, 100)).find("w…<"), std::string::npos);
}

TEST(LineChartTest, RefusesWhatCannotBeDrawn) {
  const auto error = [](const LineChart& chart, int columns = 1, int width = 640) {
    const auto svg = LineChartSvg({chart}, columns, width);
    EXPECT_EQ(svg.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(svg.status().message());
  };
  LineChart chart = Chart();
  chart.series[1].y.push_back(1);
  EXPECT_NE(error(chart).find("series \"validation\" has 2 values of x, but 3 of y"),
            std::string::npos);
  EXPECT_NE(error({}).find("no point"), std::string::npos);
  EXPECT_NE(error({.series = {{.name = "", .x = {1}, .y = {std::nan("")}}}}).find("no point"),
            std::string::npos);
  chart = Chart();
  chart.y = {.low = 2, .high = 1};
  EXPECT_NE(error(chart).find("axis y"), std::string::npos);
  chart.y = {.logarithmic = true, .low = 0};
  EXPECT_NE(error(chart).find("logarithmic"), std::string::npos);
  chart.y = {.high = HUGE_VAL};
  error(chart);
  chart = {.series = {{.name = "", .x = {0, 1}, .y = {-1.7e308, 1.7e308}}}};
  EXPECT_NE(error(chart).find("cannot reach"), std::string::npos);
  error(Chart(), 0);
  error(Chart(), 1, 1 << 30);
  EXPECT_FALSE(LineChartSvg({}).ok());
}

TEST(HistogramTest, CountsEveryValueOnce) {
  // Four bins over 0 to 4: 0 | 1 1 | | 3 3.9 4, and the greatest value belongs to the last bin.
  Histogram histogram{.title = "h", .values = {0, 1, 1, 3, 3.9, 4, std::nan("")}, .bins = 4};
  const std::string svg = Svg(HistogramSvg(histogram, 300, 200));
  EXPECT_EQ(Count(svg, "<rect"), 1 + 3) << "the sheet and three bars";
  EXPECT_NE(svg.find(">h (1 not finite)<"), std::string::npos);
  // The heights of the bars are as 1 : 2 : 3.
  std::vector<double> heights;
  for (size_t at = svg.find("<rect x="); at != std::string::npos;
       at = svg.find("<rect x=", at + 1)) {
    double x, y, w, h;
    ASSERT_EQ(sscanf(svg.c_str() + at, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &x,
                     &y, &w, &h),
              4);
    heights.push_back(h);
  }
  ASSERT_EQ(heights.size(), 3u);
  EXPECT_NEAR(heights[1] / heights[0], 2, 0.01);
  EXPECT_NEAR(heights[2] / heights[0], 3, 0.01);
}

TEST(HistogramTest, OddAndBadData) {
  EXPECT_NE(Svg(HistogramSvg({.values = {7, 7, 7}})), "");
  EXPECT_FALSE(HistogramSvg({}).ok());
  EXPECT_FALSE(HistogramSvg({.values = {std::nan("")}}).ok());
  EXPECT_FALSE(HistogramSvg({.values = {1}, .bins = 0}).ok());
  EXPECT_FALSE(HistogramSvg({.values = {1}, .bins = 1 << 30}).ok());
  EXPECT_FALSE(HistogramSvg({.values = {1}}, 0, 0).ok());
  EXPECT_FALSE(HistogramSvg({.x = {.label = "", .logarithmic = true}, .values = {1}}).ok());
  EXPECT_FALSE(HistogramSvg({.values = {-1.7e308, 1.7e308}}).ok());
}

TEST(ImageGridTest, DrawsPixelsInTheirGrey) {
  // Column-major: the first column is white above black, the second grey above not finite.
  ImageGrid grid{.title = "pictures",
                 .rows = 2,
                 .columns = 2,
                 .images = {{.values = {0, 16, 8, std::nan("")}, .caption = "7"},
                            {.values = {0, 0, 0, 0}, .caption = "1", .marked = true}},
                 .white = 0,
                 .black = 16};
  const std::string svg = Svg(ImageGridSvg(grid));
  EXPECT_NE(svg.find("<path fill=\"#000000\" d=\"M0 1h1v1h-1z\"/>"), std::string::npos)
      << "black below on the left";
  EXPECT_NE(svg.find("<path fill=\"#808080\" d=\"M1 0h1v1h-1z\"/>"), std::string::npos)
      << "grey above on the right";
  EXPECT_NE(svg.find("<path fill=\"#D55E00\" d=\"M1 1h1v1h-1z\"/>"), std::string::npos)
      << "not finite";
  EXPECT_EQ(Count(svg, "<path"), 3) << "white is left to the sheet";
  EXPECT_NE(svg.find(">7<"), std::string::npos);
  grid.white = 16, grid.black = 0;
  EXPECT_NE(Svg(ImageGridSvg(grid)).find("<path fill=\"#000000\" d=\"M0 0h2v1h-2zM0 1h2v1h-2z\"/>"),
            std::string::npos);
}

TEST(ImageGridTest, RefusesWhatDoesNotFit) {
  const ImageGrid good{.rows = 1, .columns = 2, .images = {{.values = {0, 1}}}};
  EXPECT_NE(Svg(ImageGridSvg(good)), "");
  const auto with = [&](auto change) {
    ImageGrid bad = good;
    change(bad);
    return std::string(ImageGridSvg(bad).status().message());
  };
  EXPECT_NE(
      with([](ImageGrid& g) { g.images[0].values.push_back(1); }).find("image 0 has 3 values"),
      std::string::npos);
  EXPECT_NE(with([](ImageGrid& g) { g.rows = 0; }), "");
  EXPECT_NE(with([](ImageGrid& g) { g.rows = 1 << 30; }), "");
  EXPECT_NE(with([](ImageGrid& g) { g.images.clear(); }), "");
  EXPECT_NE(with([](ImageGrid& g) { g.images_per_line = 0; }), "");
  EXPECT_NE(with([](ImageGrid& g) { g.scale = std::nan(""); }), "");
  EXPECT_NE(with([](ImageGrid& g) { g.black = 0; }), "");
  EXPECT_NE(
      with([](ImageGrid& g) { g.images.resize(kMaxPictureElements, g.images[0]); }).find("pixels"),
      std::string::npos);
}

TEST(HeatMapTest, DrawsCellsNamesAndBar) {
  HeatMap map{.title = "confusion",
              .row_label = "true",
              .column_label = "predicted",
              .value_label = "images",
              .rows = 2,
              .columns = 2,
              .values = {10, 0, 0, 5},
              .row_names = {"cat", "dog"},
              .column_names = {"c", "d"},
              .numbers = true};
  const std::string svg = Svg(HeatMapSvg(map));
  for (const char* text : {">confusion<", ">true<", ">predicted<", ">images<", ">cat<", ">dog<",
                           ">c<", ">d<", ">10<", ">5<"}) {
    EXPECT_NE(svg.find(text), std::string::npos) << text;
  }
  // The cells: the least value is white, the greatest the darkest blue.
  EXPECT_NE(svg.find("<path fill=\"#FFFFFF\" d=\"M1 0h1v1h-1zM0 1h1v1h-1z\"/>"), std::string::npos);
  EXPECT_NE(svg.find("<path fill=\"#002A54\" d=\"M0 0h1v1h-1z\"/>"), std::string::npos);
  map.bar = false;
  const std::string bare = Svg(HeatMapSvg(map));
  EXPECT_EQ(bare.find(">images<"), std::string::npos);
  EXPECT_EQ(Count(svg, "<g ") - Count(bare, "<g "), 1) << "the cells, and no bar";
}

TEST(HeatMapTest, DivergingColoursAreWhiteAtZero) {
  const HeatMap map{.rows = 1, .columns = 4, .values = {-1, 0, 2, std::nan("")}, .diverging = true};
  const std::string svg = Svg(HeatMapSvg(map));
  EXPECT_NE(svg.find("<path fill=\"#FFFFFF\" d=\"M1 0h1v1h-1z\"/>"), std::string::npos) << "zero";
  EXPECT_NE(svg.find("<path fill=\"#0072B2\" d=\"M2 0h1v1h-1z\"/>"), std::string::npos)
      << "2 is as far as it goes";
  EXPECT_NE(svg.find("<path fill=\"#EAAF80\" d=\"M0 0h1v1h-1z\"/>"), std::string::npos)
      << "-1 is half way";
  EXPECT_EQ(svg.find("M3 0"), std::string::npos) << "not finite: no cell";
}

TEST(HeatMapTest, RefusesWhatDoesNotFit) {
  const HeatMap good{.rows = 1, .columns = 2, .values = {0, 0}};
  EXPECT_NE(Svg(HeatMapSvg(good)), "") << "all the same";
  const auto with = [&](auto change) {
    HeatMap bad = good;
    change(bad);
    return std::string(HeatMapSvg(bad).status().message());
  };
  EXPECT_NE(with([](HeatMap& m) { m.rows = 2; }).find("2 values do not fill 2 x 2"),
            std::string::npos);
  EXPECT_NE(with([](HeatMap& m) { m.rows = -1; }), "");
  EXPECT_NE(with([](HeatMap& m) { m.rows = INT64_MAX; }), "");
  EXPECT_NE(with([](HeatMap& m) {
              m.row_names = {"a", "b"};
            }).find("names of rows"),
            std::string::npos);
  EXPECT_NE(with([](HeatMap& m) { m.column_names = {"a"}; }).find("names of columns"),
            std::string::npos);
  EXPECT_NE(with([](HeatMap& m) {
              m.values = {std::nan(""), HUGE_VAL};
            }).find("no finite value"),
            std::string::npos);
  EXPECT_FALSE(HeatMapSvg(good, 0).ok());
}

}  // namespace
}  // namespace lamina
