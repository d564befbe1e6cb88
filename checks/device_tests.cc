// Tests that need a GPU, which is not part of this build yet: they are listed and skipped, with
// what to do.
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

constexpr LayerTest kTests[] = {
    {"predictIsConsistentInTypeOnGpu", Variants::kObservations, Always, nullptr, Needs::kGpu},
    {"forwardIsConsistentInTypeOnGpu", Variants::kObservations, HasForward, nullptr, Needs::kGpu},
    {"backwardIsConsistentInTypeOnGpu", Variants::kObservations, HasBackward, nullptr, Needs::kGpu},
    {"gradientsAreNumericallyCorrectOnGpu", Variants::kObservations, Always, nullptr, Needs::kGpu},
};

}  // namespace

std::span<const LayerTest> DeviceTests() { return kTests; }

}  // namespace lamina::checks
