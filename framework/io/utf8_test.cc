#include "framework/io/utf8.h"

#include <string>

#include "gtest/gtest.h"

namespace lamina {
namespace {

// Writes a code point by the bit patterns of the definition, also where the result is not allowed.
std::string Encode(uint32_t c, int size) {
  if (size == 1) return std::string(1, static_cast<char>(c));
  std::string s(size, '\0');
  for (int i = size - 1; i > 0; --i, c >>= 6) s[i] = static_cast<char>(0x80 | (c & 0x3F));
  s[0] = static_cast<char>((0xF00 >> size) | c);
  return s;
}

TEST(Utf8Test, EveryCodePointInItsShortestFormAndInNoOther) {
  for (uint32_t c = 0; c < 0x200000; ++c) {
    const int shortest = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    const bool allowed = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
    ASSERT_EQ(Utf8CharacterSize(Encode(c, shortest) + "x"), allowed ? shortest : 0) << c;
    for (int size = shortest + 1; size <= 4; ++size) {
      ASSERT_EQ(Utf8CharacterSize(Encode(c, size)), 0u) << c << " in " << size << " bytes";
    }
  }
}

TEST(Utf8Test, WholeTexts) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(
      IsUtf8("Gr\xC3\xB6\xC3\x9F"
             "e \xE2\x88\x82 \xF0\x9F\x98\x80"));
  EXPECT_FALSE(IsUtf8("\xE2\x88")) << "cut off";
  EXPECT_FALSE(IsUtf8("a\x80")) << "begins in the middle of a character";
  EXPECT_FALSE(IsUtf8("\xC3(")) << "no second byte";
  EXPECT_EQ(Utf8CharacterSize(""), 0u);
}

}  // namespace
}  // namespace lamina
