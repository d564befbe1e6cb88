// Of which sizes the data are.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/check_context.h"
#include "framework/dlarray/counted.h"

namespace lamina::checks {
namespace {

// More elements than this in all inputs, and fewer observations are taken.
constexpr int64_t kMaxElements = int64_t{1} << 21;

int64_t StandIn(char label) {
  switch (label) {
    case 'S':
      return 8;
    case 'C':
      return 3;
    case 'B':
      return 2;
    case 'T':
      return 5;
    default:
      return 4;
  }
}

char LabelOf(const NetworkDataLayout& layout, int dim) {
  return layout.format().empty() ? 'U' : layout.format()[dim];
}

NetworkDataLayout WithSizes(const NetworkDataLayout& layout, const Sizes& sizes) {
  return NetworkDataLayout(sizes, layout.format().str());
}

}  // namespace

CheckContext::CheckContext(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                           const CheckOptions& options, const lamina::internal::LayerMaker& maker)
    : layer_(layer), options_(options), maker_(maker), layouts_(layouts.begin(), layouts.end()) {
  if (static_cast<int>(layouts.size()) != layer->NumInputs()) {
    throw Error(
        "checkLayer:LayoutCount",
        absl::StrCat("CheckLayer takes a layout for each input of ", layer->Type(), ": ",
                     layer->NumInputs(), " (", absl::StrJoin(layer->InputNames(), ", "), ")."),
        absl::StrCat(layouts.size(), " came."), "Give one NetworkDataLayout for each.");
  }
  CheckOptionsOfInputs();
  for (size_t i = 0; i < layouts_.size(); ++i) {
    if (!layouts_[i].has_unknown()) continue;
    const NetworkDataLayout came = layouts_[i];
    Sizes sizes = came.sizes();
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] == kUnknown) sizes[d] = StandIn(LabelOf(came, static_cast<int>(d)));
    }
    layouts_[i] = WithSizes(came, sizes);
    notes_.push_back(absl::StrCat("Input '", layer->InputNames()[i], "' came as ",
                                  lamina::ToString(came), ". CheckLayer took ",
                                  lamina::ToString(layouts_[i]), "."));
  }
  SetObservationDims();
  const std::vector<NetworkDataLayout> several = Layouts(Observations::kSeveral);
  for (size_t i = 0; i < several.size() && has_observations_; ++i) {
    const int dim = observation_dims_[i];
    if (dim < 0 || several[i].sizes()[dim] >= layouts_[i].sizes()[dim]) continue;
    notes_.push_back(absl::StrCat("Input '", layer->InputNames()[i], "' is large: tests with ",
                                  "several observations take ", several[i].sizes()[dim], " of ",
                                  layouts_[i].sizes()[dim], "."));
  }
  for (const ParameterName& p : ParameterNames(layer)) {
    (p.kind == PropertyKind::kState ? has_states_ : has_learnables_) = true;
  }
}

void CheckContext::CheckOptionsOfInputs() const {
  const double low = options_.input_low, high = options_.input_high;
  const std::string range = absl::StrCat("[", low, ", ", high, ") came.");
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    throw Error("checkLayer:InputRange", "input_low is less than input_high, both finite.", range,
                "");
  }
  const std::vector<std::string>& names = layer_->InputNames();
  for (const std::string& name : options_.integer_inputs) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error("checkLayer:NoSuchInput", "integer_inputs names inputs of the layer.",
                  absl::StrCat("\"", name, "\" came."),
                  absl::StrCat("They are ", absl::StrJoin(names, ", "), "."));
    }
    if (std::ceil(low) >= std::ceil(high)) {
      throw Error("checkLayer:InputRange",
                  "A whole number is at least input_low and less than input_high.", range,
                  "Inputs of whole numbers are drawn from these: 0 and 10 give 0 to 9.");
    }
  }
}

