#include "framework/ops/pooling.h"

#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/pooling.h"
#include "framework/cpu/threads.h"
#include "framework/ops/data_format.h"
#include "framework/ops/op.h"
#include "framework/ops/written_window.h"

namespace lamina {
namespace {

using internal::WindowedInput;

struct PoolParameters {
  Sizes window;
  WindowGeometry geometry;
  bool count_padding = true;  // Of averages.

  std::string ToString() const {
    return absl::StrCat("window=", lamina::ToString(window),
                        " stride=", lamina::ToString(geometry.stride),
                        " padding=", lamina::ToString(geometry.pad_begin), ",",
                        lamina::ToString(geometry.pad_end), " count_padding=", count_padding);
  }
};

// The kernel's view of x, whose S dims come first; all further dims are planes.
cpu::PoolingShape PoolShape(const PoolParameters& p, const ArraySpec& x) {
  cpu::PoolingShape s;
  s.spatial_rank = x.format.Count('S');
  for (int d = 0; d < s.spatial_rank; ++d) {
    s.input[d] = x.size(d);
    s.window[d] = p.window[d];
    s.stride[d] = p.geometry.stride[d];
    s.pad_begin[d] = p.geometry.pad_begin[d];
    s.pad_end[d] = p.geometry.pad_end[d];
  }
  for (int d = s.spatial_rank; d < x.rank(); ++d) s.planes *= x.size(d);
  if (!cpu::ComputeOutputSize(&s)) {
    throw Error("ops:WindowTooLarge", "A window and padded data have fewer than 2^57 elements.",
                absl::StrCat("A ", lamina::ToString(x), " with ", p.ToString(), " came."),
                "Make the window and the padding smaller.");
  }
  return s;
}

internal::WrittenWindow WindowOf(const cpu::PoolingShape& s) {
  return {s.spatial_rank, s.input, s.window, s.output, s.stride, {1, 1, 1}, s.pad_begin};
}

// The number of an element within its plane.
loops::Expression PlaceIn(const internal::WrittenWindow& window, const Indices& at) {
  loops::Expression place(0);
  int64_t stride = 1;
  for (int d = 0; d < window.rank; ++d) {
    place = place + at[d] * loops::Expression(stride);
    stride *= window.input[d];
  }
  return Convert(place.Typed(DataType::kInt32), DataType::kInt64);
}

// Indices with those of a plane replaced.
Indices WithPlace(Indices at, const Indices& place) {
  std::copy(place.begin(), place.end(), at.begin());
  return at;
}

// Writes each element of the output, something like x, from the windows that hold it: `body` is
// given the element's indices, those of such a window, and the sum to which it adds.
void WriteFromWindows(
    OpWriter& w, const cpu::PoolingShape& s,
    const std::function<void(const internal::WrittenWindow&, const Indices& at, const Indices& o,
                             const loops::Expression& sum)>& body) {
  const internal::WrittenWindow window = WindowOf(s);
  const ArraySpec& x = w.output(0);
  w.ForEach(x.sizes, x.format, [&](const Indices& at) {
    const loops::Expression sum = w.code().Var("sum", loops::Expression::Number(0, x.type));
    const Indices place(at.begin(), at.begin() + window.rank);
    window.ForEachOutput(w, place, [&](const Indices& o, const Indices&) {
      body(window, at, WithPlace(at, o), sum);
    });
    w.Store(0, at, sum);
  });
}

// Calls `body` in loops over all windows: with the window, its indices in the output, and those in
// the input for a place in it.
void ForEachWindow(OpWriter& w, const PoolParameters& p,
                   const std::function<void(const internal::WrittenWindow&, const Indices& o,
                                            const std::function<Indices(const Indices&)>&)>& body) {
  const internal::WrittenWindow window = WindowOf(PoolShape(p, w.input(0)));
  const ArraySpec& y = w.output(0);
  w.ForEach(y.sizes, y.format, [&](const Indices& o) {
    body(window, o, [&](const Indices& place) { return WithPlace(o, place); });
  });
}

ArraySpec OutputSpec(const PoolParameters& p, const ArraySpec& x) {
  const cpu::PoolingShape s = PoolShape(p, x);
  ArraySpec y = x;
  for (int d = 0; d < s.spatial_rank; ++d) y.sizes[d] = s.output[d];
  return y;
}

int64_t PlaneSize(const ArraySpec& x) {
  int64_t n = 1;
  for (int d = 0; d < x.format.Count('S'); ++d) n *= x.size(d);
  return n;
}

template <class T>
void GatherPlanes(const void* from, const int64_t* indices, int64_t planes, int64_t in, int64_t out,
                  void* to) {
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  cpu::ParallelFor(planes, cpu::kElementwiseGrain / (out + 1) + 1, [&](int64_t b, int64_t e) {
    for (int64_t plane = b; plane < e; ++plane) {
      for (int64_t i = plane * out; i < (plane + 1) * out; ++i) y[i] = x[plane * in + indices[i]];
    }
  });
}

DlArray Gathered(const PoolParameters& p, const DlArray& x, const DlArray& indices);
DlArray Scattered(const PoolParameters& p, const ArraySpec& x, const DlArray& dy,
                  const DlArray& indices);

class MaxPoolOp : public Op, public WrittenOp {
 public:
  explicit MaxPoolOp(PoolParameters p) : p_(std::move(p)) {}
  std::string_view Name() const override { return "maxpool"; }
  std::string Attributes() const override { return p_.ToString(); }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    outputs->assign(2, OutputSpec(p_, inputs[0]));
    (*outputs)[1].type = DataType::kInt64;
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::MaxPoolForward(inputs[0].type(), PoolShape(p_, inputs[0].spec()),
                        inputs[0].data()->bytes(), outputs.bytes(0), outputs.Data<int64_t>(1));
  }
  bool HasFastKernel() const override { return true; }
  // The first element begins, so that -infinity has a position; a NaN stays.
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const DataType type = w.input(0).type;
    const bool positions = w.IsUsed(1);
    loops::LoopBuilder& code = w.code();
    ForEachWindow(
        w, p_,
        [&](const internal::WrittenWindow& window, const Indices& o,
            const std::function<Indices(const Indices&)>& input_at) {
          const std::vector<Indices> few =
              positions ? std::vector<Indices>() : window.FewElements(o);
          if (!few.empty()) {
            Expression best = code.Let("best", w.Load(0, input_at(few[0])));
            for (size_t i = 1; i < few.size(); ++i) {
              const Expression value = code.Let("value", w.Load(0, input_at(few[i])));
              best = code.Let("best",
                              Select(value != value, value, Select(value > best, value, best)));
            }
            return w.Store(0, o, best);
          }
          const Expression best =
              code.Var("best", Expression::Number(-std::numeric_limits<double>::infinity(), type));
          const Expression position =
              positions ? code.Var("position", Expression::Number(-1, DataType::kInt64)) : best;
          window.ForEachElement(w, o, [&](const Indices& at, const Indices&) {
            const Expression value = code.Let("value", w.Load(0, input_at(at)));
            Expression better = (best == best) & (!(value <= best));
            if (positions) better = better | (position < Expression(0));
            code.If(better, [&] {
              code.Assign(best, value);
              if (!positions) return;
              code.Assign(position, PlaceIn(window, at));
            });
          });
          w.Store(0, o, best);
          if (positions) w.Store(1, o, position);
        });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    if (call.output_gradients[0].empty()) return DlArrays(1);
    return {Scattered(p_, call.inputs[0].spec(), call.output_gradients[0], call.outputs[1])};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return 0b10; }

