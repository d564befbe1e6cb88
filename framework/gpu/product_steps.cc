#include "framework/gpu/product_steps.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/matmul_op.h"

namespace lamina::gpu {
namespace {

using lamina::internal::Rewriter;

// So many numbers have the error of Sum in whatever order they are added (cpu/reduce.h).
constexpr int64_t kMostSummed = 128;

// A product and what follows it. Only a library computes it.
class EpilogueOp : public Op {
 public:
  EpilogueOp(const ProductCall& call, std::vector<ArraySpec> outputs)
      : call_(call), outputs_(std::move(outputs)) {}
  std::string_view Name() const override { return "product_with_epilogue"; }
  void Infer(const Specs&, SpecList* outputs) const override {
    outputs->assign(outputs_.begin(), outputs_.end());
  }
  void Run(Arrays, Results) const override { LAMINA_CHECK(false); }
  const ProductCall& call() const { return call_; }

 private:
  const ProductCall call_;
  const std::vector<ArraySpec> outputs_;
};

bool IsReshape(const GraphStep& step) { return step.op->Name() == "reshape"; }

bool IsElementwise(const GraphStep& step, cpu::ScalarFunction function) {
  const auto* op = dynamic_cast<const ElementwiseOp*>(step.op.get());
  return op != nullptr && op->function() == function;
}

// Whether the dims of the array are those of a matrix with so many rows: some dims together, the
// rest the columns. How many dims the rows have; -1 if they are not.
int DimsOfRows(const Sizes& sizes, int64_t rows) {
  int64_t product = 1;
  int d = 0;
  while (d < static_cast<int>(sizes.size()) && product < rows) product *= sizes[d++];
  return product == rows ? d : -1;
}

// A vector with an element for each row of the array, repeated over its columns.
bool IsBiasOf(const ArraySpec& bias, const ArraySpec& z, int64_t rows) {
  const int of_rows = DimsOfRows(z.sizes, rows);
  if (of_rows < 0 || bias.type != z.type || bias.numel() != rows) return false;
  const Sizes sizes = AlignSizes(bias, z);
  return std::equal(sizes.begin(), sizes.begin() + of_rows, z.sizes.begin());
}

// Finds what can be one step, and writes the graph anew.
class Fusion {
 public:
  Fusion(const Graph& graph, const std::function<bool(const ProductCall&)>& is_taken)
      : graph_(graph),
        is_taken_(is_taken),
        known_(graph),
        maker_(graph.values().size(), -1),
        readers_(graph.values().size()),
        is_left_out_(graph.steps().size()),
        parts_(graph.steps().size()) {
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      for (const int v : graph.steps()[s].inputs) Readers(v).push_back(static_cast<int>(s));
      for (const int v : graph.steps()[s].outputs)
        maker_[static_cast<size_t>(v)] = static_cast<int>(s);
    }
    for (const int v : graph.outputs()) Readers(v).push_back(kOutput);
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      const GraphStep& step = graph.steps()[s];
      if (step.op->Name() == "sum") sums_.emplace(Root(step.inputs[0]), static_cast<int>(s));
    }
  }

  Graph Run() {
    for (size_t s = 0; s < graph_.steps().size(); ++s) {
      const std::optional<ProductCall> call = ProductOf(graph_, graph_.steps()[s], known_);
      if (!call || call->pages != 1 || !IsRealFloating(call->type)) continue;
      if (!TakeWhatFollows(static_cast<int>(s), *call)) TakeSums(static_cast<int>(s), *call);
    }
    const auto is_part = [](const GraphStep& step) { return step.op != nullptr; };
    if (std::none_of(parts_.begin(), parts_.end(), is_part)) return graph_;
    Rewriter out(graph_);
    for (size_t s = 0; s < graph_.steps().size(); ++s) {
      if (parts_[s].op != nullptr) {
        out.Add(parts_[s], out.Map(parts_[s].inputs));
        for (const int late : late_[static_cast<int>(s)]) out.Copy(Step(late));
      } else if (!is_left_out_[s]) {
        out.Copy(graph_.steps()[s]);
      }
    }
    return out.Finish();
  }

 private:
  static constexpr int kOutput = -1;  // The reader of an output of the graph.

  const GraphStep& Step(int s) const { return graph_.steps()[static_cast<size_t>(s)]; }
  const ArraySpec& Spec(int v) const { return graph_.values()[static_cast<size_t>(v)].spec; }
  std::vector<int>& Readers(int v) { return readers_[static_cast<size_t>(v)]; }

