// A count and its noun, for messages: "1 input", "2 inputs".
//
// Threads: a pure function.
#ifndef FRAMEWORK_DLARRAY_COUNTED_H_
#define FRAMEWORK_DLARRAY_COUNTED_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace lamina::internal {

/// `many` is the noun for any count but 1; unless given, `one` with an s.
inline std::string Counted(int64_t n, std::string_view one, std::string_view many = {}) {
  std::string text = std::to_string(n) + ' ';
  if (n == 1) return text += one;
  if (many.empty()) return (text += one) += 's';
  return text += many;
}

}  // namespace lamina::internal

#endif  // FRAMEWORK_DLARRAY_COUNTED_H_
