// The kernels of Winograd's algorithm. Compiled for AVX2 and AVX-512, with LAMINA_ISA set to their
// names; isa_namespace.h tells what such a unit must keep to.
//
// Transforms work on eight tiles at a time, in vectors of eight, which AVX-512 has too: they move
// numbers more than they compute, and half of their work is shuffling. Products use the widest
// vectors.
#include "framework/cpu/convolution_winograd_kernels.h"

#include <immintrin.h>

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

#ifdef __AVX512F__
constexpr int kLanes = 16, kOutputs = 8;  // at most 24 sums, 3 inputs and a factor in 32 registers
#else
constexpr int kLanes = 8, kOutputs = 4;  // at most 12 sums, 3 inputs and a factor in 16 registers
#endif
constexpr int kVectors = 3;  // of channels, in the gradient of the filters
constexpr int64_t kTiles = kWinogradTiles;

typedef float Wide __attribute__((vector_size(kLanes * sizeof(float))));
typedef float Eight __attribute__((vector_size(32)));
typedef float Four __attribute__((vector_size(16)));

// The points of interpolation.
constexpr float kA = 0.625F, kB = 1.5F;
constexpr float kA2 = kA * kA, kB2 = kB * kB, kProduct = kA2 * kB2, kSum = kA2 + kB2;
constexpr float kOfA = 2 * kA2 * (kA2 - kB2), kOfB = 2 * kB2 * (kB2 - kA2);
constexpr float kG[6][3] = {{1 / kProduct, 0, 0},
                            {1 / kOfA, kA / kOfA, kA2 / kOfA},
                            {1 / kOfA, -kA / kOfA, kA2 / kOfA},
                            {1 / kOfB, kB / kOfB, kB2 / kOfB},
                            {1 / kOfB, -kB / kOfB, kB2 / kOfB},
                            {0, 0, 1}};

int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t Most(int64_t a, int64_t b) { return a > b ? a : b; }

Eight LoadEight(const float* p) { return (Eight)_mm256_loadu_ps(p); }
void StoreEight(float* p, Eight x) { _mm256_storeu_ps(p, (__m256)x); }

// B' d.
void Input(const Eight* d, Eight* r) {
  const Eight a = d[4] - d[2] * kB2, of_a = (d[3] - d[1] * kB2) * kA;
  const Eight b = d[4] - d[2] * kA2, of_b = (d[3] - d[1] * kA2) * kB;
  r[0] = d[0] * kProduct - d[2] * kSum + d[4];
  r[1] = a + of_a;
  r[2] = a - of_a;
  r[3] = b + of_b;
  r[4] = b - of_b;
  r[5] = d[1] * kProduct - d[3] * kSum + d[5];
}

// A' m.
void Output(const Eight* m, Eight* y) {
  const Eight a = m[1] + m[2], of_a = m[1] - m[2], b = m[3] + m[4], of_b = m[3] - m[4];
  y[0] = m[0] + a + b;
  y[1] = of_a * kA + of_b * kB;
  y[2] = a * kA2 + b * kB2;
  y[3] = of_a * (kA * kA2) + of_b * (kB * kB2) + m[5];
}

// A y.
void Gradient(const Eight* y, Eight* m) {
  const Eight a = y[0] + y[2] * kA2, of_a = y[1] * kA + y[3] * (kA * kA2);
  const Eight b = y[0] + y[2] * kB2, of_b = y[1] * kB + y[3] * (kB * kB2);
  m[0] = y[0];
  m[1] = a + of_a;
  m[2] = a - of_a;
  m[3] = b + of_b;
  m[4] = b - of_b;
  m[5] = y[3];
}

Eight Low(Eight a, Eight b) { return (Eight)_mm256_unpacklo_ps((__m256)a, (__m256)b); }
Eight High(Eight a, Eight b) { return (Eight)_mm256_unpackhi_ps((__m256)a, (__m256)b); }
Eight LowPairs(Eight a, Eight b) { return (Eight)_mm256_shuffle_ps((__m256)a, (__m256)b, 0x44); }
Eight HighPairs(Eight a, Eight b) { return (Eight)_mm256_shuffle_ps((__m256)a, (__m256)b, 0xEE); }

// Four numbers at p for the lower lanes, and at q for the upper ones.
Eight Pair(const float* p, const float* q) {
  return (Eight)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
}

