#include "framework/io/file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/file_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  std::string folder_;
};

TEST_F(FileTest, GivesBackWhatWasWritten) {
  std::string bytes(3'000'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761u >> 13);
  for (const std::string& content : {std::string(), std::string("a\0\n\xff", 4), bytes}) {
    ASSERT_TRUE(WriteFileAtomically(Path("f"), content).ok());
    const auto again = ReadFile(Path("f"));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(*again == content);
  }
  EXPECT_EQ(Names(), std::vector<std::string>{"f"}) << "no temporary file stays";
}

TEST_F(FileTest, ErrorsNameThePathAndTheReason) {
  const absl::Status missing = ReadFile(Path("none")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(missing.message()).find(Path("none")), std::string::npos) << missing;
  EXPECT_NE(std::string(missing.message()).find("No such file"), std::string::npos) << missing;

  const absl::Status folder = ReadFile(folder_).status();
  EXPECT_EQ(folder.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(folder.message()).find("folder"), std::string::npos) << folder;

  const absl::Status nowhere = WriteFileAtomically(Path("no/such/folder/f"), "x");
  EXPECT_EQ(nowhere.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(nowhere.message()).find("no/such/folder/f"), std::string::npos) << nowhere;

  for (const std::string& path : {std::string(), std::string("a\0b", 3)}) {
    EXPECT_EQ(ReadFile(path).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(WriteFileAtomically(path, "x").code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(FileTest, InFilePutsThePathFirst) {
  EXPECT_TRUE(InFile("a/b", absl::OkStatus()).ok());
  EXPECT_EQ(InFile("a/b", absl::DataLossError("cut off")), absl::DataLossError("'a/b': cut off"));
}

TEST_F(FileTest, ReadingIsBounded) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "12345").ok());
  EXPECT_TRUE(ReadFile(Path("f"), 5).ok());
  EXPECT_EQ(ReadFile(Path("f"), 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadFile("/dev/zero", 5'000'000).status().code(), absl::StatusCode::kResourceExhausted);
  // A sparse file says that it is huge and holds nothing.
  ASSERT_EQ(truncate(Path("f").c_str(), int64_t{1} << 40), 0);
  EXPECT_EQ(ReadFile(Path("f")).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(FileTest, AFailedWriteLeavesTheOldFile) {
  // A folder with something in it cannot be replaced by a file, also not by root.
  fs::create_directories(Path("d/inside"));
  EXPECT_FALSE(WriteFileAtomically(Path("d"), "x").ok());
  EXPECT_TRUE(fs::exists(Path("d/inside")));
  EXPECT_EQ(Names(), std::vector<std::string>{"d"}) << "no temporary file stays";
}

TEST_F(FileTest, APipeIsNotReplaced) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", Path("link"));
  for (const char* name : {"pipe", "link"}) {
    const absl::Status status = WriteFileAtomically(Path(name), "x");
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_NE(std::string(status.message()).find(Path(name)), std::string::npos) << status;
  }
  EXPECT_TRUE(fs::is_fifo(Path("pipe")));
}

// Ends the process: 0 when the write failed and its status said why. The limit on file sizes stands
// in for a full disk: the write fails in the middle.
void WriteWithLimitedFileSize(const std::string& path) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{4096, 4096};
  setrlimit(RLIMIT_FSIZE, &limit);
  const absl::Status status = WriteFileAtomically(path, std::string(100'000, 'n'));
  _exit(std::string(status.message()).find("File too large") != std::string::npos ? 0 : 1);
}

TEST_F(FileTest, AFullDiskLeavesTheOldFile) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "old").ok());
  EXPECT_EXIT(WriteWithLimitedFileSize(Path("f")), testing::ExitedWithCode(0), "");
  EXPECT_EQ(*ReadFile(Path("f")), "old");
  EXPECT_EQ(Names(), std::vector<std::string>{"f"}) << "no temporary file stays";
}

TEST_F(FileTest, KeepsPermissionsAndLinks) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "old").ok());
  ASSERT_EQ(chmod(Path("f").c_str(), 0640), 0);
  fs::create_symlink("f", Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(*ReadFile(Path("f")), "new");
  struct stat info;
  ASSERT_EQ(stat(Path("f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
}

TEST_F(FileTest, ReadersSeeOnlyWholeFiles) {
  const std::string a(200'000, 'a'), b(100'000, 'b');
  ASSERT_TRUE(WriteFileAtomically(Path("f"), a).ok());
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(WriteFileAtomically(Path("f"), i % 2 ? a : b).ok());
    }
  });
  for (int i = 0; i < 100; ++i) {
    const auto seen = ReadFile(Path("f"));
    ASSERT_TRUE(seen.ok()) << seen.status();
    EXPECT_TRUE(*seen == a || *seen == b);
  }
  writer.join();
}

}  // namespace
}  // namespace lamina
