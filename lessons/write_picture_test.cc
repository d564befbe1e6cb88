#include "lessons/write_picture.h"

#include <cstdlib>
#include <string>

#include "framework/io/file.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

const std::string kFolder = std::getenv("TEST_TMPDIR");

TEST(WritePictureTest, MakesTheFolders) {
  const std::string path = kFolder + "/some/where/a.svg";
  ASSERT_TRUE(WritePicture(std::string("<svg/>"), path).ok());
  EXPECT_EQ(*ReadFile(path), "<svg/>");
}

TEST(WritePictureTest, ARelativePathCountsFromWhereBazelWasCalled) {
  setenv("BUILD_WORKING_DIRECTORY", kFolder.c_str(), 1);
  ASSERT_TRUE(WritePicture(std::string("<svg/>"), "pictures/b.svg").ok());
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(*ReadFile(kFolder + "/pictures/b.svg"), "<svg/>");
}

TEST(WritePictureTest, HandsThePicturesErrorOn) {
  const absl::Status none = absl::InvalidArgumentError("nothing to draw");
  EXPECT_EQ(WritePicture(none, kFolder + "/c.svg"), none);
}

TEST(WritePictureTest, SaysWhatCannotBeWritten) {
  ASSERT_TRUE(WritePicture(std::string("<svg/>"), kFolder + "/file").ok());
  const absl::Status status = WritePicture(std::string("<svg/>"), kFolder + "/file/d.svg");
  EXPECT_FALSE(status.ok());
  EXPECT_NE(std::string(status.message()).find("d.svg"), std::string::npos) << status;
}

}  // namespace
}  // namespace lamina
