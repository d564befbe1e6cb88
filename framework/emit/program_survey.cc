// What each op is going to write: what it defines, sums, stores or shows, and at which indices it
// reads.
#include "absl/strings/str_cat.h"
#include "framework/emit/program_writer.h"

namespace lamina::internal {

using loops::Expression;
using loops::Operation;

// Asks each op what it is going to write.
void ProgramWriter::Survey() {
  forms_.resize(graph_.values().size());
  element_.resize(graph_.values().size());
  element_sizes_.resize(graph_.values().size());
  writers_.resize(graph_.steps().size());
  reads_.resize(graph_.steps().size());
  surveying_ = true;
  needed_ = NeededSteps(graph_, calls_ != nullptr);
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
    reads_[s].dims.assign(step.inputs.size(), 0);
    try {
      WriteStep(static_cast<int>(s));
      reads_[s].once = dynamic_cast<const WrittenOp&>(*step.op).ReadsElementsOnce();
    } catch (const Error&) {
      if (!IsForKernels()) throw;
      for (int v : step.outputs) forms_[v] = {Form::kCalled, static_cast<int>(s)};
    }
    builder_.Take();
  }
  surveying_ = false;
  is_product_.resize(graph_.steps().size());
  for (size_t s = 0; s < graph_.steps().size(); ++s) {
    is_product_[s] = IsProduct(static_cast<int>(s));
    if (is_product_[s]) reads_[s] = ReadsOfProduct(static_cast<int>(s));
  }
  SpreadProducts();
  placement_ = Place(graph_, forms_, reads_, needed_);
  SpreadGroups();
}

bool ProgramWriter::IsCalled(int s) const {
  return calls_ != nullptr && calls_->is_called(graph_, graph_.steps()[s]);
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
  form.space = WithoutOnes(sizes);
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
  const loops::Block code = builder_.Take();
  for (const loops::Statement& statement : code) {
    if (statement.kind != loops::Statement::kLet) form.cost += 20;
    form.cost += statement.value.Size();
  }
}

// Is input `i` read at other indices than those of the loops, and on which does it depend?
void ProgramWriter::NoteRead(int s, int i, const Indices& at) {
  if (static_cast<size_t>(i) >= reads_[s].aligned.size()) return;
  const Indices own = NonOnes(spec(graph_.steps()[s].inputs[i]).sizes, at);
  bool same = own.size() == surveyed_at_.size();
  for (size_t d = 0; same && d < own.size(); ++d) {
    same = own[d].operation() == Operation::kVariable &&
           own[d].node().name == surveyed_at_[d].node().name;
  }
  if (!same) reads_[s].aligned[i] = false;
  for (const Expression& index : own) {
    Visit(index, [&](const Expression& e) {
      for (size_t d = 0; d < surveyed_at_.size(); ++d) {
        const bool is_this =
            e.operation() == Operation::kVariable && e.node().name == surveyed_at_[d].node().name;
        if (is_this) reads_[s].dims[i] |= uint32_t{1} << d;
      }
    });
  }
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

}  // namespace lamina::internal
