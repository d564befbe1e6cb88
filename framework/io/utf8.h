// utf8.h: is this text UTF-8? Names from strangers go into JSON and XML, which allow nothing else.
//
// Threads: any thread at any time.
//
//   IsUtf8("Größe")   // true
//   IsUtf8("\xff")    // false
#ifndef FRAMEWORK_IO_UTF8_H_
#define FRAMEWORK_IO_UTF8_H_

#include <cstddef>
#include <string_view>

namespace lamina {

/// The bytes, 1 to 4, of the character that `text` begins with; 0 when it begins with none: text
/// that is empty, cut off, written longer than needed, a surrogate, or beyond U+10FFFF (Unicode 15,
/// table 3-7).
size_t Utf8CharacterSize(std::string_view text);

/// Whether all of `text` is characters in UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace lamina

#endif  // FRAMEWORK_IO_UTF8_H_
