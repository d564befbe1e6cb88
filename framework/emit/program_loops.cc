// The loops of each group.
#include <algorithm>
#include <bit>
#include <functional>

#include "absl/strings/str_cat.h"
#include "framework/emit/program_writer.h"

namespace lamina::internal {

using loops::Expression;

namespace {

// Names a subexpression's indices; only for telling them apart.
std::string Key(const Expression& x) {
  std::string key =
      absl::StrCat(static_cast<int>(x.operation()), x.node().name, ":", x.node().value);
  for (const Expression& operand : x.node().operands) absl::StrAppend(&key, "(", Key(operand), ")");
  return key;
}

}  // namespace

Expression ProgramWriter::LoadArray(int value, const Expression& place) {
  const int array = array_of_.at(value);
  Touch(array);
  const Expression x = Expression::Load(program_.arrays[array].name, spec(value).type, place);
  // Loops that an op wrote may read what they stored.
  const bool only_reads =
      group_ < static_cast<int>(placement_.groups.size()) && placement_.groups[group_].step < 0;
  // Where it is for readers, what is computed before and used several times has a name.
  const bool is_named =
      IsForKernels() || (forms_[value].form != Form::kGiven && placement_.num_reads[value] > 1);
  if (!is_named || !only_reads) return x;
  return Known(absl::StrCat("load ", array, " ", Key(place)), "x", x);
}

// A name for x, one for all uses while the block is open.
Expression ProgramWriter::Known(const std::string& key, const std::string& hint,
                                const Expression& x) {
  for (const auto& known : known_) {
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
  }
  const Expression named = builder_.Let(hint, x);
  known_.resize(std::max<size_t>(known_.size(), builder_.depth()));
  known_[builder_.depth() - 1].emplace(key, named);
  return named;
}

void ProgramWriter::Store(int value, const Indices& at, const Expression& x) {
  const int array = array_of_.at(value);
  Touch(array);
  builder_.Store(program_.arrays[array].name, PlaceOf(value, spec(value).sizes, at),
                 x.Typed(spec(value).type));
}

Expression ProgramWriter::Load(int value, Indices at) {
  const ArraySpec& own = spec(value);
  if (surveying_) return Expression::Variable("element", own.type);
  if (own.numel() == 0) {  // Of a loop without turns.
    const Expression zero = Expression::Number(0, ToReal(own.type));
    return IsComplex(own.type) ? MakeComplex(zero, zero) : zero;
  }
  const DlArray& constant = graph_.values()[value].constant;
  if (constant.numel() == 1) {
    const std::complex<double> x = constant.ComplexAt(0);
    if (!IsComplex(own.type)) return Expression::Number(x.real(), own.type);
    const DataType part = ToReal(own.type);
    return MakeComplex(Expression::Number(x.real(), part), Expression::Number(x.imag(), part));
  }
  const int root = ViewedRoot(forms_, value);
  // What these loops compute is not read from memory again.
  const bool is_here = forms_[root].form == Form::kDefined && placement_.group_of[root] == group_;
  if (array_of_.count(root) > 0 && !is_here) return LoadArray(root, PlaceOf(root, own.sizes, at));
  if (graph_.values()[root].constant.numel() == 1) return Load(root, {});
  return Inlined(root, root == value ? at : Spread(spec(root).sizes, NonOnes(own.sizes, at)));
}

// Computed here, once for these indices while the block is open.
Expression ProgramWriter::Inlined(int value, const Indices& at) {
  std::string key = absl::StrCat(value);
  for (const Expression& i : at) absl::StrAppend(&key, ",", Key(i));
  for (const auto& known : known_) {
    const auto found = known.find(key);
    if (found != known.end()) return found->second;
  }
  fused_.push_back(forms_[value].step);
  const Expression x = element_[value](at).Typed(spec(value).type);
  constexpr int kLongest = 14;
  const int uses = placement_.num_reads[value] + (array_of_.count(value) > 0);
  if (uses <= 1 && x.Size() <= kLongest) return x;
  return Known(key, Identifier(graph_.steps()[forms_[value].step].op->Name()), x);
}

std::string ProgramWriter::Comment(const ArraySpec& result) {
  std::sort(fused_.begin(), fused_.end());
  fused_.erase(std::unique(fused_.begin(), fused_.end()), fused_.end());
  // By layer: "bn: minus, times; relu: relu".
  std::string text, layer;
  for (int f : fused_) {
    const std::string own = LayerOf(f);
    if (text.empty() || own != layer) {
      absl::StrAppend(&text, text.empty() ? "" : "; ", own, own.empty() ? "" : ": ");
    } else {
      text += ", ";
    }
    layer = own;
    text += std::string(graph_.steps()[f].op->Name());
  }
  if (text.empty()) text = "copy";
  return absl::StrCat(text, " -> ", Described(result));
}

void ProgramWriter::Finish(const ArraySpec& result) {
  ProgramStep step;
  step.code = builder_.Take();
  step.comment = Comment(result);
  known_.clear();
  fused_.clear();
  if (step.code.empty()) return;
  loops::JoinLoops(step.code);
  program_.steps.push_back(std::move(step));
}

void ProgramWriter::Emit(const Group& group) {
  if (group.step < 0) return EmitLoops(group);
  const GraphStep& step = graph_.steps()[group.step];
  const ArraySpec& result = spec(step.outputs[0]);
  fused_.push_back(group.step);
  if (forms_[step.outputs[0]].form == Form::kLoops) {
    is_product_[group.step] ? WriteProduct(group.step) : WriteStep(group.step);
    return Finish(result);
  }
  for (const std::vector<int>* values : {&step.inputs, &step.outputs}) {
    for (int v : *values) Touch(array_of_.at(ViewedRoot(forms_, v)));
  }
  program_.steps.push_back({Comment(result), {}, group.step});
  fused_.clear();
}

// One nest of loops over the group's space.
void ProgramWriter::EmitLoops(const Group& group) {
  std::vector<int> stored;
  for (int v : group.members) {
    if (array_of_.count(v) > 0) stored.push_back(v);
  }
  if (stored.empty()) return;
  // Named as the dims of the first value that is stored.
  std::vector<std::string> names;
  const Sizes& sizes = element_sizes_[stored[0]];
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 1) continue;
    names.push_back(IndexName(spec(stored[0]).format, static_cast<int>(d)));
  }
  Indices at(group.space.size(), Expression(0));
  const std::function<void(uint32_t, const std::function<void()>&)> nest =
      [&](uint32_t dims, const std::function<void()>& body) {
        if (dims == 0) return body();
        const int d = std::bit_width(dims) - 1;
        builder_.For(names[d], group.space[d], [&](const Expression& i) {
          at[d] = i;
          nest(dims & ~(uint32_t{1} << d), body);
        });
      };
  const uint32_t all = (uint32_t{1} << group.space.size()) - 1, summed = group.summed_dims;
  const auto element = [&](int v) {
    const Indices own = Spread(element_sizes_[v], at);
    // A name only for what is read again.
    if (placement_.num_reads[v] > 0) return Store(v, own, Inlined(v, own));
    fused_.push_back(forms_[v].step);
    Store(v, own, element_[v](own));
  };
  if (summed == 0) {
    const SpreadMemory& columns = over_columns_[group_];
    std::map<int, int> gapped;  // Values that get a copy without gaps: where they are computed.
    for (int v : stored) {
      if (columns.column > 0 && spread_.count(v) == 0) {
        gapped.emplace(v, AddScratch("rows", columns.spec));
      }
    }
    const auto elements = [&] {
      for (int v : stored) {
        const auto rows = gapped.find(v);
        if (rows == gapped.end()) {
          element(v);
          continue;
        }
        const Indices own = Spread(element_sizes_[v], at);
        builder_.Store(program_.arrays[rows->second].name, columns.Place(spec(v).sizes, own),
                       Inlined(v, own).Typed(spec(v).type));
      }
    };
    const uint32_t in_column = (uint32_t{1} << columns.num_in_column) - 1;
    nest(all & ~in_column, [&] {
      if (in_column == 0) return elements();
      // One loop over all rows of a column and the gaps between them.
      builder_.For(names[0], columns.column, [&](const Expression& i) {
        at[0] = i;
        for (int d = 1; d < columns.num_in_column; ++d) at[d] = Expression(0);
        elements();
      });
    });
    for (const auto& [v, rows] : gapped) {
      nest(all, [&, v = v, rows = rows] {
        const Indices own = Spread(element_sizes_[v], at);
        Store(v, own,
              Expression::Load(program_.arrays[rows].name, spec(v).type,
                               columns.Place(spec(v).sizes, own)));
      });
    }
    return Finish(spec(stored.back()));
  }
  std::vector<int> sums;
  for (int v : stored) {
    if (forms_[v].form == Form::kSummed) sums.push_back(v);
  }
  const auto sum_type = [this](int v) {
    switch (spec(v).type) {
      case DataType::kSingle:
        return DataType::kDouble;
      case DataType::kComplexSingle:
        return DataType::kComplexDouble;
      default:
        return spec(v).type;
    }
  };
  const auto zero = [&](int v) { return Expression::Number(0, sum_type(v)); };
  // What the sum at these indices is, in the memory of the result.
  const auto finish = [&](int v, const Expression& total) {
    Indices own = Spread(element_sizes_[v], at);
    Store(v, own, Convert(total, spec(v).type));
  };
  const auto add = [&](int v, const Expression& total) {
    fused_.push_back(forms_[v].step);
    const Expression x = element_[v](Spread(element_sizes_[v], at));
    return total + Convert(x.Typed(spec(v).type), sum_type(v));
  };
  // Loops over dims that are kept, inside of which each sum is one number; or, where the elements
  // beside one another belong to different sums, a row of numbers.
  const uint32_t row =
      summed & 1 || IsForDevice() ? 0 : (uint32_t{1} << std::countr_zero(summed)) - 1;
  nest(all & ~summed & ~row, [&] {
    std::map<int, Expression> totals;
    std::map<int, int> arrays;
    const auto place = [&] {
      Expression at_row(0);
      int64_t stride = 1;
      for (size_t d = 0; d < group.space.size(); ++d) {
        if (summed >> d & 1) continue;
        at_row = at_row + at[d] * Expression(stride);
        stride *= group.space[d];
      }
      return at_row;
    };
    const auto total = [&](int v) {
      if (row == 0) return totals.at(v);
      return Expression::Load(program_.arrays[arrays.at(v)].name, sum_type(v), place());
    };
    const auto set = [&](int v, const Expression& x) {
      if (row == 0) return builder_.Assign(totals.at(v), x);
      builder_.Store(program_.arrays[arrays.at(v)].name, place(), x);
    };
    for (int v : sums) {
      if (row == 0) {
        totals.emplace(v, builder_.Var("total", zero(v)));
        continue;
      }
      ArraySpec totals_spec{sum_type(v), {NumElements(spec(v).sizes)}, {}};
      arrays[v] = static_cast<int>(program_.arrays.size());
      program_.arrays.push_back(
          {UniqueName("total"), std::move(totals_spec), ProgramArray::kScratch});
      Touch(arrays[v]);
    }
    if (row != 0) {
      nest(row, [&] {
        for (int v : sums) set(v, zero(v));
      });
    }
    nest(summed | row, [&] {
      for (int v : stored) {
        if (forms_[v].form == Form::kSummed) {
          set(v, add(v, total(v)));
        } else {
          element(v);
        }
      }
    });
    for (size_t d = 0; d < at.size(); ++d) {
      if (summed >> d & 1) at[d] = Expression(0);
    }
    nest(row, [&] {
      for (int v : sums) finish(v, total(v));
    });
  });
  Finish(spec(stored.back()));
}

}  // namespace lamina::internal
