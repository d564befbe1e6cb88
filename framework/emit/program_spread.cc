// Memory whose neighbours are not contiguous: a convolution's results as they are computed, with
// gaps between the rows (padded_windows.h), and what is computed from them element by element.
#include <algorithm>

#include "framework/emit/padded_windows.h"
#include "framework/emit/program_writer.h"

namespace lamina::internal {

using loops::Expression;

Expression SpreadMemory::Place(const Sizes& sizes, const Indices& at) const {
  Expression place(0);
  const Indices rest = NonOnes(sizes, at);
  for (size_t d = 0; d < rest.size(); ++d) place = place + rest[d] * Expression(strides[d]);
  return place;
}

// The place in memory of the element at these indices of a view of these sizes.
Expression ProgramWriter::PlaceOf(int value, const Sizes& sizes, const Indices& at) const {
  const auto spread = spread_.find(value);
  if (spread != spread_.end()) return spread->second.Place(sizes, at);
  Expression place(0);
  int64_t stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) place = place + at[d] * Expression(stride);
    stride *= sizes[d];
  }
  return place;
}

// Do all who read v, or a view of it, take indices, wherever they lead to?
bool ProgramWriter::IsReadByIndices(int v) const {
  for (int o : graph_.outputs()) {
    if (o == v) return false;
  }
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    const GraphStep& step = graph_.steps()[s];
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (!needed_[s] || step.inputs[i] != v) continue;
      const int result = step.outputs[0];
      if (forms_[result].form == Form::kView) {
        if (WithoutOnes(spec(result).sizes) != WithoutOnes(spec(v).sizes) ||
            !IsReadByIndices(result)) {
          return false;
        }
      } else if (is_product_[s] && reads_[s].in_memory[i]) {
        return false;
      }
    }
  }
  return true;
}

// Results of convolutions keep the distances in which they are computed, where readers take them.
void ProgramWriter::SpreadProducts() {
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    const std::optional<cpu::ConvolutionShape> shape =
        is_product_[s] ? ConvolutionOf(static_cast<int>(s)) : std::nullopt;
    const int v = graph_.steps()[s].outputs[0];
    if (!shape || IsPointwise(*shape) || !IsReadByIndices(v)) continue;
    const PaddedWindows padded(*shape, spec(v).type);
    SpreadMemory& memory = spread_[v];
    memory.column = padded.columns;
    const Sizes& sizes = spec(v).sizes;
    int64_t stride = padded.columns;
    for (size_t d = 0; d < sizes.size(); ++d) {
      const bool in_column = d < padded.row_strides.size();
      if (sizes[d] != 1) {
        memory.strides.push_back(in_column ? padded.row_strides[d] : stride);
        memory.num_in_column += in_column;
      }
      if (!in_column) stride *= sizes[d];
    }
    memory.spec = {spec(v).type, {padded.columns, stride / padded.columns}, {}};
  }
}

// Can v be computed over whole columns of `memory`, gaps included? All that it reads is spread in
// the same way, or is the same for a whole column.
bool ProgramWriter::IsOverColumns(int v, const SpreadMemory& memory) const {
  const int s = forms_[v].step;
  const uint32_t in_column = (uint32_t{1} << memory.num_in_column) - 1;
  const std::vector<int>& inputs = graph_.steps()[s].inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int r = ViewedRoot(forms_, inputs[i]);
    if ((reads_[s].dims[i] & in_column) == 0) continue;
    if (!reads_[s].aligned[i] || WithoutOnes(spec(r).sizes) != WithoutOnes(spec(inputs[i]).sizes)) {
      return false;
    }
    const auto spread = spread_.find(r);
    if (spread != spread_.end()) {
      if (spread->second.strides != memory.strides) return false;
    } else {
      const bool is_here = placement_.group_of[r] == placement_.group_of[v];
      const bool is_computed =
          forms_[r].form == Form::kDefined && (is_here || !placement_.has_memory[r]);
      if (!is_computed || !IsOverColumns(r, memory)) return false;
    }
  }
  return true;
}

// Elementwise loops over the results of a convolution run over whole columns, without a break
// between rows, and what they store is spread as well. Rows that are shorter than a vector are
// computed so even where readers want them without gaps: these get a copy.
void ProgramWriter::SpreadGroups() {
  constexpr int64_t kVector = 16;
  over_columns_.resize(placement_.groups.size());
  for (size_t g = 0; g < placement_.groups.size(); ++g) {
    const Group& group = placement_.groups[g];
    if (group.step >= 0 || group.summed_dims != 0) continue;
    std::vector<int> stored;
    for (int v : group.members) {
      if (placement_.has_memory[v]) stored.push_back(v);
    }
    for (const auto& [source, memory] : spread_) {
      if (stored.empty() || memory.num_in_column == 0 || memory.strides[0] != 1 ||
          WithoutOnes(spec(source).sizes) != group.space ||
          !std::all_of(stored.begin(), stored.end(), [&](int v) {
            return spec(v).numel() == spec(source).numel() && spec(v).type == memory.spec.type &&
                   (IsReadByIndices(v) || group.space[0] < kVector) && IsOverColumns(v, memory);
          })) {
        continue;
      }
      over_columns_[g] = memory;
      break;
    }
    if (over_columns_[g].column == 0) continue;
    for (int v : stored) {
      if (IsReadByIndices(v)) spread_[v] = over_columns_[g];
    }
  }
}

}  // namespace lamina::internal
