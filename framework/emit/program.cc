#include "framework/emit/program.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <map>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "framework/emit/placement.h"
#include "framework/emit/scratch_plan.h"
#include "framework/ops/written_op.h"

namespace lamina {

using internal::Form;
using internal::ValueForm;
using loops::Block;
using loops::Expression;
using loops::Operation;

namespace {

Indices NonOnes(const Sizes& sizes, const Indices& at) {
  Indices out;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) out.push_back(at[d]);
  }
  return out;
}

// The reverse: indices for all dims.
Indices Spread(const Sizes& sizes, const Indices& rest) {
  Indices at(sizes.size(), Expression(0));
  size_t next = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) at[d] = rest[next++];
  }
  return at;
}

// The place in memory.
Expression Flat(const Sizes& sizes, const Indices& at) {
  Expression place(0);
  int64_t stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) place = place + at[d] * Expression(stride);
    stride *= sizes[d];
  }
  return place;
}

// Names a subexpression's indices; only for telling them apart.
std::string Key(const Expression& x) {
  std::string key =
      absl::StrCat(static_cast<int>(x.operation()), x.node().name, ":", x.node().value);
  for (const Expression& operand : x.node().operands) absl::StrAppend(&key, "(", Key(operand), ")");
  return key;
}

class ProgramWriter {
 public:
  ProgramWriter(const Graph& graph, const ProgramNames& names, const CallOps* calls)
      : graph_(graph), names_(names), calls_(calls) {}
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
    Expression Load(int i, const Indices& at) override {
      if (program_.surveying_) program_.NoteRead(step_, i, at);
      return program_.Load(node().inputs[i], at);
    }
    Expression LoadOutput(int i, const Indices& at) override {
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
    void Store(int i, const Indices& at, const Expression& value) override {
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
  void Define(int step, int output, OpWriter::Element element, const Sizes& sizes, uint32_t dims);
  void NoteRead(int step, int input, const Indices& at);
  void WriteStep(int step);
  void MakeArrays();
  void AddArray(int value, ProgramArray array);
  void Emit(const internal::Group& group);
  void EmitLoops(const internal::Group& group);
  void EmitCopies();
  void PlanScratch();
  std::string Comment(const ArraySpec& result);
  void Finish(const ArraySpec& spec);
  void Touch(int array);
  Expression Load(int value, Indices at);
  Expression LoadArray(int value, const Expression& place);
  Expression Known(const std::string& key, const std::string& hint, const Expression& x);
  Expression Inlined(int value, const Indices& at);
  void Store(int value, const Indices& at, const Expression& value_expression);
  std::string LayerOf(int step) const {
    return step < static_cast<int>(names_.layers.size()) ? names_.layers[step] : "";
  }
  std::string UniqueName(const std::string& hint);

  const Graph& graph_;
  const ProgramNames& names_;
  const CallOps* const calls_;
  Program program_;
  std::vector<std::unique_ptr<StepWriter>> writers_;
  std::vector<ValueForm> forms_;
  std::vector<OpWriter::Element> element_;
  std::vector<Sizes> element_sizes_;  // Those of the indices that an element is computed from.
  std::vector<internal::StepReads> reads_;
  std::vector<bool> needed_;  // Of the steps.
  internal::Placement placement_;
  std::map<int, int> array_of_;  // Of values with memory.
  loops::LoopBuilder builder_;
  bool surveying_ = false;
  Indices surveyed_at_;  // While an element is surveyed: the indices of its loops.
  int group_ = -1;       // The one that is being written.
  // Values computed inside the open loops: by depth, so that they go with their block.
  std::vector<std::map<std::string, Expression>> known_;
  std::vector<int> fused_;  // Steps whose code stands in the current one.
  std::set<std::string> taken_;
};

// Asks each op what it is going to write.
void ProgramWriter::Survey() {
  forms_.resize(graph_.values().size());
  element_.resize(graph_.values().size());
  element_sizes_.resize(graph_.values().size());
  writers_.resize(graph_.steps().size());
  reads_.resize(graph_.steps().size());
  surveying_ = true;
  needed_ = internal::NeededSteps(graph_, calls_ != nullptr);
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    if (!needed_[s]) continue;
    const GraphStep& step = graph_.steps()[s];
    const bool called = IsCalled(static_cast<int>(s));
    for (int v : step.outputs) {
      forms_[v] = {called ? Form::kCalled : Form::kLoops, static_cast<int>(s)};
    }
    if (called) continue;
    writers_[s] = std::make_unique<StepWriter>(*this, static_cast<int>(s));
    reads_[s].aligned.assign(step.inputs.size(), true);
    try {
      WriteStep(static_cast<int>(s));
      reads_[s].once = dynamic_cast<const WrittenOp&>(*step.op).ReadsElementsOnce();
    } catch (const Error&) {
      if (calls_ == nullptr) throw;
      for (int v : step.outputs) forms_[v] = {Form::kCalled, static_cast<int>(s)};
    }
    builder_.Take();
  }
  surveying_ = false;
  placement_ = internal::Place(graph_, forms_, reads_, needed_);
}

bool ProgramWriter::IsCalled(int s) const {
  if (calls_ == nullptr) return false;
  const GraphStep& step = graph_.steps()[s];
  const auto* written = dynamic_cast<const WrittenOp*>(step.op.get());
  return written == nullptr || (written->HasFastKernel() && !calls_->write_out(graph_, step));
}

// Output `i` of step `s` has these elements, or sums of them over `dims`. What an element reads is
// found by computing it once.
void ProgramWriter::Define(int s, int i, OpWriter::Element element, const Sizes& sizes,
                           uint32_t dims) {
  if (!surveying_) return;
  const int v = graph_.steps()[s].outputs[i];
  element_[v] = std::move(element);
  element_sizes_[v] = sizes;
  ValueForm& form = forms_[v];
  form.space = internal::WithoutOnes(sizes);
  int next = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 1) continue;
    if (dims >> d & 1) form.summed_dims |= uint32_t{1} << next;
    ++next;
  }
  // Of one element each a sum is that element.
  form.form = form.summed_dims != 0 ? Form::kSummed : Form::kDefined;
  Indices at(sizes.size(), Expression(0));
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) at[d] = Expression::Variable(absl::StrCat("i", d));
  }
  surveyed_at_ = NonOnes(sizes, at);
  const Expression x = element_[v](at);
  Visit(x, [&form](const Expression& e) {
    const bool dear = e.operation() == Operation::kCall || e.operation() == Operation::kDivide;
    form.cost += dear ? 20 : e.operation() > Operation::kLoad;
  });
  const Block code = builder_.Take();
  for (const loops::Statement& statement : code) {
    if (statement.kind != loops::Statement::kLet) form.cost += 20;
    form.cost += statement.value.Size();
  }
}