  // The value that it is but for the sizes.
  int Root(int v) const {
    for (int s = maker_[static_cast<size_t>(v)]; s >= 0 && IsReshape(Step(s));) {
      v = Step(s).inputs[0];
      s = maker_[static_cast<size_t>(v)];
    }
    return v;
  }

  // The step of the function that alone reads the value, as it is or reshaped; -1 for any other.
  // `passed`: the reshapes.
  int OnlyReader(int v, cpu::ScalarFunction function, std::vector<int>* passed) {
    while (Readers(v).size() == 1 && Readers(v)[0] != kOutput) {
      const int reader = Readers(v)[0];
      if (IsReshape(Step(reader))) {
        passed->push_back(reader);
        v = Step(reader).outputs[0];
        continue;
      }
      // Where two products are added up the first takes it.
      const bool is_free = !is_left_out_[static_cast<size_t>(reader)] &&
                           parts_[static_cast<size_t>(reader)].op == nullptr;
      return is_free && IsElementwise(Step(reader), function) ? reader : -1;
    }
    return -1;
  }

  // A bias and a ReLU.
  bool TakeWhatFollows(int product, const ProductCall& call) {
    std::vector<int> left_out = {product};
    std::vector<int> inputs = Step(product).inputs;
    ProductCall with = call;
    int last = product;
    if (const int plus =
            OnlyReader(Step(product).outputs[0], cpu::ScalarFunction::kPlus, &left_out);
        plus >= 0) {
      const std::vector<int>& terms = Step(plus).inputs;
      const int z = Root(terms[0]) == Step(product).outputs[0] ? 0 : 1;
      const int bias = terms[1 - z], sum = Step(plus).outputs[0];
      const bool fits = Spec(sum).numel() == Spec(terms[z]).numel() &&
                        IsBiasOf(Spec(bias), Spec(terms[z]), call.m) &&
                        !known_.is_constant[static_cast<size_t>(bias)];
      if (!fits) return false;
      with.adds_bias = true;
      inputs.push_back(bias);
      last = plus;
    } else {
      left_out.resize(1);
    }
    std::vector<int> with_relu = left_out;
    if (last != product) with_relu.push_back(last);
    const int relu = OnlyReader(Step(last).outputs[0], cpu::ScalarFunction::kRelu, &with_relu);
    if (relu >= 0) {
      ProductCall both = with;
      both.has_relu = true;
      if (is_taken_(both)) return Take(both, inputs, Step(relu).outputs, with_relu, relu);
    }
    if (!with.adds_bias || !is_taken_(with)) return false;
    return Take(with, inputs, Step(last).outputs, left_out, last);
  }

  // The sums of a factor, which stand anywhere in the graph.
  bool TakeSums(int product, const ProductCall& call) {
    if (call.k > kMostSummed) return false;
    for (const auto sums : {ProductCall::kOfX, ProductCall::kOfY}) {
      const int factor = Step(product).inputs[sums == ProductCall::kOfX ? 0 : 1];
      const bool terms_first = sums == ProductCall::kOfX ? call.transpose_x : !call.transpose_y;
      ProductCall with = call;
      with.sums = sums;
      const auto [begin, end] = sums_.equal_range(Root(factor));
      for (auto s = begin; s != end; ++s) {
        std::vector<int> late;
        if (is_left_out_[static_cast<size_t>(s->second)] ||
            !SumsOver(s->second, call.k, terms_first) || !CanWait(s->second, product, &late)) {
          continue;
        }
        if (!is_taken_(with)) break;
        std::vector<int> outputs = Step(product).outputs;
        outputs.push_back(Step(s->second).outputs[0]);
        for (const int l : late) is_left_out_[static_cast<size_t>(l)] = true;
        late_[product] = late;
        return Take(with, Step(product).inputs, outputs, {s->second}, product);
      }
    }
    return false;
  }

  // Are these the sums over the k terms of a factor's matrix?
  bool SumsOver(int sum, int64_t terms, bool terms_first) const {
    const Sizes& sizes = Spec(Step(sum).inputs[0]).sizes;
    const uint32_t dims = dynamic_cast<const DimsOp&>(*Step(sum).op).dims();
    const int64_t others = Spec(Step(sum).inputs[0]).numel() / terms;
    const int first = DimsOfRows(sizes, terms_first ? terms : others);
    if (first < 0) return false;
    for (int d = 0; d < static_cast<int>(sizes.size()); ++d) {
      const bool is_term = (d < first) == terms_first;
      if (sizes[static_cast<size_t>(d)] != 1 && (dims >> d & 1) != (is_term ? 1U : 0U))
        return false;
    }
    return true;
  }

