#include "framework/io/plot_scale.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lamina {
namespace {

// The smallest of 1, 2, 5, 10, 20, 50, ... that divides the range into about `ticks` parts: a third
// more parts are better than an axis of which the data fill only half.
double RoundStep(ValueRange range, int ticks, TickKind kind) {
  const double step = 0.75 * (range.high - range.low) / std::max(ticks, 1);
  if (kind == TickKind::kWhole && step < 1) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double digit : {1.0, 2.0, 5.0}) {
    if (digit * power >= step * (1 - 1e-9)) return digit * power;
  }
  return 10 * power;
}

std::string Superscript(int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "⁻" : "";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

std::vector<PlotTick> LinearTicks(double low, double high, double step) {
  std::vector<PlotTick> ticks;
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  for (double i = first; i <= last && ticks.size() < 100; ++i) {
    ticks.push_back({i * step, NumberLabel(i * step, step)});
  }
  return ticks;
}

// Ticks at powers of ten, or at 1, 2 and 5 times them on a scale of two powers or fewer.
std::vector<PlotTick> LogarithmicTicks(int first, int last, double low, double high, int count) {
  std::vector<PlotTick> ticks;
  const bool fine = high / low < 101;
  const int every = std::max(1, (last - first + count - 1) / std::max(count, 1));
  for (int e = first; e <= last; e += every) {
    const double power = std::pow(10.0, e);
    for (const int digit : {1, 2, 5}) {
      const double value = digit * power;
      if ((digit > 1 && !fine) || value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      const bool plain = e >= -3 && e <= 3 && (fine || (first >= -3 && last <= 3));
      ticks.push_back({value, plain        ? NumberLabel(value, power)
                              : digit == 1 ? absl::StrCat("10", Superscript(e))
                                           : absl::StrCat(digit, "·10", Superscript(e))});
    }
  }
  return ticks;
}

absl::Status CheckRange(ValueRange range) {
  if (!std::isfinite(range.low) || !std::isfinite(range.high) || range.low > range.high ||
      range.high - range.low > 1e300 ||
      std::max(std::abs(range.low), std::abs(range.high)) > 1e300) {
    return absl::InvalidArgumentError(
        absl::StrCat("an axis cannot reach from ", range.low, " to ", range.high));
  }
  return absl::OkStatus();
}

// A range of no width, or so narrow that double cannot count through it, gets one.
ValueRange Widen(ValueRange range) {
  const double size = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > 1e-9 * size && range.high - range.low > 1e-280) return range;
  const double margin = size > 1e-280 ? 0.1 * size : 1;
  return {range.low - margin, range.high + margin};
}

}  // namespace

std::string NumberLabel(double value, double step) {
  if (std::abs(value) < step * 1e-6) return "0";
  const double size = std::max(std::abs(value), std::abs(step));
  if (size >= 1e6 || size < 1e-4) {
    int exponent = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
    const double digits = std::abs(value) / std::pow(10.0, exponent);
    const std::string front = absl::StrFormat("%.3g", digits);
    return absl::StrCat(value < 0 ? "−" : "", front == "1" ? "" : front + "·", "10",
                        Superscript(exponent));
  }
  const int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 8);
  std::string text = absl::StrFormat("%.*f", decimals, value);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

absl::StatusOr<PlotScale> PlotScale::Make(ValueRange range, bool logarithmic, int ticks,
                                          TickKind kind) {
  if (absl::Status s = CheckRange(range); !s.ok()) return s;
  if (logarithmic && range.low <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("a logarithmic axis cannot show ", range.low));
  }
  PlotScale scale;
  scale.logarithmic_ = logarithmic;
  if (!logarithmic) {
    range = Widen(range);
    const double step = RoundStep(range, ticks, kind);
    scale.low_ = std::floor(range.low / step + 1e-9) * step;
    scale.high_ = std::ceil(range.high / step - 1e-9) * step;
    scale.ticks_ = LinearTicks(scale.low_, scale.high_, step);
    return scale;
  }
  if (range.low < 1e-290) range.low = 1e-290;
  range.high = std::max(range.high, range.low);
  int first = static_cast<int>(std::floor(std::log10(range.low) + 1e-9));
  int last = static_cast<int>(std::ceil(std::log10(range.high) - 1e-9));
  if (first >= last) last = first + 1;
  scale.low_ = std::pow(10.0, first);
  scale.high_ = std::pow(10.0, last);
  if (last - first < 3) {
    // Few powers: end at the next of 1, 2 and 5 times a power, so that the curve fills the picture.
    for (const double digit : {2.0, 5.0}) {
      if (digit * std::pow(10.0, first) <= range.low * (1 + 1e-9))
        scale.low_ = digit * std::pow(10.0, first);
    }
    for (const double digit : {5.0, 2.0}) {
      if (digit * std::pow(10.0, last - 1) >= range.high * (1 - 1e-9))
        scale.high_ = digit * std::pow(10.0, last - 1);
    }
    if (scale.low_ >= scale.high_) scale.high_ = scale.low_ * 10;
  }
  scale.ticks_ = LogarithmicTicks(first, last, scale.low_, scale.high_, ticks);
  return scale;
}

absl::StatusOr<PlotScale> PlotScale::MakeExact(ValueRange range, int ticks, TickKind kind) {
  if (absl::Status s = CheckRange(range); !s.ok()) return s;
  range = Widen(range);
  PlotScale scale;
  scale.low_ = range.low;
  scale.high_ = range.high;
  scale.ticks_ = LinearTicks(range.low, range.high, RoundStep(range, ticks, kind));
  return scale;
}

double PlotScale::Position(double value) const {
  if (!logarithmic_) return (value - low_) / (high_ - low_);
  return (std::log10(value) - std::log10(low_)) / (std::log10(high_) - std::log10(low_));
}

}  // namespace lamina