// Is input `i` read at other indices than those of the loops?
void ProgramWriter::NoteRead(int s, int i, const Indices& at) {
  if (static_cast<size_t>(i) >= reads_[s].aligned.size()) return;
  const Indices own = NonOnes(spec(graph_.steps()[s].inputs[i]).sizes, at);
  bool same = own.size() == surveyed_at_.size();
  for (size_t d = 0; same && d < own.size(); ++d) {
    same = own[d].operation() == Operation::kVariable &&
           own[d].node().name == surveyed_at_[d].node().name;
  }
  if (!same) reads_[s].aligned[i] = false;
}

void ProgramWriter::WriteStep(int s) {
  const GraphStep& step = graph_.steps()[s];
  const std::string place =
      absl::StrCat("The op ", std::string(step.op->Name()),
                   LayerOf(s).empty() ? "" : absl::StrCat(" of layer \"", LayerOf(s), "\""));
  const auto* written = dynamic_cast<const WrittenOp*>(step.op.get());
  if (written == nullptr) {
    throw Error("emit:CannotPrint", "Every op of generated code has a printed form.",
                absl::StrCat(place, " has none."),
                step.op->IsRandom() ? "It draws random numbers: use it in training (Forward) only."
                                    : "Compute the same with other array functions.");
  }
  for (const std::vector<int>* values : {&step.inputs, &step.outputs}) {
    for (int v : *values) {
      if (spec(v).numel() < int64_t{1} << 31) continue;
      throw Error("emit:TooLarge", "An array of generated code has less than 2^31 elements.",
                  absl::StrCat(place, " has a ", ToString(spec(v)), "."), "Use smaller batches.");
    }
  }
  try {
    written->Write(*writers_[s]);
  } catch (Error& e) {
    e.AddPlace(place);
    throw;
  }
}

std::string ProgramWriter::UniqueName(const std::string& hint) {
  // Nobody reads those, and there may be very many.
  if (calls_ != nullptr) return absl::StrCat("array", program_.arrays.size());
  std::string name = hint;
  for (int i = 2; !taken_.insert(name).second; ++i) name = absl::StrCat(hint, "_", i);
  return name;
}

