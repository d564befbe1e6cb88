#include "framework/graph/channel_blocks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "framework/graph/rewriter.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/channel_blocks.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// The parts of an image view, as bits; in blocks, position p, channel c and observation n stand in
// dims 1, 0 and 2, and 3.
enum Part : uint32_t { kPosition = 1, kChannel = 2, kBatch = 4 };

// Of sizes [16 x positions x channels / 16 x batch] the dims of these parts.
uint32_t BlockDims(uint32_t parts) {
  return (parts & kPosition ? 0b10 : 0) | (parts & kChannel ? 0b101 : 0) |
         (parts & kBatch ? 0b1000 : 0);
}

// For each dim the part that it belongs to, 0 for dims of size 1; nothing when a dim belongs to
// two.
std::optional<std::vector<uint32_t>> PartOfDims(const Sizes& sizes, const ImageView& view) {
  const int64_t size_of[] = {view.positions, view.channels, view.batch};
  std::vector<uint32_t> parts;
  int part = 0;
  int64_t rest = size_of[0];
  for (const int64_t size : sizes) {
    if (size == 1) {
      parts.push_back(0);
      continue;
    }
    while (part < 3 && rest == 1) rest = ++part < 3 ? size_of[part] : 0;
    if (part == 3 || rest % size != 0) return std::nullopt;
    rest /= size;
    parts.push_back(1u << part);
  }
  return parts;
}

// The parts that dims (bits) make up; nothing when one is there in part.
std::optional<uint32_t> PartsOf(const Sizes& sizes, const std::vector<uint32_t>& part_of,
                                uint32_t dims) {
  uint32_t in = 0, out = 0;
  for (size_t d = 0; d < sizes.size(); ++d) (dims >> d & 1 ? in : out) |= part_of[d];
  if ((in & out) != 0) return std::nullopt;
  return in;
}

class BlockPass {
 public:
  explicit BlockPass(const Graph& graph)
      : graph_(graph), out_(graph), twin_(graph.values().size()) {
    for (size_t v = 0; v < graph.values().size(); ++v) {
      has_plain_.push_back(graph.values()[v].is_constant());
    }
    for (const int v : graph.inputs()) has_plain_[v] = true;
  }

  Graph Run() {
    for (const GraphStep& step : graph_.steps()) {
      if (Convolution(step) || Reshaped(step) || Elementwise(step) || AlongDims(step)) continue;
      for (const int v : step.inputs) MakePlain(v);
      out_.Copy(step);
      for (const int v : step.outputs) has_plain_[v] = true;
    }
    for (const int v : graph_.outputs()) MakePlain(v);
    return out_.Finish();
  }

 private:
  // An array in blocks: a value of the new graph.
  struct Twin {
    int value = -1;
    ImageView view;
    bool is_set() const { return value >= 0; }
  };

  const ArraySpec& Spec(int v) const { return graph_.values()[v].spec; }
  bool IsBornInBlocks(int v) const { return twin_[v].is_set() && !has_plain_[v]; }

  std::vector<int> Add(OpPtr op, const std::vector<int>& inputs) {
    return out_.Append(std::move(op), inputs);
  }
  int Reshape(int value, const Sizes& sizes, const Format& format = {}) {
    return out_.Splice(
        [&](Arrays x) { return DlArrays{lamina::Reshape(x[0], sizes, format.str())}; }, {value})[0];
  }

  // The old value exists in the new graph as it was.
  void MakePlain(int v) {
    if (has_plain_[v]) return;
    has_plain_[v] = true;
    const Twin& twin = twin_[v];
    const ArraySpec& spec = Spec(v);
    auto [found, is_new] = plain_of_.emplace(twin.value, -1);
    if (!is_new) return out_.Set(v, Reshape(found->second, spec.sizes, spec.format));
    if (spec.type == DataType::kSingle) {
      found->second = Add(FromChannelBlocksOp(twin.view, spec), {twin.value})[0];
    } else {
      found->second = out_.Splice(
          [&](Arrays x) {
            return DlArrays{
                lamina::Reshape(Permute(x[0], {1, 0, 2, 3}), spec.sizes, spec.format.str())};
          },
          {twin.value})[0];
    }
    out_.Set(v, found->second);
  }

  // The old value in blocks, brought there if need be; false when it cannot be.
  bool MakeTwin(int v, const ImageView& view) {
    if (twin_[v].is_set()) return twin_[v].view == view;
    if (Spec(v).type != DataType::kSingle || graph_.values()[v].is_constant()) return false;
    MakePlain(v);
    twin_[v] = {Add(ToChannelBlocksOp(view), {out_.Map(v)})[0], view};
    return true;
  }

