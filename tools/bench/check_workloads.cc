#include <string>

#include "checks/check_layer.h"
#include "framework/dlarray/error.h"
#include "layers/srelu/srelu_layer.h"
#include "tools/bench/families.h"

namespace lamina::bench {

Work GradcheckSRelu(DataType) {
  CheckOptions options{.quiet = true};
  for (const std::string& test : CheckLayerTestNames()) {
    if (test != "gradientsAreNumericallyCorrect") options.skip_tests.insert(test);
  }
  const auto check = [=](const DlArrays&) {
    const CheckReport report =
        CheckLayer(SReluLayer(), {NetworkDataLayout({5, 5, 4, 2}, "SSCB")}, options);
    if (!report.ok()) {
      throw Error("bench:Gradcheck", "The gradients of SReluLayer are right.",
                  "CheckLayer found them wrong.", "Run CheckLayer and read its report.");
    }
    return DlArrays();
  };
  return {.function = check, .is_eager = true};
}

}  // namespace lamina::bench