void ProgramWriter::AddArray(int value, ProgramArray array) {
  array_of_[value] = static_cast<int>(program_.arrays.size());
  program_.arrays.push_back(std::move(array));
}

void ProgramWriter::MakeArrays() {
  taken_ = names_.reserved;
  for (const std::vector<std::string>* names : {&names_.inputs, &names_.outputs}) {
    for (const std::string& name : *names) UniqueName(name);
  }
  for (size_t i = 0; i < graph_.inputs().size(); ++i) {
    const int v = graph_.inputs()[i];
    AddArray(v, {names_.inputs[i], spec(v), ProgramArray::kInput, static_cast<int>(i)});
  }
  for (size_t v = 0; v < graph_.values().size(); ++v) {
    const DlArray& constant = graph_.values()[v].constant;
    // Single numbers stand in the code; only an op that is called wants them in memory.
    if (constant.empty() || (constant.numel() <= 1 && calls_ == nullptr)) continue;
    AddArray(static_cast<int>(v),
             {UniqueName("constant"), constant.spec(), ProgramArray::kConstant, 0, constant});
  }
  // What is computed for an output is computed in its place.
  for (size_t k = 0; k < graph_.outputs().size(); ++k) {
    const int root = internal::ViewedRoot(forms_, graph_.outputs()[k]);
    if (forms_[root].form == Form::kGiven || array_of_.count(root) > 0) continue;
    AddArray(root, {names_.outputs[k], spec(root), ProgramArray::kOutput, static_cast<int>(k)});
  }
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    for (int v : graph_.steps()[s].outputs) {
      const bool wanted = placement_.has_memory[v] || forms_[v].form == Form::kCalled;
      if (!needed_[s] || !wanted || array_of_.count(v) > 0) continue;
      const std::string layer = LayerOf(static_cast<int>(s));
      const std::string hint =
          Identifier(layer.empty() ? std::string(graph_.steps()[s].op->Name()) : layer);
      AddArray(v, {UniqueName(hint), spec(v), ProgramArray::kScratch});
    }
  }
  std::set<std::string> names = names_.reserved;
  for (const ProgramArray& a : program_.arrays) names.insert(a.name);
  builder_.Reserve(names);
}

void ProgramWriter::Touch(int array) {
  ProgramArray& a = program_.arrays[array];
  const int now = static_cast<int>(program_.steps.size());
  if (a.first_step < 0) a.first_step = now;
  a.last_step = now;
}

Expression ProgramWriter::LoadArray(int value, const Expression& place) {
  const int array = array_of_.at(value);
  Touch(array);
  const Expression x = Expression::Load(program_.arrays[array].name, spec(value).type, place);
  // Loops that an op wrote may read what they stored.
  const bool only_reads =
      group_ < static_cast<int>(placement_.groups.size()) && placement_.groups[group_].step < 0;
  if (calls_ == nullptr || !only_reads) return x;
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
  builder_.Store(program_.arrays[array].name, Flat(spec(value).sizes, at),
                 x.Typed(spec(value).type));
}

