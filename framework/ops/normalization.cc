#include "framework/ops/normalization.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::FormattedInput;

// Bit d for each dim whose label is in `labels`.
uint32_t MaskOf(const Format& format, std::string_view labels) {
  uint32_t mask = 0;
  for (int d = 0; d < format.rank(); ++d) {
    if (labels.find(format[d]) != std::string_view::npos) mask |= uint32_t{1} << d;
  }
  return mask;
}

// A parameter of one element for each channel as a vector labelled "C", of one as a scalar.
DlArray PerChannel(std::string_view function, std::string_view what, const DlArray& p,
                   const DlArray& x) {
  internal::RequireReal(function, p);
  const int64_t channels = Size(x, 'C');
  if (p.numel() == 1) return Reshape(p, {});
  if (p.numel() == channels && (p.format().empty() || Size(p, 'C') == channels)) {
    return Reshape(p, {channels}, "C");
  }
  throw Error("dlarray:SizeMismatch",
              absl::StrCat(std::string(function), " expects a ", std::string(what), " of ",
                           channels, " elements, one for each channel, or of one."),
              absl::StrCat("A ", ToString(p.spec()), " came, with data ", ToString(x.spec()), "."),
              "Check the number of channels.");
}

// Checks what all have in common and labels the data.
class Normalization {
 public:
  Normalization(std::string_view function, const DlArray& x, const NormOptions& options)
      : function_(function), input_(function, x, options.format) {
    internal::RequireReal(function, x);
    internal::RequireLabel(function, input_.x(), 'C');
    if (!(options.epsilon > 0) || !std::isfinite(options.epsilon)) {
      throw Error("ops:InvalidEpsilon",
                  absl::StrCat(function_, " expects a positive, finite epsilon."),
                  absl::StrCat(options.epsilon, " came."), "Use a small number such as 1e-5.");
    }
    x_ = internal::ToFloating(input_.x());
  }

  const DlArray& x() const { return x_; }
  const Format& format() const { return x_.format(); }

  // scale * y + offset, as the caller gets it.
  DlArray Finish(DlArray y, const DlArray& offset, const DlArray& scale) const {
    if (!scale.empty()) y = y * PerChannel(function_, "scale", scale, x_);
    if (!offset.empty()) y = y + PerChannel(function_, "offset", offset, x_);
    return input_.Finish(y);
  }
  // A statistic of each channel as a vector.
  DlArray Statistic(const DlArray& s) const {
    const DlArray vector = Reshape(s, {Size(x_, 'C')}, "C");
    return input_.Finish(vector);
  }
  DlArray Given(std::string_view what, const DlArray& p) const {
    return PerChannel(function_, what, p, x_);
  }

 private:
  std::string function_;
  FormattedInput input_;
  DlArray x_;
};

}  // namespace

BatchNormResult BatchNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                          const NormOptions& options) {
  const Normalization n("BatchNorm", x, options);
  const internal::Standardized s =
      internal::Standardize(n.x(), MaskOf(n.format(), "SBTU"), options.epsilon);
  return {n.Finish(s.y, offset, scale), n.Statistic(s.mean), n.Statistic(s.variance)};
}

DlArray BatchNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                  const DlArray& mean, const DlArray& variance, const NormOptions& options) {
  const Normalization n("BatchNorm", x, options);
  const DlArray deviation = n.Given("variance", variance) + options.epsilon;
  return n.Finish((n.x() - n.Given("mean", mean)) * Rsqrt(deviation), offset, scale);
}

DlArray LayerNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                  const NormOptions& options, LayerNormDims dims) {
  const Normalization n("LayerNorm", x, options);
  if (dims == LayerNormDims::kAuto) {
    const bool image = n.format().Count('S') > 1 && n.format().Find('T') < 0;
    dims = image ? LayerNormDims::kSpatialChannel : LayerNormDims::kChannelOnly;
  }
  const std::string_view labels = dims == LayerNormDims::kChannelOnly      ? "C"
                                  : dims == LayerNormDims::kSpatialChannel ? "SC"
                                                                           : "SCTU";
  return n.Finish(internal::Standardize(n.x(), MaskOf(n.format(), labels), options.epsilon).y,
                  offset, scale);
}

DlArray GroupNorm(const DlArray& x, int64_t num_groups, const DlArray& offset, const DlArray& scale,
                  const NormOptions& options) {
  const Normalization n("GroupNorm", x, options);
  const int channel_dim = n.format().Find('C');
  const int64_t channels = n.x().size(channel_dim);
  if (num_groups < 1 || channels % num_groups != 0) {
    throw Error("ops:InvalidGroups",
                "GroupNorm expects a number of groups that divides the channels.",
                absl::StrCat(num_groups, " groups of a ", ToString(x.spec()), " came."),
                "Choose a divisor of the number of channels.");
  }
  // C becomes two dims: the channels of a group, and the groups.
  Sizes split = n.x().sizes();
  split[channel_dim] = channels / num_groups;
  split.insert(split.begin() + channel_dim + 1, num_groups);
  uint32_t mask = 0;
  for (int d = 0; d < static_cast<int>(split.size()); ++d) {
    const char label = d <= channel_dim ? n.format()[d] : n.format()[d - 1];
    if (d != channel_dim + 1 && label != 'B') mask |= uint32_t{1} << d;
  }
  const DlArray y = internal::Standardize(Reshape(n.x(), split), mask, options.epsilon).y;
  return n.Finish(Reshape(y, n.x().sizes(), n.format().str()), offset, scale);
}

DlArray InstanceNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                     const NormOptions& options) {
  const Normalization n("InstanceNorm", x, options);
  return n.Finish(internal::Standardize(n.x(), MaskOf(n.format(), "STU"), options.epsilon).y,
                  offset, scale);
}

}  // namespace lamina
