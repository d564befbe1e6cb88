// Compares two ways to multiply matrices of single: the matrix unit AMX (framework/cpu/gemm_amx.h)
// and oneDNN, called in turn:
//
//   products                                  # the shapes that docs/performance.md tells of
//   products --shapes=256x256x128,200x300x64  # m x n from k
//   products --threads=1
//
// prints, for each shape, number of threads, and factors stored as needed or transposed (N, T), how
// many GFLOP/s each had in its fastest call, and their ratio. One thread: processor time of the
// thread; more: time of the clock.
#include <cstdint>
#include <cstdio>
#include <dnnl.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "framework/cpu/amx.h"
#include "framework/cpu/gemm_amx.h"
#include "framework/cpu/threads.h"
#include "tools/bench/in_turn.h"

ABSL_FLAG(std::vector<std::string>, shapes,
          (std::vector<std::string>{
              "1024x1024x1024", "768x2048x256", "256x2048x256", "256x2048x768", "768x256x2048",
              "256x256x2048",   "400x100x3200", "400x3200x100", "128x128x128",  "160x160x128",
              "192x192x128",    "192x192x256",  "256x256x64",   "256x256x128",  "256x256x256",
              "512x512x64",     "512x512x128",  "128x2048x256", "64x2048x256",  "10x2048x256"}),
          "m x n from k");
ABSL_FLAG(std::vector<std::string>, threads, (std::vector<std::string>{"1", "2"}),
          "numbers of threads");
ABSL_FLAG(double, seconds, 0.25, "how long the two take turns for one line");

namespace lamina::bench {
namespace {

using cpu::SingleProduct;

void OneDnn(const SingleProduct& p) {
  // Its matrices are row-major.
  dnnl_sgemm(p.transpose_b ? 'T' : 'N', p.transpose_a ? 'T' : 'N', p.n, p.m, p.k, p.alpha, p.b,
             p.ldb, p.a, p.lda, p.beta, p.c, p.ldc);
}

bool Run(const std::string& shape, int64_t m, int64_t n, int64_t k) {
  if (m < 1 || n < 1 || k < 1) return false;
  std::vector<float> a(m * k), b(k * n), c(m * n);
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5f;
  for (size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 53 % 103) / 103 - 0.5f;
  for (const std::string& threads : absl::GetFlag(FLAGS_threads)) {
    int count = 0;
    if (!absl::SimpleAtoi(threads, &count) || count < 1) return false;
    cpu::SetNumThreads(count);
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const SingleProduct p = {.transpose_a = ta,
                                 .transpose_b = tb,
                                 .m = m,
                                 .n = n,
                                 .k = k,
                                 .a = a.data(),
                                 .lda = ta ? k : m,
                                 .b = b.data(),
                                 .ldb = tb ? n : k,
                                 .c = c.data(),
                                 .ldc = m};
        const InTurnTimes least = InTurn([&] { cpu::AmxGemm(p, OneDnn); }, [&] { OneDnn(p); },
                                         absl::GetFlag(FLAGS_seconds));
        const double gflop = 2e-9 * static_cast<double>(m) * static_cast<double>(n * k);
        std::printf("%-16s %d threads %c%c  AMX %6.0f  oneDNN %6.0f  ratio %5.2f  %s\n",
                    shape.c_str(), count, ta ? 'T' : 'N', tb ? 'T' : 'N', gflop / least.first,
                    gflop / least.second, least.second / least.first,
                    cpu::AmxPays(p) ? "AMX is taken" : "oneDNN is taken");
        std::fflush(stdout);
      }
    }
  }
  return true;
}

int Main() {
  if (!cpu::HasAmx()) {
    std::cerr << "This processor or system has no AMX with bfloat16, or LAMINA_CPU forbids it.\n";
    return 1;
  }
  for (const std::string& shape : absl::GetFlag(FLAGS_shapes)) {
    const std::vector<std::string> sizes = absl::StrSplit(shape, 'x');
    int64_t m = 0, n = 0, k = 0;
    if (sizes.size() != 3 || !absl::SimpleAtoi(sizes[0], &m) || !absl::SimpleAtoi(sizes[1], &n) ||
        !absl::SimpleAtoi(sizes[2], &k) || !Run(shape, m, n, k)) {
      std::cerr << "Shapes are like 256x2048x768, numbers of threads like 1; \"" << shape
                << "\" or --threads is not.\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("compares products on AMX with oneDNN's");
  absl::ParseCommandLine(argc, argv);
  return lamina::bench::Main();
}
