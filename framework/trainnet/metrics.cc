#include "framework/trainnet/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] void ThrowSize(std::string_view expected, const DlArray& y, const DlArray& t) {
  throw Error(
      "trainnet:MetricSize", expected,
      absl::StrCat("Outputs are a ", ToString(y.spec()), ", targets a ", ToString(t.spec()), "."),
      "");
}

// Complex numbers have no order.
const DlArray& RequireReal(const DlArray& scores) {
  if (!IsComplex(scores.type())) return scores;
  throw Error("ops:UnsupportedType", "Scores of classes are real: the largest one decides.",
              absl::StrCat("A ", ToString(scores.spec()), " came."),
              "Let the network end with real numbers: ComplexToRealLayer, or Abs.");
}

// The elements with the dims seen as inner x classes x outer: (i, c, o) is the score of class c for
// decision i + inner * o.
struct Scores {
  explicit Scores(const DlArray& x) : values(Double(RequireReal(x)).ToVector<double>()) {
    const int c = FindDim(x, 'C');
    for (int d = 0; d < x.rank(); ++d) (d < c ? inner : d > c ? outer : classes) *= x.size(d);
  }
  double At(int64_t decision, int64_t c) const {
    return values[decision % inner + inner * (c + classes * (decision / inner))];
  }
  int64_t Count() const { return inner * outer; }
  // The class of the largest score, the first of equals; for one channel 0 or 1. NaN is never
  // larger.
  int64_t Decide(int64_t decision) const {
    if (classes == 1) return At(decision, 0) >= 0.5 ? 1 : 0;
    int64_t best = 0;
    for (int64_t c = 1; c < classes; ++c) {
      if (At(decision, c) > At(decision, best) || std::isnan(At(decision, best))) best = c;
    }
    return best;
  }
  // How many classes have a larger score than class c, or the same and a lower number.
  int64_t Rank(int64_t decision, int64_t c) const {
    const double own = At(decision, c);
    int64_t rank = 0;
    for (int64_t k = 0; k < classes; ++k) {
      if (At(decision, k) > own || (At(decision, k) == own && k < c)) ++rank;
    }
    return std::isnan(own) ? classes : rank;
  }

  std::vector<double> values;
  int64_t inner = 1, classes = 1, outer = 1;
};

// The class numbers that the targets say, as many as decisions.
std::vector<int64_t> TargetClasses(const DlArray& y, const DlArray& t, const Scores& scores) {
  if (FindDim(y, 'C') < 0) ThrowSize("Scores have their classes along a dim \"C\".", y, t);
  std::vector<int64_t> classes(scores.Count());
  const int64_t num_classes = std::max<int64_t>(2, scores.classes);
  const bool by_number = IsInteger(t.type()) && Size(t, 'C') == 1;
  bool fits = true;
  for (int d = 0; d < y.rank(); ++d) {
    const char label = y.format()[d];
    if (label == 'S' || label == 'U') continue;  // Several: their product is compared below.
    fits = fits && (Size(t, label) == y.size(d) || (label == 'C' && by_number));
  }
  fits = fits && Size(t, 'S') == Size(y, 'S') && Size(t, 'U') == Size(y, 'U') &&
         t.numel() == (by_number ? scores.Count() : y.numel());
  if (!fits) {
    ThrowSize(
        "Targets are class numbers, one for each observation, or have the sizes of the "
        "outputs.",
        y, t);
  }
  std::optional<Scores> targets;
  if (!by_number) targets.emplace(t);
  for (int64_t i = 0; i < scores.Count(); ++i) {
    classes[i] = by_number ? static_cast<int64_t>(t.At(i)) : targets->Decide(i);
    if (classes[i] >= 0 && classes[i] < num_classes) continue;
    throw Error("trainnet:MetricSize",
                absl::StrCat("Targets are numbers of ", num_classes, " classes, from 0."),
                absl::StrCat(classes[i], " came."), "");
  }
  return classes;
}

}  // namespace

AccuracyMetric::AccuracyMetric(const Options& options) : options_(options) {
  internal::CheckAtLeastOne("top_k", options.top_k);
}

void AccuracyMetric::Update(const DlArray& y, const DlArray& t) {
  const Scores scores(y);
  const std::vector<int64_t> targets = TargetClasses(y, t, scores);
  for (int64_t i = 0; i < scores.Count(); ++i) {
    const bool right = options_.top_k == 1 || scores.classes == 1
                           ? scores.Decide(i) == targets[i]
                           : scores.Rank(i, targets[i]) < options_.top_k;
    right_ += right ? 1 : 0;
  }
  all_ += scores.Count();
}

