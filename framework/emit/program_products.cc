// Steps that are products of matrices as calls (ProgramFor::kProducts).
#include <algorithm>

#include "framework/emit/padded_windows.h"
#include "framework/emit/program_writer.h"
#include "framework/ops/convolution_op.h"
#include "framework/ops/matmul_op.h"
#include "framework/ops/written_window.h"

namespace lamina::internal {

using cpu::ConvolutionShape;
using loops::Expression;
using loops::Operation;

namespace {

// Below this many products of numbers, loops are as good.
constexpr int64_t kFewestProducts = 64;

// Where the element at these indices lies in an array whose neighbours are contiguous.
Expression DensePlace(const Sizes& sizes, const Indices& at) {
  Expression place(0);
  int64_t stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) place = place + at[d] * Expression(stride);
    stride *= sizes[d];
  }
  return place.Typed(DataType::kInt32);
}

int64_t NumOutputs(const ConvolutionShape& s) {
  int64_t outputs = 1;
  for (int d = 0; d < s.spatial_rank; ++d) outputs *= s.output[d];
  return outputs;
}

}  // namespace

std::optional<ConvolutionShape> ProgramWriter::ConvolutionOf(int s) const {
  const GraphStep& step = graph_.steps()[s];
  const auto* conv = dynamic_cast<const ConvOp*>(step.op.get());
  if (conv == nullptr) return std::nullopt;
  return ConvShape(conv->parameters(), spec(step.inputs[0]), spec(step.inputs[1]));
}

bool ProgramWriter::IsProduct(int s) const {
  const bool has_products = target_ == ProgramFor::kProducts || target_ == ProgramFor::kAllProducts;
  if (!has_products || !needed_[s]) return false;
  const int64_t fewest = target_ == ProgramFor::kAllProducts ? 0 : kFewestProducts;
  const GraphStep& step = graph_.steps()[s];
  const ArraySpec& result = spec(step.outputs[0]);
  const auto* product = dynamic_cast<const MatMulOp*>(step.op.get());
  const std::optional<ConvolutionShape> shape = ConvolutionOf(s);
  if ((product == nullptr && !shape) || !IsRealFloating(result.type) || result.numel() == 0) {
    return false;
  }
  for (int v : {step.inputs[0], step.inputs[1]}) {
    // Single numbers have no memory.
    if (spec(v).type != result.type || spec(v).numel() <= 1) return false;
  }
  if (shape) {
    const PaddedWindows padded(*shape, result.type);
    const int64_t most = std::max(padded.elements, padded.columns * result.numel());
    return most < int64_t{1} << 31 && spec(step.inputs[1]).numel() * NumOutputs(*shape) >= fewest;
  }
  const int64_t k = spec(step.inputs[0]).sizes[product->transpose_x() ? 0 : 1];
  return result.sizes[0] * result.sizes[1] * k >= fewest;
}

// What is copied may be computed where it is read; calls read memory.
StepReads ProgramWriter::ReadsOfProduct(int s) const {
  StepReads reads;
  reads.in_memory.assign(graph_.steps()[s].inputs.size(), true);
  const std::optional<ConvolutionShape> shape = ConvolutionOf(s);
  if (shape && !IsPointwise(*shape)) {
    reads.once = true;
    reads.in_memory[0] = false;
  }
  return reads;
}

int ProgramWriter::AddScratch(const std::string& hint, ArraySpec memory) {
  const auto array = static_cast<int>(program_.arrays.size());
  program_.arrays.push_back({UniqueName(hint), std::move(memory), ProgramArray::kScratch});
  Touch(array);
  return array;
}

// One for all that are equal.
int ProgramWriter::AddTable(const std::string& hint, const std::vector<int32_t>& values) {
  const auto [found, is_new] = tables_.emplace(values, static_cast<int>(program_.arrays.size()));
  if (is_new) {
    const DlArray table =
        DlArray::FromVector<int32_t>(values, {static_cast<int64_t>(values.size())});
    program_.arrays.push_back({UniqueName(hint), table.spec(), ProgramArray::kConstant, 0, table});
  }
  return found->second;
}

void ProgramWriter::StoreProduct(int array, const Expression& place, std::string_view function,
                                 std::vector<Expression> operands) {
  for (Expression& operand : operands) operand = operand.Typed(DataType::kInt32);
  const ProgramArray& c = program_.arrays[array];
  Touch(array);
  builder_.Store(c.name, place,
                 Expression::Make(Operation::kCall, c.spec.type, std::move(operands), function));
}

void ProgramWriter::WriteProduct(int s) {
  const std::optional<ConvolutionShape> shape = ConvolutionOf(s);
  shape ? WriteConvolution(s, *shape) : WriteMatrixProduct(s);
}

