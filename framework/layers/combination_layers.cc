#include "framework/layers/combination_layers.h"

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/layers/settings.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

void SetInputs(Layer& layer, std::string_view class_name, int count, std::string_view what) {
  internal::RequireAtLeast(class_name, "NumInputs", count, 1);
  layer.SetNumInputs(count);
  layer.SetDescription(absl::StrCat(std::string(what), " of ", internal::Counted(count, "input")));
}

}  // namespace

AdditionLayer::AdditionLayer(int num_inputs) {
  SetInputs(*this, "AdditionLayer", num_inputs, "Elementwise sum");
}
DlArray AdditionLayer::Predict(const DlArrays& x) const {
  DlArray y = x[0];
  for (size_t i = 1; i < x.size(); ++i) y = y + x[i];
  return y;
}

MultiplicationLayer::MultiplicationLayer(int num_inputs) {
  SetInputs(*this, "MultiplicationLayer", num_inputs, "Elementwise product");
}
DlArray MultiplicationLayer::Predict(const DlArrays& x) const {
  DlArray y = x[0];
  for (size_t i = 1; i < x.size(); ++i) y = y * x[i];
  return y;
}

ConcatenationLayer::ConcatenationLayer(char along, int num_inputs) {
  internal::RequireOneOf("ConcatenationLayer", "Label", std::string_view(&along, 1),
                         {"S", "C", "B", "T", "U"});
  label = std::string(1, along);
  SetInputs(*this, "ConcatenationLayer", num_inputs,
            absl::StrCat("Concatenation along ", label.get()));
}
ConcatenationLayer::ConcatenationLayer(int along, int num_inputs) {
  internal::RequireAtLeast("ConcatenationLayer", "Dim", along, 0);
  label = "";
  dim = along;
  SetInputs(*this, "ConcatenationLayer", num_inputs,
            absl::StrCat("Concatenation along dim ", along));
}
DlArray ConcatenationLayer::Predict(const DlArrays& x) const {
  if (label.get().empty()) return Cat(static_cast<int>(dim), x);
  const int along = FindDim(x[0], label.get()[0]);
  if (along < 0) {
    internal::WrongFormat("ConcatenationLayer", absl::StrCat("data with a ", label.get(), " dim"),
                          x[0].spec());
  }
  return Cat(along, x);
}

DepthConcatenationLayer::DepthConcatenationLayer(int num_inputs) {
  SetInputs(*this, "DepthConcatenationLayer", num_inputs, "Depth concatenation");
}
DlArray DepthConcatenationLayer::Predict(const DlArrays& x) const { return Cat('C', x); }

}  // namespace lamina