// Of eight tiles: vector i has number i of each, for four numbers.
void TransposeFour(const Eight* rows, Eight* columns) {
  const Eight a = Low(rows[0], rows[1]), b = Low(rows[2], rows[3]);
  const Eight c = High(rows[0], rows[1]), d = High(rows[2], rows[3]);
  columns[0] = LowPairs(a, b);
  columns[1] = HighPairs(a, b);
  columns[2] = LowPairs(c, d);
  columns[3] = HighPairs(c, d);
}

// Tiles of a part in one row of tiles.
struct Run {
  int64_t image, row, column, count;
  int64_t strip;  // where its pixels are in the strips
};
struct Runs {
  Run runs[kTiles];
  int64_t count = 0;
  int64_t strip = 0;              // how long the strips are
  int64_t strip_of_tile[kTiles];  // where a tile's pixels are; of tiles that are not there: 0
};

// `wider`: how many pixels a tile sees beyond its own four.
void FindRuns(const WinogradPart& part, int64_t wider, Runs* runs) {
  const int64_t of_image = part.rows * part.columns;
  for (int64_t t = 0; t < part.count;) {
    const int64_t tile = part.first + t, in_image = tile % of_image;
    Run run{tile / of_image, in_image / part.columns, in_image % part.columns, 0, runs->strip};
    run.count = Least(part.columns - run.column, part.count - t);
    for (int64_t i = 0; i < run.count; ++i) runs->strip_of_tile[t + i] = run.strip + 4 * i;
    runs->strip += (4 * run.count + wider + 7) / 8 * 8;
    runs->runs[runs->count++] = run;
    t += run.count;
  }
  for (int64_t t = part.count; t < kTiles; ++t) runs->strip_of_tile[t] = 0;
}

int64_t Groups(const WinogradPart& part) { return (part.count + 7) / 8; }

// All bits set in lanes from `begin` to `end`.
__m256i LanesFrom(int64_t begin, int64_t end) {
  static constexpr int kMask[24] = {0,  0,  0,  0,  0, 0, 0, 0, -1, -1, -1, -1,
                                    -1, -1, -1, -1, 0, 0, 0, 0, 0,  0,  0,  0};
  const int64_t from = Least(8, Most(0, begin)), to = Least(8, Most(0, end));
  const auto at = [](int64_t i) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kMask + i));
  };
  return _mm256_and_si256(at(8 - from), at(16 - to));
}

// kRows rows of pixels under a row of tiles, transformed along the columns to six rows.
template <int kRows>
void TransformColumns(const WinogradImages& images, const Run& run, int64_t width, int64_t channel,
                      float* strips) {
  const int64_t x = 4 * run.column - images.left, y = 4 * run.row - images.top;
  const int64_t plane = images.width * images.height;
  const float* pixels =
      images.data + (run.image * images.channels + channel) * plane + y * images.width + x;
  // The same rows of the channel after the next: they lie too far away for the processor to guess.
  const int64_t shown = Least(width, images.width - x);
  for (int64_t i = 0; i < kRows; ++i) {
    if (y + i < 0 || y + i >= images.height) continue;
    for (int64_t q = x < 0 ? -x : 0; q < shown; q += 16) {
      __builtin_prefetch(pixels + 2 * plane + i * images.width + q);
    }
  }
  const bool all_rows = y >= 0 && y + kRows <= images.height;
  for (int64_t q = 0; q < width; q += 8) {
    Eight d[kRows], r[6];
    if (all_rows && x + q >= 0 && x + q + 8 <= images.width) {
      for (int64_t i = 0; i < kRows; ++i) d[i] = LoadEight(pixels + i * images.width + q);
    } else {
      const __m256i inside = LanesFrom(-(x + q), images.width - (x + q));
      for (int64_t i = 0; i < kRows; ++i) {
        d[i] = y + i >= 0 && y + i < images.height
                   ? (Eight)_mm256_maskload_ps(pixels + i * images.width + q, inside)
                   : Eight{};
      }
    }
    if constexpr (kRows == 6) {
      Input(d, r);
    } else {
      Gradient(d, r);
    }
    for (int64_t i = 0; i < 6; ++i) StoreEight(strips + i * kWinogradStrip + run.strip + q, r[i]);
  }
}

