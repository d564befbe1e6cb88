// Shows that the build finds, compiles and links each library of the system.

#include <omp.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "Eigen/Dense"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "dnnl.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace lamina {
namespace {

TEST(SystemLibraryTest, OneDnnMultiplies) {
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const std::vector<float> a = {1, 2, 3, 4}, b = {5, 6, 7, 8};
  std::vector<float> c(4);
  const auto status =
      dnnl_sgemm('N', 'N', 2, 2, 2, 1.0f, a.data(), 2, b.data(), 2, 0.0f, c.data(), 2);
  EXPECT_EQ(status, dnnl_success);
  EXPECT_THAT(c, testing::ElementsAre(19, 22, 43, 50));
}

TEST(SystemLibraryTest, EigenSolves) {
  Eigen::Matrix2d a;
  a << 2, 1, 1, 3;
  const Eigen::Vector2d x = a.partialPivLu().solve(Eigen::Vector2d(3, 5));
  EXPECT_NEAR(x(0), 0.8, 1e-15);
  EXPECT_NEAR(x(1), 1.4, 1e-15);
}

TEST(SystemLibraryTest, AbseilCarriesStatus) {
  const absl::StatusOr<std::string> ok = absl::StrCat("a", 1);
  EXPECT_EQ(*ok, "a1");
  const absl::StatusOr<std::string> bad = absl::NotFoundError("no such file");
  EXPECT_EQ(bad.status().message(), "no such file");
}

TEST(SystemLibraryTest, OpenMpAddsUp) {
  int sum = 0;
#pragma omp parallel for reduction(+ : sum)
  for (int i = 0; i < 1000; ++i) sum += i;
  EXPECT_EQ(sum, 499500);
  EXPECT_GE(omp_get_max_threads(), 1);
}

TEST(SystemLibraryTest, JsonParses) {
  EXPECT_EQ(nlohmann::json::parse(R"({"a": [1, 2]})")["a"][1], 2);
}

TEST(SystemLibraryTest, ZlibChecks) {
  EXPECT_EQ(crc32(0, reinterpret_cast<const Bytef*>("123456789"), 9), 0xCBF43926u);
}

TEST(SystemLibraryTest, BenchmarkCallsWhatItTimes) {
  int calls = 0;
  benchmark::RegisterBenchmark("count", [&calls](benchmark::State& state) {
    for (auto _ : state) ++calls;
  })->Iterations(7);
  EXPECT_EQ(benchmark::RunSpecifiedBenchmarks(), 1u);
  EXPECT_EQ(calls, 7);
}

}  // namespace
}  // namespace lamina
