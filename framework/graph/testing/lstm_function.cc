#include "framework/graph/testing/lstm_function.h"

#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/lstm.h"
#include "framework/ops/random.h"

namespace lamina::testing {

DlArrays LstmInputs(int64_t channels, int64_t units, int64_t batch, int64_t steps, DataType type) {
  return {Randn({channels, batch, steps}, type, "CBT"), 0.3 * Randn({4 * units, channels}, type),
          0.3 * Randn({4 * units, units}, type), Randn({4 * units, 1}, type),
          Randn({units, batch, steps}, type, "CBT")};
}

DlArrays LstmAndGradients(Arrays inputs) {
  return DlFeval(
      [&](const DlArrays& w) {
        const DlArray y = Lstm(w[0], DlArray(), DlArray(), w[1], w[2], w[3]).y;
        DlArrays all = DlVectorJacobian(y, inputs[4], w);
        all.push_back(y);
        return all;
      },
      DlArrays(inputs.begin(), inputs.begin() + 4));
}

}  // namespace lamina::testing
