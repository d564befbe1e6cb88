#include "framework/codegen/testing/emulated.h"

#include <regex>

#include "framework/io/file.h"
#include "framework/io/runfiles.h"

namespace lamina::testing {

GeneratedCode Emulated(const GeneratedCode& code) {
  static const std::regex kLaunch(R"((\w+(?:<\w+>)?)<<<(.*), (\d+), 0, stream>>>)");
  GeneratedCode emulated = code;
  for (SourceFile& file : emulated.files) {
    if (!file.name.ends_with(".cu")) continue;
    file.name.replace(file.name.size() - 3, 3, ".cc");
    file.text = std::regex_replace(file.text, kLaunch, "Emulated($1, $2, $3, stream)");
    file.text = std::regex_replace(file.text, std::regex("#pragma unroll\n"), "");
  }
  for (const char* const header :
       {"cuda_runtime_api.h", "device_functions.h", "machine.h", "threads.h"}) {
    const absl::StatusOr<std::string> text =
        ReadFile(RunfilePath(std::string("framework/codegen/testing/emulated_cuda/") + header));
    LAMINA_CHECK(text.ok());
    emulated.files.push_back({header, *text});
  }
  return emulated;
}

}  // namespace lamina::testing
