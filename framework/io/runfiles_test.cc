#include "framework/io/runfiles.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

void Touch(const std::string& path) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << "x";
}

class RunfilesTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/runfiles_test";
    fs::remove_all(root_);
    Touch(root_ + "/a/lamina/some/data");
    Touch(root_ + "/b/lamina/some/data");
    Touch(root_ + "/b/lamina/other/data");
    unsetenv("RUNFILES_DIR");
    unsetenv("TEST_SRCDIR");
  }
  std::string root_;
};

TEST_F(RunfilesTest, LooksInTheEnvironmentsFolders) {
  setenv("RUNFILES_DIR", (root_ + "/a").c_str(), 1);
  setenv("TEST_SRCDIR", (root_ + "/b").c_str(), 1);
  EXPECT_EQ(RunfilePath("some/data"), root_ + "/a/lamina/some/data");
  EXPECT_EQ(RunfilePath("other/data"), root_ + "/b/lamina/other/data");
  EXPECT_EQ(RunfilePath("some"), root_ + "/a/lamina/some") << "folders too";
}

TEST_F(RunfilesTest, LooksBesideTheProgram) {
  const std::string beside = fs::read_symlink("/proc/self/exe").string() + ".runfiles/lamina/";
  if (!fs::exists(beside)) {
    Touch(beside + "framework/io/testdata/header_cases.txt");
  }
  EXPECT_EQ(RunfilePath("framework/io/testdata/header_cases.txt"),
            beside + "framework/io/testdata/header_cases.txt");
}

TEST_F(RunfilesTest, WhatIsNowhereKeepsItsName) {
  EXPECT_EQ(RunfilePath("no/such/file"), "no/such/file");
  setenv("RUNFILES_DIR", (root_ + "/a").c_str(), 1);
  EXPECT_EQ(RunfilePath(root_ + "/b"), root_ + "/b") << "an absolute path";
  setenv("RUNFILES_DIR", "", 1);
  EXPECT_EQ(RunfilePath("some/data"), "some/data");
}

}  // namespace
}  // namespace lamina