void TransformInputs(const WinogradPart& part, const WinogradImages& images, float* strips,
                     float* to) {
  Runs runs;
  FindRuns(part, 2, &runs);
  const int64_t page = WinogradPage(images.channels);
  for (int64_t c = 0; c < images.channels; ++c) {
    for (int64_t k = 0; k < runs.count; ++k) {
      TransformColumns<6>(images, runs.runs[k], 4 * runs.runs[k].count + 2, c, strips);
    }
    for (int64_t g = 0; g < Groups(part); ++g) {
      const int64_t* const at = runs.strip_of_tile + 8 * g;
      for (int64_t i = 0; i < 6; ++i) {
        const float* const strip = strips + i * kWinogradStrip;
        Eight rows[4], more[4], d[6], r[6];
        for (int64_t l = 0; l < 4; ++l) {
          rows[l] = Pair(strip + at[l], strip + at[l + 4]);
          more[l] = Pair(strip + at[l] + 4, strip + at[l + 4] + 4);
        }
        TransposeFour(rows, d);
        const Eight a = Low(more[0], more[1]), b = Low(more[2], more[3]);
        d[4] = LowPairs(a, b);
        d[5] = HighPairs(a, b);
        Input(d, r);
        for (int64_t j = 0; j < 6; ++j) {
          StoreEight(to + (6 * i + j) * page + c * kTiles + 8 * g, r[j]);
        }
      }
    }
  }
}

void TransformGradients(const WinogradPart& part, const WinogradImages& images, float* strips,
                        float* to) {
  Runs runs;
  FindRuns(part, 0, &runs);
  // Tiles that are not there.
  for (int64_t i = 0; i < 6; ++i) {
    StoreEight(strips + i * kWinogradStrip + runs.strip, Eight{});
  }
  for (int64_t t = part.count; t < kTiles; ++t) runs.strip_of_tile[t] = runs.strip;
  const int64_t page = WinogradPage(images.channels);
  for (int64_t c = 0; c < images.channels; ++c) {
    for (int64_t k = 0; k < runs.count; ++k) {
      TransformColumns<4>(images, runs.runs[k], 4 * runs.runs[k].count, c, strips);
    }
    for (int64_t g = 0; g < Groups(part); ++g) {
      const int64_t* const at = runs.strip_of_tile + 8 * g;
      for (int64_t i = 0; i < 6; ++i) {
        const float* const strip = strips + i * kWinogradStrip;
        Eight rows[4], y[4], m[6];
        for (int64_t l = 0; l < 4; ++l) rows[l] = Pair(strip + at[l], strip + at[l + 4]);
        TransposeFour(rows, y);
        Gradient(y, m);
        for (int64_t j = 0; j < 6; ++j) {
          StoreEight(to + (6 * i + j) * page + c * kTiles + 8 * g, m[j]);
        }
      }
    }
  }
}

// What is stored of four pixels of a tile's row.
void StorePixels(float* to, Four pixels, int64_t count) {
  if (count >= 4) {
    _mm_storeu_ps(to, (__m128)pixels);
    return;
  }
  for (int64_t j = 0; j < count; ++j) to[j] = pixels[j];
}

void TransformOutputs(const WinogradPart& part, const float* products, const float* bias,
                      const WinogradImages& images) {
  Runs runs;
  FindRuns(part, 0, &runs);
  const int64_t plane = images.width * images.height, of_image = images.channels * plane;
  float* first_pixel[kTiles];
  int64_t widths[kTiles], heights[kTiles];
  for (int64_t k = 0, t = 0; k < runs.count; ++k) {
    const Run& run = runs.runs[k];
    for (int64_t i = 0; i < run.count; ++i, ++t) {
      const int64_t x = 4 * (run.column + i), y = 4 * run.row;
      first_pixel[t] =
          const_cast<float*>(images.data) + run.image * of_image + y * images.width + x;
      widths[t] = images.width - x;
      heights[t] = images.height - y;
    }
  }
  // Pages have room for whole blocks of outputs.
  const int64_t page = WinogradPage((images.channels + kOutputs - 1) / kOutputs * kOutputs);
  for (int64_t k = 0; k < images.channels; ++k) {
    for (int64_t g = 0; g < Groups(part); ++g) {
      const int64_t tiles = Least(8, part.count - 8 * g);
      for (int64_t l = 0; l < tiles; l += 3) {  // The lines of the channel after the next.
        const int64_t t = 8 * g + l;
        for (int64_t i = 0; i < Least(4, heights[t]); ++i) {
          __builtin_prefetch(first_pixel[t] + (k + 2) * plane + i * images.width, 1);
        }
      }
      Eight rows[4][6];
      for (int64_t j = 0; j < 6; ++j) {
        Eight m[6], r[4];
        for (int64_t i = 0; i < 6; ++i) {
          m[i] = LoadEight(products + (6 * i + j) * page + k * kTiles + 8 * g);
        }
        Output(m, r);
        for (int64_t i = 0; i < 4; ++i) rows[i][j] = r[i];
      }
      const float b = bias == nullptr ? 0.0F : bias[k];
      for (int64_t i = 0; i < 4; ++i) {
        Eight r[4], pixels[4];
        Output(rows[i], r);
        for (Eight& v : r) v += b;
        TransposeFour(r, pixels);
        for (int64_t l = 0; l < tiles; ++l) {
          const int64_t t = 8 * g + l;
          if (i >= heights[t]) continue;
          const __m256 both = (__m256)pixels[l % 4];
          StorePixels(first_pixel[t] + k * plane + i * images.width,
                      (Four)(l < 4 ? _mm256_castps256_ps128(both) : _mm256_extractf128_ps(both, 1)),
                      widths[t]);
        }
      }
    }
  }
}

