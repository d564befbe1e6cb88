// Each version of each kernel gives what its function gives with the processor: on a device that
// the processor plays, and on a real one where there is one. Each compiles for real ones where
// NVRTC is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/testing/compiling_device.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/graph.h"
#include "lessons/gpu_kernels/chapters.h"
#include "lessons/gpu_kernels/speed_table.h"

namespace lamina {
namespace {

using gpu::testing::DeviceKind;

class KernelsTest : public gpu::testing::EachDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, KernelsTest, ::testing::Bool(), DeviceKind);

// In parts of the largest value; sums of up to 4100 numbers, in another order.
double ErrorOf(const DlArray& came, const DlArray& expected) {
  double error = 0, largest = 1e-30;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double apart = std::abs(came.At(i) - expected.At(i));
    error = std::isnan(apart) ? INFINITY : std::max(error, apart);
    largest = std::max(largest, std::abs(expected.At(i)));
  }
  return error / largest;
}

TEST_P(KernelsTest, GiveWhatTheirFunctionsGive) {
  Rng(7);
  for (const KernelChapter& chapter : KernelChapters()) {
    for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
      for (const Sizes& sizes : chapter.tried) {
        if (type == DataType::kDouble && sizes[0] > 257) continue;  // It takes long.
        const DlArrays here = chapter.inputs(sizes, type);
        DlArrays there;
        for (const DlArray& x : here) there.push_back(gpu_->ToDevice(x));
        const DlArray expected = chapter.without.compute(here);
        for (const KernelVersion& version : chapter.versions) {
          SCOPED_TRACE(chapter.name + ", " + version.name + ", " + ToString(expected.spec()));
          EXPECT_TRUE(IsEqual(version.compute(here), expected));
          const DlArray came = version.compute(there);
          EXPECT_TRUE(came.on_device());
          EXPECT_EQ(came.spec(), expected.spec());
          EXPECT_LE(ErrorOf(Gather(came), expected), type == DataType::kSingle ? 2e-6 : 1e-14);
        }
      }
    }
  }
}

// The kernel computes, not the function: the step of a recorded graph is a kernel of one's own.
TEST(KernelsTest, AreCompiledForDevices) {
  if (!gpu::FindCudaCompiler().ok()) GTEST_SKIP() << gpu::FindCudaCompiler().status();
  for (const KernelChapter& chapter : KernelChapters()) {
    const DlArrays in = chapter.inputs(chapter.tried[0], DataType::kSingle);
    for (const KernelVersion& version : chapter.versions) {
      SCOPED_TRACE(chapter.name + ", " + version.name);
      std::vector<ArraySpec> specs;
      for (const DlArray& x : in) specs.push_back(x.spec());
      const Graph graph = RecordGraph(
          [&](Arrays x) { return DlArrays{version.compute(DlArrays(x.begin(), x.end()))}; }, specs);
      ASSERT_EQ(graph.steps().size(), 1U);
      for (const char* architecture : {"sm_80", "sm_90"}) {
        const auto device = gpu::testing::MakeCompilingDevice(architecture);
        EXPECT_TRUE(gpu::HasOwnKernel(*device, graph, graph.steps()[0]));
        EXPECT_NO_THROW(gpu::DeviceKernels(gpu::PartsForDevice(graph, *device).graph, device))
            << architecture;
      }
    }
  }
}

// Its figures mean nothing on a device that is played; that it has them all, and that all versions
// agree, does.
TEST_P(KernelsTest, TheTableOfSpeedHasAllOfThem) {
  std::ostringstream table;
  EXPECT_TRUE(PrintSpeedTable(
      gpu_, {.copied = 256, .sizes = [](const KernelChapter& c) { return c.tried[2]; }, .round = 0},
      table));
  std::istringstream lines(table.str());
  std::map<std::string, double> apart;
  for (std::string line; std::getline(lines, line);) {
    const size_t last = line.find_last_of(' ');
    if (last != std::string::npos) apart[line.substr(0, 26)] = std::atof(line.c_str() + last);
  }
  for (const KernelChapter& chapter : KernelChapters()) {
    for (const KernelVersion& version : chapter.versions) {
      const std::string name = version.name + std::string(26 - version.name.size(), ' ');
      ASSERT_EQ(apart.count(name), 1U) << name << "\n" << table.str();
      EXPECT_LE(apart[name], 2e-6) << table.str();
    }
  }
}

}  // namespace
}  // namespace lamina
