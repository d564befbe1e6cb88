#include "framework/dlarray/coordinates.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace lamina {

std::string Coordinates(const ArraySpec& spec, int64_t index) {
  std::string out;
  for (int d = 0; d < spec.rank(); ++d) {
    absl::StrAppend(&out, d > 0 ? ", " : "", index % std::max<int64_t>(1, spec.sizes[d]));
    if (!spec.format.empty()) absl::StrAppend(&out, "(", std::string(1, spec.format[d]), ")");
    index /= std::max<int64_t>(1, spec.sizes[d]);
  }
  return out.empty() ? "the scalar" : out;
}

}  // namespace lamina
