#include "framework/cpu/amx.h"

#include <gtest/gtest.h>
#include <immintrin.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace lamina::cpu {
namespace {

using Words = std::vector<uint32_t>;
constexpr size_t kWords = 16 * 16;

__attribute__((target("amx-tile"))) void ToTile(const Words& x) { _tile_loadd(7, x.data(), 64); }
__attribute__((target("amx-tile"))) Words OfTile() {
  Words x(kWords);
  _tile_stored(7, x.data(), 64);
  return x;
}
__attribute__((target("amx-tile"))) void ReleaseAsOthersMay() { _tile_release(); }

Words Counted() {
  Words x(kWords);
  for (size_t i = 0; i < kWords; ++i) x[i] = static_cast<uint32_t>(i + 1);
  return x;
}

TEST(AmxTest, LevelsAreWithoutAmx) {
  const char* wish = std::getenv("LAMINA_CPU");
  if (wish == nullptr) GTEST_SKIP() << "no level is set";
  EXPECT_FALSE(HasAmx());
}

TEST(AmxTest, TilesKeepAllBytesAndLoadMakesThemZeros) {
  if (!HasAmx()) GTEST_SKIP() << "no AMX";
  AmxTiles tiles;
  EXPECT_EQ(OfTile(), Words(kWords));
  ToTile(Counted());
  EXPECT_EQ(OfTile(), Counted());
  tiles.Load();
  EXPECT_EQ(OfTile(), Words(kWords));
}

TEST(AmxTest, LoadGivesBackWhatAnotherReleased) {
  if (!HasAmx()) GTEST_SKIP() << "no AMX";
  AmxTiles tiles;
  ReleaseAsOthersMay();
  tiles.Load();
  ToTile(Counted());
  EXPECT_EQ(OfTile(), Counted());
}

TEST(AmxTest, TheEndOfTheObjectReleasesTheTiles) {
  if (!HasAmx()) GTEST_SKIP() << "no AMX";
  { const AmxTiles tiles; }
  EXPECT_DEATH(OfTile(), "");
}

}  // namespace
}  // namespace lamina::cpu
