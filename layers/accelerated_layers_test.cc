// Is each layer, built-in and reference, the same accelerated as op by op: outputs, new states, all
// derivatives, and the derivatives of these? And on a device?
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/acceleration/testing/accelerated_table.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/compiling_device.h"
#include "framework/gpu/testing/emulated_device.h"
#include "framework/graph/optimize.h"
#include "framework/io/temporary_folder.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/testing/builtin_layer_table.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/random.h"
#include "gtest/gtest.h"
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
#include "layers/quantize/quantize_layer.h"
#include "layers/residual_block/residual_block_layer.h"
#include "layers/running_norm/running_norm_layer.h"
#include "layers/siamese_pair/siamese_pair_layer.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"
#include "layers/srelu_codegen/srelu_codegen_layer.h"
#include "layers/thermal_cell/thermal_cell_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina {
namespace {

// Predict and Forward of `layer` as functions of its inputs and parameters.
void AddLayer(AcceleratedTable& table, AnyLayer layer, const DlArrays& inputs) {
  ASSERT_TRUE(layer.traits().is_acceleratable) << layer->Type();
  std::vector<NetworkDataLayout> layouts;
  for (const DlArray& x : inputs) layouts.emplace_back(x.sizes(), x.format().str());
  layer.Initialize(layouts);
  DlArrays arguments = inputs;
  const auto each = [](AnyLayer& l, const auto& visit) {
    l->VisitParameters("", [&](const ParameterRef& p) { visit(*p.value); });
  };
  each(layer, [&](DlArray& p) {
    const DataType type = IsComplex(p.type()) && table.type() == DataType::kDouble
                              ? DataType::kComplexDouble
                          : IsComplex(p.type()) ? DataType::kComplexSingle
                                                : table.type();
    arguments.push_back(Cast(p, type));
  });
  for (const bool training : {false, true}) {
    if (!training && !layer.traits().has_forward) continue;  // Forward is Predict.
    table.Add(layer->Type() + (training ? ", Forward" : ", Predict"), arguments,
              [=, n = inputs.size()](Arrays a) {
                AnyLayer called = layer;
                size_t next = n;
                each(called, [&](DlArray& p) { p = a[next++]; });
                LayerResult r = training ? called.Forward(a.first(n)) : called.Predict(a.first(n));
                DlArrays all = std::move(r.outputs);
                all.insert(all.end(), r.states.begin(), r.states.end());
                return all;
              });
  }
}

class AcceleratedLayersTest : public testing::TestWithParam<DataType> {
 protected:
  void AddBuiltinLayers();
  void AddReferenceLayers();
  RandomSource source_{.seed = 11};
  ScopedRandomSource scope_{source_};
  AcceleratedTable table_{GetParam()};
};

void AcceleratedLayersTest::AddBuiltinLayers() {
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) {
    DlArrays inputs;
    for (int i = 0; i < row.num_inputs; ++i) inputs.push_back(table_.Array(row.sizes, row.format));
    AddLayer(table_, row.layer, inputs);
  }
}

TEST_P(AcceleratedLayersTest, BuiltinLayers) {
  AddBuiltinLayers();
  table_.ExpectSame();
}

void AcceleratedLayersTest::AddReferenceLayers() {
  const auto images = [&] { return table_.Array({6, 6, 4, 3}, "SSCB"); };
  const auto features = [&] { return table_.Array({4, 3}, "CB"); };
  const auto sequences = [&] { return table_.Array({2, 3, 5}, "CBT"); };
  AddLayer(table_, ChannelDropoutLayer(0.25), {images()});
  AddLayer(table_, ComplexFullyConnectedLayer(3), {Complex(features(), features())});
  AddLayer(table_, PeepholeLstmLayer(3), {sequences()});
  AddLayer(table_, PeepholeLstmLayer(3, "last"), {sequences()});
  AddLayer(table_, ProjectAndReshapeLayer({2, 3, 4}), {features()});
  AddLayer(table_, QuantizeLayer(3), {images()});
  AddLayer(table_, RunningNormLayer(), {images()});
  AddLayer(table_, SplitLevelLayer(), {table_.Array({5, 2, 3}, "SCB")});
  AddLayer(
      table_, JoinLevelLayer(),
      {table_.Array({5, 2, 3}, "SCB"), table_.Array({2, 3}, "CB"), table_.Array({2, 3}, "CB")});
  AddLayer(table_, SReluLayer(), {images()});
  AddLayer(table_, SReluBackwardLayer(), {images()});
  AddLayer(table_, SReluCodegenLayer(), {images()});
  AddLayer(table_, ThermalCellLayer({.time_step = 0.5, .body_capacity = 2}), {sequences()});
  AddLayer(table_, WeightedAdditionLayer(3), {images(), images(), images()});
  AddLayer(table_, SiamesePairLayer(DlNetwork({FullyConnectedLayer(3), TanhLayer()})),
           {features(), features()});
  AddLayer(table_, ResidualBlockLayer(3, {.stride = 2, .include_skip_convolution = true}),
           {images()});
  AddLayer(table_, BatchNormResidualBlockLayer(4), {images()});
}

TEST_P(AcceleratedLayersTest, ReferenceLayers) {
  AddReferenceLayers();
  table_.ExpectSame();
}

// The same layers on a device, or one that the processor plays; in single, as devices compute.
class DeviceLayersTest : public AcceleratedLayersTest {
 protected:
  // The layers that have no kernels there.
  std::set<std::string> ExpectSameThere() {
    const TemporaryFolder cache("device_layers");
    setenv("LAMINA_CACHE", cache.path().c_str(), 1);
    const auto gpu =
        CanUseGpu().ok() ? gpu::CurrentGpu() : gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice());
    const auto printing = gpu::Gpu::Make(gpu::testing::MakeCompilingDevice(""));
    return table_.ExpectSameThere([&](const DlArray& x) { return gpu->ToDevice(x); },
                                  [&](const Graph& graph) {
                                    std::string why_not;
                                    return printing->Prepare(Optimize(graph, ImageLayouts::kPlain),
                                                             &why_not) != nullptr;
                                  });
  }
};

TEST_P(DeviceLayersTest, BuiltinLayers) {
  AddBuiltinLayers();
  EXPECT_EQ(ExpectSameThere(), std::set<std::string>());
}

TEST_P(DeviceLayersTest, ReferenceLayers) {
  AddReferenceLayers();
  EXPECT_EQ(ExpectSameThere(), std::set<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Types, DeviceLayersTest, testing::Values(DataType::kSingle),
                         [](const auto& info) { return std::string(Name(info.param)); });
INSTANTIATE_TEST_SUITE_P(Types, AcceleratedLayersTest,
                         testing::Values(DataType::kDouble, DataType::kSingle),
                         [](const auto& info) { return std::string(Name(info.param)); });

}  // namespace
}  // namespace lamina
