#include "framework/emit/kernels.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/threads.h"
#include "framework/emit/array_touches.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/call_ranges.h"
#include "framework/emit/kernel_copies.h"
#include "framework/emit/kernel_draft.h"
#include "framework/emit/kernel_in_place.h"
#include "framework/emit/kernel_loops.h"
#include "framework/emit/kernel_memory.h"
#include "framework/emit/kernel_parameters.h"
#include "framework/emit/kernel_prelude.h"
#include "framework/emit/kernel_product_parts.h"
#include "framework/emit/kernel_products.h"
#include "framework/emit/kernel_sums.h"
#include "framework/emit/linear_form.h"
#include "framework/ops/written_op.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

class KernelWriter {
 public:
  explicit KernelWriter(const Graph& graph) : graph_(graph) {}

  KernelProgram Run() {
    ProgramNames names;
    names.reserved = CReservedWords();
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      names.inputs.push_back(absl::StrCat("input", i));
    }
    for (size_t k = 0; k < graph_.outputs().size(); ++k) {
      names.outputs.push_back(absl::StrCat("output", k));
    }
    // Ops without a printed form and those that have a fast kernel are called.
    const CallOps calls{.is_called =
                            [](const Graph&, const GraphStep& step) {
                              const auto* written = dynamic_cast<const WrittenOp*>(step.op.get());
                              return written == nullptr || written->HasFastKernel();
                            },
                        .for_kernels = true};
    Program program = WriteProgram(graph_, names, &calls);
    out_.arrays = std::move(program.arrays);
    out_.array_of = std::move(program.array_of);
    for (size_t i = 0; i < out_.arrays.size(); ++i) {
      array_by_name_[out_.arrays[i].name] = static_cast<int>(i);
    }
    AddPackedFactors();
    for (ProgramStep& step : program.steps) {
      if (step.called < 0) {
        AddSteps(std::move(step));
      } else if (!AddProduct(step.called)) {
        out_.calls.emplace_back().op_step = step.called;
      }
    }
    internal::RemoveCopies(graph_, copies_, &out_);
    internal::ComputeProductsInParts(graph_, &drafts_, &out_);
    in_place_.resize(drafts_.size());
    out_.ranges = internal::FindRanges(out_);
    internal::ComputeInPlace(graph_, in_place_, &out_);
    PrintKernels();
    internal::PlanKernelMemory(graph_, &out_);
    return std::move(out_);
  }

 private:
  using Draft = internal::KernelDraft;

  // Loops in a row (arrays that are put together) are calls of their own, few functions as a rule,
  // where threads can share each of them.
  void AddSteps(ProgramStep step) {
    constexpr size_t kMany = 8;
    const auto is_loop = [](const Statement& s) { return s.kind == Statement::kFor; };
    const auto is_shared = [this](const Statement& s) {
      return internal::PartsAreApart(AccessesOf(s), s.extent);
    };
    const Block& code = step.code;
    const auto new_array = [this](const ArraySpec& spec) {
      const std::string name = absl::StrCat("sums.", out_.arrays.size());
      AddScratch(name, spec);
      return name;
    };
    if (auto shared = internal::ShareTerms(code, new_array)) {
      AddLoops({step.comment, std::move(shared->parts)});
      return AddLoops({step.comment, std::move(shared->totals)});
    }
    if (!std::all_of(code.begin(), code.end(), is_loop) ||
        (code.size() < kMany && !std::all_of(code.begin(), code.end(), is_shared))) {
      return AddLoops(std::move(step));
    }
    for (Statement& s : step.code) AddLoops({step.comment, {std::move(s)}});
  }

  // The index of a new array.
  int AddScratch(const std::string& name, const ArraySpec& spec) {
    const int array = static_cast<int>(out_.arrays.size());
    out_.arrays.push_back({name, spec, ProgramArray::kScratch});
    array_by_name_[name] = array;
    return array;
  }

  // What the iterations of a loop touch.
  std::vector<KernelAccess> AccessesOf(const Statement& loop) const {
    std::vector<KernelAccess> accesses;
    for (const internal::Touch& t : internal::TouchesOf(loop)) {
      const int a = array_by_name_.at(t.array);
      const ArraySpec& spec = out_.arrays[a].spec;
      const auto size = static_cast<int64_t>(SizeOf(spec.type));
      const int64_t width = t.width == internal::Touch::kAll ? spec.numel() : t.width + t.reach;
      accesses.push_back({a, t.is_stored, t.first * size, t.step * size, width * size});
    }
    return accesses;
  }

  // Sums for a row of neighbours, of which threads take parts.
  static std::optional<Statement> SharedRow(const Block& code) {
    std::optional<Statement> row = internal::AsLoopOverRow(code);
    if (row && internal::IterationsAreApart(internal::TouchesOf(*row))) return row;
    return std::nullopt;
  }

  // Notes a call that does nothing but copy an array into another one.
  void NoteCopy(const Statement& loop) {
    if (loop.body.size() != 1 || loop.body[0].kind != Statement::kStore) return;
    const Statement& store = loop.body[0];
    if (store.value.operation() != Operation::kLoad) return;
    const auto to = LinearForm(store.index), from = LinearForm(store.value.node().operands[0]);
    const std::map<std::string, int64_t> one{{loop.name, 1}};
    if (!to || !from || to->of != one || from->of != one || from->constant != 0) return;
    const int source = array_by_name_.at(store.value.node().name),
              target = array_by_name_.at(store.name);
    const ArraySpec &spec = out_.arrays[source].spec, &larger = out_.arrays[target].spec;
    if (source == target || spec.type != larger.type || spec.numel() != loop.extent) return;
    copies_.push_back({static_cast<int>(out_.calls.size()), source, target,
                       to->constant * static_cast<int64_t>(SizeOf(spec.type))});
  }

  void AddLoops(ProgramStep step) {
    KernelCall call;
    const bool is_one_loop = step.code.size() == 1 && step.code[0].kind == Statement::kFor;
    const std::optional<Statement> row = is_one_loop ? std::nullopt : SharedRow(step.code);
    if (is_one_loop) NoteCopy(step.code[0]);
    if (is_one_loop || row) call.accesses = AccessesOf(row ? *row : step.code[0]);
    const std::vector<internal::KernelParameter> parameters =
        internal::NameParameters(&step.code, [this](const std::string& array) {
          return std::optional(out_.arrays[array_by_name_.at(array)].spec.type);
        });
    Draft draft{step.comment};
    std::map<int, bool> is_stored;  // By array.
    for (const internal::KernelParameter& p : parameters) {
      const int a = array_by_name_.at(p.array);
      is_stored[a] = p.is_stored;
      draft.parameters.push_back(
          {static_cast<int>(call.arguments.size()), p.type, /*is_const=*/!p.is_stored});
      call.arguments.push_back({a, p.offset * static_cast<int64_t>(SizeOf(p.type))});
    }
    if (!is_one_loop && !row) {
      for (const auto& [array, stored] : is_stored) {
        call.accesses.push_back(internal::WholeOf(out_, array, stored));
      }
    }
    internal::MarkIndependent(step.code);
    internal::AddRowsInSingle(step.code);
    internal::MakeWholeVectors(step.code);
    std::vector<internal::InPlaceArguments> in_place;
    for (const auto& [read, stored] : internal::InPlacePairs(step.code)) {
      in_place.push_back({NumberOf(read), NumberOf(stored)});
    }
    if (is_one_loop) {
      Statement& loop = step.code[0];
      call.count = loop.extent;
      call.grain = std::max<int64_t>(1, cpu::kElementwiseGrain / internal::Work(loop.body));
      loop.first = Expression::Variable("begin");
      loop.extent = Statement::kVariableExtent;
      loop.variable_extent = Expression::Variable("end");
    } else if (row) {
      call.count = row->extent;
      call.grain = std::max<int64_t>(1, cpu::kElementwiseGrain / internal::Work(row->body));
      internal::RestrictToPart(step.code);
    }
    draft.code = std::move(step.code);
    AddCall(std::move(draft), std::move(call), std::move(in_place));
  }

  static int NumberOf(const std::string& parameter) { return std::stoi(parameter.substr(1)); }

  // A transposed first factor that is given and used again and again is packed once, before all
  // products.
  void AddPackedFactors() {
    constexpr int kOften = 4;
    std::map<std::pair<int, int64_t>, int> uses;  // By the array, and its columns.
    for (const GraphStep& step : graph_.steps()) {
      const auto p = internal::ProductOf(graph_, step);
      const int x = out_.array_of[step.inputs.empty() ? 0 : step.inputs[0]];
      if (!p || !internal::IsSmall(*p) || !p->transpose_x || p->m == 1 || p->n == 1 || x < 0)
        continue;
      const ProgramArray::Role role = out_.arrays[x].role;
      if (role != ProgramArray::kInput && role != ProgramArray::kConstant) continue;
      if (++uses[{x, p->m}] != kOften) continue;
      const int packed = AddScratch("packed", {p->type, {internal::PackedElements(*p)}, {}});
      packed_[{x, p->m}] = packed;
      KernelCall call;
      call.arguments = {{x, 0}, {packed, 0}};
      call.accesses = {internal::WholeOf(out_, x, false), internal::WholeOf(out_, packed, true)};
      AddCall({"factor of products", internal::PackCall(*p)}, std::move(call));
    }
  }

  bool AddProduct(int s) {
    const GraphStep& step = graph_.steps()[s];
    const auto p = internal::ProductOf(graph_, step);
    if (!p || !internal::IsSmall(*p)) return false;
    int x = out_.array_of[step.inputs[0]];
    const int y = out_.array_of[step.inputs[1]], z = out_.array_of[step.outputs[0]];
    const auto packed = packed_.find({x, p->m});
    const bool is_packed = p->transpose_x && packed != packed_.end();
    if (is_packed) x = packed->second;
    Draft draft{absl::StrCat("matmul -> ", Described(out_.arrays[z].spec))};
    draft.product = {*p, is_packed};
    AddCall(std::move(draft), internal::CallOf(out_, *p, {x, 0}, {y, 0}, {z, 0}));
    return true;
  }

  void AddCall(Draft draft, KernelCall call,
               std::vector<internal::InPlaceArguments> in_place = {}) {
    call.kernel = static_cast<int>(drafts_.size());
    drafts_.push_back(std::move(draft));
    in_place_.push_back(std::move(in_place));
    out_.calls.push_back(std::move(call));
  }

  // Functions for all calls; so far their kernels are drafts.
  void PrintKernels() {
    std::map<std::string, int> kernels;  // By their bodies.
    std::string source;
    for (KernelCall& call : out_.calls) {
      if (call.kernel < 0) continue;
      Draft& draft = drafts_[call.kernel];
      if (!in_place_[call.kernel].empty()) JoinParameters(in_place_[call.kernel], &draft, &call);
      const std::string body = TextOf(draft);
      const auto [found, is_new] = kernels.emplace(body, out_.num_kernels);
      if (is_new) {
        absl::StrAppend(&source, "\n/* ", draft.comment, " */\nvoid k", out_.num_kernels++,
                        "(char *const *a, int64_t begin, int64_t end) {\n", body, "}\n");
      }
      call.kernel = found->second;
    }
    if (out_.num_kernels > 0) {
      out_.source = absl::StrCat(KernelPrelude(), printer_.Helpers(), source);
    }
  }

  // Parameters that have become one place are one, so that none overlaps another that is stored.
  void JoinParameters(const std::vector<internal::InPlaceArguments>& pairs, Draft* draft,
                      KernelCall* call) {
    std::vector<bool> is_gone(call->arguments.size());
    for (const auto& [read, stored] : pairs) {
      const KernelArgument &a = call->arguments[read], &b = call->arguments[stored];
      if (a.array != b.array || a.offset != b.offset) continue;
      internal::RenameArray(&draft->code, internal::ParameterName(stored),
                            internal::ParameterName(read));
      draft->parameters[read].is_const = false;
      is_gone[stored] = true;
    }
    std::vector<KernelArgument> arguments;
    std::vector<Draft::Parameter> parameters;
    for (size_t i = 0; i < is_gone.size(); ++i) {
      if (is_gone[i]) continue;
      arguments.push_back(call->arguments[i]);
      parameters.push_back(draft->parameters[i]);
    }
    call->arguments = std::move(arguments);
    draft->parameters = std::move(parameters);
  }

  std::string TextOf(const Draft& draft) {
    if (!draft.text.empty()) return draft.text;
    if (draft.product) return internal::ProductCall(*draft.product);
    std::string text;
    for (size_t i = 0; i < draft.parameters.size(); ++i) {
      const Draft::Parameter& p = draft.parameters[i];
      const std::string type = absl::StrCat(p.is_const ? "const " : "", CType(p.type));
      absl::StrAppend(&text, "  ", type, " *restrict const ", internal::ParameterName(p.number),
                      " = (", type, " *)a[", i, "];\n");
    }
    return text + printer_.Print(draft.code, 1);
  }

  const Graph& graph_;
  KernelProgram out_;
  CPrinter printer_{Language::kC99, CFunctions::kPrelude};
  std::vector<Draft> drafts_;
  std::vector<std::vector<internal::InPlaceArguments>> in_place_;  // Of each draft.
  std::map<std::string, int> array_by_name_;
  std::vector<internal::CopyCall> copies_;
  std::map<std::pair<int, int64_t>, int> packed_;  // Of a first factor and its columns.
};

}  // namespace

KernelProgram WriteKernels(const Graph& graph) { return KernelWriter(graph).Run(); }

}  // namespace lamina
