#include "framework/ops/one_hot.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/positions.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

// inner is the number of elements before the C dim: all S dims.
template <class T>
void Fill(const int64_t* indices, int64_t inner, int64_t classes, int64_t outer, T* y) {
  std::fill_n(y, inner * classes * outer, T{0});
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      y[(o * classes + indices[o * inner + i]) * inner + i] = T{1};
    }
  }
}

class OneHotOp : public Op, public WrittenOp, public internal::TakesPositions {
 public:
  OneHotOp(int64_t classes, DataType type) : classes_(classes), type_(type) {}
  std::string_view Name() const override { return "onehot"; }
  std::string Attributes() const override {
    return absl::StrCat("classes=", classes_, " type=", std::string(lamina::Name(type_)));
  }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    ArraySpec y = inputs[0];
    y.type = type_;
    const int c = y.format.Find('C');
    if (c >= 0) {
      y.sizes[c] = classes_;
    } else {
      const int spatial = y.format.Count('S');
      std::string labels = y.format.str();
      labels.insert(spatial, 1, 'C');
      y.format = Format(labels);
      y.sizes.insert(y.sizes.begin() + spatial, classes_);
    }
    outputs->push_back(std::move(y));
  }
  internal::Positions PositionsIn(const Specs&) const override {
    return {.of = internal::PositionsOf::kOneHot, .input = 0, .size = classes_};
  }
  void Run(Arrays inputs, Results outputs) const override {
    const int64_t n = inputs[0].numel();
    internal::CheckPositions(PositionsIn(Specs(inputs)), inputs[0]);
    const int64_t* indices = inputs[0].Data<int64_t>();
    int64_t inner = 1;
    for (int d = 0; d < outputs.spec(0).format.Find('C'); ++d) inner *= outputs.spec(0).size(d);
    const int64_t outer = inner == 0 ? 0 : n / inner;
    if (type_ == DataType::kSingle) {
      Fill(indices, inner, classes_, outer, outputs.Data<float>(0));
    } else if (type_ == DataType::kDouble) {
      Fill(indices, inner, classes_, outer, outputs.Data<double>(0));
    } else {
      Fill(indices, inner, classes_, outer, outputs.Data<uint8_t>(0));
    }
  }
  // Which checks the indices.
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const auto c = static_cast<size_t>(w.output(0).format.Find('C'));
    const bool has_c = w.input(0).format.Find('C') >= 0;
    w.Define(0, [&w, c, has_c, type = type_](const Indices& at) {
      Indices observation(at);
      if (has_c) {
        observation[c] = Expression(0);
      } else {
        observation.erase(observation.begin() + static_cast<std::ptrdiff_t>(c));
      }
      const Expression number = Convert(at[c].Typed(DataType::kInt32), DataType::kInt64);
      return Select(w.Load(0, observation) == number, Expression::Number(1, type),
                    Expression::Number(0, type));
    });
  }
  bool IsDifferentiable() const override { return false; }

 private:
  int64_t classes_;
  DataType type_;
};

}  // namespace

DlArray OneHot(const DlArray& indices, int64_t num_classes, DataType type,
               std::string_view format) {
  const internal::FormattedInput input("OneHot", indices, format);
  if (!IsInteger(indices.type()) || !(IsRealFloating(type) || type == DataType::kLogical)) {
    throw Error("ops:UnsupportedType",
                "OneHot expects indices of an integer type and gives single, double or logical.",
                absl::StrCat("A ", ToString(indices.spec()), " came, to give ",
                             std::string(Name(type)), "."),
                "Cast the indices to int64.");
  }
  if (num_classes < 1) {
    throw Error("ops:InvalidClassCount", "OneHot expects at least one class.",
                absl::StrCat(num_classes, " came."), "");
  }
  if (Size(input.x(), 'C') != 1) {
    throw Error("dlarray:SizeMismatch",
                "OneHot expects indices without a C dim, or of size 1 in it.",
                absl::StrCat("A ", ToString(input.x().spec()), " came."),
                "Give one class number for each observation.");
  }
  return input.Finish(
      Apply(std::make_shared<OneHotOp>(num_classes, type), {Cast(input.x(), DataType::kInt64)}));
}

}  // namespace lamina
