#include "framework/ops/channel_blocks.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/convolution_blocks.h"
#include "framework/ops/convolution_op.h"

namespace lamina {
namespace {

using cpu::ConvolutionKind;
using internal::ConvBackwardDataOp;
using internal::ConvBackwardWeightsOp;
using internal::ConvOp;

float* Data(const DlArray& x) {
  return const_cast<float*>(static_cast<const float*>(x.data()->bytes()));
}

class LayoutOp : public Op {
 public:
  // `plain` is unset on the way to blocks.
  LayoutOp(const ImageView& view, std::optional<ArraySpec> plain)
      : view_(view), plain_(std::move(plain)) {}
  std::string_view Name() const override {
    return plain_.has_value() ? "from_channel_blocks" : "to_channel_blocks";
  }
  std::string Attributes() const override {
    const std::string text =
        absl::StrCat("images=", view_.positions, "x", view_.channels, "x", view_.batch);
    return plain_.has_value() ? absl::StrCat(text, " to ", ToString(*plain_)) : text;
  }
  void Infer(const Specs& in, SpecList* out) const override {
    LAMINA_CHECK(in[0].type == DataType::kSingle &&
                 in[0].numel() == NumElements(view_.BlockedSizes()));
    out->push_back(plain_.value_or(ArraySpec{DataType::kSingle, view_.BlockedSizes(), {}}));
  }
  void Run(Arrays in, Results out) const override {
    const auto reorder = plain_.has_value() ? cpu::FromChannelBlocks : cpu::ToChannelBlocks;
    reorder(view_.positions, view_.channels, view_.batch, Data(in[0]), out.Data<float>(0));
  }

 private:
  ImageView view_;
  std::optional<ArraySpec> plain_;
};

class BlockedConvolutionOp : public Op {
 public:
  BlockedConvolutionOp(ConvolutionKind kind, const cpu::ConvolutionShape& shape, ArraySpec output,
                       std::string attributes)
      : kind_(kind),
        shape_(shape),
        output_(std::move(output)),
        attributes_(std::move(attributes)) {}
  std::string_view Name() const override {
    switch (kind_) {
      case ConvolutionKind::kForward:
        return "conv_in_blocks";
      case ConvolutionKind::kBackwardData:
        return "conv_backward_data_in_blocks";
      case ConvolutionKind::kBackwardWeights:
        return "conv_backward_weights_in_blocks";
    }
    return "";
  }
  std::string Attributes() const override { return attributes_; }
  void Infer(const Specs&, SpecList* out) const override { out->push_back(output_); }
  void Run(Arrays in, Results out) const override {
    float *const first = Data(in[0]), *const second = Data(in[1]), *const to = out.Data<float>(0);
    switch (kind_) {
      case ConvolutionKind::kForward:
        return cpu::ConvolutionInBlocks(kind_, shape_, first, second,
                                        in.size() > 2 ? Data(in[2]) : nullptr, to);
      case ConvolutionKind::kBackwardData:
        return cpu::ConvolutionInBlocks(kind_, shape_, to, second, nullptr, first);
      case ConvolutionKind::kBackwardWeights:
        return cpu::ConvolutionInBlocks(kind_, shape_, first, to, nullptr, second);
    }
  }

 private:
  ConvolutionKind kind_;
  cpu::ConvolutionShape shape_;
  ArraySpec output_;
  std::string attributes_;
};

}  // namespace

Sizes ImageView::BlockedSizes() const {
  return {cpu::kChannelBlock, positions, channels / cpu::kChannelBlock, batch};
}

ImageView ImageViewOf(const ArraySpec& x) {
  ImageView view;
  for (int d = 0; d < x.rank(); ++d) {
    const char label = x.format[d];
    (label == 'S' ? view.positions : label == 'C' ? view.channels : view.batch) *= x.sizes[d];
  }
  return view;
}

OpPtr ToChannelBlocksOp(const ImageView& view) {
  return std::make_shared<LayoutOp>(view, std::nullopt);
}

OpPtr FromChannelBlocksOp(const ImageView& view, const ArraySpec& plain) {
  return std::make_shared<LayoutOp>(view, plain);
}

bool IsConvolution(const Op& op) {
  return dynamic_cast<const ConvOp*>(&op) != nullptr ||
         dynamic_cast<const ConvBackwardDataOp*>(&op) != nullptr ||
         dynamic_cast<const ConvBackwardWeightsOp*>(&op) != nullptr;
}

uint32_t ImageInputs(const Op& op) {
  return dynamic_cast<const ConvBackwardWeightsOp*>(&op) != nullptr ? 0b11 : 0b1;
}

bool IsImageOutput(const Op& op) {
  return dynamic_cast<const ConvBackwardWeightsOp*>(&op) == nullptr;
}

OpPtr ConvolutionInBlocksOp(const Op& op, const Specs& in, const ArraySpec& output) {
  if (output.type != DataType::kSingle) return nullptr;
  const auto make = [&](ConvolutionKind kind, const auto& conv, const ArraySpec& x,
                        const ArraySpec& w) -> OpPtr {
    const cpu::ConvolutionShape shape = internal::ConvShape(conv.parameters(), x, w);
    if (!cpu::WantsChannelBlocks(kind, shape)) return nullptr;
    ArraySpec made = output;
    if (kind != ConvolutionKind::kBackwardWeights) {
      made = {DataType::kSingle, ImageViewOf(output).BlockedSizes(), {}};
    }
    return std::make_shared<BlockedConvolutionOp>(
        kind, shape, std::move(made), absl::StrCat(op.Attributes(), " images=", ToString(x.sizes)));
  };
  if (const auto* conv = dynamic_cast<const ConvOp*>(&op)) {
    return make(ConvolutionKind::kForward, *conv, in[0], in[1]);
  }
  if (const auto* conv = dynamic_cast<const ConvBackwardDataOp*>(&op)) {
    return make(ConvolutionKind::kBackwardData, *conv, output, in[1]);
  }
  if (const auto* conv = dynamic_cast<const ConvBackwardWeightsOp*>(&op)) {
    return make(ConvolutionKind::kBackwardWeights, *conv, in[0], output);
  }
  return nullptr;
}

}  // namespace lamina