void ProgramWriter::WriteMatrixProduct(int s) {
  const GraphStep& step = graph_.steps()[s];
  const auto& op = dynamic_cast<const MatMulOp&>(*step.op);
  const Sizes& sizes = spec(step.outputs[0]).sizes;
  const int64_t terms = spec(step.inputs[0]).sizes[op.transpose_x() ? 0 : 1];
  struct Factor {
    Expression first;
    int64_t row_step, col_step;
  };
  Sizes pages = sizes;
  pages[0] = pages[1] = 1;
  writers_[s]->ForEach(pages, {}, [&](const Indices& page) {
    const auto factor = [&](int value, bool transposed) {
      const Sizes& own = spec(value).sizes;
      const int64_t rows = own[0];
      const Indices at(page.begin(), page.begin() + static_cast<int>(own.size()));
      return Factor{LoadArray(ViewedRoot(forms_, value), DensePlace(own, at)),
                    transposed ? rows : 1, transposed ? 1 : rows};
    };
    Factor a = factor(step.inputs[0], op.transpose_x()),
           b = factor(step.inputs[1], op.transpose_y());
    int64_t m = sizes[0], n = sizes[1];
    if (m == 1) {
      // Of one row the transpose: what is computed at once are rows.
      std::swap(a, b);
      std::swap(a.row_step, a.col_step);
      std::swap(b.row_step, b.col_step);
      std::swap(m, n);
    }
    StoreProduct(array_of_.at(step.outputs[0]), DensePlace(sizes, page), "gemm",
                 {Expression(m), Expression(n), Expression(terms), a.first, Expression(a.row_step),
                  Expression(a.col_step), b.first, Expression(b.row_step), Expression(b.col_step),
                  Expression(0), Expression(m)});
  });
}

void ProgramWriter::WriteConvolution(int s, const ConvolutionShape& shape) {
  const GraphStep& step = graph_.steps()[s];
  const int result = step.outputs[0], rank = shape.spatial_rank;
  const ArraySpec &x = spec(step.inputs[0]), &y = spec(result);
  const int64_t channels = shape.channels_in / shape.groups,
                filters = shape.channels_out / shape.groups;
  const bool is_pointwise = IsPointwise(shape), is_dense = spread_.count(result) == 0;
  const PaddedWindows padded(shape, y.type);
  const int64_t terms = static_cast<int64_t>(padded.offsets.size());
  const Indices origin(rank, Expression(0));
  // Where the columns of outputs are computed; what is computed elsewhere is copied.
  int columns = array_of_.at(result), copy = -1, table = -1;
  int64_t column = is_pointwise ? NumOutputs(shape) : padded.columns;
  if (!is_pointwise) {
    copy = AddScratch("padded", {y.type, {padded.elements}, {}});
    table = AddTable("offsets", padded.offsets);
    if (is_dense) columns = AddScratch("columns", {y.type, {column, filters}, {}});
    if (padded.is_padded) {
      builder_.For("i", padded.elements, [&](const Expression& i) {
        builder_.Store(program_.arrays[copy].name, i, Expression::Number(0, y.type));
      });
    }
  }
  // A single number has no memory of its own.
  const bool is_single_bias = step.inputs.size() > 2 && spec(step.inputs[2]).numel() == 1;
  const int bias = is_single_bias ? AddScratch("bias", {y.type, {1}, {}}) : -1;
  writers_[s]->ForEach(SizesOfOthers(y, rank), y.format, [&](const Indices& others) {
    builder_.For("group", shape.groups, [&](const Expression& group) {
      const auto at_group = [&](const ArraySpec& array, const Indices& spatial, int64_t size,
                                const Expression& i) {
        return Joined(array, spatial, group * Expression(size) + i, others, y.format);
      };
      if (!is_pointwise) {
        builder_.For("c", channels, [&](const Expression& c) {
          writers_[s]->ForEach(padded.copied, SpatialLabels(rank), [&](const Indices& i) {
            Indices from_padding;
            for (int d = 0; d < rank; ++d) {
              from_padding.push_back(i[d] + Expression(shape.pad_begin[d]));
            }
            builder_.Store(program_.arrays[copy].name, padded.Place(from_padding, c),
                           Load(step.inputs[0], at_group(x, i, channels, c)).Typed(y.type));
          });
        });
      }
      const Expression first =
          columns != array_of_.at(result)
              ? Expression(0)
              : PlaceOf(result, y.sizes, at_group(y, origin, filters, Expression(0)));
      const Expression weights =
          LoadArray(ViewedRoot(forms_, step.inputs[1]),
                    (group * Expression(filters * terms)).Typed(DataType::kInt32));
      const auto whole = [&](int array) {
        const ProgramArray& a = program_.arrays[array];
        return Expression::Load(a.name, a.spec.type, Expression(0).Typed(DataType::kInt32));
      };
      Expression start(0);
      if (is_single_bias) {
        builder_.Store(program_.arrays[bias].name, Expression(0),
                       Load(step.inputs[2], Indices(spec(step.inputs[2]).rank(), Expression(0))));
        start = whole(bias);
      } else if (step.inputs.size() > 2) {
        start = LoadArray(ViewedRoot(forms_, step.inputs[2]),
                          (group * Expression(filters)).Typed(DataType::kInt32));
      }
      const Expression data =
          is_pointwise
              ? LoadArray(ViewedRoot(forms_, step.inputs[0]),
                          DensePlace(x.sizes, at_group(x, origin, channels, Expression(0))))
              : whole(copy);
      const Expression m(column), n(filters), k(terms), one(1);
      StoreProduct(columns, first, "windows",
                   {m, n, k, data, is_pointwise ? m : Expression(0),
                    is_pointwise ? Expression(0) : whole(table), weights, one, k, start, m});
      if (is_pointwise || !is_dense) return;
      builder_.For("filter", filters, [&](const Expression& filter) {
        writers_[s]->ForEach(Sizes(y.sizes.begin(), y.sizes.begin() + rank), SpatialLabels(rank),
                             [&](const Indices& o) {
                               Expression from = filter * Expression(column);
                               for (int d = 0; d < rank; ++d) {
                                 from = from + o[d] * Expression(padded.row_strides[d]);
                               }
                               Store(result, at_group(y, o, filters, filter),
                                     Expression::Load(program_.arrays[columns].name, y.type,
                                                      from.Typed(DataType::kInt32)));
                             });
      });
    });
  });
}

}  // namespace lamina::internal