  // Nobody needs the sums before the product is there, but for reshapes that can wait with it.
  bool CanWait(int sum, int product, std::vector<int>* late) {
    for (const int reader : Readers(Step(sum).outputs[0])) {
      if (reader == kOutput || reader > product) continue;
      if (!IsReshape(Step(reader))) return false;
      for (const int next : Readers(Step(reader).outputs[0])) {
        if (next != kOutput && next < product) return false;
      }
      late->push_back(reader);
    }
    return true;
  }

  bool Take(const ProductCall& call, const std::vector<int>& inputs,
            const std::vector<int>& outputs, const std::vector<int>& left_out, int at) {
    std::vector<ArraySpec> specs;
    for (const int v : outputs) specs.push_back(Spec(v));
    for (const int s : left_out) is_left_out_[static_cast<size_t>(s)] = true;
    parts_[static_cast<size_t>(at)] = {std::make_shared<const EpilogueOp>(call, std::move(specs)),
                                       inputs, outputs};
    return true;
  }

  const Graph& graph_;
  const std::function<bool(const ProductCall&)>& is_taken_;
  const KnownValues known_;
  std::vector<int> maker_;                 // Of each value the step; -1 for none.
  std::vector<std::vector<int>> readers_;  // Of each value.
  std::multimap<int, int> sums_;           // Of each root the steps that sum it up.
  std::vector<bool> is_left_out_;          // Of each step.
  std::vector<GraphStep> parts_;           // What stands in its place; no op for most.
  std::map<int, std::vector<int>> late_;   // Reshapes that follow such a step.
};

}  // namespace

KnownValues::KnownValues(const Graph& graph) : is_rounded(graph.values().size()) {
  for (const GraphValue& v : graph.values()) is_constant.push_back(v.is_constant());
  const auto moves_elements = [](const Op& op) {
    return op.Name() == "reshape" || op.Name() == "permute";
  };
  for (const GraphStep& step : graph.steps()) {
    const bool follows = !step.inputs.empty() &&
                         std::all_of(step.inputs.begin(), step.inputs.end(),
                                     [&](int v) { return is_constant[static_cast<size_t>(v)]; });
    const bool rounds =
        IsRoundToBfloat16(*step.op) || (moves_elements(*step.op) && AllRounded(step.inputs));
    for (const int v : step.outputs) {
      is_constant[static_cast<size_t>(v)] = follows;
      is_rounded[static_cast<size_t>(v)] = rounds;
    }
  }
}

bool KnownValues::AnyConstant(const std::vector<int>& values) const {
  return std::any_of(values.begin(), values.end(),
                     [&](int v) { return is_constant[static_cast<size_t>(v)]; });
}

bool KnownValues::AllRounded(const std::vector<int>& values) const {
  return !values.empty() && std::all_of(values.begin(), values.end(),
                                        [&](int v) { return is_rounded[static_cast<size_t>(v)]; });
}

std::optional<ProductCall> ProductOf(const Graph& graph, const GraphStep& step,
                                     const KnownValues& known) {
  if (const auto* with = dynamic_cast<const EpilogueOp*>(step.op.get())) return with->call();
  const auto* op = dynamic_cast<const MatMulOp*>(step.op.get());
  if (op == nullptr || known.AnyConstant(step.inputs)) return std::nullopt;
  const auto spec = [&](int v) -> const ArraySpec& {
    return graph.values()[static_cast<size_t>(v)].spec;
  };
  const ArraySpec &x = spec(step.inputs[0]), &y = spec(step.inputs[1]), &z = spec(step.outputs[0]);
  ProductCall call{.type = z.type,
                   .m = z.sizes[0],
                   .n = z.sizes[1],
                   .k = x.sizes[op->transpose_x() ? 0 : 1],
                   .transpose_x = op->transpose_x(),
                   .transpose_y = op->transpose_y(),
                   .is_rounded = known.AllRounded(step.inputs)};
  if (z.numel() == 0 || call.k == 0) return std::nullopt;
  const int64_t page_x = call.m * call.k, page_y = call.k * call.n;
  call.pages = z.numel() / (call.m * call.n);
  // All pages or one; where dims of pages are repeated each for itself, no stride fits.
  const auto fits = [&](int64_t numel, int64_t page) {
    return numel == page || numel == page * call.pages;
  };
  if (!fits(x.numel(), page_x) || !fits(y.numel(), page_y)) return std::nullopt;
  call.x_page = x.numel() == page_x ? 0 : page_x;
  call.y_page = y.numel() == page_y ? 0 : page_y;
  return call;
}

Graph WithEpilogues(const Graph& graph, const std::function<bool(const ProductCall&)>& is_taken) {
  return Fusion(graph, is_taken).Run();
}

}  // namespace lamina::gpu
