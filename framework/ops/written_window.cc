#include "framework/ops/written_window.h"

namespace lamina::internal {

using loops::Expression;

namespace {

// All of some conditions; none is always true.
class Conditions {
 public:
  void Add(const Expression& condition) {
    all_ = any_ ? all_ & condition : condition;
    any_ = true;
  }
  void Guard(OpWriter& w, const std::function<void()>& body) const {
    any_ ? w.code().If(all_, body) : body();
  }

 private:
  Expression all_ = Expression(1);
  bool any_ = false;
};

}  // namespace

// The first dim is innermost; the names tell these loops from loops over data.
void WrittenWindow::ForEachTap(OpWriter& w, const std::function<void(const Indices&)>& body) const {
  Indices tap(rank, Expression(0));
  const std::function<void(int)> nest = [&](int d) {
    if (d < 0) return body(tap);
    w.code().For("k" + IndexName(SpatialLabels(rank), d), window[d], [&](const Expression& i) {
      tap[d] = i;
      nest(d - 1);
    });
  };
  nest(rank - 1);
}

void WrittenWindow::AtTap(OpWriter& w, const Indices& o, const Indices& tap,
                          const std::function<void(const Indices&)>& body) const {
  Indices at;
  Conditions inside;
  for (int d = 0; d < rank; ++d) {
    Expression i =
        o[d] * Expression(stride[d]) + tap[d] * Expression(dilation[d]) - Expression(pad_begin[d]);
    const int64_t last = (output[d] - 1) * stride[d] + (window[d] - 1) * dilation[d] - pad_begin[d];
    const bool below = pad_begin[d] > 0, beyond = last >= input[d];
    if ((below || beyond) && !i.is_number()) {
      i = w.code().Let("at_" + IndexName(SpatialLabels(rank), d), i);
    }
    if (below) inside.Add(i.Typed(DataType::kInt32) >= Expression(0));
    if (beyond) inside.Add(i.Typed(DataType::kInt32) < Expression(input[d]));
    at.push_back(i);
  }
  inside.Guard(w, [&] { body(at); });
}

void WrittenWindow::ForEachElement(
    OpWriter& w, const Indices& o,
    const std::function<void(const Indices&, const Indices&)>& body) const {
  ForEachTap(
      w, [&](const Indices& tap) { AtTap(w, o, tap, [&](const Indices& at) { body(at, tap); }); });
}

std::vector<Indices> WrittenWindow::FewElements(const Indices& o) const {
  constexpr int64_t kFew = 9;
  int64_t elements = 1;
  for (int d = 0; d < rank; ++d) {
    elements *= window[d];
    if (pad_begin[d] > 0 || elements > kFew ||
        (output[d] - 1) * stride[d] + (window[d] - 1) * dilation[d] >= input[d]) {
      return {};
    }
  }
  std::vector<Indices> places;
  for (int64_t i = 0; i < elements; ++i) {
    int64_t rest = i;
    Indices at;
    for (int d = 0; d < rank; ++d) {
      at.push_back(o[d] * Expression(stride[d]) + Expression(rest % window[d] * dilation[d]));
      rest /= window[d];
    }
    places.push_back(std::move(at));
  }
  return places;
}

void WrittenWindow::ForEachOutput(
    OpWriter& w, const Indices& at,
    const std::function<void(const Indices&, const Indices&)>& body) const {
  ForEachTap(w, [&](const Indices& tap) {
    Indices o;
    Conditions inside;
    for (int d = 0; d < rank; ++d) {
      // at = o * stride + tap * dilation - pad_begin
      const Expression from = (at[d] + Expression(pad_begin[d]) - tap[d] * Expression(dilation[d]))
                                  .Typed(DataType::kInt32);
      const Expression place =
          from.is_number() ? from : w.code().Let("from_" + IndexName(SpatialLabels(rank), d), from);
      inside.Add(place >= Expression(0));
      if (stride[d] > 1) inside.Add(place % Expression(stride[d]) == Expression(0));
      inside.Add(place < Expression(output[d] * stride[d]));
      o.push_back(place / Expression(stride[d]));
    }
    inside.Guard(w, [&] { body(o, tap); });
  });
}

Sizes SizesOfOthers(const ArraySpec& x, int rank) {
  Sizes sizes = x.sizes;
  for (int d = 0; d < x.rank(); ++d) {
    if (d < rank || x.format[d] == 'C') sizes[d] = 1;
  }
  return sizes;
}

Indices Joined(const ArraySpec& x, const Indices& spatial, const Expression& channel,
               const Indices& others, const Format& others_format) {
  Indices at(x.rank(), Expression(0));
  for (int d = 0; d < x.rank(); ++d) {
    if (d < static_cast<int>(spatial.size())) {
      at[d] = spatial[d];
    } else if (x.format[d] == 'C') {
      at[d] = channel;
    } else {
      const int there = others_format.Find(x.format[d]);
      if (there >= 0) at[d] = others[there];
    }
  }
  return at;
}

}  // namespace lamina::internal