Expression ProgramWriter::Load(int value, Indices at) {
  const ArraySpec& own = spec(value);
  if (surveying_) return Expression::Variable("element", own.type);
  const DlArray& constant = graph_.values()[value].constant;
  if (constant.numel() == 1) {
    const std::complex<double> x = constant.ComplexAt(0);
    if (!IsComplex(own.type)) return Expression::Number(x.real(), own.type);
    const DataType part = ToReal(own.type);
    return MakeComplex(Expression::Number(x.real(), part), Expression::Number(x.imag(), part));
  }
  const int root = internal::ViewedRoot(forms_, value);
  // What these loops compute is not read from memory again.
  const bool is_here = forms_[root].form == Form::kDefined && placement_.group_of[root] == group_;
  if (array_of_.count(root) > 0 && !is_here) return LoadArray(root, Flat(own.sizes, at));
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

void ProgramWriter::Emit(const internal::Group& group) {
  if (group.step < 0) return EmitLoops(group);
  const GraphStep& step = graph_.steps()[group.step];
  const ArraySpec& result = spec(step.outputs[0]);
  fused_.push_back(group.step);
  if (forms_[step.outputs[0]].form == Form::kLoops) {
    WriteStep(group.step);
    return Finish(result);
  }
  for (const std::vector<int>* values : {&step.inputs, &step.outputs}) {
    for (int v : *values) Touch(array_of_.at(internal::ViewedRoot(forms_, v)));
  }
  program_.steps.push_back({Comment(result), {}, group.step});
  fused_.clear();
}

// One nest of loops over the group's space.
void ProgramWriter::EmitLoops(const internal::Group& group) {
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
    names.push_back(internal::IndexName(spec(stored[0]).format, static_cast<int>(d)));
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
    nest(all, [&] {
      for (int v : stored) element(v);
    });
    return Finish(spec(stored.back()));
  }
  std::vector<int> sums;
  for (int v : stored) {
    if (forms_[v].form == Form::kSummed) sums.push_back(v);
  }
  const auto sum_type = [this](int v) {
    return spec(v).type == DataType::kSingle ? DataType::kDouble : spec(v).type;
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
  const uint32_t row = summed & 1 ? 0 : (uint32_t{1} << std::countr_zero(summed)) - 1;
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

// Outputs that are an input, a constant or another output.
void ProgramWriter::EmitCopies() {
  for (size_t k = 0; k < graph_.outputs().size(); ++k) {
    const int v = graph_.outputs()[k];
    const int root = internal::ViewedRoot(forms_, v);
    const auto array = array_of_.find(root);
    if (array != array_of_.end() && program_.arrays[array->second].role == ProgramArray::kOutput &&
        program_.arrays[array->second].index == static_cast<int>(k)) {
      continue;
    }
    builder_.For("i", spec(v).numel(), [&](const Expression& i) {
      Expression x = array != array_of_.end()
                         ? LoadArray(root, i)
                         : Load(root, Indices(spec(root).sizes.size(), Expression(0)));
      builder_.Store(names_.outputs[k], i, x);
    });
    program_.arrays.push_back(
        {names_.outputs[k], spec(v), ProgramArray::kOutput, static_cast<int>(k)});
    Finish(spec(v));
  }
}

// Memory for what is computed on the way, by type.
void ProgramWriter::PlanScratch() {
  for (int t = 0; t < kNumDataTypes; ++t) {
    std::vector<ProgramArray*> arrays;
    std::vector<internal::Life> lives;
    for (ProgramArray& a : program_.arrays) {
      if (a.role != ProgramArray::kScratch || a.first_step < 0) continue;
      if (a.spec.type != static_cast<DataType>(t)) continue;
      arrays.push_back(&a);
      lives.push_back({a.spec.numel(), a.first_step, a.last_step});
    }
    program_.scratch[t] = internal::PlanMemory(&lives);
    for (size_t i = 0; i < arrays.size(); ++i) arrays[i]->offset = lives[i].offset;
  }
}

Program ProgramWriter::Run() {
  Survey();
  MakeArrays();
  builder_.OnClose([this] {
    if (known_.size() > static_cast<size_t>(builder_.depth())) known_.resize(builder_.depth());
  });
  for (group_ = 0; group_ < static_cast<int>(placement_.groups.size()); ++group_) {
    Emit(placement_.groups[group_]);
  }
  if (calls_ == nullptr) EmitCopies();
  program_.array_of.assign(graph_.values().size(), -1);
  for (size_t v = 0; v < graph_.values().size(); ++v) {
    const auto found = array_of_.find(internal::ViewedRoot(forms_, static_cast<int>(v)));
    if (found != array_of_.end()) program_.array_of[v] = found->second;
  }
  if (calls_ == nullptr) PlanScratch();
  return std::move(program_);
}

}  // namespace

Program WriteProgram(const Graph& graph, const ProgramNames& names, const CallOps* calls) {
  LAMINA_CHECK(names.inputs.size() == graph.inputs().size());
  LAMINA_CHECK(names.outputs.size() == graph.outputs().size());
  return ProgramWriter(graph, names, calls).Run();
}

std::string Described(const ArraySpec& spec) {
  std::string text = ToString(spec);
  text.resize(text.size() - std::string_view(" DlArray").size());
  constexpr std::string_view kSingle = " single";
  if (text.ends_with(kSingle)) text.resize(text.size() - kSingle.size());
  return text;
}

std::string Identifier(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = text[i];
    if (!std::isalnum(c) || c >= 128) {
      if (!out.empty() && out.back() != '_') out += '_';
      continue;
    }
    const bool begins_word = std::isupper(c) && i > 0 && std::islower(text[i - 1]);
    if (begins_word && !out.empty() && out.back() != '_') out += '_';
    out += static_cast<char>(std::tolower(c));
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  if (out.empty() || std::isdigit(static_cast<unsigned char>(out[0]))) out = "x" + out;
  return out;
}

}  // namespace lamina
