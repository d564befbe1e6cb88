// The thermal cell with a mistake that people make: forward Euler, which is only stable for short
// steps.
#ifndef LESSONS_PHYSICAL_CELL_BROKEN_FORWARD_EULER_LAYER_H_
#define LESSONS_PHYSICAL_CELL_BROKEN_FORWARD_EULER_LAYER_H_

#include <tuple>

#include "layers/thermal_cell/thermal_cell_layer.h"

namespace lamina {

struct ForwardEulerLayer : ThermalCellLayer {
  using ThermalCellLayer::ThermalCellLayer;

  // [region predict]
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t batch = Size(x, 'B'), steps = Size(x, 'T');
    const DlArrays c = Split(Exp(log_capacities) / time_step, 0, {1, 1});
    const DlArrays g = Split(Exp(log_conductances), 0, {1, 1});
    const DlArrays in = Split(StripDims(x, "CBT"), 0, {1, 1});
    const DlArrays q = Split(Reshape(in[0], {1, batch * steps}), 1, Sizes(steps, batch));
    const DlArrays air = Split(Reshape(in[1], {1, batch * steps}), 1, Sizes(steps, batch));
    const DlArrays t = Split(initial_temperatures + warming, 0, {1, 1});
    DlArray t1 = t[0] + ZerosLike(q[0]), t2 = t[1] + ZerosLike(q[0]);  // 1 x B
    DlArrays y;
    for (int64_t k = 0; k < steps; ++k) {
      // Just as the equations stand there.
      const DlArray to_body = g[1] * (t1 - t2);
      t1 = t1 + (q[k] + g[0] * (air[k] - t1) - to_body) / c[0];
      t2 = t2 + to_body / c[1];
      y.push_back(Cat(0, {t1, t2}));
    }
    return {Reshape(Cat(1, y), {2, batch, steps}, "CBT"), y.back() - initial_temperatures};
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_PHYSICAL_CELL_BROKEN_FORWARD_EULER_LAYER_H_
