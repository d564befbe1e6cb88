#ifndef FRAMEWORK_CPU_CONVOLUTION_REFERENCE_H_
#define FRAMEWORK_CPU_CONVOLUTION_REFERENCE_H_

// Convolution written as its formula says, for every number type: slow, and the oracle of the
// tests.
//
// Threads: pure functions.

#include <cstdint>

#include "framework/cpu/convolution.h"

namespace lamina::cpu::reference {

// Calls f(x index, weight index, y index) for every product x * w that is a term of a y.
template <class F>
void ForEachTerm(const ConvolutionShape& s, F f) {
  const int rank = s.spatial_rank;
  const auto size = [rank](const std::array<int64_t, 3>& a, size_t d) {
    return static_cast<int>(d) < rank ? a[d] : 1;
  };
  const int64_t c_group = s.channels_in / s.groups, k_group = s.channels_out / s.groups;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t k = 0; k < s.channels_out; ++k)
      for (int64_t c = 0; c < c_group; ++c)
        for (int64_t oz = 0; oz < size(s.output, 2); ++oz)
          for (int64_t oy = 0; oy < size(s.output, 1); ++oy)
            for (int64_t ox = 0; ox < size(s.output, 0); ++ox)
              for (int64_t kz = 0; kz < size(s.kernel, 2); ++kz)
                for (int64_t ky = 0; ky < size(s.kernel, 1); ++ky)
                  for (int64_t kx = 0; kx < size(s.kernel, 0); ++kx) {
                    const int64_t o[3] = {ox, oy, oz}, t[3] = {kx, ky, kz};
                    int64_t i[3] = {0, 0, 0};
                    bool inside = true;
                    for (size_t d = 0; static_cast<int>(d) < rank; ++d) {
                      i[d] = o[d] * s.stride[d] - s.pad_begin[d] + t[d] * s.dilation[d];
                      inside = inside && i[d] >= 0 && i[d] < s.input[d];
                    }
                    if (!inside) continue;
                    const auto at = [&size](const int64_t(&p)[3], const std::array<int64_t, 3>& n,
                                            int64_t channel) {
                      return ((channel * size(n, 2) + p[2]) * size(n, 1) + p[1]) * size(n, 0) +
                             p[0];
                    };
                    f(at(i, s.input, b * s.channels_in + k / k_group * c_group + c),
                      at(t, s.kernel, k * c_group + c), at(o, s.output, b * s.channels_out + k));
                  }
}

}  // namespace lamina::cpu::reference

#endif  // FRAMEWORK_CPU_CONVOLUTION_REFERENCE_H_