void TransformFilters(const WinogradFilters& filters, int64_t begin, int64_t end, float* to) {
  const int64_t blocks = (filters.outputs + kOutputs - 1) / kOutputs;
  for (int64_t block = begin; block < end; ++block) {
    for (int64_t c = 0; c < filters.channels; ++c) {
      float w[9][kOutputs], half[6][3][kOutputs];
      for (int64_t n = 0; n < 9; ++n) {
        for (int64_t o = 0; o < kOutputs; ++o) {
          const int64_t output = block * kOutputs + o;
          w[n][o] = output < filters.outputs
                        ? filters.data[output * filters.output_step + c * filters.channel_step +
                                       (filters.turned ? 8 - n : n)]
                        : 0.0F;
        }
      }
      for (int64_t i = 0; i < 6; ++i) {
        for (int64_t j = 0; j < 3; ++j) {
          for (int64_t o = 0; o < kOutputs; ++o) {
            half[i][j][o] = kG[i][0] * w[j][o] + kG[i][1] * w[3 + j][o] + kG[i][2] * w[6 + j][o];
          }
        }
      }
      for (int64_t i = 0; i < 6; ++i) {
        for (int64_t j = 0; j < 6; ++j) {
          float* const out =
              to + (((6 * i + j) * blocks + block) * filters.channels + c) * kOutputs;
          for (int64_t o = 0; o < kOutputs; ++o) {
            out[o] = half[i][0][o] * kG[j][0] + half[i][1][o] * kG[j][1] + half[i][2][o] * kG[j][2];
          }
        }
      }
    }
  }
}

void Multiply(int64_t channels, int64_t blocks, const float* inputs, const float* filters,
              float* to) {
  constexpr int64_t kWide = kWinogradConvolvedTiles / kLanes;
  const int64_t page_in = WinogradPage(channels), page_out = WinogradPage(blocks * kOutputs);
  for (int64_t f = 0; f < kWinogradPages; ++f) {
    for (int64_t block = 0; block < blocks; ++block) {
      const float* const w = filters + (f * blocks + block) * channels * kOutputs;
      const float* const x = inputs + f * page_in;
      float* const y = to + f * page_out + block * kOutputs * kTiles;
      Wide sums[kOutputs][kWide] = {};
      for (int64_t c = 0; c < channels; ++c) {
        Wide in[kWide];
        for (int64_t v = 0; v < kWide; ++v) {
          in[v] = *reinterpret_cast<const Wide*>(x + c * kTiles + v * kLanes);
        }
        for (int64_t o = 0; o < kOutputs; ++o) {
          const float of = w[c * kOutputs + o];
          for (int64_t v = 0; v < kWide; ++v) sums[o][v] += in[v] * of;
        }
      }
      for (int64_t o = 0; o < kOutputs; ++o) {
        for (int64_t v = 0; v < kWide; ++v) {
          *reinterpret_cast<Wide*>(y + o * kTiles + v * kLanes) = sums[o][v];
        }
      }
    }
  }
}

// [tiles x channels] to [channels x tiles], eight by eight; what lies beyond the channels is 0.
void Turn(int64_t channels, int64_t tiles, const float* from, float* to) {
  const int64_t row = WinogradSumRow(channels);
  for (int64_t c = 0; c < row; c += 8) {
    for (int64_t t = 0; t < tiles; t += 8) {
      Eight rows[8];
      for (int64_t i = 0; i < 8; ++i) {
        rows[i] = c + i < channels ? LoadEight(from + (c + i) * kTiles + t) : Eight{};
      }
      // Tiles 0 to 3 and 4 to 7 of four channels each.
      Eight low[4], high[4];
      TransposeFour(rows, low);
      TransposeFour(rows + 4, high);
      for (int64_t i = 0; i < 4; ++i) {
        const auto a = (__m256)low[i], b = (__m256)high[i];
        StoreEight(to + (t + i) * row + c, (Eight)_mm256_permute2f128_ps(a, b, 0x20));
        StoreEight(to + (t + 4 + i) * row + c, (Eight)_mm256_permute2f128_ps(a, b, 0x31));
      }
    }
  }
}

