#include "framework/cpu/random.h"

#include <algorithm>

#include "framework/cpu/instruction_set.h"
#include "framework/cpu/philox.h"
#include "framework/cpu/random_kernels.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

const RandomKernels& Kernels() {
  static const RandomKernels& kernels = [&]() -> const RandomKernels& {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindRandomKernels();
      case InstructionSet::kV3:
        return v3::FindRandomKernels();
      default:
        return v2::FindRandomKernels();
    }
  }();
  return kernels;
}

// Makes values by whole groups and copies out those that are asked for. T: type of the values that
// `make` gives, Out: of the result.
template <class T, class Out>
void Fill(void (*make)(uint64_t, uint64_t, uint64_t, T*), int values_of_block,
          const RandomStream& stream, int64_t n, Out* out) {
  const auto group = static_cast<uint64_t>(kGroupBlocks * values_of_block);
  ParallelFor(n, kElementwiseGrain / 8, [&](int64_t begin, int64_t end) {
    T values[kGroupBlocks * 4];
    while (begin < end) {
      const uint64_t number = stream.offset + static_cast<uint64_t>(begin);
      const uint64_t start = number % group;
      const auto count = std::min<int64_t>(end - begin, static_cast<int64_t>(group - start));
      make(stream.seed, stream.subsequence,
           (number - start) / static_cast<uint64_t>(values_of_block), values);
      for (int64_t i = 0; i < count; ++i) {
        out[begin + i] = static_cast<Out>(values[start + static_cast<uint64_t>(i)]);
      }
      begin += count;
    }
  });
}

}  // namespace

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  const PhiloxState s =
      PhiloxRounds({counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
  return {s.c0, s.c1, s.c2, s.c3};
}

void FillUniform(DataType type, const RandomStream& stream, int64_t n, void* out) {
  LAMINA_CHECK(IsRealFloating(type));
  if (type == DataType::kSingle) {
    Fill(Kernels().uniform_single, 4, stream, n, static_cast<float*>(out));
  } else {
    Fill(Kernels().uniform_double, 2, stream, n, static_cast<double*>(out));
  }
}

void FillNormal(DataType type, const RandomStream& stream, int64_t n, void* out) {
  LAMINA_CHECK(IsRealFloating(type));
  if (type == DataType::kSingle) {
    Fill(Kernels().normal, 2, stream, n, static_cast<float*>(out));
  } else {
    Fill(Kernels().normal, 2, stream, n, static_cast<double*>(out));
  }
}

}  // namespace lamina::cpu
