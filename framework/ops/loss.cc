#include "framework/ops/loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::FormattedInput;

// Predictions and what meets them, checked and labelled.
class Loss {
 public:
  Loss(std::string_view function, const DlArray& y, const LossOptions& options)
      : function_(function), options_(options), input_(function, y, options.format) {
    y_ = internal::ToFloating(input_.x());
  }

  const DlArray& y() const { return y_; }
  const std::string& function() const { return function_; }

  // The targets, with the sizes of the predictions.
  DlArray Targets(const DlArray& t) const {
    const DlArray targets = internal::ToFloating(Meet("targets", t));
    if (AlignSizes(targets.spec(), y_.spec()) != y_.sizes()) {
      throw Error("dlarray:SizeMismatch",
                  absl::StrCat(function_, " expects targets of the sizes of the predictions."),
                  absl::StrCat("Predictions ", ToString(y_.spec()), " and targets ",
                               ToString(t.spec()), " came."),
                  "Check which dims hold classes and observations.");
    }
    return targets;
  }

  DlArray Mask() const { return options_.mask.empty() ? DlArray() : Meet("mask", options_.mask); }

  // The value of the loss, from that of each element.
  DlArray Finish(DlArray elements) const {
    if (!options_.weights.empty()) elements = elements * Weights();
    const DlArray mask = Mask();
    if (!mask.empty()) elements = Where(NotEqual(mask, 0), elements, 0);
    if (!options_.reduce) return input_.Finish(elements);
    DlArray sum = Sum(elements);
    switch (options_.normalization) {
      case LossNormalization::kObservations:
        return sum / Count(Size(y_, 'B') * Size(y_, 'T'));
      case LossNormalization::kBatchSize:
        return sum / Count(Size(y_, 'B'));
      case LossNormalization::kAllElements:
        return sum / Count(y_.numel());
      case LossNormalization::kMaskIncluded:
        if (mask.empty()) return sum / Count(y_.numel());
        return sum / Max(Sum(Cast(NotEqual(mask, 0), sum.type())) *
                             (Count(y_.numel()) / static_cast<double>(mask.numel())),
                         1);
      case LossNormalization::kNone:
        return sum;
    }
    LAMINA_CHECK(false);
    return sum;
  }

  // `a` with labels that fit into those of the predictions, and sizes theirs or 1.
  DlArray Meet(std::string_view what, const DlArray& a) const {
    const DlArray met = input_.Like(a);
    const Format& labels = met.format();
    const bool fits = labels.empty() || Combine(labels, y_.format()) == y_.format();
    if (!fits) {
      throw Error("dlarray:FormatMismatch",
                  absl::StrCat(function_, " expects ", std::string(what),
                               " with labels that the predictions have."),
                  absl::StrCat("Predictions ", ToString(y_.spec()), " and ", std::string(what), " ",
                               ToString(a.spec()), " came."),
                  "Relabel one of them.");
    }
    bool small = true;
    if (labels.empty()) {
      for (int d = y_.rank(); d < met.rank(); ++d) small = small && met.size(d) == 1;
    }
    const Sizes sizes = AlignSizes(met.spec(), y_.spec());
    for (int d = 0; d < y_.rank(); ++d) small = small && (sizes[d] == 1 || sizes[d] == y_.size(d));
    if (!small) {
      throw Error("dlarray:SizeMismatch",
                  absl::StrCat(function_, " expects ", std::string(what),
                               " with the sizes of the predictions, or 1."),
                  absl::StrCat("Predictions ", ToString(y_.spec()), " and ", std::string(what), " ",
                               ToString(a.spec()), " came."),
                  "Check which dims hold classes and observations.");
    }
    return labels.empty() ? Reshape(met, sizes, y_.format().str()) : met;
  }

 private:
  DlArray Weights() const {
    const DlArray& w = options_.weights;
    const int64_t channels = Size(y_, 'C');
    const bool vector = w.format().empty() && w.numel() == channels && w.size(0) == channels;
    return vector && y_.format().Find('C') >= 0 ? Reshape(w, {channels}, "C") : Meet("weights", w);
  }

  double Count(int64_t n) const {
    if (n > 0) return static_cast<double>(n);
    throw Error("ops:EmptyBatch", absl::StrCat(function_, " takes a mean over observations."),
                absl::StrCat("Predictions ", ToString(y_.spec()), " came: there are none."),
                "Leave out empty batches.");
  }

  std::string function_;
  const LossOptions& options_;
  FormattedInput input_;
  DlArray y_;
};

double SmallestNormal(DataType type) {
  return type == DataType::kDouble ? std::numeric_limits<double>::min()
                                   : std::numeric_limits<float>::min();
}

