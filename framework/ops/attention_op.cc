#include "framework/ops/attention_op.h"

#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/cpu/attention.h"
#include "framework/ops/attention_kernels.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/device_kernel.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {
namespace {

std::vector<int32_t> UpTo(int64_t n) {
  std::vector<int32_t> values(n);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

// A number of each query, beside arrays of keys x queries for each head and observation.
DlArray OfQueries(const DlArray& x) { return Reshape(x, {1, x.size(0), x.size(1), x.size(2)}); }

// What both ops have in common, and the functions of arrays that they are composed of. These have
// memory for the scores.
struct Settings : AttentionSettings {
  std::string Text() const {
    return absl::StrFormat("heads=%d scale=%.17g causal=%d", heads, scale, causal);
  }
  cpu::AttentionShape Shape(const ArraySpec& q, const ArraySpec& k, const ArraySpec& v) const {
    return {.heads = heads,
            .batch = q.sizes[1],
            .queries = q.sizes[2],
            .keys = k.sizes[2],
            .depth = q.sizes[0] / heads,
            .value_depth = v.sizes[0] / heads,
            .scale = scale,
            .causal = causal};
  }
  // A page for each head and observation: depth x steps; and back.
  DlArray Pages(const DlArray& x) const {
    return Permute(Reshape(x, {x.size(0) / heads, heads, x.size(1), x.size(2)}), {0, 3, 1, 2});
  }
  DlArray Joined(const DlArray& pages) const {
    const DlArray x = Permute(pages, {0, 2, 3, 1});
    return Reshape(x, {x.size(0) * x.size(1), x.size(2), x.size(3)});
  }
  // Of pages of queries and keys, keys x queries for each: -infinity where the key is later than
  // the query and must not be seen.
  DlArray Scores(const DlArray& q, const DlArray& k) const {
    const DlArray scores = MatMul(k, scale * q, true);
    if (!causal) return scores;
    const int64_t keys = scores.size(0), queries = scores.size(1);
    return Where(DlArray::FromVector<int32_t>(UpTo(keys), {keys}) <=
                     DlArray::FromVector<int32_t>(UpTo(queries), {1, queries}),
                 scores, -std::numeric_limits<double>::infinity());
  }

  // Of q, k and v, as AttentionOp.
  DlArrays Forward(Arrays in) const {
    const DlArray scores = Scores(Pages(in[0]), Pages(in[1]));
    const DlArray greatest = MaxOver(scores, 0);
    const DlArray powers = Exp(scores - greatest);
    const DlArray inverse = 1 / Sum(powers, 0);
    const Sizes of_queries{scores.size(1), scores.size(2), scores.size(3)};
    return {Joined(MatMul(Pages(in[2]), powers * inverse)), Reshape(greatest, of_queries),
            Reshape(inverse, of_queries)};
  }
  // The two parts of the gradient, by the formulas of AttentionGradientOp, with the probabilities A
  // from the greatest scores and the sums, and m(P) = y' dY.
  // Of q, k, v, y, greatest, inverse_sum and dy: dq, and m(P) as greatest.
  DlArrays QueryGradient(Arrays in) const {
    const DlArray dy = Pages(in[6]);
    const DlArray mean = Reshape(Sum(Pages(in[3] * in[6]), 0), in[4].sizes());
    const DlArray ds = Probabilities(in[0], in[1], in[4], in[5]) *
                       (MatMul(Pages(in[2]), dy, true) - OfQueries(mean));
    return {Joined(scale * MatMul(Pages(in[1]), ds)), mean};
  }
  // Of q, k, v, greatest, inverse_sum, m(P) and dy: dk and dv.
  DlArrays KeyGradient(Arrays in) const {
    const DlArray dy = Pages(in[6]), a = Probabilities(in[0], in[1], in[3], in[4]);
    const DlArray ds = a * (MatMul(Pages(in[2]), dy, true) - OfQueries(in[5]));
    return {Joined(scale * MatMul(Pages(in[0]), ds, false, true)),
            Joined(MatMul(dy, a, false, true))};
  }
  DlArray Probabilities(const DlArray& q, const DlArray& k, const DlArray& greatest,
                        const DlArray& inverse) const {
    return Exp(Scores(Pages(q), Pages(k)) - OfQueries(greatest)) * OfQueries(inverse);
  }

  // One of these functions as a kernel of a device.
  DlArrays ByKernel(const DeviceKernel& kernel, DlArrays (Settings::*function)(Arrays) const,
                    Arrays in) const {
    return ApplyAll(
        std::make_shared<DeviceKernelOp>(
            kernel, Text(), [c = *this, function](Arrays x) { return (c.*function)(x); }),
        in);
  }
  std::optional<AttentionKernels> Kernels(Arrays in) const {
    return AttentionKernelsFor(in[0].type(), Shape(in[0].spec(), in[1].spec(), in[2].spec()));
  }
};

class AttentionGradientOp : public Op, public ComposedOp {
 public:
  explicit AttentionGradientOp(const Settings& settings) : settings_(settings) {}
  std::string_view Name() const override { return "attention_gradient"; }
  std::string Attributes() const override { return settings_.Text(); }
  // Inputs: q, k, v, y, greatest, inverse_sum, dy.
  void Infer(const Specs& in, SpecList* out) const override {
    for (int i : {0, 1, 2}) out->push_back(in[i]);
  }
  void Run(Arrays in, Results out) const override {
    const auto at = [&in](int i) { return in[i].data()->bytes(); };
    const cpu::AttentionShape shape = settings_.Shape(in[0].spec(), in[1].spec(), in[2].spec());
    cpu::AttentionBackward(in[0].type(), shape, at(0), at(1), at(2), at(3), at(4), at(5), at(6),
                           out.bytes(0), out.bytes(1), out.bytes(2));
  }
  DlArrays Compose(Arrays in) const override {
    const auto& c = settings_;
    const auto kernels = c.Kernels(in);
    const DlArrays of_q = kernels
                              ? c.ByKernel(kernels->query_gradient, &Settings::QueryGradient, in)
                              : c.QueryGradient(in);
    const DlArray rest[] = {in[0], in[1], in[2], in[4], in[5], of_q[1], in[6]};
    const DlArrays of_k = kernels ? c.ByKernel(kernels->key_gradient, &Settings::KeyGradient, rest)
                                  : c.KeyGradient(rest);
    return {of_q[0], of_k[0], of_k[1]};
  }
  SaveMask SavedInputs() const override { return 0b1000111; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

  // With S the scores, A = softmax(S), P = V' dY, both with a column for each query, and m(X) the
  // column sums of A X, the op is
  //   dQ = scale K dS,  dK = scale Q dS',  dV = dY A',  dS = A (P - m(P)),
  // a function of q, k, v and dy: y and the sums only save work. From the gradients e of dQ, f of
  // dK and g of dV follows that of dS, scale (K' e + f' Q); from it by the product rule those of P
  // and A, to which g adds g' dY; from that of A by softmax's rule that of S; and from these the
  // result.
  DlArrays Gradient(const GradientCall& call) const override {
    const ScopedProductPrecision precision(ProductPrecision::kSingle);  // As in the op itself.
    const auto& c = settings_;
    const DlArray q = c.Pages(call.inputs[0]), k = c.Pages(call.inputs[1]),
                  v = c.Pages(call.inputs[2]), dy = c.Pages(call.inputs[6]);
    const auto given = [&](int i, const DlArray& like) {
      const DlArray& g = call.output_gradients[i];
      return g.empty() ? BroadcastTo(Cast(0.0, like.type()), like.spec()) : c.Pages(g);
    };
    const DlArray e = c.scale * given(0, q), f = c.scale * given(1, k), g = given(2, v);
    const DlArray a = SoftmaxOver(c.Scores(q, k), 0), p = MatMul(v, dy, true);
    const auto weighted = [&a](const DlArray& x) { return x - Sum(a * x, 0); };
    const DlArray p_rest = weighted(p), ds = a * p_rest;
    // dS = A P_rest: of its gradient, what goes to P and to A, then from A to S.
    const DlArray to_ds = MatMul(k, e, true) + MatMul(f, q, true);
    const DlArray to_p = a * weighted(to_ds);
    const DlArray to_a = to_ds * p_rest - p * Sum(to_ds * a, 0) + MatMul(g, dy, true);
    const DlArray to_s = c.scale * (a * weighted(to_a));
    DlArrays result(7);
    result[0] = c.Joined(MatMul(f, ds) + MatMul(k, to_s));
    result[1] = c.Joined(MatMul(e, ds, false, true) + MatMul(q, to_s, false, true));
    result[2] = c.Joined(MatMul(dy, to_p, false, true));
    result[6] = c.Joined(MatMul(v, to_p) + MatMul(g, a));
    return result;
  }

 private:
  Settings settings_;
};

class AttentionOp : public Op, public WrittenOp, public ComposedOp {
 public:
  explicit AttentionOp(const Settings& settings) : settings_(settings) {}
  std::string_view Name() const override { return "attention"; }
  std::string Attributes() const override { return settings_.Text(); }
  // Inputs: q, k, v. Outputs: y; of each query of a head the greatest score and 1 / sum.
  void Infer(const Specs& in, SpecList* out) const override {
    out->assign(3, in[0]);
    (*out)[0].sizes[0] = in[2].sizes[0];
    (*out)[1].sizes = (*out)[2].sizes = {in[0].sizes[2], settings_.heads, in[0].sizes[1]};
  }
  void Run(Arrays in, Results out) const override {
    const cpu::AttentionShape shape = settings_.Shape(in[0].spec(), in[1].spec(), in[2].spec());
    cpu::Attention(in[0].type(), shape, in[0].data()->bytes(), in[1].data()->bytes(),
                   in[2].data()->bytes(), out.bytes(0), out.bytes(1), out.bytes(2));
  }
  // The other outputs are nobody else's.
  DlArrays Gradient(const GradientCall& call) const override {
    if (call.output_gradients[0].empty()) return DlArrays(3);
    DlArrays in(call.inputs.begin(), call.inputs.end());
    in.insert(in.end(), call.outputs.begin(), call.outputs.end());
    in.push_back(call.output_gradients[0]);
    return ApplyAll(std::make_shared<AttentionGradientOp>(settings_), in);
  }
  bool HasFastKernel() const override { return true; }

  DlArrays Compose(Arrays in) const override {
    const auto kernels = settings_.Kernels(in);
    return kernels ? settings_.ByKernel(kernels->forward, &Settings::Forward, in)
                   : settings_.Forward(in);
  }

  // One query after another. Its scores are computed twice, so that they need no memory.
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const DataType type = w.input(0).type;
    const cpu::AttentionShape shape = settings_.Shape(w.input(0), w.input(1), w.input(2));
    loops::LoopBuilder& code = w.code();
    w.ForEach(w.output(1).sizes, {}, [&](const Indices& i) {
      const Expression t = i[0], h = i[1], b = i[2];
      const auto channel = [&h](const Expression& c, int64_t depth) {
        return c + h * Expression(depth);
      };
      const auto for_scores =
          [&](const std::function<void(const Expression&, const Expression&)>& f) {
            code.For("s", shape.keys, [&](const Expression& s) {
              const auto visit = [&] {
                const Expression sum = code.Var("score", Expression::Number(0, type));
                code.For("c", shape.depth, [&](const Expression& c) {
                  const Expression at = channel(c, shape.depth);
                  code.Assign(sum, sum + w.Load(0, {at, b, t}) * w.Load(1, {at, b, s}));
                });
                f(s, code.Let("scaled", sum * Expression::Number(settings_.scale, type)));
              };
              if (!settings_.causal) return visit();
              code.If(s <= t, visit);
            });
          };
      const auto for_values = [&](const std::function<void(const Indices&, const Expression&)>& f) {
        if (!w.IsUsed(0)) return;  // A gradient may want nothing but the other outputs.
        code.For("c", shape.value_depth, [&](const Expression& c) {
          const Expression at = channel(c, shape.value_depth);
          f({at, b, t}, at);
        });
      };
      const Expression greatest =
          code.Var("greatest", Expression::Number(-std::numeric_limits<double>::infinity(), type));
      for_scores([&](const Expression&, const Expression& score) {
        code.If(score > greatest, [&] { code.Assign(greatest, score); });
      });
      for_values([&](const Indices& at, const Expression&) {
        w.Store(0, at, Expression::Number(0, type));
      });
      const Expression sum = code.Var("sum", Expression::Number(0, type));
      for_scores([&](const Expression& s, const Expression& score) {
        const Expression power = code.Let("power", Exp(score - greatest));
        code.Assign(sum, sum + power);
        for_values([&](const Indices& at, const Expression& c) {
          w.Store(0, at, w.LoadOutput(0, at) + power * w.Load(2, {c, b, s}));
        });
      });
      const Expression inverse = code.Let("inverse", Expression::Number(1, type) / sum);
      for_values([&](const Indices& at, const Expression&) {
        w.Store(0, at, w.LoadOutput(0, at) * inverse);
      });
      w.Store(1, i, greatest);
      w.Store(2, i, inverse);
    });
  }

 private:
  Settings settings_;
};

}  // namespace

DlArray AttendHeads(const DlArray& queries, const DlArray& keys, const DlArray& values,
                    const AttentionSettings& settings) {
  const DlArray in[] = {queries, keys, values};
  return ApplyAll(std::make_shared<AttentionOp>(Settings{settings}), in)[0];
}

}  // namespace lamina::internal