// kRows outputs and kWide vectors of channels.
template <int kRows, int kWide>
void AddProduct(int64_t tiles, int64_t row, const float* inputs, const float* gradients,
                float* sums) {
  Wide sum[kRows][kWide];
  for (int64_t o = 0; o < kRows; ++o) {
    for (int64_t v = 0; v < kWide; ++v) {
      sum[o][v] = *reinterpret_cast<const Wide*>(sums + o * row + v * kLanes);
    }
  }
  for (int64_t t = 0; t < tiles; ++t) {
    Wide in[kWide];
    for (int64_t v = 0; v < kWide; ++v) {
      in[v] = *reinterpret_cast<const Wide*>(inputs + t * row + v * kLanes);
    }
    for (int64_t o = 0; o < kRows; ++o) {
      const float of = gradients[o * kTiles + t];
      for (int64_t v = 0; v < kWide; ++v) sum[o][v] += in[v] * of;
    }
  }
  for (int64_t o = 0; o < kRows; ++o) {
    for (int64_t v = 0; v < kWide; ++v) {
      *reinterpret_cast<Wide*>(sums + o * row + v * kLanes) = sum[o][v];
    }
  }
}

template <int kWide>
void AddProductsOf(int64_t tiles, int64_t outputs, int64_t row, const float* inputs,
                   const float* gradients, float* sums) {
  int64_t o = 0;
  for (; o + kOutputs <= outputs; o += kOutputs) {
    AddProduct<kOutputs, kWide>(tiles, row, inputs, gradients + o * kTiles, sums + o * row);
  }
  for (; o < outputs; ++o) {
    AddProduct<1, kWide>(tiles, row, inputs, gradients + o * kTiles, sums + o * row);
  }
}

void AddProducts(const WinogradPart& part, int64_t channels, int64_t outputs, const float* inputs,
                 const float* gradients, float* turned, float* sums) {
  const int64_t tiles = 8 * Groups(part), row = WinogradSumRow(channels);
  for (int64_t f = 0; f < kWinogradPages; ++f) {
    Turn(channels, tiles, inputs + f * WinogradPage(channels), turned);
    const float* const of = gradients + f * WinogradPage(outputs);
    float* const to = sums + f * row * outputs;
    int64_t c = 0;
    for (; c + kVectors * kLanes <= row; c += kVectors * kLanes) {
      AddProductsOf<kVectors>(tiles, outputs, row, turned + c, of, to + c);
    }
    for (; c < row; c += kLanes) AddProductsOf<1>(tiles, outputs, row, turned + c, of, to + c);
  }
}

void TransformSums(int64_t channels, int64_t outputs, int64_t begin, int64_t end, const float* sums,
                   float* filters) {
  const int64_t row = WinogradSumRow(channels), page = row * outputs;
  for (int64_t o = begin; o < end; ++o) {
    for (int64_t c = 0; c < channels; c += 8) {
      Eight half[3][6];
      for (int64_t j = 0; j < 6; ++j) {
        for (int64_t n = 0; n < 3; ++n) half[n][j] = Eight{};
        for (int64_t i = 0; i < 6; ++i) {
          const Eight m = LoadEight(sums + (6 * i + j) * page + o * row + c);
          for (int64_t n = 0; n < 3; ++n) half[n][j] += m * kG[i][n];
        }
      }
      for (int64_t n = 0; n < 9; ++n) {
        Eight w{};
        for (int64_t j = 0; j < 6; ++j) w += half[n / 3][j] * kG[j][n % 3];
        for (int64_t i = 0; i < Least(8, channels - c); ++i) {
          filters[9 * (o * channels + c + i) + n] = w[i];
        }
      }
    }
  }
}

}  // namespace

const WinogradKernels& FindWinogradKernels() {
  static constexpr WinogradKernels kKernels = {
      .output_block = kOutputs,
      .transform_filters = TransformFilters,
      .transform_inputs = TransformInputs,
      .multiply = Multiply,
      .transform_outputs = TransformOutputs,
      .transform_gradients = TransformGradients,
      .add_products = AddProducts,
      .transform_sums = TransformSums,
  };
  return kKernels;
}

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
