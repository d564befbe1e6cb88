#include "tools/bench/onednn_calls.h"

#include <utility>

namespace lamina::bench {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory::desc Described(const memory::dims& dims, Tag tag) {
  return memory::desc(dims, memory::data_type::f32, tag);
}

void Reorder(memory from, memory to) {
  dnnl::stream stream(Engine());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
}

// The values, which lie as `plain` says, in memory that lies as `wanted` says.
memory Placed(const Floats& values, const memory::desc& plain, const memory::desc& wanted) {
  memory placed(wanted, Engine());
  Reorder(memory(plain, Engine(), const_cast<float*>(values.data())), placed);
  return placed;
}

dnnl::primitive_attr WithOwnScratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

// The product x y of two matrices of Lamina's, whose columns follow one another. oneDNN's rows do:
// to it these are the transposes, so it is asked for y' x'.
constexpr int64_t kSize = 1024;

std::unique_ptr<DirectCall> Product(const std::vector<Floats>& in, Tag tag) {
  const memory::dims dims = {kSize, kSize};
  const memory::desc plain = Described(dims, Tag::ab), wanted = Described(dims, tag);
  const dnnl::matmul::primitive_desc primitive(dnnl::matmul::desc(wanted, wanted, wanted),
                                               WithOwnScratchpad(), Engine());
  Arguments arguments = {
      {DNNL_ARG_SRC, Placed(in[1], plain, primitive.src_desc())},
      {DNNL_ARG_WEIGHTS, Placed(in[0], plain, primitive.weights_desc())},
      {DNNL_ARG_DST, memory(primitive.dst_desc(), Engine())},
      {DNNL_ARG_SCRATCHPAD, memory(primitive.scratchpad_desc(), Engine())},
  };
  return std::make_unique<DirectCall>(dnnl::matmul(primitive), std::move(arguments), plain);
}

// x: 32 images of 28 x 28 with 64 channels; 64 filters of 3 x 3; a bias. The output has x's sizes.
constexpr int64_t kBatch = 32, kChannels = 64, kSide = 28, kFilter = 3;

std::unique_ptr<DirectCall> Convolution(const std::vector<Floats>& in, dnnl::algorithm algorithm) {
  const memory::dims x = {kBatch, kChannels, kSide, kSide},
                     w = {kChannels, kChannels, kFilter, kFilter}, bias = {kChannels}, one = {1, 1};
  const dnnl::convolution_forward::primitive_desc primitive(
      dnnl::convolution_forward::desc(dnnl::prop_kind::forward_inference, algorithm,
                                      Described(x, Tag::any), Described(w, Tag::any),
                                      Described(bias, Tag::any), Described(x, Tag::any),
                                      /*strides=*/one, /*padding_l=*/one, /*padding_r=*/one),
      WithOwnScratchpad(), Engine());
  Arguments arguments = {
      {DNNL_ARG_SRC, Placed(in[0], Described(x, Tag::nchw), primitive.src_desc())},
      {DNNL_ARG_WEIGHTS, Placed(in[1], Described(w, Tag::oihw), primitive.weights_desc())},
      {DNNL_ARG_BIAS, Placed(in[2], Described(bias, Tag::a), primitive.bias_desc())},
      {DNNL_ARG_DST, memory(primitive.dst_desc(), Engine())},
      {DNNL_ARG_SCRATCHPAD, memory(primitive.scratchpad_desc(), Engine())},
  };
  return std::make_unique<DirectCall>(dnnl::convolution_forward(primitive), std::move(arguments),
                                      Described(x, Tag::nchw));
}

}  // namespace

DirectCall::DirectCall(dnnl::primitive primitive, Arguments arguments, memory::desc plain)
    : stream_(Engine()),
      primitive_(std::move(primitive)),
      arguments_(std::move(arguments)),
      plain_(std::move(plain)) {}

void DirectCall::Run() {
  primitive_.execute(stream_, arguments_);
  stream_.wait();
}

Floats DirectCall::Output() {
  Floats values(plain_.get_size() / sizeof(float));
  Reorder(arguments_.at(DNNL_ARG_DST), memory(plain_, Engine(), values.data()));
  return values;
}

const std::vector<DirectWorkload>& DirectWorkloads() {
  using Inputs = std::vector<Floats>;
  constexpr int64_t kImages = kBatch * kChannels * kSide * kSide;
  constexpr int64_t kWeights = kChannels * kChannels * kFilter * kFilter;
  static const auto* const kWorkloads = new std::vector<DirectWorkload>{
      {"gemm_1024_onednn",
       {kSize * kSize, kSize * kSize},
       {{"matmul, any layout", [](const Inputs& in) { return Product(in, Tag::any); }},
        {"matmul, rows", [](const Inputs& in) { return Product(in, Tag::ab); }}}},
      {"conv_64_28_fwd_onednn",
       {kImages, kWeights, kChannels},
       {{"direct",
         [](const Inputs& in) { return Convolution(in, dnnl::algorithm::convolution_direct); }},
        {"Winograd",
         [](const Inputs& in) { return Convolution(in, dnnl::algorithm::convolution_winograd); }}}},
  };
  return *kWorkloads;
}

}  // namespace lamina::bench
