#include "framework/ops/convolution_op.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

// What conv gives for x.
ArraySpec OutputSpec(const cpu::ConvolutionShape& shape, const ArraySpec& x) {
  ArraySpec y;
  y.type = x.type;
  std::string labels(shape.spatial_rank, 'S');
  y.sizes.assign(shape.output.begin(), shape.output.begin() + shape.spatial_rank);
  labels += 'C';
  y.sizes.push_back(shape.channels_out);
  for (int d = shape.spatial_rank; d < x.rank(); ++d) {
    if (x.format[d] == 'C') continue;
    labels += x.format[d];
    y.sizes.push_back(x.sizes[d]);
  }
  y.format = Format(labels);
  return y;
}

// The sum over all dims but C, with the spec of the bias.
DlArray BiasGradient(const DlArray& dy, const ArraySpec& bias) {
  std::vector<int> dims;
  for (int d = 0; d < dy.rank(); ++d) {
    if (dy.format()[d] != 'C') dims.push_back(d);
  }
  return Reshape(Sum(dy, DimSet(dims)), bias.sizes, bias.format.str());
}

DlArray Forward(const ConvParameters& p, const DlArray& x, const DlArray& w) {
  return ApplyProduct(std::make_shared<ConvOp>(p), {x, w});
}
DlArray BackwardData(const ConvParameters& p, const ArraySpec& x, const DlArray& d,
                     const DlArray& w) {
  return ApplyProduct(std::make_shared<ConvBackwardDataOp>(p, x), {d, w});
}
DlArray BackwardWeights(const ConvParameters& p, const ArraySpec& w, const DlArray& x,
                        const DlArray& d) {
  return ApplyProduct(std::make_shared<ConvBackwardWeightsOp>(p, w), {x, d});
}

}  // namespace

std::string ConvParameters::ToString() const {
  return absl::StrCat(window.ToString(), " groups=", groups);
}

cpu::ConvolutionShape ConvShape(const ConvParameters& parameters, const ArraySpec& x,
                                const ArraySpec& w) {
  cpu::ConvolutionShape s;
  s.spatial_rank = x.format.Count('S');
  const int channel_dim = x.format.Find('C');
  s.channels_in = channel_dim < 0 ? 1 : x.size(channel_dim);
  for (char label : {'B', 'T'}) {
    const int dim = x.format.Find(label);
    if (dim >= 0) s.batch *= x.size(dim);
  }
  s.groups = parameters.groups;
  for (int d = 0; d < s.spatial_rank; ++d) {
    s.input[d] = x.size(d);
    s.kernel[d] = w.size(d);
    s.stride[d] = parameters.window.stride[d];
    s.dilation[d] = parameters.window.dilation[d];
    s.pad_begin[d] = parameters.window.pad_begin[d];
    s.pad_end[d] = parameters.window.pad_end[d];
  }
  s.channels_out = 1;
  for (int d = s.spatial_rank + 1; d < w.rank(); ++d) s.channels_out *= w.size(d);
  if (s.groups < 1 || s.channels_in % s.groups != 0 || s.channels_out % s.groups != 0) {
    throw Error("ops:InvalidGroups",
                "The number of groups divides the channels of the data and the filters.",
                absl::StrCat(internal::Counted(s.groups, "group"), ", ",
                             internal::Counted(s.channels_in, "channel"), " and ",
                             internal::Counted(s.channels_out, "filter"), " came."),
                "Choose another number of groups.");
  }
  if (w.size(s.spatial_rank) * s.groups != s.channels_in) {
    throw Error(
        "dlarray:SizeMismatch",
        absl::StrCat("Dim ", s.spatial_rank,
                     " of the weights is the number of channels of the data for each group, ",
                     s.channels_in / s.groups, " here."),
        absl::StrCat("Data ", lamina::ToString(x), " and weights ", lamina::ToString(w),
                     " came, with ", internal::Counted(s.groups, "group"), "."),
        "Give the weights as filter sizes, channels for each group, filters.");
  }
  if (s.channels_in == 0 || s.channels_out == 0 || !cpu::ComputeOutputSize(&s)) {
    throw Error("ops:WindowTooLarge",
                "A convolution needs a filter of at least one element and channel that fits into "
                "the padded data.",
                absl::StrCat("Data ", lamina::ToString(x), " and weights ", lamina::ToString(w),
                             " came, with ", parameters.ToString(), "."),
                "Check the sizes of the data and of the weights.");
  }
  return s;
}

