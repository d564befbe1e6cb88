// Convolutions written out as their formulas say: see convolution.h.
#include <algorithm>
#include <vector>

#include "framework/ops/convolution_op.h"
#include "framework/ops/written_window.h"

namespace lamina::internal {
namespace {

using loops::Expression;

WrittenWindow WindowOf(const cpu::ConvolutionShape& s) {
  return {s.spatial_rank, s.input, s.kernel, s.output, s.stride, s.dilation, s.pad_begin};
}

// Trailing dims of the weights, filters and groups, are one number.
Indices WeightAt(const ArraySpec& w, const Indices& tap, const Expression& channel,
                 const Expression& filter) {
  Indices at(tap);
  at.push_back(channel);
  const int first = static_cast<int>(at.size());
  if (w.rank() > first + 1) {
    at.push_back(filter % Expression(w.size(first)));
    at.push_back(filter / Expression(w.size(first)));
  } else {
    at.push_back(filter);
  }
  at.resize(w.rank(), Expression(0));
  return at;
}

// One element for each filter, in whatever dim.
Expression Bias(OpWriter& w, int input, const Expression& filter) {
  const ArraySpec& bias = w.input(input);
  Indices at(bias.rank(), Expression(0));
  for (int d = 0; d < bias.rank(); ++d) {
    if (bias.size(d) != 1) at[d] = filter;
  }
  return w.Load(input, at);
}

}  // namespace

void ConvOp::Write(OpWriter& w) const {
  const ArraySpec &x = w.input(0), &weights = w.input(1), &y = w.output(0);
  const cpu::ConvolutionShape s = ConvShape(parameters_, x, weights);
  const WrittenWindow window = WindowOf(s);
  const int64_t channels = s.channels_in / s.groups, filters = s.channels_out / s.groups;
  loops::LoopBuilder& code = w.code();
  w.ForEach(SizesOfOthers(y, window.rank), y.format, [&](const Indices& others) {
    code.For("filter", s.channels_out, [&](const Expression& filter) {
      w.ForEach(window.OutputSizes(), SpatialLabels(window.rank), [&](const Indices& o) {
        const Expression sum = code.Var(
            "sum", w.num_inputs() > 2 ? Bias(w, 2, filter) : Expression::Number(0, y.type));
        code.For("c", channels, [&](const Expression& c) {
          const Expression channel =
              s.groups == 1 ? c : filter / Expression(filters) * Expression(channels) + c;
          window.ForEachElement(w, o, [&](const Indices& at, const Indices& tap) {
            code.Assign(sum, sum + w.Load(0, Joined(x, at, channel, others, y.format)) *
                                       w.Load(1, WeightAt(weights, tap, c, filter)));
          });
        });
        w.Store(0, Joined(y, o, filter, others, y.format), sum);
      });
    });
  });
}

// Each element of the data from the outputs that it went into: the transposed convolution.
void ConvBackwardDataOp::Write(OpWriter& w) const {
  const ArraySpec &d = w.input(0), &weights = w.input(1), &out = w.output(0);
  const cpu::ConvolutionShape s = ConvShape(parameters_, x_, weights);
  const WrittenWindow window = WindowOf(s);
  const int64_t channels = s.channels_in / s.groups, filters = s.channels_out / s.groups;
  loops::LoopBuilder& code = w.code();
  w.ForEach(SizesOfOthers(out, window.rank), out.format, [&](const Indices& others) {
    code.For("channel", s.channels_in, [&](const Expression& channel) {
      w.ForEach(Sizes(s.input.begin(), s.input.begin() + window.rank), SpatialLabels(window.rank),
                [&](const Indices& at) {
                  const Expression sum = code.Var("sum", Expression::Number(0, out.type));
                  code.For("k", filters, [&](const Expression& k) {
                    const Expression group =
                        s.groups == 1 ? Expression(0) : channel / Expression(channels);
                    const Expression filter = group * Expression(filters) + k;
                    const Expression c = s.groups == 1 ? channel : channel % Expression(channels);
                    window.ForEachOutput(w, at, [&](const Indices& o, const Indices& tap) {
                      code.Assign(sum, sum + w.Load(0, Joined(d, o, filter, others, out.format)) *
                                                 w.Load(1, WeightAt(weights, tap, c, filter)));
                    });
                  });
                  w.Store(0, Joined(out, at, channel, others, out.format), sum);
                });
    });
  });
}

// Each weight from all places where the window stood.
void ConvBackwardWeightsOp::Write(OpWriter& w) const {
  const ArraySpec &x = w.input(0), &d = w.input(1);
  const cpu::ConvolutionShape s = ConvShape(parameters_, x, w_);
  const WrittenWindow window = WindowOf(s);
  const int64_t channels = s.channels_in / s.groups, filters = s.channels_out / s.groups;
  loops::LoopBuilder& code = w.code();
  code.For("filter", s.channels_out, [&](const Expression& filter) {
    code.For("c", channels, [&](const Expression& c) {
      const Expression channel =
          s.groups == 1 ? c : filter / Expression(filters) * Expression(channels) + c;
      window.ForEachTap(w, [&](const Indices& tap) {
        const Expression sum = code.Var("sum", Expression::Number(0, w_.type));
        w.ForEach(SizesOfOthers(d, window.rank), d.format, [&](const Indices& others) {
          w.ForEach(window.OutputSizes(), SpatialLabels(window.rank), [&](const Indices& o) {
            window.AtTap(w, o, tap, [&](const Indices& at) {
              code.Assign(sum, sum + w.Load(0, Joined(x, at, channel, others, d.format)) *
                                         w.Load(1, Joined(d, o, filter, others, d.format)));
            });
          });
        });
        w.Store(0, WeightAt(w_, tap, c, filter), sum);
      });
    });
  });
}

}  // namespace lamina::internal
