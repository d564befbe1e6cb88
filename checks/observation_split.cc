#include "checks/observation_split.h"

#include "framework/ops/shape.h"

namespace lamina::checks {

Split SplitObservations(const DlArray& y, int dim) {
  Split out;
  const std::vector<double> all = Components(y);
  int64_t stride = IsComplex(y.type()) ? 2 : 1;
  for (int d = 0; d < dim; ++d) stride *= y.size(d);
  const int64_t count = y.size(dim);
  for (size_t i = 0; i < all.size(); ++i) {
    const int64_t b = static_cast<int64_t>(i) / stride % count;
    (b == 0 ? out.first : out.others).push_back(all[i]);
  }
  return out;
}

DlArrays WithFirstObservation(const CheckContext& c, Arrays inputs, Arrays other) {
  DlArrays out;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int dim = c.observation_dim(static_cast<int>(i));
    const DlArray& x = inputs[i];
    if (dim < 0) {
      out.push_back(x);
    } else if (x.size(dim) == 1) {
      out.push_back(other[i]);
    } else {
      out.push_back(Cat(dim, {Slice(other[i], dim, 0, 1), Slice(x, dim, 1, x.size(dim) - 1)}));
    }
  }
  return out;
}

int ObservationDimOf(const CheckContext& c, const DlArray& output, int64_t observations) {
  int dim = output.format().empty() ? -1 : FindDim(output, 'B');
  for (size_t i = 0; output.format().empty() && dim < 0 && i < c.given().size(); ++i) {
    dim = c.observation_dim(static_cast<int>(i));
  }
  return dim >= 0 && output.size(dim) == observations ? dim : -1;
}

}  // namespace lamina::checks
