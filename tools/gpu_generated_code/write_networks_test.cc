// The folder for a machine with a device: its main program compiles, with all that it includes, by
// the toolkit's compiler where one is found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/codegen/testing/cuda_toolkit.h"
#include "framework/io/file.h"
#include "framework/io/runfiles.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

TEST(WriteNetworksTest, TheMainProgramCompiles) {
  const TemporaryFolder folder("write_networks_");
  const std::string command =
      "'" + RunfilePath("tools/gpu_generated_code/write_networks") + "' '" + folder.path() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  std::vector<SourceFile> sources;
  for (const fs::directory_entry& file : fs::directory_iterator(folder.path())) {
    const std::string ending = file.path().extension().string();
    if (ending != ".cu" && ending != ".cc" && ending != ".h") continue;
    const absl::StatusOr<std::string> text = ReadFile(file.path().string());
    ASSERT_TRUE(text.ok()) << text.status();
    sources.push_back({file.path().filename().string(), *text});
  }
  ASSERT_TRUE(fs::exists(fs::path(folder.path()) / "main.cu"));
  const std::string nvcc = testing::FindNvcc();
  if (nvcc.empty()) GTEST_SKIP() << "no nvcc in $CUDA_HOME, /usr/local/cuda or PATH";
  EXPECT_EQ(testing::CompileCuda(nvcc, sources, "main.cu"), "");
}

}  // namespace
}  // namespace lamina
