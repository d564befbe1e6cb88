#include "framework/gpu/testing/header_check.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/c_compiler.h"

namespace lamina::gpu::testing {
namespace {

// Does a function fit that is declared with opaque pointers and with int for enumerations?
constexpr char kFits[] = R"(
#include <cstddef>
#include <cstdint>
#include <type_traits>
using CudaAddress = unsigned long long;
struct NcclId { char bytes[128]; };
struct CublasAlgorithm {};  // Compared by its members.

template <class Ours, class Theirs>
constexpr bool Fits() {
  if constexpr (std::is_void_v<Ours>) {
    return true;
  } else if constexpr (std::is_pointer_v<Ours> != std::is_pointer_v<Theirs>) {
    return false;
  } else if constexpr (std::is_pointer_v<Ours>) {
    using O = std::remove_pointer_t<Ours>;
    using T = std::remove_pointer_t<Theirs>;
    // What we say is read alone, is: else an input could be taken for an output.
    return std::is_const_v<O> == std::is_const_v<T> &&
           Fits<std::remove_const_t<O>, std::remove_const_t<T>>();
  } else if constexpr (std::is_class_v<Ours> || std::is_class_v<Theirs>) {
    return std::is_class_v<Ours> && std::is_class_v<Theirs> &&
           (std::is_empty_v<Ours> ||
            (sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs)));
  } else {
    return sizeof(Ours) == sizeof(Theirs) &&
           std::is_floating_point_v<Ours> == std::is_floating_point_v<Theirs> &&
           (std::is_enum_v<Theirs> || std::is_signed_v<Ours> == std::is_signed_v<Theirs>);
  }
}
template <class Ours, class Theirs>
struct Function : std::false_type {};
// Results are an enumeration, or a version.
template <class... Ours, class R, class... Theirs>
struct Function<int(Ours...), R(Theirs...)> {
  static constexpr bool Check() {
    if constexpr (sizeof...(Ours) != sizeof...(Theirs)) {
      return false;
    } else {
      return (std::is_enum_v<R> || std::is_integral_v<R>) && (Fits<Ours, Theirs>() && ...);
    }
  }
  static constexpr bool value = Check();
};
)";

// The flags with which a toolkit's headers are found.
std::string Flags() {
  std::string flags = "-std=c++17 -w";
  std::vector<std::string> homes = {"/usr/local/cuda"};
  if (const char* const home = std::getenv("CUDA_HOME"); home != nullptr)
    homes.insert(homes.begin(), home);
  for (const std::string& home : homes) {
    std::error_code ignored;
    const std::string folder = home + "/include";
    if (std::filesystem::exists(folder, ignored)) absl::StrAppend(&flags, " -I'", folder, "'");
  }
  return flags;
}

}  // namespace

std::string HeaderValue(const char* name, const char* theirs, int64_t value) {
  return absl::StrCat("static_assert((long long)(", theirs, ") == ", value, ", \"", name,
                      " is not ", theirs, "\");\n");
}

std::string HeaderDeclaration(const char* symbol, const char* arguments) {
  return absl::StrCat("static_assert(Function<int ", arguments, ", decltype(", symbol,
                      ")>::value, \"", symbol, " has other arguments\");\n");
}

absl::Status CheckHeader(const std::string& header, const std::string& checks) {
  const std::string text =
      absl::StrCat("#include <", header, ">\n", kFits, checks, "int main() { return 0; }\n");
  return CompileAndRun({{"check.cc", text}}, Flags(), "").status();
}

}  // namespace lamina::gpu::testing
