#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "tools/bench/families.h"

namespace lamina::bench {
namespace {

DlArray SRelu(const DlArrays& in) {
  const DlArray &x = in[0], &left_slope = in[1], &right_slope = in[2], &left = in[3],
                &right = in[4];
  return Where(x <= left, left + left_slope * (x - left),
               Where(x < right, x, right + right_slope * (x - right)));
}

DlArray Chain(const DlArrays& in) {
  const DlArray& x = in[0];
  const DlArray u = 0.5 * x * (1 + Tanh(0.79788 * (x + 0.044715 * (x * x * x))));
  return u * Sigmoid(1.702 * u) + 0.1 * x;
}

DlArrays Add1000Times(const DlArrays& in) {
  DlArray sum = in[0];
  for (int i = 0; i < 1000; ++i) sum = sum + in[1];
  return {sum};
}

}  // namespace

Work SReluGrad(DataType type, const Sizes& sizes) {
  DlArrays in{Randn(sizes, type)};
  for (int i = 0; i < 4; ++i) in.push_back(Rand({1, 1, sizes[2]}, type));
  return WithGradients(SRelu, std::move(in), Randn(sizes, type));
}

Work ElementwiseChainGrad(DataType type, int64_t elements) {
  return WithGradients(Chain, {Randn({elements}, type)}, Randn({elements}, type));
}

Work Add16Times1000(DataType type) {
  return {
      .inputs = {Randn({16}, type), Randn({16}, type)}, .function = Add1000Times, .is_eager = true};
}

Work Add16TapedTimes1000(DataType type) {
  return {.inputs = {Randn({16}, type), Randn({16}, type)},
          .function = [](const DlArrays& in) { return DlFeval(Add1000Times, in); },
          .is_eager = true};
}

}  // namespace lamina::bench
