#include "framework/io/xml.h"

#include "framework/io/utf8.h"

namespace lamina {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool Allowed(std::string_view character) {
  if (character.size() == 1)
    return character[0] >= ' ' || character[0] == '\t' || character[0] == '\n';
  return character != "\xEF\xBF\xBE" && character != "\xEF\xBF\xBF";
}

}  // namespace

std::string XmlEscape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t size = Utf8CharacterSize(text);
    const std::string_view character = text.substr(0, size);
    if (size == 0) {
      escaped += kReplacement;
    } else if (character == "&") {
      escaped += "&amp;";
    } else if (character == "<") {
      escaped += "&lt;";
    } else if (character == ">") {
      escaped += "&gt;";
    } else if (character == "\"") {
      escaped += "&quot;";
    } else if (character == "'") {
      escaped += "&#39;";
    } else if (character == "\r") {
      escaped += "&#13;";
    } else {
      escaped += Allowed(character) ? character : kReplacement;
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return escaped;
}

}  // namespace lamina
