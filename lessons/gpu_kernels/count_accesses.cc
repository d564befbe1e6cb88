// How the kernels of the lessons use memory, counted on a device that the processor plays:
//
//   bazel run //lessons/gpu_kernels:count_accesses -- rows --out=pictures
//
// A row is a version:
//   requests  loads and stores of a warp, for 32 results
//   wanted    bytes that threads load, for a result
//   moved     bytes that are loaded for that, in sectors of 32
//   sectors   of a load of a warp
//   shared    passes of shared memory, for 32 results
//   barriers  of a block
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include "framework/io/svg_plot.h"
#include "lessons/gpu_kernels/chapters.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the picture");

namespace lamina {
namespace {

std::string Line(const std::string& name, const gpu::testing::AccessCounts& c, double results) {
  const auto for_each = [&](int64_t count) { return static_cast<double>(count) / results; };
  return absl::StrFormat("%-26s %9.2f %9.2f %9.2f %9.1f %9.2f %9.1f\n", name,
                         32 * for_each(c.loads.requests + c.stores.requests),
                         for_each(c.loads.bytes), 32 * for_each(c.loads.sectors),
                         c.loads.SectorsPerRequest(), 32 * for_each(c.shared_passes),
                         static_cast<double>(c.barriers) / static_cast<double>(c.blocks));
}

int Count(const KernelChapter& chapter, const std::string& folder) {
  const auto device = gpu::testing::MakeEmulatedDevice();
  const auto gpu = gpu::Gpu::Make(device);
  Rng(1);
  DlArrays there;
  for (const DlArray& x : chapter.inputs(chapter.small, DataType::kSingle)) {
    there.push_back(gpu->ToDevice(x));
  }
  std::cout << absl::StrFormat("%-26s %9s %9s %9s %9s %9s %9s\n", "version", "requests", "wanted",
                               "moved", "sectors", "shared", "barriers");
  Series moved{.name = "bytes moved, for a result", .x = {}, .y = {}, .markers = true};
  Series requests{
      .name = "requests, for 32 results", .x = {}, .y = {}, .dashed = true, .markers = true};
  for (const KernelVersion& version : chapter.versions) {
    DlArray y;
    const gpu::testing::AccessCounts counts = device->Count([&] { y = version.compute(there); });
    const auto results = static_cast<double>(y.numel());
    std::cout << Line(version.name, counts, results);
    moved.x.push_back(static_cast<double>(moved.x.size() + 1));
    requests.x.push_back(moved.x.back());
    moved.y.push_back(static_cast<double>(counts.loads.sectors) * 32 / results);
    requests.y.push_back(static_cast<double>(counts.loads.requests + counts.stores.requests) * 32 /
                         results);
  }
  const absl::Status written =
      WritePicture(LineChartSvg({{.title = absl::StrCat("Kernels for ", chapter.name),
                                  .x = {.label = "version"},
                                  .y = {.label = "count", .logarithmic = true},
                                  .series = {moved, requests}}}),
                   absl::StrCat(folder, "/", chapter.name, ".svg"));
  if (written.ok()) return 0;
  std::cerr << written << "\n";
  return 1;
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  const std::vector<char*> arguments = absl::ParseCommandLine(argc, argv);
  for (const lamina::KernelChapter& chapter : lamina::KernelChapters()) {
    if (arguments.size() == 2 && chapter.name == arguments[1]) {
      return lamina::Count(chapter, absl::GetFlag(FLAGS_out));
    }
  }
  std::cerr << "count_accesses elements|rows|products\n";
  return 2;
}
