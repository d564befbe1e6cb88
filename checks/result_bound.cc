#include "checks/result_bound.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "framework/ops/elementwise.h"

namespace lamina::checks {
namespace {

bool Alike(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

std::vector<double> Values(const DlArray& x) {
  std::vector<double> values;
  for (int64_t i = 0; i < x.numel(); ++i) {
    const std::complex<double> z = x.ComplexAt(i);
    values.push_back(z.real());
    if (IsComplex(x.type())) values.push_back(z.imag());
  }
  return values;
}

ResultBound::ResultBound(const DlArray& y, const DlArray& exact, const DlArrays& moved)
    : y_(Values(y)), moved_(y_.size()) {
  double squares = 0;
  int64_t finite = 0;
  for (double v : y_) {
    if (!std::isfinite(v)) continue;
    squares += v * v;
    ++finite;
  }
  const double rms = finite > 0 ? std::sqrt(squares / static_cast<double>(finite)) : 0;
  const std::vector<double> e = Values(exact);
  std::vector<double> noise;
  for (size_t i = 0; i < y_.size(); ++i) {
    const double scale = (std::isfinite(y_[i]) ? std::abs(y_[i]) : 0) + rms;
    const double relative = scale > 0 ? std::abs(y_[i] - e[i]) / scale : 0;
    if (std::isfinite(relative)) noise.push_back(relative);
    scale_.push_back(scale);
  }
  for (const DlArray& other : moved) {
    const std::vector<double> m = Values(other);
    for (size_t i = 0; i < y_.size(); ++i) {
      if (Alike(m[i], y_[i])) continue;
      const double by = std::abs(m[i] - y_[i]);
      // Where a last digit decides whether there is a number, anything may come.
      moved_[i] =
          std::max(moved_[i], std::isnan(by) ? std::numeric_limits<double>::infinity() : by);
    }
  }
  constexpr double kLeast = 0x1p-22;
  noise_ = kLeast;
  if (!noise.empty()) {
    // Nine of ten are below: a few values may be at a jump of the function.
    const size_t rank = noise.size() * 9 / 10;
    std::nth_element(noise.begin(), noise.begin() + rank, noise.end());
    noise_ = std::max(noise_, noise[rank]);
  }
}

int64_t ResultBound::WorstBeyond(const DlArray& came) const {
  const std::vector<double> v = Values(came);
  int64_t worst = -1;
  double most = 0;
  for (size_t i = 0; i < y_.size(); ++i) {
    if (Alike(v[i], y_[i])) continue;
    const double allowed = this->allowed(static_cast<int64_t>(i)), by = std::abs(v[i] - y_[i]);
    if (by <= allowed) continue;
    // NaN is beyond all.
    const double beyond = std::isnan(by) ? std::numeric_limits<double>::infinity() : by / allowed;
    if (beyond <= most) continue;
    most = beyond;
    worst = static_cast<int64_t>(i);
  }
  return worst;
}

DlArrays InType(const DlArrays& arrays, DataType type) {
  DlArrays out;
  for (const DlArray& x : arrays) {
    const DataType to = IsComplex(x.type()) ? ToComplex(type) : type;
    out.push_back(IsFloating(x.type()) ? Cast(x, to) : x);
  }
  return out;
}

}  // namespace lamina::checks
