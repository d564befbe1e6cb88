// The thermal cell against what it is said to solve: the equations of each step put back in, heat
// that balances, and the differential equations solved in tiny steps by another method.
#include "layers/thermal_cell/thermal_cell_layer.h"

#include <cmath>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Soil under the sun, in two minutes a step.
constexpr ThermalValues kSoil = {.time_step = 120,
                                 .surface_capacity = 2e4,
                                 .body_capacity = 2.5e5,
                                 .air_conductance = 15,
                                 .body_conductance = 12,
                                 .surface_temperature = 3,
                                 .body_temperature = 7};

// The layer with its parameters in double.
ThermalCellLayer MakeLayer(const ThermalValues& v) {
  ThermalCellLayer layer(v);
  layer.log_capacities = DlArray::FromVector<double>(
      {std::log(v.surface_capacity), std::log(v.body_capacity)}, {2, 1});
  layer.log_conductances = DlArray::FromVector<double>(
      {std::log(v.air_conductance), std::log(v.body_conductance)}, {2, 1});
  layer.initial_temperatures =
      DlArray::FromVector<double>({v.surface_temperature, v.body_temperature}, {2, 1});
  layer.ResetState();
  return layer;
}

// Heat flows of hundreds of watts, air of some degrees: 2(C) x batch x steps.
DlArray Weather(int64_t batch, int64_t steps) {
  return Cat('C', {RandomInput({1, batch, steps}, "CBT", -100, 400, 1),
                   RandomInput({1, batch, steps}, "CBT", -10, 10, 2)});
}

DlArray Constant(double q, double ta, int64_t steps) {
  return Cat('C', {Full({1, 1, steps}, q, DataType::kDouble, "CBT"),
                   Full({1, 1, steps}, ta, DataType::kDouble, "CBT")});
}

TEST(ThermalCellLayerTest, EachStepSolvesItsEquations) {
  constexpr int64_t kBatch = 3, kSteps = 40;
  const DlArray x = Weather(kBatch, kSteps);
  const DlArray y = AnyLayer(MakeLayer(kSoil)).Predict({x}).outputs[0];
  EXPECT_EQ(ToString(y.spec()), "2(C) x 3(B) x 40(T) double DlArray");
  const ThermalValues& v = kSoil;
  for (int64_t b = 0; b < kBatch; ++b) {
    double old1 = v.surface_temperature, old2 = v.body_temperature;
    for (int64_t t = 0; t < kSteps; ++t) {
      const int64_t at = 2 * (b + kBatch * t);
      const double q = x.At(at), ta = x.At(at + 1), t1 = y.At(at), t2 = y.At(at + 1);
      EXPECT_NEAR(v.surface_capacity * (t1 - old1) / v.time_step,
                  q + v.air_conductance * (ta - t1) + v.body_conductance * (t2 - t1), 1e-9);
      EXPECT_NEAR(v.body_capacity * (t2 - old2) / v.time_step, v.body_conductance * (t1 - t2),
                  1e-9);
      old1 = t1, old2 = t2;
    }
  }
}

// Runge and Kutta's method of fourth order with `steps` steps over `seconds`.
std::vector<double> Solve(const ThermalValues& v, double q, double ta, double seconds, int steps) {
  const auto rate = [&](double t1, double t2) {
    return std::vector<double>{
        (q + v.air_conductance * (ta - t1) + v.body_conductance * (t2 - t1)) / v.surface_capacity,
        v.body_conductance * (t1 - t2) / v.body_capacity};
  };
  double t1 = v.surface_temperature, t2 = v.body_temperature;
  const double dt = seconds / steps;
  for (int i = 0; i < steps; ++i) {
    const auto a = rate(t1, t2);
    const auto b = rate(t1 + dt / 2 * a[0], t2 + dt / 2 * a[1]);
    const auto c = rate(t1 + dt / 2 * b[0], t2 + dt / 2 * b[1]);
    const auto d = rate(t1 + dt * c[0], t2 + dt * c[1]);
    t1 += dt / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0]);
    t2 += dt / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1]);
  }
  return {t1, t2};
}