 private:
  PoolParameters p_;
};

// Elements like y added at their places into zeros like x.
class MaxPoolScatterOp : public Op, public WrittenOp {
 public:
  MaxPoolScatterOp(PoolParameters p, ArraySpec x) : p_(std::move(p)), x_(std::move(x)) {}
  std::string_view Name() const override { return "maxpool_scatter"; }
  std::string Attributes() const override {
    return absl::StrCat(p_.ToString(), " sizes=", lamina::ToString(x_.sizes));
  }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    LAMINA_CHECK(inputs[0].sizes == inputs[1].sizes);
    outputs->push_back(x_);
    outputs->back().type = inputs[0].type;
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::MaxPoolBackward(inputs[0].type(), PoolShape(p_, x_), inputs[0].data()->bytes(),
                         inputs[1].Data<int64_t>(), outputs.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    WriteFromWindows(w, PoolShape(p_, x_),
                     [&](const internal::WrittenWindow& window, const Indices& at, const Indices& o,
                         const loops::Expression& sum) {
                       w.code().If(w.Load(1, o) == PlaceIn(window, at),
                                   [&] { w.code().Assign(sum, sum + w.Load(0, o)); });
                     });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Gathered(p_, call.output_gradients[0], call.inputs[1]), DlArray()};
  }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  PoolParameters p_;
  ArraySpec x_;
};

