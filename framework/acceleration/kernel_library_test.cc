#include "framework/acceleration/kernel_library.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "framework/io/file.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

class KernelLibraryTest : public testing::Test {
 protected:
  KernelLibraryTest() { settings_.cache_folder = folder_.path(); }

  // a[1][i] = factor * a[0][i]
  static KernelSource Times(const std::string& factor) {
    return {
        "#include <stdint.h>\n"
        "void k0(char *const *a, int64_t begin, int64_t end) {\n"
        "  for (int64_t i = begin; i < end; ++i)\n"
        "    ((float *)a[1])[i] = " +
            factor +
            " * ((const float *)a[0])[i];\n"
            "}\n",
        1};
  }

  static std::vector<float> Run(const KernelLibrary& library) {
    float x[4] = {1, 2, 3, 4}, y[4] = {};
    char* const arrays[] = {reinterpret_cast<char*>(x), reinterpret_cast<char*>(y)};
    library.kernel(0)(arrays, 1, 4);
    return {y, y + 4};
  }

  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(folder_.path())) files.push_back(file.path());
    return files;
  }

  const TemporaryFolder folder_{"kernel_library_test_"};
  CompilerSettings settings_;
};

TEST_F(KernelLibraryTest, CompilesOnceAndLoadsFromTheDiskAfterwards) {
  const auto first = KernelLibrary::Load(Times("2.5f"), settings_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE((*first)->from_cache());
  EXPECT_GT((*first)->seconds(), 0);
  EXPECT_EQ(Run(**first), (std::vector<float>{0, 5, 7.5, 10}));
  ASSERT_EQ(Files().size(), 1u);  // The shared object, and nothing of the work on it.
  EXPECT_EQ(Files()[0].extension(), ".so");

  const auto second = KernelLibrary::Load(Times("2.5f"), settings_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE((*second)->from_cache());
  EXPECT_EQ(Run(**second), Run(**first));
}

TEST_F(KernelLibraryTest, OtherSourceAndOtherFlagsAreOtherLibraries) {
  ASSERT_TRUE(KernelLibrary::Load(Times("2.0f"), settings_).ok());
  const auto other = KernelLibrary::Load(Times("3.0f"), settings_);
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE((*other)->from_cache());
  EXPECT_EQ(Run(**other)[3], 12);
  settings_.flags += " -DOTHER";
  EXPECT_FALSE((*KernelLibrary::Load(Times("3.0f"), settings_))->from_cache());
  EXPECT_EQ(Files().size(), 3u);
}

// Cut off, changed in a place that the loader does not look at, and whole but no library.
TEST_F(KernelLibraryTest, ACorruptFileInTheCacheIsCompiledAnew) {
  ASSERT_TRUE(KernelLibrary::Load(Times("2.0f"), settings_).ok());
  const fs::path file = Files().at(0);
  const std::string good = *ReadFile(file.string());
  std::string changed = good;
  changed[changed.size() - 65] ^= 1;  // The last byte before the hash: of a table of sections.
  for (const std::string& bad :
       {good.substr(0, good.size() / 2), changed, std::string(), std::string("not a library")}) {
    fs::remove(file);  // A new file: the old one may be loaded at this moment.
    ASSERT_TRUE(WriteFileAtomically(file.string(), bad).ok());
    const auto again = KernelLibrary::Load(Times("2.0f"), settings_);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_FALSE((*again)->from_cache());
    EXPECT_EQ(Run(**again)[3], 8);
    EXPECT_EQ(ReadFile(file.string())->size(), good.size());
  }
}

TEST_F(KernelLibraryTest, WhatWasNotUsedForLongestLeavesAFullCache) {
  ASSERT_TRUE(KernelLibrary::Load(Times("1.0f"), settings_).ok());
  const fs::path first = Files().at(0);
  ASSERT_TRUE(KernelLibrary::Load(Times("2.0f"), settings_).ok());
  // The first is the older file, but it is used again.
  for (const fs::path& file : Files()) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  ASSERT_TRUE((*KernelLibrary::Load(Times("1.0f"), settings_))->from_cache());
  settings_.cache_bytes = static_cast<int64_t>(fs::file_size(first) * 5 / 2);
  ASSERT_TRUE(KernelLibrary::Load(Times("3.0f"), settings_).ok());
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_TRUE((*KernelLibrary::Load(Times("1.0f"), settings_))->from_cache());
  EXPECT_TRUE((*KernelLibrary::Load(Times("3.0f"), settings_))->from_cache());
  EXPECT_FALSE((*KernelLibrary::Load(Times("2.0f"), settings_))->from_cache());
}

TEST_F(KernelLibraryTest, WithoutACompilerTheStatusSaysSo) {
  settings_.compiler = "no-such-compiler";
  const auto library = KernelLibrary::Load(Times("2.0f"), settings_);
  EXPECT_EQ(library.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(library.status().message(),
            "there is no C compiler: cannot start 'no-such-compiler': No such file or directory");
}

TEST_F(KernelLibraryTest, ACompilerThatFailsIsQuoted) {
  const auto library = KernelLibrary::Load({"this is no C\n", 1}, settings_);
  EXPECT_EQ(library.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(library.status().message().find("kernels.c:1:1: error:"), absl::string_view::npos)
      << library.status();
  settings_.compiler = "false";
  EXPECT_EQ(KernelLibrary::Load(Times("2.0f"), settings_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Files().size(), 0u);
}

TEST_F(KernelLibraryTest, AMissingKernelIsNamed) {
  KernelSource source = Times("2.0f");
  source.num_kernels = 2;
  const auto library = KernelLibrary::Load(source, settings_);
  EXPECT_EQ(library.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(library.status().message().find("has no function k1"), absl::string_view::npos);
}

TEST_F(KernelLibraryTest, AFolderThatCannotBeMadeIsReplacedByATemporaryOne) {
  ASSERT_TRUE(WriteFileAtomically(folder_.path() + "/file", "").ok());
  settings_.cache_folder = folder_.path() + "/file/below";
  const auto library = KernelLibrary::Load(Times("2.0f"), settings_);
  ASSERT_TRUE(library.ok()) << library.status();
  EXPECT_EQ(Run(**library)[1], 4);
}

TEST_F(KernelLibraryTest, StartReturnsAtOnceAndServesInOrder) {
  std::atomic<bool> go{false};
  std::atomic<int> written{0};
  const auto first = KernelLoading::Start(
      [&] {
        while (!go) std::this_thread::yield();
        ++written;
        return Times("2.0f");
      },
      settings_);
  const auto second = KernelLoading::Start(
      [&] {
        EXPECT_EQ(++written, 2);
        return Times("3.0f");
      },
      settings_);
  EXPECT_FALSE(first->Ready());
  EXPECT_FALSE(second->Ready());
  go = true;
  ASSERT_TRUE(second->Wait().ok()) << second->Wait().status();
  EXPECT_TRUE(first->Ready());
  EXPECT_EQ(Run(**first->Wait())[3], 8);
  EXPECT_EQ(Run(**second->Wait())[3], 12);
}

// A program may change its variables while another thread compiles for it.
TEST_F(KernelLibraryTest, TheCompilerSeesTheVariablesOfWhoAsked) {
  const std::string compiler = folder_.path() + "/compiler", seen = folder_.path() + "/seen";
  ASSERT_TRUE(
      WriteFileAtomically(compiler, "#!/bin/sh\necho \"$ASKED $PATH\" >>" + seen + "\n").ok());
  fs::permissions(compiler, fs::perms::owner_all);
  const std::string path = getenv("PATH"), with_folder = folder_.path() + ":" + path;
  setenv("ASKED", "before", 1);
  setenv("PATH", with_folder.c_str(), 1);
  CompilerSettings settings;
  settings.compiler = "compiler";
  settings.cache_folder = folder_.path() + "/cache";
  std::atomic<bool> go{false};
  const auto loading = KernelLoading::Start(
      [&] {
        while (!go) std::this_thread::yield();
        return Times("2.0f");
      },
      settings);
  unsetenv("ASKED");
  setenv("PATH", path.c_str(), 1);
  go = true;
  EXPECT_FALSE(loading->Wait().ok());  // It compiled nothing.
  const std::string line = "before " + with_folder + "\n";
  EXPECT_EQ(*ReadFile(seen), line + line);  // Of its version, then of the kernels.
}

TEST_F(KernelLibraryTest, SeveralThreadsMayAskForOneLibrary) {
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const auto library = KernelLibrary::Load(Times("7.0f"), settings_);
      if (library.ok() && Run(**library)[3] == 28) ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4);
  EXPECT_EQ(Files().size(), 1u);
}

TEST(CompilerSettingsTest, FollowTheEnvironment) {
  setenv("CC", "gcc-99", 1);
  setenv("LAMINA_CACHE", "/a", 1);
  EXPECT_EQ(CompilerSettings::FromEnvironment().compiler, "gcc-99");
  EXPECT_EQ(CompilerSettings::FromEnvironment().cache_folder, "/a");
  unsetenv("CC");
  unsetenv("LAMINA_CACHE");
  setenv("XDG_CACHE_HOME", "/b", 1);
  setenv("HOME", "/c", 1);
  EXPECT_EQ(CompilerSettings::FromEnvironment().compiler, "cc");
  EXPECT_EQ(CompilerSettings::FromEnvironment().cache_folder, "/b/lamina");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(CompilerSettings::FromEnvironment().cache_folder, "/c/.cache/lamina");
}

}  // namespace
}  // namespace lamina
