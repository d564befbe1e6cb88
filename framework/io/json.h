// json.h: JSON text in and out, strictly.
//
// The values are those of the library JSON for Modern C++ (nlohmann/json). The keys of an object
// are sorted, so that equal values give equal texts. What this header adds is what files from
// strangers need: a parser that refuses what the library lets pass (a key twice in an object,
// nesting without end) and reports errors as absl::Status, and a writer that never throws.
//
// Threads: the functions share no state and may be called from any thread at any time.
//
//   absl::StatusOr<Json> network = ParseJson(R"({"layers": [{"name": "conv", "filters": 20}]})");
//   int64_t filters = 0;
//   if (const Json& f = (*network)["layers"][0]["filters"]; f.is_number_integer()) filters = f;
//
// Look at a value's type before you convert it: a conversion that does not fit throws nlohmann's
// own exception.
#ifndef FRAMEWORK_IO_JSON_H_
#define FRAMEWORK_IO_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace lamina {

using Json = nlohmann::json;

/// How many arrays and objects may stand inside one another.
inline constexpr int kMaxJsonDepth = 100;

/// Parses `text`, which is one JSON value (RFC 8259) in UTF-8 with nothing but white space around
/// it.
///
/// Errors: kInvalidArgument with the byte where it went wrong, for text that is not JSON, a number
/// that is beyond double, a key that stands twice in one object, and more than kMaxJsonDepth
/// levels.
absl::StatusOr<Json> ParseJson(std::string_view text);

/// Writes `value`: on one line when `indent` is negative, else with `indent` spaces a level. A
/// finite number reads back as itself. JSON has no NaN and no infinity: they become null. Bytes of
/// a string that are not UTF-8 become U+FFFD.
std::string WriteJson(const Json& value, int indent = -1);

}  // namespace lamina

#endif  // FRAMEWORK_IO_JSON_H_
