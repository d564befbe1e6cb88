#include "layers/srelu/srelu_layer.h"

#include "layers/srelu/srelu_tests.h"

namespace lamina::srelu {

INSTANTIATE_TYPED_TEST_SUITE_P(SReluLayer, SReluTest, SReluLayer);

}  // namespace lamina::srelu
