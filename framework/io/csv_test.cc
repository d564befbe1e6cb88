#include "framework/io/csv.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

std::string ErrorOf(const std::string& text, const CsvOptions& options = {}) {
  const auto table = ParseCsv(text, options);
  return table.ok() ? "no error" : std::string(table.status().message());
}

TEST(CsvTest, ReadsNumbers) {
  const auto table = ParseCsv("1,-2.5, 3e2\n0.1 ,  nan,-inf\n");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->rows, 2);
  EXPECT_EQ(table->columns, 3);
  EXPECT_TRUE(table->names.empty());
  EXPECT_EQ(table->At(0, 0), 1);
  EXPECT_EQ(table->At(0, 1), -2.5);
  EXPECT_EQ(table->At(0, 2), 300);
  EXPECT_EQ(table->At(1, 0), 0.1);
  EXPECT_TRUE(std::isnan(table->At(1, 1)));
  EXPECT_EQ(table->At(1, 2), -HUGE_VAL);
  EXPECT_EQ(table->values[1], 0.1) << "column-major";
}

TEST(CsvTest, ReadsNamesQuotesAndOtherSeparators) {
  const auto table = ParseCsv("\xEF\xBB\xBF \"a;\"\"b\"\"\" ; c\r\n\"1\";2\r\n\r\n\r\n",
                              {.header = true, .separator = ';'});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->names, (std::vector<std::string>{"a;\"b\"", "c"}));
  EXPECT_EQ(table->values, (std::vector<double>{1, 2}));
}

TEST(CsvTest, EmptyTables) {
  EXPECT_EQ(ParseCsv("")->rows, 0);
  EXPECT_EQ(ParseCsv("\n\n")->columns, 0);
  const auto names = ParseCsv("a,b", {.header = true});
  EXPECT_EQ(names->rows, 0);
  EXPECT_EQ(names->columns, 2);
}

TEST(CsvTest, ErrorsSayWhere) {
  EXPECT_EQ(ErrorOf("1,2\n3,x4\n"), "line 2, column 2: \"x4\" is not a number");
  EXPECT_EQ(ErrorOf("1,2\n3\n"), "line 2 has 1 fields, the first line has 2");
  EXPECT_EQ(ErrorOf("1,2\n3,4,5\n"), "line 2 has 3 fields, the first line has 2");
  EXPECT_EQ(ErrorOf("1,\n"), "line 1, column 2: the field is empty");
  EXPECT_EQ(ErrorOf("1\n\n2\n"), "line 2, column 1: the field is empty");
  EXPECT_EQ(ErrorOf("1,\"2\n"), "line 1, column 2: a quote is not closed");
  EXPECT_EQ(ErrorOf("\"1\"2\n"), "line 1, column 1: text follows a closed quote");
  EXPECT_EQ(ErrorOf("1e999\n"), "line 1, column 1: \"1e999\" is beyond double");
  for (const char* text : {"0x10", "1,5e", "1 2", "--1", "+1", "1_000", "a,b"})
    EXPECT_NE(ErrorOf(text), "no error") << text;
  EXPECT_NE(ErrorOf(std::string("1\0", 2)), "no error");
  EXPECT_NE(std::string(ReadCsv("no/such.csv").status().message()).find("no/such.csv"),
            std::string::npos);
}

TEST(CsvTest, NoCorruptionCrashes) {
  std::mt19937 random(20240607);
  for (int i = 0; i < 20000; ++i) {
    std::string text = "a,\"b\"\n1,2.5\n-3,\"4\"\n";
    for (int n = random() % 4; n >= 0; --n)
      text[random() % text.size()] = static_cast<char>(random());
    const auto table = ParseCsv(text, {.header = i % 2 == 0});
    if (table.ok()) {
      EXPECT_EQ(static_cast<int64_t>(table->values.size()), table->rows * table->columns);
    }
  }
}

}  // namespace
}  // namespace lamina
