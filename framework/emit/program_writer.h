// Writes the program of a graph: what program.cc and program_*.cc share.
//
// A writer first asks each op what it is going to write (the survey), then decides which loops
// there are (placement.h), and writes them.
//
// Threads: used by one thread.
#ifndef FRAMEWORK_EMIT_PROGRAM_WRITER_H_
#define FRAMEWORK_EMIT_PROGRAM_WRITER_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "framework/cpu/convolution.h"
#include "framework/emit/placement.h"
#include "framework/emit/program.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {

/// The indices of dims that are not of size 1.
Indices NonOnes(const Sizes& sizes, const Indices& at);
/// The reverse: indices for all dims.
Indices Spread(const Sizes& sizes, const Indices& rest);

/// The memory of a value whose neighbours along a dim are not contiguous.
struct SpreadMemory {
  std::vector<int64_t> strides;  ///< Between neighbours along each dim that is not of size 1.
  int num_in_column = 0;         ///< How many of these lie in one column.
  int64_t column = 0;            ///< Elements from one column to the next.
  ArraySpec spec;                ///< Of all of the memory.
  /// The place of the element at these indices of an array of these sizes.
  loops::Expression Place(const Sizes& sizes, const Indices& at) const;
};

class ProgramWriter {
 public:
  ProgramWriter(const Graph& graph, const ProgramNames& names, const CallOps* calls,
                ProgramFor target)
      : graph_(graph), names_(names), calls_(calls), target_(target) {}
  Program Run();

 private:
  // One step of the graph, as its op sees it.
  class StepWriter : public OpWriter {
   public:
    StepWriter(ProgramWriter& program, int step) : program_(program), step_(step) {}
    int num_inputs() const override { return static_cast<int>(node().inputs.size()); }
    const ArraySpec& input(int i) const override { return program_.spec(node().inputs[i]); }
    const ArraySpec& output(int i) const override { return program_.spec(node().outputs[i]); }
    bool IsUsed(int i) const override {
      return program_.surveying_ || program_.array_of_.count(node().outputs[i]) > 0;
    }
    loops::Expression Load(int i, const Indices& at) override {
      if (program_.surveying_) program_.NoteRead(step_, i, at);
      return program_.Load(node().inputs[i], at);
    }
    loops::Expression LoadOutput(int i, const Indices& at) override {
      return program_.Load(node().outputs[i], at);
    }
    void Define(int i, Element element) override {
      program_.Define(step_, i, std::move(element), output(i).sizes, 0);
    }
    void Sum(int i, uint32_t dims, Element element) override {
      program_.Define(step_, i, std::move(element), input(0).sizes, dims);
    }
    void View(int i, int input) override {
      program_.forms_[node().outputs[i]].form = Form::kView;
      program_.forms_[node().outputs[i]].viewed = node().inputs[input];
    }
    void Store(int i, const Indices& at, const loops::Expression& value) override {
      if (!program_.surveying_ && IsUsed(i)) program_.Store(node().outputs[i], at, value);
    }
    loops::LoopBuilder& code() override { return program_.builder_; }

   private:
    const GraphStep& node() const { return program_.graph_.steps()[step_]; }
    ProgramWriter& program_;
    int step_;
  };

  const ArraySpec& spec(int value) const { return graph_.values()[value].spec; }
  void Survey();
  bool IsCalled(int step) const;
  bool IsForDevice() const {
    return target_ == ProgramFor::kDevice || target_ == ProgramFor::kDeviceOfAnySizes;
  }
  bool IsForKernels() const { return calls_ != nullptr && calls_->for_kernels; }
  void Define(int step, int output, OpWriter::Element element, const Sizes& sizes, uint32_t dims);
  void NoteRead(int step, int input, const Indices& at);
  void WriteStep(int step);
  void MakeArrays();
  void AddArray(int value, ProgramArray array);
  void Emit(const Group& group);
  void EmitLoops(const Group& group);
  void EmitCopies();
  void PlanScratch();
  std::string Comment(const ArraySpec& result);
  void Finish(const ArraySpec& spec);
  void Touch(int array);
  loops::Expression Load(int value, Indices at);
  loops::Expression LoadArray(int value, const loops::Expression& place);
  loops::Expression Known(const std::string& key, const std::string& hint,
                          const loops::Expression& x);
  loops::Expression Inlined(int value, const Indices& at);
  void Store(int value, const Indices& at, const loops::Expression& value_expression);

  // Of program_spread.cc.
  loops::Expression PlaceOf(int value, const Sizes& sizes, const Indices& at) const;
  bool IsReadByIndices(int value) const;
  bool IsOverColumns(int value, const SpreadMemory& memory) const;
  void SpreadProducts();
  void SpreadGroups();

  // Of program_products.cc.
  std::optional<cpu::ConvolutionShape> ConvolutionOf(int step) const;
  bool IsProduct(int step) const;
  StepReads ReadsOfProduct(int step) const;
  void WriteProduct(int step);
  void WriteMatrixProduct(int step);
  void WriteConvolution(int step, const cpu::ConvolutionShape& shape);
  void StoreProduct(int array, const loops::Expression& place, std::string_view function,
                    std::vector<loops::Expression> operands);
  int AddScratch(const std::string& hint, ArraySpec memory);
  int AddTable(const std::string& hint, const std::vector<int32_t>& values);
  std::string LayerOf(int step) const {
    return step < static_cast<int>(names_.layers.size()) ? names_.layers[step] : "";
  }
  std::string UniqueName(const std::string& hint);

  const Graph& graph_;
  const ProgramNames& names_;
  const CallOps* const calls_;
  const ProgramFor target_;
  Program program_;
  std::vector<std::unique_ptr<StepWriter>> writers_;
  std::vector<ValueForm> forms_;
  std::vector<OpWriter::Element> element_;
  std::vector<Sizes> element_sizes_;  // Those of the indices that an element is computed from.
  std::vector<StepReads> reads_;
  std::vector<bool> needed_;  // Of the steps.
  Placement placement_;
  std::map<int, int> array_of_;   // Of values with memory.
  std::vector<bool> is_product_;  // Of the steps.
  std::map<int, SpreadMemory> spread_;
  std::vector<SpreadMemory> over_columns_;      // Of groups whose loops run over columns.
  std::map<std::vector<int32_t>, int> tables_;  // Arrays by their values.
  loops::LoopBuilder builder_;
  bool surveying_ = false;
  Indices surveyed_at_;  // While an element is surveyed: the indices of its loops.
  int group_ = -1;       // The one that is being written.
  // Values computed inside the open loops: by depth, so that they go with their block.
  std::vector<std::map<std::string, loops::Expression>> known_;
  std::vector<int> fused_;  // Steps whose code stands in the current one.
  std::set<std::string> taken_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_PROGRAM_WRITER_H_
