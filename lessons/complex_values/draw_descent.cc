// What a complex derivative is, in numbers and in a picture: one weight w is brought to where
// w x = t, by the derivative and by the derivative without its conjugate.
//
//   bazel run //lessons/complex_values:draw_descent -- FILE.svg
#include <cmath>
#include <complex>
#include <iostream>
#include <numbers>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/io/file.h"
#include "framework/io/svg_plot.h"
#include "framework/lamina.h"

namespace lamina {
namespace {

using Number = std::complex<double>;

const Number kX = std::polar(1.0, 50 * std::numbers::pi / 180), kT = 1, kStart(0.2, -0.2);

// [region loss]
DlArray Loss(const DlArray& w) {
  const DlArray e = w * DlArray(kX) - DlArray(kT);
  return (Real(e) * Real(e) + Imag(e) * Imag(e)) / 2;  // |w x - t|^2 / 2
}
// [endregion]

double LossAt(Number w) { return Loss(DlArray(w)).Scalar(); }

// [region derivatives]
Number Derivative(Number w) {
  return DlFeval([](const DlArray& v) { return DlGradient(Loss(v), v); }, DlArray(w)).ComplexAt(0);
}
Number WithoutConjugate(Number w) { return (w * kX - kT) * kX; }  // right: * std::conj(kX)
// [endregion]

std::string Text(Number z) { return absl::StrFormat("%7.4f %+7.4f i", z.real(), z.imag()); }

Series Circle(Number middle, double radius) {
  Series circle{.dashed = true};
  for (int i = 0; i <= 72; ++i) {
    const Number z = middle + std::polar(radius, i * std::numbers::pi / 36);
    circle.x.push_back(z.real());
    circle.y.push_back(z.imag());
  }
  return circle;
}

Series Descent(const std::string& name, Number (*direction)(Number)) {
  Series path{.name = name, .markers = true};
  Number w = kStart;
  for (int step = 0; step < 24; ++step) {
    path.x.push_back(w.real());
    path.y.push_back(w.imag());
    w -= 0.2 * direction(w);
  }
  std::cout << absl::StrFormat("loss after 24 steps, %-22s %.4f\n", name + ":", LossAt(w));
  return path;
}

int Run(const char* file) {
  const double h = 1e-4;
  const double re = (LossAt(kStart + h) - LossAt(kStart - h)) / (2 * h);
  const double im = (LossAt(kStart + Number(0, h)) - LossAt(kStart - Number(0, h))) / (2 * h);
  std::cout << "w                          " << Text(kStart) << "\n"
            << "dL/dRe + i dL/dIm          " << Text({re, im}) << "    by differences\n"
            << "DlGradient                 " << Text(Derivative(kStart)) << "\n"
            << "without the conjugate      " << Text(WithoutConjugate(kStart)) << "\n\n";
  LineChart chart{.title = "One weight on its way to w x = t",
                  .x = {.label = "real part of w", .low = -2, .high = 3},
                  .y = {.label = "imaginary part of w", .low = -3, .high = 2}};
  const Number goal = kT / kX;
  chart.series = {Descent("DlGradient", Derivative),
                  Descent("without the conjugate", WithoutConjugate)};
  chart.series.push_back(
      {.name = "w x = t", .x = {goal.real()}, .y = {goal.imag()}, .markers = true});
  for (const double radius : {0.5, 1.0, 1.5, 2.0}) chart.series.push_back(Circle(goal, radius));
  const absl::StatusOr<std::string> svg = LineChartSvg({chart}, 1, 520, 520);
  const absl::Status status = svg.ok() ? WriteFileAtomically(file, *svg) : svg.status();
  if (!status.ok()) {
    std::cerr << "draw_descent: " << status << "\n";
    return 1;
  }
  std::cout << "wrote " << file << "\n";
  return 0;
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: draw_descent FILE.svg\n";
    return 2;
  }
  return lamina::Run(argv[1]);
}
