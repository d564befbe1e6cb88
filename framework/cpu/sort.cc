// Elements become whole numbers without sign that are in the same order, and these are sorted
// together with their places: by comparisons, or digit by digit from the last one on, which keeps
// the order of equal digits. (Knuth, The Art of Computer Programming 3, 5.2.5, algorithm R.)
#include "framework/cpu/sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

constexpr int64_t kByDigits = 512;        // so long a line is sorted digit by digit
constexpr int64_t kColumns = 16;          // that are read and written together
constexpr int64_t kElements = 64 * 1024;  // but no more elements than these
constexpr int kDigit = 8;                 // bits

template <class Key>
struct Element {
  Key key;
  std::conditional_t<sizeof(Key) == 4, uint32_t, int64_t> place;
  bool operator<(const Element& other) const {
    return key < other.key || (key == other.key && place < other.place);
  }
};

template <class T>
using KeyOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T>
KeyOf<T> Key(T x, bool descending) {
  using K = KeyOf<T>;
  constexpr K kSign = K{1} << (8 * sizeof(K) - 1);
  K key;
  if constexpr (std::is_floating_point_v<T>) {
    if (x != x) return std::numeric_limits<K>::max();
    const K bits = std::bit_cast<K>(x + T{0});  // 0 for -0.
    key = bits & kSign ? ~bits : bits | kSign;
  } else {
    key = std::is_signed_v<T> ? static_cast<K>(x) ^ kSign : static_cast<K>(x);
  }
  return descending ? ~key : key;
}

// `other` has room for as many.
template <class E>
void SortByDigits(E* elements, E* other, int64_t n) {
  constexpr int kDigits = 8 * sizeof(E::key) / kDigit, kValues = 1 << kDigit;
  const auto digit = [](const E& e, int d) { return (e.key >> (d * kDigit)) & (kValues - 1); };
  std::array<std::array<int64_t, kValues>, kDigits> counts = {};
  for (int64_t i = 0; i < n; ++i) {
    for (int d = 0; d < kDigits; ++d) ++counts[d][digit(elements[i], d)];
  }
  E *from = elements, *to = other;
  for (int d = 0; d < kDigits; ++d) {
    if (counts[d][digit(elements[0], d)] == n) continue;  // All have the same.
    int64_t start = 0;
    for (int64_t& count : counts[d]) start += std::exchange(count, start);
    for (int64_t i = 0; i < n; ++i) to[counts[d][digit(from[i], d)]++] = from[i];
    std::swap(from, to);
  }
  if (from != elements) std::copy_n(from, n, elements);
}

template <class T>
void Run(bool descending, int64_t inner, int64_t n, int64_t outer, const T* x, int64_t* ranks) {
  using E = Element<KeyOf<T>>;
  // Columns are read and written row by row, so that whole lines of the cache are used.
  const int64_t tile = std::clamp(kElements / n, int64_t{1}, std::min(inner, kColumns));
  const int64_t tiles = (inner + tile - 1) / tile;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / 16 / (n * tile));
  ParallelFor(outer * tiles, grain, [&](int64_t begin, int64_t end) {
    ScratchArray<E> elements(n * tile), other(n);
    ScratchArray<int64_t> ranks_of_tile(inner > 1 ? n * tile : 0);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t column = item % tiles * tile, width = std::min(tile, inner - column);
      const int64_t first = item / tiles * n * inner + column;
      for (int64_t k = 0; k < n; ++k) {
        for (int64_t j = 0; j < width; ++j) {
          elements[j * n + k] = {Key(x[first + k * inner + j], descending),
                                 static_cast<decltype(E::place)>(k)};
        }
      }
      // A line of its own needs no other place.
      int64_t* const sorted = inner == 1 ? ranks + first : ranks_of_tile.data();
      for (int64_t j = 0; j < width; ++j) {
        E* const line = elements.data() + j * n;
        if (n < kByDigits) {
          std::sort(line, line + n);
        } else {
          SortByDigits(line, other.data(), n);
        }
        for (int64_t rank = 0; rank < n; ++rank) sorted[j * n + line[rank].place] = rank;
      }
      if (inner == 1) continue;
      for (int64_t k = 0; k < n; ++k) {
        for (int64_t j = 0; j < width; ++j) ranks[first + k * inner + j] = sorted[j * n + k];
      }
    }
  });
}

}  // namespace

void RankAlong(DataType type, bool descending, int64_t inner, int64_t n, int64_t outer,
               const void* x, int64_t* ranks) {
  LAMINA_CHECK(!IsComplex(type));
  LAMINA_CHECK(n <= std::numeric_limits<uint32_t>::max());
  if (inner == 0 || n == 0 || outer == 0) return;
  const auto run = [&]<class T>(T) {
    Run(descending, inner, n, outer, static_cast<const T*>(x), ranks);
  };
  switch (type) {
    case DataType::kSingle:
      return run(float());
    case DataType::kDouble:
      return run(double());
    case DataType::kInt32:
      return run(int32_t());
    case DataType::kInt64:
      return run(int64_t());
    default:
      return run(uint8_t());
  }
}

}  // namespace lamina::cpu