// The error of backward Euler halves with the step: a method of first order that comes to the
// solution of the differential equations.
TEST(ThermalCellLayerTest, ComesToTheDifferentialEquations) {
  const std::vector<double> exact = Solve(kSoil, 200, -4, 7200, 4000);
  double errors[2][2];
  for (int i = 0; i < 2; ++i) {
    ThermalValues v = kSoil;
    const int64_t steps = i == 0 ? 720 : 1440;
    v.time_step = 7200 / static_cast<double>(steps);
    const DlArray y = AnyLayer(MakeLayer(v)).Predict({Constant(200, -4, steps)}).outputs[0];
    for (int node = 0; node < 2; ++node) {
      errors[i][node] = y.At(2 * (steps - 1) + node) - exact[node];
    }
  }
  for (int node = 0; node < 2; ++node) {
    EXPECT_LT(std::abs(errors[1][node]), 0.01) << "node " << node;
    EXPECT_NEAR(errors[0][node] / errors[1][node], 2, 0.02) << "node " << node;
  }
}

TEST(ThermalCellLayerTest, SettlesWhereTheAirTakesAllHeat) {
  ThermalValues v = kSoil;
  v.time_step = 1e7;
  const DlArray y = AnyLayer(MakeLayer(v)).Predict({Constant(30, -4, 50)}).outputs[0];
  EXPECT_NEAR(y.At(98), -4 + 30 / v.air_conductance, 1e-9);
  EXPECT_NEAR(y.At(99), -4 + 30 / v.air_conductance, 1e-9);
}

// A thousand times the step at which forward Euler would explode.
TEST(ThermalCellLayerTest, DoesNotSwing) {
  ThermalValues v = kSoil;
  v.surface_capacity = 1;
  const DlArray y = AnyLayer(MakeLayer(v)).Predict({Constant(0, -4, 100)}).outputs[0];
  for (int64_t t = 1; t < 100; ++t) EXPECT_LT(y.At(2 * t), y.At(2 * t - 2)) << t;
  EXPECT_GT(y.At(198), -4);
}

TEST(ThermalCellLayerTest, TwoHalvesWithTheStateHandedOnAreTheWhole) {
  AnyLayer layer = MakeLayer(kSoil);
  const DlArray x = Weather(2, 10);
  const DlArray whole = layer.Predict({x}).outputs[0];
  const LayerResult first = layer.Predict({Slice(x, 'T', 0, 4)});
  layer.SetStates(first.states);
  const LayerResult second = layer.Predict({Slice(x, 'T', 4, 6)});
  EXPECT_TRUE(Near(Cat('T', {first.outputs[0], second.outputs[0]}), whole, 1e-14));
  layer.ResetState();
  EXPECT_TRUE(IsEqual(layer.Predict({x}).outputs[0], whole));
}

TEST(ThermalCellLayerTest, DerivativesAreTheNumericOnes) {
  AnyLayer layer = MakeLayer({.time_step = 0.5, .body_capacity = 2, .air_conductance = 0.7});
  layer.SetStates(DlArrays{RandomInput({2, 3}, "", -1, 1, 3)});
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 3, 5}, "CBT")}));
}

TEST(ThermalCellLayerTest, BeginsWithTheValuesGiven) {
  const ThermalCellLayer layer(kSoil);
  EXPECT_TRUE(AnyLayer(layer).IsInitialized());
  EXPECT_NEAR(std::exp(layer.log_capacities.At(1)), 2.5e5, 1);
  EXPECT_NEAR(std::exp(layer.log_conductances.At(0)), 15, 1e-5);
  EXPECT_EQ(layer.initial_temperatures.ToVector<float>(), std::vector<float>({3, 7}));
}

TEST(ThermalCellLayerTest, RefusesValuesThatAreNotPositive) {
  const auto message = [](double bad) {
    return MessageOf([&] { ThermalCellLayer({.body_capacity = bad}); });
  };
  const std::string expected = "The time step, capacities and conductances are positive numbers. ";
  EXPECT_EQ(message(0), expected + "0.000000 came. [layer:InvalidSetting]");
  EXPECT_EQ(message(-1), expected + "-1.000000 came. [layer:InvalidSetting]");
  EXPECT_EQ(message(std::nan("")), expected + "nan came. [layer:InvalidSetting]");
}

}  // namespace
}  // namespace lamina
