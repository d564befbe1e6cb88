#include "framework/io/xml.h"

#include <string>

#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(XmlTest, EscapesWhatHasAMeaning) {
  EXPECT_EQ(XmlEscape("a < b && c > \"d\" 'e'"),
            "a &lt; b &amp;&amp; c &gt; &quot;d&quot; &#39;e&#39;");
  EXPECT_EQ(XmlEscape("]]>"), "]]&gt;");
  EXPECT_EQ(XmlEscape("&amp;"), "&amp;amp;");
}

TEST(XmlTest, LeavesTextAlone) {
  EXPECT_EQ(XmlEscape(""), "");
  EXPECT_EQ(XmlEscape("∂L/∂X\t[24 24 20 128]\n😀"), "∂L/∂X\t[24 24 20 128]\n😀");
  EXPECT_EQ(XmlEscape("a\r\n"), "a&#13;\n");
}

TEST(XmlTest, ReplacesWhatXmlDoesNotAllow) {
  EXPECT_EQ(XmlEscape(std::string("\0\x1B[31m", 6)), "\uFFFD\uFFFD[31m");
  EXPECT_EQ(XmlEscape("\xff\xC3"), "\uFFFD\uFFFD");
  EXPECT_EQ(XmlEscape("\uFFFE\uFFFF\uFFFD"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(XmlEscape("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
}

}  // namespace
}  // namespace lamina
