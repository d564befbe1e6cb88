#include "framework/emit/program.h"

#include <cctype>

#include "absl/strings/str_cat.h"
#include "framework/emit/fused_steps.h"
#include "framework/emit/joined_steps.h"
#include "framework/emit/program_copies.h"
#include "framework/emit/program_writer.h"
#include "framework/emit/scratch_plan.h"
#include "framework/emit/split_nests.h"

namespace lamina {
namespace internal {

using loops::Expression;

Indices NonOnes(const Sizes& sizes, const Indices& at) {
  Indices out;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) out.push_back(at[d]);
  }
  return out;
}

Indices Spread(const Sizes& sizes, const Indices& rest) {
  Indices at(sizes.size(), Expression(0));
  size_t next = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) at[d] = rest[next++];
  }
  return at;
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
    // Single numbers stand in the code, and no elements nowhere; only an op that is called wants
    // them.
    if (!graph_.values()[v].is_constant() || (constant.numel() <= 1 && !IsForKernels())) continue;
    AddArray(static_cast<int>(v),
             {UniqueName("constant"), constant.spec(), ProgramArray::kConstant, 0, constant});
  }
  // What is computed for an output is computed in its place.
  for (size_t k = 0; k < graph_.outputs().size(); ++k) {
    const int root = ViewedRoot(forms_, graph_.outputs()[k]);
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
      const auto spread = spread_.find(v);
      AddArray(v, {UniqueName(hint), spread == spread_.end() ? spec(v) : spread->second.spec,
                   ProgramArray::kScratch});
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

// Outputs that are an input, a constant or another output.
void ProgramWriter::EmitCopies() {
  for (size_t k = 0; k < graph_.outputs().size(); ++k) {
    const int v = graph_.outputs()[k];
    const int root = ViewedRoot(forms_, v);
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
  const int64_t unit = calls_ == nullptr ? 1 : kCallAlignment;
  for (int t = 0; t < kNumDataTypes; ++t) {
    std::vector<ProgramArray*> arrays;
    std::vector<Life> lives;
    for (ProgramArray& a : program_.arrays) {
      if (a.role != ProgramArray::kScratch || a.first_step < 0) continue;
      if (a.spec.type != static_cast<DataType>(t)) continue;
      arrays.push_back(&a);
      lives.push_back({(a.spec.numel() + unit - 1) / unit * unit, a.first_step, a.last_step});
    }
    program_.scratch[t] = PlanMemory(&lives);
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
  if (!IsForKernels()) EmitCopies();
  program_.array_of.assign(graph_.values().size(), -1);
  for (size_t v = 0; v < graph_.values().size(); ++v) {
    const auto found = array_of_.find(ViewedRoot(forms_, static_cast<int>(v)));
    if (found != array_of_.end()) program_.array_of[v] = found->second;
  }
  program_.first_of.assign(graph_.values().size(), 0);
  if (target_ == ProgramFor::kDevice) {
    PlaceCopies(graph_, &program_);
    SplitNests(&program_);
    FuseSteps(graph_, &program_);
    JoinSteps(graph_, &program_);
  }
  if (!IsForKernels()) PlanScratch();
  return std::move(program_);
}

}  // namespace internal

bool IsProductCall(const loops::Statement& statement) {
  const loops::Expression::Node& value = statement.value.node();
  return statement.kind == loops::Statement::kStore && value.operation == loops::Operation::kCall &&
         (value.name == "gemm" || value.name == "windows");
}

Program WriteProgram(const Graph& graph, const ProgramNames& names, const CallOps* calls,
                     ProgramFor target) {
  LAMINA_CHECK(names.inputs.size() == graph.inputs().size());
  LAMINA_CHECK(names.outputs.size() == graph.outputs().size());
  return internal::ProgramWriter(graph, names, calls, target).Run();
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
