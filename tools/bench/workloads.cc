#include "tools/bench/workloads.h"

#include "framework/dlarray/error.h"
#include "tools/bench/families.h"

namespace lamina::bench {

const std::vector<Workload>& Workloads() {
  static const auto* const kWorkloads = new std::vector<Workload>{
      {"srelu_grad",
       [](DataType type) {
         return SReluGrad(type, {24, 24, 20, 128});
       }},
      {"elementwise_chain_grad",
       [](DataType type) { return ElementwiseChainGrad(type, int64_t{4} << 20); }},
      {"mlp_tiny_adam", MlpTinyAdam},
      {"mlp_digits_adam", MlpDigitsAdam},
      {"mnist_cnn_adam", MnistCnnAdam},
      {"residual_block_grad", ResidualBlockGrad},
      {"lstm_grad", [](DataType type) { return LstmGrad(type, {}); }},
      {"peephole_lstm_512_grad", PeepholeLstm512Grad},
      {"sliced_steps_512_grad", SlicedSteps512Grad},
      {"attention_grad", AttentionGrad},
      {"gemm_1024", Gemm1024},
      {"gemm_1024_onednn", Gemm1024},
      {"conv_64_28_fwd", Conv6428Forward},
      {"conv_64_28_fwd_onednn", Conv6428Forward},
      {"gradcheck_srelu", GradcheckSRelu},
      {"predict_mnist", PredictMnist},
      {"predict_mnist_c", PredictMnistC, DataType::kSingle},
      {"predict_mnist_c_onnx", PredictMnistC, DataType::kSingle},
      {"add_16_x1000", Add16Times1000},
      {"add_16_taped_x1000", Add16TapedTimes1000},
  };
  return *kWorkloads;
}

Workload SReluGradOf(int64_t elements) {
  if (elements < 1024 || elements % 1024 != 0) {
    throw Error("bench:Elements", "The number of elements is a positive multiple of 1024.",
                std::to_string(elements) + " came.", "");
  }
  return {"srelu_grad", [=](DataType type) {
            return SReluGrad(type, {8, 8, 16, elements / 1024});
          }};
}

}  // namespace lamina::bench