// The elements of something like x at their places: the transpose of MaxPoolScatterOp.
class MaxPoolGatherOp : public Op, public WrittenOp {
 public:
  explicit MaxPoolGatherOp(PoolParameters p) : p_(std::move(p)) {}
  std::string_view Name() const override { return "maxpool_gather"; }
  std::string Attributes() const override { return p_.ToString(); }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    outputs->push_back(OutputSpec(p_, inputs[0]));
    LAMINA_CHECK(outputs->back().sizes == inputs[1].sizes);
  }
  void Run(Arrays inputs, Results outputs) const override {
    const int64_t in = PlaneSize(inputs[0].spec()), out = PlaneSize(outputs.spec(0));
    const int64_t planes = inputs[0].numel() / in;
    const auto gather =
        inputs[0].type() == DataType::kDouble ? GatherPlanes<double> : GatherPlanes<float>;
    gather(inputs[0].data()->bytes(), inputs[1].Data<int64_t>(), planes, in, out, outputs.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& y = w.output(0);
    w.ForEach(y.sizes, y.format, [&](const Indices& o) {
      Expression rest = w.code().Let("place", Convert(w.Load(1, o), DataType::kInt32));
      Indices place;
      for (int d = 0; d < y.format.Count('S'); ++d) {
        const Expression size(w.input(0).size(d));
        place.push_back(rest % size);
        rest = rest / size;
      }
      w.Store(0, o, w.Load(0, WithPlace(o, place)));
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Scattered(p_, call.inputs[0].spec(), call.output_gradients[0], call.inputs[1]),
            DlArray()};
  }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  PoolParameters p_;
};

DlArray Gathered(const PoolParameters& p, const DlArray& x, const DlArray& indices) {
  return Apply(std::make_shared<MaxPoolGatherOp>(p), {x, indices});
}
DlArray Scattered(const PoolParameters& p, const ArraySpec& x, const DlArray& dy,
                  const DlArray& indices) {
  return Apply(std::make_shared<MaxPoolScatterOp>(p, x), {dy, indices});
}

DlArray Spread(const PoolParameters& p, const ArraySpec& x, const DlArray& dy);

class AvgPoolOp : public Op, public WrittenOp {
 public:
  explicit AvgPoolOp(PoolParameters p) : p_(std::move(p)) {}
  std::string_view Name() const override { return "avgpool"; }
  std::string Attributes() const override { return p_.ToString(); }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    outputs->push_back(OutputSpec(p_, inputs[0]));
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::AveragePoolForward(inputs[0].type(), PoolShape(p_, inputs[0].spec()), p_.count_padding,
                            inputs[0].data()->bytes(), outputs.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const DataType type = w.input(0).type;
    loops::LoopBuilder& code = w.code();
    int64_t elements = 1;
    for (int64_t n : p_.window) elements *= n;
    const bool padded = PoolShape(p_, w.input(0)).pad_begin != std::array<int64_t, 3>{0, 0, 0} ||
                        PoolShape(p_, w.input(0)).pad_end != std::array<int64_t, 3>{0, 0, 0};
    const bool count = padded && !p_.count_padding;
    ForEachWindow(
        w, p_,
        [&](const internal::WrittenWindow& window, const Indices& o,
            const std::function<Indices(const Indices&)>& input_at) {
          const std::vector<Indices> few = count ? std::vector<Indices>() : window.FewElements(o);
          const Expression divisor = Expression::Number(static_cast<double>(elements), type);
          if (!few.empty()) {
            Expression sum = Expression::Number(0, type);
            for (const Indices& at : few) sum = code.Let("sum", sum + w.Load(0, input_at(at)));
            return w.Store(0, o, sum / divisor);
          }
          const Expression sum = code.Var("sum", Expression::Number(0, type));
          const Expression n = count ? code.Var("count", Expression::Number(0, type)) : sum;
          window.ForEachElement(w, o, [&](const Indices& at, const Indices&) {
            code.Assign(sum, sum + w.Load(0, input_at(at)));
            if (count) code.Assign(n, n + Expression(1));
          });
          w.Store(0, o, sum / (count ? n : divisor));
        });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Spread(p_, call.inputs[0].spec(), call.output_gradients[0])};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  PoolParameters p_;
};

// Each element of something like y divided among the elements of its window: the transpose of the
// average.
class AvgPoolSpreadOp : public Op, public WrittenOp {
 public:
  AvgPoolSpreadOp(PoolParameters p, ArraySpec x) : p_(std::move(p)), x_(std::move(x)) {}
  std::string_view Name() const override { return "avgpool_spread"; }
  std::string Attributes() const override {
    return absl::StrCat(p_.ToString(), " sizes=", lamina::ToString(x_.sizes));
  }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    LAMINA_CHECK(OutputSpec(p_, x_).sizes == inputs[0].sizes);
    outputs->push_back(x_);
    outputs->back().type = inputs[0].type;
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::AveragePoolBackward(inputs[0].type(), PoolShape(p_, x_), p_.count_padding,
                             inputs[0].data()->bytes(), outputs.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const cpu::PoolingShape s = PoolShape(p_, x_);
    WriteFromWindows(
        w, s,
        [&](const internal::WrittenWindow&, const Indices&, const Indices& o,
            const Expression& sum) {
          // Elements of the window: along each dim all, or those that do not lie in the padding.
          Expression n(1);
          for (int d = 0; d < s.spatial_rank; ++d) {
            if (p_.count_padding) {
              n = n * Expression(s.window[d]);
              continue;
            }
            const Expression first = o[d] * Expression(s.stride[d]) - Expression(s.pad_begin[d]),
                             end = first + Expression(s.window[d]), size(s.input[d]), none(0);
            n = n * (Select(end < size, end, size) - Select(first > none, first, none));
          }
          w.code().Assign(
              sum, sum + w.Load(0, o) / Convert(n.Typed(DataType::kInt32), w.output(0).type));
        });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Apply(std::make_shared<AvgPoolOp>(p_), {call.output_gradients[0]})};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  PoolParameters p_;
  ArraySpec x_;
};

DlArray Spread(const PoolParameters& p, const ArraySpec& x, const DlArray& dy) {
  return Apply(std::make_shared<AvgPoolSpreadOp>(p, x), {dy});
}

PoolParameters Resolve(std::string_view function, const WindowedInput& input,
                       const PoolOptions& options) {
  const Sizes moved = input.moved();
  const int rank = input.rank();
  PoolParameters p;
  if (options.global) {
    p.window = moved;
    p.geometry = WindowGeometry::Resolve(function, moved, p.window, {1}, {1}, 0);
    return p;
  }
  p.window =
      internal::ExpandOption(function, "ops:InvalidWindow", "window", options.window, rank, 1);
  p.geometry =
      WindowGeometry::Resolve(function, moved, p.window, options.stride, {1}, options.padding);
  for (int d = 0; d < rank; ++d) {
    if (p.geometry.pad_begin[d] < p.window[d] && p.geometry.pad_end[d] < p.window[d]) continue;
    throw Error("ops:InvalidPadding",
                absl::StrCat(std::string(function), " expects a padding smaller than the window."),
                absl::StrCat("Along dim ", d, " the padding is ", p.geometry.pad_begin[d], " + ",
                             p.geometry.pad_end[d], " and the window ", p.window[d], "."),
                "Pad less, or make the window larger.");
  }
  return p;
}

}  // namespace

