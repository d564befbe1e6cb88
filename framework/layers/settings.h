// What the constructors of the built-in layers say about settings and inputs that make no sense.
//
// All throw Error: "layer:InvalidSetting" names the layer, the setting, what it may be and what
// came; "layer:InputFormat" names the layer, what it expects and what came.
//
//   internal::RequireAtLeast("FullyConnectedLayer", "OutputSize", output_size, 1);
//
// Threads: callable from any thread. For the built-in layers, and yours if you like.
#ifndef FRAMEWORK_LAYERS_SETTINGS_H_
#define FRAMEWORK_LAYERS_SETTINGS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "framework/layers/network_data_layout.h"
#include "framework/ops/window.h"

namespace lamina::internal {

/// The setting is a whole number of `least` or more.
void RequireAtLeast(std::string_view layer, std::string_view setting, int64_t value, int64_t least);
/// Each entry is `least` or more, and there is one for all dims or one for each of `rank`.
void RequireEach(std::string_view layer, std::string_view setting, const Sizes& value, int rank,
                 int64_t least);
/// low <= value < high, finite.
void RequireInterval(std::string_view layer, std::string_view setting, double value, double low,
                     double high);
/// value > 0, finite.
void RequirePositive(std::string_view layer, std::string_view setting, double value);
void RequireOneOf(std::string_view layer, std::string_view setting, std::string_view value,
                  std::initializer_list<std::string_view> words);
/// "layer:InputFormat": `layer` expects `expected`, a whole phrase; this format came.
[[noreturn]] void WrongFormat(std::string_view layer, std::string_view expected,
                              const ArraySpec& came);

/// One entry for each of `rank` dims.
Sizes ForEachDim(const Sizes& option, int rank);
/// "[2 2]".
std::string Bracketed(const Sizes& sizes);

/// A Padding as two settings of a layer, a word and numbers: "same" or "causal" and no numbers, or
/// "manual" and the numbers before each dim, then those after each.
struct PaddingSetting {
  std::string mode = "manual";
  Sizes size;

  /// Errors: "layer:InvalidSetting" for numbers that are negative or do not fit `rank`.
  static PaddingSetting Of(std::string_view layer, const Padding& padding, int rank);
  /// "\"same\"" or "[1 1 1 1]".
  std::string Text() const;
};
/// Back again.
Padding ToPadding(const std::string& mode, const Sizes& size);

/// Does a window of `rank` dims move along T, besides the S dims? It does when there is one S dim
/// less than it has dims. Errors: "layer:InputFormat" when the S dims are others.
bool MovesOverTime(std::string_view layer, int rank, const ArraySpec& x);

}  // namespace lamina::internal

#endif  // FRAMEWORK_LAYERS_SETTINGS_H_
