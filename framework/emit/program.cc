#include "framework/emit/program.h"

#include <algorithm>
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
using loops::Expression;

namespace {

Indices NonOnes(const Sizes& sizes, const Indices& at) {
  Indices out;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) out.push_back(at[d]);
  }
  return out;
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
  ProgramWriter(const Graph& graph, const ProgramNames& names) : graph_(graph), names_(names) {}
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
      return program_.Load(node().inputs[i], at);
    }
    Expression LoadOutput(int i, const Indices& at) override {
      return program_.Load(node().outputs[i], at);
    }
    void Define(int i, Element element) override {
      program_.element_[node().outputs[i]] = std::move(element);
      program_.forms_[node().outputs[i]].form = Form::kDefined;
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
  void WriteStep(int step);
  void MakeArrays();
  void AddArray(int value, ProgramArray array);
  void Emit(int step);
  void EmitDefined(int value);
  void EmitCopies();
  void Finish(const std::string& what, const ArraySpec& spec);
  void Touch(int array);
  Expression Load(int value, Indices at);
  Expression LoadArray(int value, const Expression& place);
  Expression Inlined(int value, const Indices& at);
  void Store(int value, const Indices& at, const Expression& value_expression);
  std::string LayerOf(int step) const {
    return step < static_cast<int>(names_.layers.size()) ? names_.layers[step] : "";
  }
  std::string UniqueName(const std::string& hint);

  const Graph& graph_;
  const ProgramNames& names_;
  Program program_;
  std::vector<std::unique_ptr<StepWriter>> writers_;
  std::vector<ValueForm> forms_;
  std::vector<OpWriter::Element> element_;
  internal::Placement placement_;
  std::map<int, int> array_of_;  // Of values with memory.
  loops::LoopBuilder builder_;
  bool surveying_ = false;
  // Values computed inside the open loops: by depth, so that they go with their block.
  std::vector<std::map<std::string, Expression>> known_;
  std::vector<int> fused_;  // Steps whose code stands in the current one.
  std::set<std::string> taken_;
};

// Asks each op what it is going to write.
void ProgramWriter::Survey() {
  forms_.resize(graph_.values().size());
  element_.resize(graph_.values().size());
  writers_.resize(graph_.steps().size());
  surveying_ = true;
  const std::vector<bool> needed = internal::NeededSteps(graph_);
  std::vector<bool> reads_once(graph_.steps().size());
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    if (!needed[s]) continue;
    const GraphStep& step = graph_.steps()[s];
    for (int v : step.outputs) forms_[v] = {Form::kLoops, static_cast<int>(s), -1};
    writers_[s] = std::make_unique<StepWriter>(*this, static_cast<int>(s));
    WriteStep(static_cast<int>(s));
    builder_.Take();
    reads_once[s] = dynamic_cast<const WrittenOp*>(step.op.get())->ReadsElementsOnce();
  }
  surveying_ = false;
  placement_ = internal::Place(graph_, forms_, reads_once);
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
    if (constant.numel() <= 1) continue;
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
      if (!placement_.has_memory[v] || array_of_.count(v) > 0) continue;
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
  return Expression::Load(program_.arrays[array].name, spec(value).type, place);
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
  if (forms_[value].form != Form::kView) {
    return array_of_.count(value) > 0 ? LoadArray(value, Flat(own.sizes, at)) : Inlined(value, at);
  }
  const int root = internal::ViewedRoot(forms_, value);
  if (array_of_.count(root) > 0) return LoadArray(root, Flat(own.sizes, at));
  if (graph_.values()[root].constant.numel() == 1) return Load(root, {});
  // The same indices but for dims of size 1.
  const Indices rest = NonOnes(own.sizes, at);
  Indices from(spec(root).sizes.size(), Expression(0));
  size_t next = 0;
  for (size_t d = 0; d < from.size(); ++d) {
    if (spec(root).sizes[d] != 1) from[d] = rest[next++];
  }
  return Inlined(root, from);
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
  Expression x = element_[value](at).Typed(spec(value).type);
  constexpr int kLongest = 14;
  if (placement_.num_reads[value] > 1 || x.Size() > kLongest) {
    x = builder_.Let(Identifier(graph_.steps()[forms_[value].step].op->Name()), x);
    known_.resize(std::max<size_t>(known_.size(), builder_.depth()));
    known_[builder_.depth() - 1].emplace(key, x);
  }
  return x;
}

void ProgramWriter::EmitDefined(int value) {
  fused_.push_back(forms_[value].step);
  OpWriter& w = *writers_[forms_[value].step];
  w.ForEach(spec(value).sizes, spec(value).format,
            [&](const Indices& at) { Store(value, at, element_[value](at)); });
}

void ProgramWriter::Finish(const std::string& what, const ArraySpec& result) {
  ProgramStep step;
  step.code = builder_.Take();
  known_.clear();
  fused_.clear();
  if (step.code.empty()) return;
  loops::JoinLoops(step.code);
  step.comment = absl::StrCat(what, " -> ", Described(result));
  program_.steps.push_back(std::move(step));
}

void ProgramWriter::Emit(int s) {
  const GraphStep& step = graph_.steps()[s];
  const auto comment = [&] {
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
    return text;
  };
  if (forms_[step.outputs[0]].form == Form::kLoops) {
    fused_.push_back(s);
    WriteStep(s);
    Finish(comment(), spec(step.outputs[0]));
    return;
  }
  for (int v : step.outputs) {
    if (forms_[v].form != Form::kDefined || array_of_.count(v) == 0) continue;
    EmitDefined(v);
    Finish(comment(), spec(v));
  }
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
    Finish("copy", spec(v));
  }
}

Program ProgramWriter::Run() {
  Survey();
  MakeArrays();
  builder_.OnClose([this] {
    if (known_.size() > static_cast<size_t>(builder_.depth())) known_.resize(builder_.depth());
  });
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    if (placement_.needed[s]) Emit(static_cast<int>(s));
  }
  EmitCopies();
  internal::PlanScratch(&program_);
  return std::move(program_);
}

}  // namespace

Program WriteProgram(const Graph& graph, const ProgramNames& names) {
  LAMINA_CHECK(names.inputs.size() == graph.inputs().size());
  LAMINA_CHECK(names.outputs.size() == graph.outputs().size());
  return ProgramWriter(graph, names).Run();
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