MaxPoolResult MaxPoolWithIndices(const DlArray& x, const PoolOptions& options) {
  internal::RequireReal("MaxPool", x);
  const WindowedInput input("MaxPool", x, options.format, options.over_time);
  const auto op = std::make_shared<MaxPoolOp>(Resolve("MaxPool", input, options));
  const DlArray data = internal::ToFloating(input.x());
  const DlArrays outputs = ApplyAll(op, Arrays(&data, 1));
  return {input.Finish(outputs[0]), input.Finish(outputs[1])};
}

DlArray MaxPool(const DlArray& x, const PoolOptions& options) {
  internal::RequireReal("MaxPool", x);
  const WindowedInput input("MaxPool", x, options.format, options.over_time);
  const auto op = std::make_shared<MaxPoolOp>(Resolve("MaxPool", input, options));
  const DlArray data = internal::ToFloating(input.x());
  return input.Finish(ApplyAll(op, Arrays(&data, 1))[0]);
}

DlArray AvgPool(const DlArray& x, const PoolOptions& options, bool count_padding) {
  internal::RequireReal("AvgPool", x);
  const WindowedInput input("AvgPool", x, options.format, options.over_time);
  PoolParameters p = Resolve("AvgPool", input, options);
  p.count_padding = count_padding;
  return input.Finish(
      Apply(std::make_shared<AvgPoolOp>(std::move(p)), {internal::ToFloating(input.x())}));
}

}  // namespace lamina
