// xml.h: text as XML wants it. SVG pictures and JUnit reports are XML.
//
// Threads: any thread at any time.
//
//   XmlEscape("a < b & \"c\"")   // a &lt; b &amp; &quot;c&quot;
#ifndef FRAMEWORK_IO_XML_H_
#define FRAMEWORK_IO_XML_H_

#include <string>
#include <string_view>

namespace lamina {

/// Makes any bytes fit for the text of an element or for an attribute in quotes: & < > " and '
/// become entities, bytes that are not UTF-8 and characters that XML 1.0 does not allow (control
/// characters, U+FFFE, U+FFFF) become U+FFFD. Tabs and ends of lines stay; a carriage return
/// becomes &#13;, as a reader would make a new line of it.
std::string XmlEscape(std::string_view text);

}  // namespace lamina

#endif  // FRAMEWORK_IO_XML_H_