double AccuracyMetric::Evaluate() const {
  return all_ == 0 ? kNan : static_cast<double>(right_) / static_cast<double>(all_);
}

void RmseMetric::Update(const DlArray& y, const DlArray& t) {
  if (!SameSizes(y.sizes(), t.sizes())) ThrowSize("Targets have the sizes of outputs.", y, t);
  const DlArray difference =
      IsComplex(y.type()) || IsComplex(t.type()) ? Double(Abs(y - t)) : Double(y) - Double(t);
  sum_ += Sum(Square(difference)).Scalar();
  count_ += y.numel();
}

double RmseMetric::Evaluate() const {
  return count_ == 0 ? kNan : std::sqrt(sum_ / static_cast<double>(count_));
}

void internal::ClassMetric::Update(const DlArray& y, const DlArray& t) {
  const Scores scores(y);
  const std::vector<int64_t> targets = TargetClasses(y, t, scores);
  const size_t classes = static_cast<size_t>(std::max<int64_t>(2, scores.classes));
  if (right_.empty()) {
    right_.resize(classes);
    wrong_.resize(classes);
    missed_.resize(classes);
  }
  if (right_.size() != classes) {
    ThrowSize(absl::StrCat("All batches have ",
                           internal::Counted(right_.size(), "class", "classes"), "."),
              y, t);
  }
  for (int64_t i = 0; i < scores.Count(); ++i) {
    const int64_t chosen = scores.Decide(i), target = targets[i];
    if (chosen == target) {
      ++right_[target];
    } else {
      ++wrong_[chosen];
      ++missed_[target];
    }
  }
}

double internal::ClassMetric::Average(
    const std::function<double(double, double, double)>& ratio) const {
  double sum = 0, weights = 0, r = 0, w = 0, m = 0;
  for (size_t c = 0; c < right_.size(); ++c) {
    const double rc = static_cast<double>(right_[c]), wc = static_cast<double>(wrong_[c]),
                 mc = static_cast<double>(missed_[c]);
    r += rc, w += wc, m += mc;
    if (rc + wc + mc == 0) continue;
    const double weight = average_ == MetricAverage::kWeighted ? rc + mc : 1;
    sum += weight * ratio(rc, wc, mc);
    weights += weight;
  }
  if (weights == 0) return kNan;
  return average_ == MetricAverage::kMicro ? ratio(r, w, m) : sum / weights;
}

double PrecisionMetric::Evaluate() const {
  return Average([](double right, double wrong, double) {
    return right + wrong == 0 ? 0 : right / (right + wrong);
  });
}

double RecallMetric::Evaluate() const {
  return Average([](double right, double, double missed) {
    return right + missed == 0 ? 0 : right / (right + missed);
  });
}

FScoreMetric::FScoreMetric(const Options& options)
    : ClassMetric(options.name, options.average), beta_(options.beta) {
  internal::CheckPositive("beta", beta_);
}

double FScoreMetric::Evaluate() const {
  const double b2 = beta_ * beta_;
  return Average([b2](double right, double wrong, double missed) {
    return (1 + b2) * right / ((1 + b2) * right + b2 * missed + wrong);
  });
}

void FunctionMetric::Update(const DlArray& y, const DlArray& t) {
  const double weight = static_cast<double>(Size(y, 'B'));
  sum_ += weight * f_(y, t);
  weight_ += weight;
}

double FunctionMetric::Evaluate() const { return weight_ == 0 ? kNan : sum_ / weight_; }

AnyMetric::AnyMetric(std::string_view name) {
  internal::CheckChoice("metrics", name, {"accuracy", "rmse", "precision", "recall", "fscore"});
  if (name == "accuracy") *this = AccuracyMetric();
  if (name == "rmse") *this = RmseMetric();
  if (name == "precision") *this = PrecisionMetric();
  if (name == "recall") *this = RecallMetric();
  if (name == "fscore") *this = FScoreMetric();
}

void AnyMetric::Update(const DlArrays& y, const DlArrays& t) {
  const size_t i = static_cast<size_t>(output_);
  if (output_ < 0 || i >= y.size() || i >= t.size()) {
    throw Error(
        "trainnet:MetricOutput",
        absl::StrCat("Metric \"", Name(), "\" looks at output and target ", output_ + 1, "."),
        absl::StrCat(internal::Counted(y.size(), "output"), " and ",
                     internal::Counted(t.size(), "target"), " came."),
        "");
  }
  try {
    model_->Update(y[i], t[i]);
  } catch (Error& e) {
    e.AddPlace(absl::StrCat("Metric \"", Name(), "\""));
    throw;
  }
}

}  // namespace lamina