void ConvOp::Infer(const Specs& inputs, SpecList* outputs) const {
  outputs->push_back(OutputSpec(ConvShape(parameters_, inputs[0], inputs[1]), inputs[0]));
}

void ConvOp::Run(Arrays inputs, Results outputs) const {
  const ArraySpec& x = inputs[0].spec();
  const cpu::ConvolutionShape shape = ConvShape(parameters_, x, inputs[1].spec());
  cpu::ConvolutionForward(x.type, shape, inputs[0].data()->bytes(), inputs[1].data()->bytes(),
                          inputs.size() > 2 ? inputs[2].data()->bytes() : nullptr,
                          outputs.bytes(0));
}

DlArrays ConvOp::Compose(Arrays inputs) const {
  const DlArray y = Apply(std::make_shared<ConvOp>(parameters_), {inputs[0], inputs[1]});
  if (inputs.size() == 2) return {y};
  return {y + Reshape(inputs[2], {inputs[2].numel()}, "C")};
}

DlArrays ConvOp::Gradient(const GradientCall& call) const {
  const DlArray &x = call.inputs[0], &w = call.inputs[1], &dy = call.output_gradients[0];
  DlArrays dx(call.inputs.size());
  if (call.needed[0]) dx[0] = BackwardData(parameters_, x.spec(), dy, Conj(w));
  if (call.needed[1]) dx[1] = BackwardWeights(parameters_, w.spec(), Conj(x), dy);
  if (dx.size() > 2 && call.needed[2]) dx[2] = BiasGradient(dy, call.inputs[2].spec());
  return dx;
}

std::string ConvBackwardDataOp::Attributes() const {
  return absl::StrCat(parameters_.ToString(), " sizes=", lamina::ToString(x_.sizes));
}

void ConvBackwardDataOp::Infer(const Specs& inputs, SpecList* outputs) const {
  const ArraySpec y = OutputSpec(ConvShape(parameters_, x_, inputs[1]), x_);
  LAMINA_CHECK(y.sizes == inputs[0].sizes);
  outputs->push_back(x_);
  outputs->back().type = inputs[0].type;
}

void ConvBackwardDataOp::Run(Arrays inputs, Results outputs) const {
  cpu::ConvolutionBackwardData(inputs[0].type(), ConvShape(parameters_, x_, inputs[1].spec()),
                               inputs[0].data()->bytes(), inputs[1].data()->bytes(),
                               outputs.bytes(0));
}

DlArrays ConvBackwardDataOp::Gradient(const GradientCall& call) const {
  const DlArray &d = call.inputs[0], &w = call.inputs[1], &g = call.output_gradients[0];
  DlArrays dx(2);
  if (call.needed[0]) dx[0] = Forward(parameters_, g, Conj(w));
  if (call.needed[1]) dx[1] = BackwardWeights(parameters_, w.spec(), g, Conj(d));
  return dx;
}

std::string ConvBackwardWeightsOp::Attributes() const {
  return absl::StrCat(parameters_.ToString(), " sizes=", lamina::ToString(w_.sizes));
}

void ConvBackwardWeightsOp::Infer(const Specs& inputs, SpecList* outputs) const {
  const ArraySpec y = OutputSpec(ConvShape(parameters_, inputs[0], w_), inputs[0]);
  LAMINA_CHECK(y.sizes == inputs[1].sizes);
  outputs->push_back(w_);
  outputs->back().type = inputs[0].type;
}

void ConvBackwardWeightsOp::Run(Arrays inputs, Results outputs) const {
  cpu::ConvolutionBackwardWeights(inputs[0].type(), ConvShape(parameters_, inputs[0].spec(), w_),
                                  inputs[0].data()->bytes(), inputs[1].data()->bytes(),
                                  outputs.bytes(0), nullptr);
}

DlArrays ConvBackwardWeightsOp::Gradient(const GradientCall& call) const {
  const DlArray &x = call.inputs[0], &d = call.inputs[1], &g = call.output_gradients[0];
  DlArrays dx(2);
  if (call.needed[0]) dx[0] = BackwardData(parameters_, x.spec(), Conj(d), g);
  if (call.needed[1]) dx[1] = Forward(parameters_, Conj(x), g);
  return dx;
}

}  // namespace lamina::internal
