#include "framework/layers/initializers.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

constexpr std::string_view kNames[] = {"glorot", "he",   "orthogonal",      "narrow-normal",
                                       "zeros",  "ones", "unit-forget-gate"};

}  // namespace

DlArray GlorotUniform(const Sizes& sizes, int64_t fan_in, int64_t fan_out) {
  // A uniform number in [-a, a] has variance a^2 / 3.
  const double a = std::sqrt(6.0 / static_cast<double>(std::max<int64_t>(fan_in + fan_out, 1)));
  return (Rand(sizes) - 0.5) * (2 * a);
}

DlArray HeNormal(const Sizes& sizes, int64_t fan_in) {
  return Randn(sizes) * std::sqrt(2.0 / static_cast<double>(std::max<int64_t>(fan_in, 1)));
}

DlArray Orthogonal(const Sizes& sizes) {
  const int64_t count = NumElements(sizes);
  if (count == 0) return Zeros(sizes);
  const int64_t rows = sizes.empty() ? 1 : sizes[0], columns = count / rows;
  const bool wide = columns > rows;
  const int64_t m = std::max(rows, columns), n = std::min(rows, columns);
  const DlArray normal = Randn({m, n}, DataType::kDouble);
  const Eigen::MatrixXd a = Eigen::Map<const Eigen::MatrixXd>(normal.Data<double>(), m, n);
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(a);
  Eigen::MatrixXd q = qr.householderQ() * Eigen::MatrixXd::Identity(m, n);
  for (int64_t i = 0; i < n; ++i) {
    if (qr.matrixQR()(i, i) < 0) q.col(i) = -q.col(i);
  }
  const Eigen::MatrixXf out = (wide ? Eigen::MatrixXd(q.transpose()) : q).cast<float>();
  return DlArray::FromSpan(std::span<const float>(out.data(), static_cast<size_t>(count)), sizes);
}

DlArray NarrowNormal(const Sizes& sizes) { return Randn(sizes) * 0.01; }

DlArray UnitForgetGate(int64_t num_hidden_units) {
  return Cat(0, {Zeros({num_hidden_units, 1}), Ones({num_hidden_units, 1}),
                 Zeros({2 * num_hidden_units, 1})});
}

void CheckInitializer(std::string_view name) {
  if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) return;
  throw Error("layer:InvalidInitializer",
              "An initializer is \"glorot\", \"he\", \"orthogonal\", \"narrow-normal\", \"zeros\", "
              "\"ones\" or \"unit-forget-gate\".",
              absl::StrCat("\"", std::string(name), "\" came."),
              "Use one of these, or set the parameter itself before the network is initialized.");
}

DlArray InitialValue(std::string_view name, const Sizes& sizes, Fans fans) {
  CheckInitializer(name);
  if (name == "glorot") return GlorotUniform(sizes, fans.in, fans.out);
  if (name == "he") return HeNormal(sizes, fans.in);
  if (name == "orthogonal") return Orthogonal(sizes);
  if (name == "narrow-normal") return NarrowNormal(sizes);
  if (name == "zeros") return Zeros(sizes);
  if (name == "ones") return Ones(sizes);
  const int64_t rows = sizes.empty() ? 1 : sizes[0];
  if (rows % 4 != 0 || NumElements(sizes) != rows) {
    throw Error("layer:InvalidInitializer",
                "\"unit-forget-gate\" is for the bias of an LSTM, four gates in one column.",
                absl::StrCat("A parameter of sizes ", ToString(sizes), " came."),
                "Use \"zeros\" here.");
  }
  return UnitForgetGate(rows / 4);
}

}  // namespace lamina