void CheckContext::SetObservationDims() {
  const std::vector<int>& given = options_.observation_dimension;
  const size_t n = layouts_.size();
  if (!given.empty() && given.size() != 1 && given.size() != n) {
    throw Error("checkLayer:ObservationDimension",
                "observation_dimension has one dim for each input, or one for all.",
                absl::StrCat(internal::Counted(given.size(), "dim"), " came for ",
                             internal::Counted(n, "input"), "."),
                "");
  }
  for (size_t i = 0; i < n; ++i) {
    const int labelled = layouts_[i].FindDim('B');
    int dim = labelled;
    if (!given.empty()) {
      dim = given[given.size() == 1 ? 0 : i];
      if (dim < 0 || dim >= layouts_[i].rank()) {
        throw Error("checkLayer:ObservationDimension",
                    "observation_dimension is a dim of the layout, counted from 0.",
                    absl::StrCat(dim, " came for ", lamina::ToString(layouts_[i]), "."), "");
      }
      if (labelled >= 0 && labelled != dim) {
        throw Error("checkLayer:ObservationDimension",
                    "observation_dimension is the dim labelled \"B\" where there is one.",
                    absl::StrCat(dim, " came for ", lamina::ToString(layouts_[i]), "."),
                    "Leave observation_dimension out.");
      }
    }
    observation_dims_.push_back(dim);
    has_observations_ = has_observations_ || dim >= 0;
  }
}

std::vector<NetworkDataLayout> CheckContext::WithObservations(int64_t count) const {
  std::vector<NetworkDataLayout> out = layouts_;
  for (size_t i = 0; i < out.size(); ++i) {
    if (observation_dims_[i] < 0) continue;
    Sizes sizes = out[i].sizes();
    sizes[observation_dims_[i]] = count;
    out[i] = WithSizes(out[i], sizes);
  }
  return out;
}

std::vector<NetworkDataLayout> CheckContext::Layouts(Observations observations) const {
  if (observations == Observations::kAsGiven || !has_observations_) return layouts_;
  std::vector<NetworkDataLayout> one = WithObservations(1);
  if (observations == Observations::kOne) return one;
  const int64_t most =
      std::max<int64_t>(2, kMaxElements / std::max<int64_t>(1, NumElementsOf(one)));
  std::vector<NetworkDataLayout> out = layouts_;
  for (size_t i = 0; i < out.size(); ++i) {
    if (observation_dims_[i] < 0) continue;
    Sizes sizes = out[i].sizes();
    int64_t& b = sizes[observation_dims_[i]];
    b = std::min(std::max<int64_t>(b, 2), most);
    out[i] = WithSizes(out[i], sizes);
  }
  return out;
}

std::vector<NetworkDataLayout> CheckContext::Reduced(std::vector<NetworkDataLayout> layouts,
                                                     int64_t size, bool shrink_all) const {
  for (size_t i = 0; i < layouts.size(); ++i) {
    Sizes sizes = layouts[i].sizes();
    for (int d = 0; d < layouts[i].rank(); ++d) {
      const bool observations = d == observation_dims_[i];
      const char label = LabelOf(layouts[i], d);
      const bool shrinks = observations || (shrink_all && (label == 'S' || label == 'T'));
      if (shrinks) sizes[d] = std::min<int64_t>(sizes[d], observations ? 3 : size);
    }
    layouts[i] = WithSizes(layouts[i], sizes);
  }
  return layouts;
}

int64_t NumElementsOf(const std::vector<NetworkDataLayout>& layouts) {
  int64_t n = 0;
  for (const NetworkDataLayout& l : layouts) n += NumElements(l.sizes());
  return n;
}

int64_t NumObservations(const CheckContext& c, const std::vector<NetworkDataLayout>& layouts) {
  for (size_t i = 0; i < layouts.size(); ++i) {
    const int dim = c.observation_dim(static_cast<int>(i));
    if (dim >= 0) return layouts[i].sizes()[dim];
  }
  return 1;
}

}  // namespace lamina::checks