// log(y), of a y below the smallest normal number as of that. NaN stays.
DlArray SafeLog(const DlArray& y) {
  const DlArray least = SmallestNormal(y.type());
  return Log(Where(y < least, least, y));
}

// log(1 - y) likewise. Log1p keeps the digits of a small y; where 1 - y is below the least number
// it gets a 0, since the derivative at 1 would be infinite.
DlArray SafeLogOfRest(const DlArray& y) {
  const DlArray gone = y >= 1;
  return Where(gone, std::log(SmallestNormal(y.type())), Log1p(-Where(gone, 0, y)));
}

// |e|^2.
DlArray SquaredAbs(const DlArray& e) {
  return IsComplex(e.type()) ? Square(Real(e)) + Square(Imag(e)) : Square(e);
}

}  // namespace

DlArray CrossEntropy(const DlArray& y, const DlArray& t, const LossOptions& options) {
  internal::RequireReal("CrossEntropy", y);
  internal::RequireReal("CrossEntropy", t);
  const Loss loss("CrossEntropy", y, options);
  return loss.Finish(-(loss.Targets(t) * SafeLog(loss.y())));
}

DlArray BinaryCrossEntropy(const DlArray& y, const DlArray& t, const LossOptions& options) {
  internal::RequireReal("BinaryCrossEntropy", y);
  internal::RequireReal("BinaryCrossEntropy", t);
  const Loss loss("BinaryCrossEntropy", y, options);
  const DlArray targets = loss.Targets(t);
  return loss.Finish(-(targets * SafeLog(loss.y()) + (1 - targets) * SafeLogOfRest(loss.y())));
}

DlArray IndexCrossEntropy(const DlArray& y, const DlArray& indices, const LossOptions& options) {
  internal::RequireReal("IndexCrossEntropy", y);
  const Loss loss("IndexCrossEntropy", y, options);
  internal::RequireLabel("IndexCrossEntropy", loss.y(), 'C');
  if (!IsInteger(indices.type())) {
    throw Error("ops:UnsupportedType",
                "IndexCrossEntropy expects class numbers of an integer type.",
                absl::StrCat("A ", ToString(indices.spec()), " came."),
                "Cast them to int64; class numbers count from 0.");
  }
  // One index for each place but C.
  Sizes sizes = loss.y().sizes();
  sizes[loss.y().format().Find('C')] = 1;
  DlArray places = indices;
  if (indices.format().empty() && indices.numel() == NumElements(sizes)) {
    places = Reshape(indices, sizes, loss.y().format().str());
  } else {
    places = loss.Meet("class numbers", indices);
    if (AlignSizes(places.spec(), loss.y().spec()) != sizes) {
      throw Error("dlarray:SizeMismatch",
                  "IndexCrossEntropy expects one class number for each prediction.",
                  absl::StrCat("Predictions ", ToString(loss.y().spec()), " and class numbers ",
                               ToString(indices.spec()), " came."),
                  "Give the sizes of the predictions, with 1 (or no dim) for C.");
    }
  }
  const DlArray mask = loss.Mask();
  if (!mask.empty() && Size(mask, 'C') == 1) {
    places = Where(NotEqual(mask, 0), places, Cast(0, places.type()));
  }
  const DlArray t = OneHot(places, Size(loss.y(), 'C'), loss.y().type());
  return loss.Finish(-(t * SafeLog(loss.y())));
}

DlArray Mse(const DlArray& y, const DlArray& t, const LossOptions& options) {
  const Loss loss("Mse", y, options);
  return loss.Finish(0.5 * SquaredAbs(loss.y() - loss.Targets(t)));
}

DlArray L1Loss(const DlArray& y, const DlArray& t, const LossOptions& options) {
  const Loss loss("L1Loss", y, options);
  return loss.Finish(Abs(loss.y() - loss.Targets(t)));
}

DlArray L2Loss(const DlArray& y, const DlArray& t, const LossOptions& options) {
  const Loss loss("L2Loss", y, options);
  return loss.Finish(SquaredAbs(loss.y() - loss.Targets(t)));
}

DlArray Huber(const DlArray& y, const DlArray& t, double transition, const LossOptions& options) {
  internal::RequireReal("Huber", y);
  internal::RequireReal("Huber", t);
  if (!(transition > 0) || !std::isfinite(transition)) {
    throw Error("ops:InvalidTransition", "Huber expects a positive transition point.",
                absl::StrCat(transition, " came."), "");
  }
  const Loss loss("Huber", y, options);
  const DlArray e = loss.y() - loss.Targets(t);
  // With c = e kept within the transition, c (e - c / 2) is both forms at once.
  const DlArray c = Max(Min(e, transition), -transition);
  return loss.Finish(c * (e - 0.5 * c));
}

}  // namespace lamina
