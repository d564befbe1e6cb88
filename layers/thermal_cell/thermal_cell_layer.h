// A thermal network of two nodes as a recurrent layer: few learnables, each with a unit.
//
// Heat flows into a surface, which gives it on to the air and to a body below:
//
//   C1 dT1/dt = q + Ga (Ta - T1) + Gb (T2 - T1)         T1: the surface, T2: the body
//   C2 dT2/dt =     Gb (T1 - T2)
//
// The inputs of each time step are the heat flow q and the air temperature Ta, both as they are in
// that step; the outputs are T1 and T2 at its end. Learned are the capacities C1, C2, the
// conductances Ga, Gb, and the temperatures at the beginning. Capacities and conductances are
// learned by their logarithms, so that no step of a solver makes them negative.
//
// A step of length dt is one of backward Euler: the temperatures on the right are those at its end.
// It is stable, and it does not swing, whatever values a solver tries. The equations are linear, so
// their solution for the end of the step is written out once, before the loop:
//
//   (C/dt + K) T' = (C/dt) T + [q + Ga Ta; 0]           K = [Ga + Gb, -Gb; -Gb, Gb]
//
//   ThermalCellLayer cell({.time_step = 120, .surface_capacity = 2e4, .body_capacity = 2e5,
//                          .air_conductance = 10, .body_conductance = 10});
//
// Input: 2(C) x B x T, without "B" or "T" one observation or step. Output: 2(C) x B x T. Units: s,
// J/K, W/K, W and Celsius (or all but s and Celsius for each square metre). The state is how far
// the temperatures have moved from those at the beginning. Source of the method: any text on
// lumped thermal networks, for example Incropera et al., Fundamentals of Heat and Mass Transfer,
// chapter 5. Threads: as every layer.
#ifndef LAYERS_THERMAL_CELL_THERMAL_CELL_LAYER_H_
#define LAYERS_THERMAL_CELL_THERMAL_CELL_LAYER_H_

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "framework/lamina.h"

namespace lamina {

// [region values]
/// Where learning begins.
struct ThermalValues {
  double time_step = 1;                                  ///< s
  double surface_capacity = 1, body_capacity = 1;        ///< J/K
  double air_conductance = 1, body_conductance = 1;      ///< W/K, of the surface to each
  double surface_temperature = 0, body_temperature = 0;  ///< Celsius, at the beginning
};
// [endregion]

// [region layer]
struct ThermalCellLayer : Layer, Formattable, Acceleratable {
  // [region properties]
  Property<double> time_step{*this, "TimeStep"};
  Learnable log_capacities{*this, "LogCapacities"};              // 2 x 1: surface, body
  Learnable log_conductances{*this, "LogConductances"};          // 2 x 1: to the air, to the body
  Learnable initial_temperatures{*this, "InitialTemperatures"};  // 2 x 1: surface, body
  // A state is a constant to the derivative. Kept as a difference, it leaves the temperatures at
  // the beginning learnable.
  State warming{*this, "Warming"};  // 2 x B, at first 2 x 1
  // [endregion]

  explicit ThermalCellLayer(const ThermalValues& v = {}) {
    for (double positive : {v.time_step, v.surface_capacity, v.body_capacity, v.air_conductance,
                            v.body_conductance}) {
      if (positive > 0 && std::isfinite(positive)) continue;
      throw Error("layer:InvalidSetting",
                  "The time step, capacities and conductances are positive numbers.",
                  std::to_string(positive) + " came.", "");
    }
    time_step = v.time_step;
    log_capacities = Log(Column(v.surface_capacity, v.body_capacity));
    log_conductances = Log(Column(v.air_conductance, v.body_conductance));
    initial_temperatures = Column(v.surface_temperature, v.body_temperature);
    ResetState();
  }

  // [region predict]
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    // [region solve]
    const int64_t batch = Size(x, 'B'), steps = Size(x, 'T');
    const DlArrays c = Split(Exp(log_capacities) / time_step, 0, {1, 1});
    const DlArrays g = Split(Exp(log_conductances), 0, {1, 1});
    const DlArray &c1 = c[0], &c2 = c[1], &ga = g[0], &gb = g[1];
    // The inverse of C/dt + K: [c2 + gb, gb; gb, c1 + ga + gb] / determinant.
    const DlArray determinant = (c1 + ga) * (c2 + gb) + gb * c2;
    const DlArray to_heat = Cat(0, {c2 + gb, gb}) / determinant;
    const DlArray to_body = Cat(0, {gb, c1 + ga + gb}) / determinant;
    const DlArray transition = Cat(1, {to_heat * c1, to_body * c2});  // 2 x 2: T to T'
    // [endregion]

    // [region loop]
    const DlArrays in = Split(StripDims(x, "CBT"), 0, {1, 1});
    const DlArray heat = Reshape(in[0] + ga * in[1], {1, batch * steps});
    const DlArrays gains = Split(to_heat * heat, 1, Sizes(steps, batch));
    DlArray t = initial_temperatures + warming;
    DlArrays y;
    for (const DlArray& gain : gains) {
      t = MatMul(transition, t) + gain;
      y.push_back(t);
    }
    return {Reshape(Cat(1, y), {2, batch, steps}, "CBT"), t - initial_temperatures};
    // [endregion]
  }
  // [endregion]

  void ResetState() { warming = ZerosLike(initial_temperatures); }

 private:
  static DlArray Column(double a, double b) {
    return DlArray::FromVector<float>({static_cast<float>(a), static_cast<float>(b)}, {2, 1});
  }
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_THERMAL_CELL_THERMAL_CELL_LAYER_H_
