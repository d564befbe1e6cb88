#include "framework/layers/utility_layers.h"

#include "absl/strings/str_cat.h"
#include "framework/layers/settings.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina {

DropoutLayer::DropoutLayer(double p) {
  internal::RequireInterval("DropoutLayer", "Probability", p, 0, 1);
  probability = p;
  SetDescription(absl::StrCat(100 * p, "% dropout"));
}

DlArray DropoutLayer::Forward(const DlArray& x) const {
  if (probability == 0.0) return x;
  // Of a complex number both parts are dropped, or none.
  return Where(RandLike(Real(x)) >= probability, x / (1 - probability), 0);
}

DlArray FlattenLayer::Predict(const DlArray& x) const {
  if (x.format().Count('U') > 0)
    internal::WrongFormat("FlattenLayer", "data without U dims", x.spec());
  // S and C come first, so the elements stay where they are.
  int64_t features = 1;
  Sizes sizes = {0};
  std::string labels = "C";
  for (int d = 0; d < x.rank(); ++d) {
    if (x.format()[d] == 'S' || x.format()[d] == 'C') {
      features *= x.size(d);
    } else {
      sizes.push_back(x.size(d));
      labels += x.format()[d];
    }
  }
  sizes[0] = features;
  return Reshape(x, sizes, labels);
}

}  // namespace lamina
