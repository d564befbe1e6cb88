#include "framework/io/json.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace lamina {
namespace {

std::string ErrorOf(const std::string& text) {
  const auto parsed = ParseJson(text);
  return parsed.ok() ? "no error" : std::string(parsed.status().message());
}

TEST(JsonTest, ReadsWhatItWrote) {
  const std::string text = R"({"a":[true,null,-2.5,"Größe \n\u0001"],"m":{"k":[]},"z":1})";
  const auto value = ParseJson(text);
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ((*value)["a"][3], "Größe \n\x01");
  EXPECT_EQ(WriteJson(*value), text);
  EXPECT_EQ(WriteJson(*ParseJson(R"({"b":1,"a":2})")), R"({"a":2,"b":1})") << "sorted keys";
  EXPECT_EQ(*ParseJson(WriteJson(*value, 2)), *value);
}

TEST(JsonTest, NumbersReadBackAsThemselves) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bits = random();
    double x;
    std::memcpy(&x, &bits, sizeof x);
    if (!std::isfinite(x)) continue;
    EXPECT_EQ(ParseJson(WriteJson(x))->get<double>(), x);
  }
  for (const int64_t n : {std::numeric_limits<int64_t>::min(), int64_t{-1}, (int64_t{1} << 53) + 1,
                          std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(ParseJson(WriteJson(n))->get<int64_t>(), n);
  }
}

TEST(JsonTest, WritesAnything) {
  const double nan = std::nan("");
  EXPECT_EQ(WriteJson(Json{nan, HUGE_VAL, -HUGE_VAL}), "[null,null,null]");
  EXPECT_EQ(WriteJson("a\xff"), "\"a\xef\xbf\xbd\"");
}

TEST(JsonTest, RefusesWhatIsNotJson) {
  for (const char* text :
       {"",          " ",      "{",       "[1,]", "{\"a\":1,}", "{a:1}",        "01",
        "+1",        ".5",     "NaN",     "'a'",  "\"a",        "[1] 2",        "[1]x",
        "\"\\u12\"", "\"\n\"", "// c\n1", "tru",  "\xff",       "\"\xc0\x80\"", "1e999"}) {
    EXPECT_EQ(ParseJson(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_NE(ParseJson(std::string("[1]\0", 4)).status().code(), absl::StatusCode::kOk);
  EXPECT_NE(ErrorOf("{\"a\": 1, \"b\" 2}").find("at byte 14"), std::string::npos)
      << ErrorOf("{\"a\": 1, \"b\" 2}");
}

TEST(JsonTest, RefusesAKeyTwice) {
  EXPECT_NE(ErrorOf(R"({"a":1,"b":{"a":1},"a":2})").find("\"a\" stands twice"), std::string::npos);
  EXPECT_NE(ErrorOf(R"({"a":1,"\u0061":2})").find("twice"), std::string::npos);
  EXPECT_TRUE(ParseJson(R"([{"a":1},{"a":{"a":2}}])").ok());
}

TEST(JsonTest, RefusesEndlessNesting) {
  EXPECT_TRUE(ParseJson(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_NE(ErrorOf(std::string(101, '[') + std::string(101, ']')).find("more than 100"),
            std::string::npos);
  EXPECT_NE(ErrorOf(std::string(5'000'000, '[')).find("more than 100"), std::string::npos);
}

}  // namespace
}  // namespace lamina
