#include "framework/ops/dims.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina {

uint32_t DimSet::Mask(std::string_view function, const ArraySpec& spec) const {
  const int rank = spec.rank();
  if (rank > 32) {
    throw Error("dlarray:DimOutOfRange",
                absl::StrCat(std::string(function), " takes at most 32 dims."),
                absl::StrCat("A ", ToString(spec), " came."), "Reshape it to fewer dims.");
  }
  uint32_t mask = 0;
  switch (kind_) {
    case kAll:
      return rank == 32 ? ~uint32_t{0} : (uint32_t{1} << rank) - 1;
    case kLabels:
      for (int d = 0; d < spec.format.rank(); ++d) {
        if (labels_.find(spec.format[d]) != std::string::npos) mask |= uint32_t{1} << d;
      }
      if (mask == 0) {
        Format::Sorted(labels_);  // A wrong letter is the better reason.
        throw Error("dlarray:LabelNotFound",
                    absl::StrCat(std::string(function), " was asked for the dims labelled \"",
                                 labels_, "\"."),
                    absl::StrCat("A ", ToString(spec), " came."),
                    spec.format.empty() ? "Label the array, or name dims by position."
                                        : "Name a label that the array has.");
      }
      return mask;
    case kPositions:
      for (int d : positions_) {
        if (d < 0 || d >= rank) {
          throw Error(
              "dlarray:DimOutOfRange",
              absl::StrCat(std::string(function), " was asked for dim ", d, "; dims count from 0."),
              absl::StrCat("A ", ToString(spec), " came."),
              absl::StrCat("Name a dim below ", rank, "."));
        }
        mask |= uint32_t{1} << d;
      }
      return mask;
  }
  return mask;
}

int DimSet::Only(std::string_view function, const ArraySpec& spec) const {
  const uint32_t mask = Mask(function, spec);
  if (std::popcount(mask) != 1) {
    throw Error("dlarray:SeveralDims", absl::StrCat(std::string(function), " works along one dim."),
                absl::StrCat(std::popcount(mask), " dims of a ", ToString(spec), " were named."),
                "Name one dim, by position if several have the label.");
  }
  return std::countr_zero(mask);
}

}  // namespace lamina