  bool Convolution(const GraphStep& step) {
    if (!IsConvolution(*step.op)) return false;
    DlArrays specs;
    for (const int v : step.inputs) specs.push_back(AbstractArray(Spec(v)));
    const int y = step.outputs[0];
    const OpPtr op = ConvolutionInBlocksOp(*step.op, Specs(specs), Spec(y));
    if (op == nullptr) return false;
    std::vector<int> inputs;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const int v = step.inputs[i];
      if (ImageInputs(*step.op) >> i & 1) {
        if (!MakeTwin(v, ImageViewOf(Spec(v)))) return false;
        inputs.push_back(twin_[v].value);
      } else {
        MakePlain(v);
        inputs.push_back(out_.Map(v));
      }
    }
    const int made = Add(op, inputs)[0];
    if (IsImageOutput(*step.op)) {
      twin_[y] = {made, ImageViewOf(Spec(y))};
    } else {
      out_.Set(y, made);
      has_plain_[y] = true;
    }
    return true;
  }

  // The same memory under other sizes.
  bool Reshaped(const GraphStep& step) {
    if (step.op->Name() != "reshape" || !IsBornInBlocks(step.inputs[0])) return false;
    const Twin& twin = twin_[step.inputs[0]];
    if (!PartOfDims(Spec(step.outputs[0]).sizes, twin.view)) return false;
    twin_[step.outputs[0]] = twin;
    return true;
  }

  // An array that is repeated along some parts, in blocks; nothing when that takes more than a
  // reshape. `dims`: where its dims stand among those whose parts are given.
  std::optional<int> Small(int v, const std::vector<int>& dims, const Sizes& sizes,
                           const std::vector<uint32_t>& part_of, const ImageView& view) {
    if (Spec(v).rank() == 0) return out_.Map(v);
    uint32_t spanned = 0;
    for (int d = 0; d < Spec(v).rank(); ++d) {
      if (Spec(v).sizes[d] != 1) spanned |= 1u << dims[d];
    }
    const std::optional<uint32_t> parts = PartsOf(sizes, part_of, spanned);
    if (!parts || (*parts & kChannel && *parts & kPosition)) return std::nullopt;
    Sizes blocked = view.BlockedSizes();
    for (size_t d = 0; d < blocked.size(); ++d) {
      if (!(BlockDims(*parts) >> d & 1)) blocked[d] = 1;
    }
    MakePlain(v);
    return Reshape(out_.Map(v), blocked);
  }

  bool Elementwise(const GraphStep& step) {
    if (dynamic_cast<const ElementwiseOp*>(step.op.get()) == nullptr &&
        !IsRoundToBfloat16(*step.op)) {
      return false;
    }
    const int y = step.outputs[0];
    const ArraySpec& out = Spec(y);
    const auto is_full = [&](int v) { return Spec(v).numel() == out.numel(); };
    std::optional<ImageView> view;
    for (const int v : step.inputs) {
      if (is_full(v) && IsBornInBlocks(v)) view = twin_[v].view;
    }
    if (!view) return false;
    const auto part_of = PartOfDims(out.sizes, *view);
    if (!part_of) return false;
    std::vector<int> inputs;
    for (const int v : step.inputs) {
      if (is_full(v)) {
        if (!MakeTwin(v, *view)) return false;
        inputs.push_back(twin_[v].value);
        continue;
      }
      const ArraySpec& x = Spec(v);
      std::vector<int> dims;
      if (!x.format.empty() && !out.format.empty()) {
        dims = AlignLabels(x.format, out.format);
      } else {
        for (int d = 0; d < x.rank(); ++d) dims.push_back(d);
      }
      const std::optional<int> small = Small(v, dims, out.sizes, *part_of, *view);
      if (!small) return false;
      inputs.push_back(*small);
    }
    twin_[y] = {Add(step.op, inputs)[0], *view};
    return true;
  }

  bool AlongDims(const GraphStep& step) {
    const auto* op = dynamic_cast<const DimsOp*>(step.op.get());
    if (op == nullptr || !IsBornInBlocks(step.inputs[0])) return false;
    const int x = step.inputs[0];
    const Sizes sizes = Spec(x).sizes;
    const ImageView view = twin_[x].view;
    const auto part_of = PartOfDims(sizes, view);
    if (!part_of) return false;
    const std::optional<uint32_t> along = PartsOf(sizes, *part_of, op->dims());
    // What is left has to be in the order of the plain array.
    if (!along || *along == 0 || !(*along & (kChannel | kPosition))) return false;
    const OpPtr blocked = op->Along(BlockDims(*along));
    if (blocked == nullptr) return false;
    std::vector<int> inputs, dims;
    for (size_t d = 0; d < sizes.size(); ++d) dims.push_back(static_cast<int>(d));
    for (const int v : step.inputs) {
      if (Spec(v).sizes == sizes) {
        if (!MakeTwin(v, view)) return false;
        inputs.push_back(twin_[v].value);
      } else {
        const std::optional<int> small = Small(v, dims, sizes, *part_of, view);
        if (!small) return false;
        inputs.push_back(*small);
      }
    }
    const std::vector<int> made = Add(blocked, inputs);
    for (size_t k = 0; k < made.size(); ++k) {
      const int v = step.outputs[k];
      if (Spec(v).sizes == sizes) {
        twin_[v] = {made[k], view};
      } else {
        out_.Set(v, Reshape(made[k], Spec(v).sizes, Spec(v).format));
        has_plain_[v] = true;
      }
    }
    return true;
  }

  const Graph& graph_;
  internal::Rewriter out_;
  std::vector<Twin> twin_;       // Of old values.
  std::vector<bool> has_plain_;  // Of old values: is there a new one that is the same?
  std::map<int, int> plain_of_;  // Of twins: a plain value with their memory.
};

}  // namespace

Graph KeepChannelBlocks(const Graph& graph) {
  const bool any = std::any_of(graph.steps().begin(), graph.steps().end(),
                               [](const GraphStep& step) { return IsConvolution(*step.op); });
  return any ? BlockPass(graph).Run() : graph;
}

}  // namespace lamina
