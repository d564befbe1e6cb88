#include "framework/io/gzip.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

std::string Bytes(const std::vector<int>& values) { return {values.begin(), values.end()}; }

// printf 'lamina lamina lamina\n' | gzip -n -9, by GNU gzip 1.12.
const std::string kPacked = Bytes({0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                   0xcb, 0x49, 0xcc, 0xcd, 0xcc, 0x4b, 0x54, 0xc8, 0x41, 0xa6,
                                   0xb8, 0x00, 0xa5, 0x83, 0x26, 0xd2, 0x15, 0x00, 0x00, 0x00});
constexpr char kContents[] = "lamina lamina lamina\n";
constexpr size_t kHeaderBytes = 10;

// By hand from RFC 1951: one stored block, "abc". The checksum is CRC-32 of "abc", 0x352441C2.
const std::string kStored =
    Bytes({0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x01, 0x03, 0x00,
           0xfc, 0xff, 'a',  'b',  'c',  0xc2, 0x41, 0x24, 0x35, 0x03, 0x00, 0x00, 0x00});

std::string ErrorOf(const std::string& packed, int64_t max_bytes = 1000) {
  const auto contents = Gunzip(packed, max_bytes);
  return contents.ok() ? "no error" : contents.status().ToString();
}

TEST(GzipTest, Unpacks) {
  EXPECT_EQ(Gunzip(kPacked).value(), kContents);
  EXPECT_EQ(Gunzip(kStored).value(), "abc");
  EXPECT_TRUE(IsGzip(kPacked));
  EXPECT_FALSE(IsGzip(""));
  EXPECT_FALSE(IsGzip(kContents));
}

TEST(GzipTest, UnpacksSeveralInARow) {
  EXPECT_EQ(Gunzip(kStored + kPacked + kStored).value(), std::string("abc") + kContents + "abc");
}

TEST(GzipTest, BoundsWhatIsUnpacked) {
  EXPECT_EQ(Gunzip(kPacked, 21).value(), kContents);
  EXPECT_EQ(ErrorOf(kPacked, 20), "RESOURCE_EXHAUSTED: its gzip contents have more than 20 bytes");
  EXPECT_EQ(ErrorOf(kStored + kPacked, 23),
            "RESOURCE_EXHAUSTED: its gzip contents have more than 23 bytes");
  EXPECT_EQ(ErrorOf(kPacked, -1), "RESOURCE_EXHAUSTED: its gzip contents have more than 0 bytes");
}

TEST(GzipTest, RefusesWhatIsCutOff) {
  for (size_t n = 0; n < kPacked.size(); ++n) {
    EXPECT_EQ(ErrorOf(kPacked.substr(0, n)),
              "INVALID_ARGUMENT: it is cut off: its gzip contents do not end")
        << n << " bytes";
  }
}

TEST(GzipTest, RefusesWhatIsCorrupt) {
  EXPECT_EQ(ErrorOf("lamina"),
            "INVALID_ARGUMENT: it is no gzip file or corrupt: incorrect header check");
  EXPECT_EQ(ErrorOf(kPacked + "lamina"),
            "INVALID_ARGUMENT: it is no gzip file or corrupt: incorrect header check");
  // The checksum, and the length, stand at the end.
  std::string changed = kPacked;
  changed[changed.size() - 8] ^= 1;
  EXPECT_EQ(ErrorOf(changed),
            "INVALID_ARGUMENT: it is no gzip file or corrupt: incorrect data check");
  changed = kPacked;
  changed[changed.size() - 4] ^= 1;
  EXPECT_EQ(ErrorOf(changed),
            "INVALID_ARGUMENT: it is no gzip file or corrupt: incorrect length check");
}

// Whatever a single bit does, nothing is unpacked that is not the contents. Of the header, time and
// system are not covered by the checksum and may be anything.
TEST(GzipTest, NeverUnpacksOtherContents) {
  for (size_t at = 0; at < kPacked.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = kPacked;
      changed[at] ^= static_cast<char>(1 << bit);
      const auto contents = Gunzip(changed, 1000);
      if (contents.ok()) {
        EXPECT_LT(at, kHeaderBytes) << "bit " << bit;
        EXPECT_EQ(*contents, kContents);
      }
    }
  }
}

}  // namespace
}  // namespace lamina
