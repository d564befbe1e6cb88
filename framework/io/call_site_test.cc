// Does a call site name the functions that called, and the lines where they did? This file is
// compiled with -g1.
#include "framework/io/call_site.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace lamina {

__attribute__((noinline)) CallSite Inner(int* line) {
  *line = __LINE__ + 1;
  CallSite site = CallSite::Here();
  return site;
}

inline __attribute__((always_inline)) CallSite Inlined(int* line) { return Inner(line); }

__attribute__((noinline)) std::pair<CallSite, int> Outer(int* inner_line) {
  const int line = __LINE__ + 1;
  CallSite site = Inlined(inner_line);
  return {std::move(site), line};
}

namespace {

TEST(CallSiteTest, NamesFunctionsAndLines) {
  int inner_line = 0;
  const auto [site, outer_line] = Outer(&inner_line);
  const auto frames = site.Frames();
  ASSERT_TRUE(frames.ok()) << frames.status();
  ASSERT_GE(frames->size(), 4u);
  const auto at = [](int line) { return absl::StrCat("framework/io/call_site_test.cc:", line); };
  EXPECT_EQ((*frames)[0].function, "lamina::Inner(int*)");
  EXPECT_EQ((*frames)[0].line, at(inner_line));
  EXPECT_EQ((*frames)[1].function, "lamina::Inlined(int*)");
  EXPECT_EQ((*frames)[2].function, "lamina::Outer(int*)");
  EXPECT_EQ((*frames)[2].line, at(outer_line));
  EXPECT_TRUE(std::any_of(frames->begin(), frames->end(),
                          [](const CallSite::Frame& f) { return f.function == "main"; }));
}

TEST(CallSiteTest, OfNobodyThereIsNothing) {
  const auto frames = CallSite().Frames();
  ASSERT_TRUE(frames.ok());
  EXPECT_TRUE(frames->empty());
}

TEST(CallSiteTest, WithoutTheProgramItSaysSo) {
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(setenv("PATH", "/nowhere", 1), 0);
  const auto frames = CallSite::Here().Frames();
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  EXPECT_EQ(frames.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(frames.status().message(), "addr2line")) << frames.status();
}

}  // namespace
}  // namespace lamina
