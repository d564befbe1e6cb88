#include "framework/emit/kernels.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/threads.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/call_ranges.h"
#include "framework/emit/kernel_loops.h"
#include "framework/emit/kernel_memory.h"
#include "framework/emit/kernel_prelude.h"
#include "framework/ops/matmul_op.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// Of products that are written out: elements of the second factor, and products of numbers; and
// those below which a thread of its own costs more than it brings.
constexpr int64_t kMostOfASide = 20000, kMostProducts = 4 << 20, kProductGrain = 1 << 19;

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
    const CallOps calls{[](const Graph&, const GraphStep&) { return false; }};
    Program program = WriteProgram(graph_, names, &calls);
    out_.arrays = std::move(program.arrays);
    out_.array_of = std::move(program.array_of);
    for (size_t i = 0; i < out_.arrays.size(); ++i) {
      array_by_name_[out_.arrays[i].name] = static_cast<int>(i);
    }
    for (ProgramStep& step : program.steps) {
      if (step.called < 0) {
        AddSteps(std::move(step));
      } else if (!AddProduct(step.called)) {
        out_.calls.emplace_back().op_step = step.called;
      }
    }
    if (out_.num_kernels > 0)
      out_.source = absl::StrCat(KernelPrelude(), printer_.Helpers(), source_);
    out_.ranges = internal::FindRanges(out_);
    internal::PlanKernelMemory(graph_, &out_);
    return std::move(out_);
  }

 private:
  // The parameters of a kernel, in the order in which it names them.
  struct Parameters {
    std::vector<KernelArgument> arguments;
    std::vector<DataType> types;
    std::vector<bool> is_const;
    std::map<std::pair<int, int64_t>, int> index;
  };

  // Loops in a row (arrays that are put together) are calls of their own, few functions as a rule,
  // where threads can share each of them.
  void AddSteps(ProgramStep step) {
    constexpr size_t kMany = 8;
    const auto is_loop = [](const Statement& s) { return s.kind == Statement::kFor; };
    const auto is_shared = [this](const Statement& s) {
      return internal::PartsAreApart(AccessesOf(s), s.extent);
    };
    const Block& code = step.code;
    if (!std::all_of(code.begin(), code.end(), is_loop) ||
        (code.size() < kMany && !std::all_of(code.begin(), code.end(), is_shared))) {
      return AddLoops(std::move(step));
    }
    for (Statement& s : step.code) AddLoops({step.comment, {std::move(s)}});
  }

  // What the iterations of a loop touch.
  std::vector<KernelAccess> AccessesOf(const Statement& loop) const {
    std::vector<KernelAccess> accesses;
    for (const internal::Touch& t : internal::TouchesOf(loop)) {
      const int a = array_by_name_.at(t.array);
      const ArraySpec& spec = out_.arrays[a].spec;
      const auto size = static_cast<int64_t>(SizeOf(spec.type));
      const int64_t width = t.width == internal::Touch::kAll ? spec.numel() : t.width;
      accesses.push_back({a, t.is_stored, t.first * size, t.step * size, width * size});
    }
    return accesses;
  }

  void AddLoops(ProgramStep step) {
    // What is stored is one parameter, so that none overlaps another that is written.
    KernelCall call;
    const bool is_one_loop = step.code.size() == 1 && step.code[0].kind == Statement::kFor;
    if (is_one_loop) call.accesses = AccessesOf(step.code[0]);
    std::map<std::string, std::set<int64_t>> offsets;
    std::set<std::string> stored;
    const auto note = [&](const std::string& array, const Expression& index) {
      offsets[array].insert(internal::SplitConstant(index).second);
    };
    internal::ForEachPlace(step.code, note, [&](const std::string& array, const Expression& index) {
      note(array, index);
      stored.insert(array);
    });
    Parameters parameters;
    const auto place = [&](const std::string& array, const Expression& index) {
      const int a = array_by_name_.at(array);
      auto [rest, offset] = internal::SplitConstant(index);
      if (stored.count(array) > 0 && offsets[array].size() > 1) {
        rest = index;
        offset = 0;
      }
      const DataType type = out_.arrays[a].spec.type;
      const auto [found, is_new] =
          parameters.index.emplace(std::pair(a, offset), parameters.index.size());
      if (is_new) {
        parameters.arguments.push_back({a, offset * static_cast<int64_t>(SizeOf(type))});
        parameters.types.push_back(type);
        parameters.is_const.push_back(stored.count(array) == 0);
      }
      return std::pair(absl::StrCat("p", found->second), rest);
    };
    Rename(step.code, place);
    internal::MarkIndependent(step.code);
    if (is_one_loop) {
      Statement& loop = step.code[0];
      call.count = loop.extent;
      call.grain = std::max<int64_t>(1, cpu::kElementwiseGrain / internal::Work(loop.body));
      loop.first = Expression::Variable("begin");
      loop.extent = Statement::kVariableExtent;
      loop.variable_extent = Expression::Variable("end");
    }
    std::string body;
    for (size_t i = 0; i < parameters.types.size(); ++i) {
      const std::string type =
          absl::StrCat(parameters.is_const[i] ? "const " : "", CType(parameters.types[i]));
      absl::StrAppend(&body, "  ", type, " *restrict const p", i, " = (", type, " *)a[", i, "];\n");
    }
    absl::StrAppend(&body, printer_.Print(step.code, 1));
    call.arguments = std::move(parameters.arguments);
    AddCall(body, step.comment, std::move(call));
  }

  template <class F>
  static void Rename(Block& block, const F& place) {
    const auto replace = [&place](const Expression& x) {
      if (x.operation() != Operation::kLoad) return x;
      const auto [name, index] = place(x.node().name, x.node().operands[0]);
      return Expression::Load(name, x.type(), index);
    };
    for (Statement& s : block) {
      s.value = Rewrite(s.value, replace);
      if (s.kind == Statement::kStore) {
        const auto [name, index] = place(s.name, Rewrite(s.index, replace));
        s.name = name;
        s.index = index.Typed(DataType::kInt32);
      }
      Rename(s.body, place);
    }
  }

  // A product that is small is faster here than by a library.
  bool AddProduct(int s) {
    const GraphStep& step = graph_.steps()[s];
    const auto* op = dynamic_cast<const MatMulOp*>(step.op.get());
    if (op == nullptr) return false;
    const auto spec = [&](int v) -> const ArraySpec& { return graph_.values()[v].spec; };
    const ArraySpec &x = spec(step.inputs[0]), &y = spec(step.inputs[1]),
                    &z = spec(step.outputs[0]);
    const int64_t m = z.sizes[0], n = z.sizes[1], k = x.sizes[op->transpose_x() ? 0 : 1];
    const bool has_pages = z.numel() != m * n;
    if (has_pages || !IsRealFloating(z.type) || n * k > kMostOfASide || m * n * k > kMostProducts) {
      return false;
    }
    KernelCall call;
    for (int v : {step.inputs[0], step.inputs[1], step.outputs[0]}) {
      call.arguments.push_back({out_.array_of[v], 0});
    }
    const auto steps = [](bool transposed, int64_t rows) {
      return transposed ? absl::StrCat(rows, ", 1") : absl::StrCat("1, ", rows);
    };
    // Threads take columns of y and z.
    std::string columns = "1", y_start, z_start;
    if (n > 1) {
      call.count = n;
      call.grain = std::max<int64_t>(1, kProductGrain / (m * k));
      columns = "(int)(end - begin)";
      y_start = absl::StrCat(" + begin * ", op->transpose_y() ? 1 : k);
      z_start = absl::StrCat(" + begin * ", m);
      const auto size = static_cast<int64_t>(SizeOf(z.type));
      const int64_t y_step = op->transpose_y() ? 1 : k,
                    y_width = op->transpose_y() ? n * (k - 1) + 1 : k;
      call.accesses = {{call.arguments[0].array, false, 0, 0, m * k * size},
                       {call.arguments[1].array, false, 0, y_step * size, y_width * size},
                       {call.arguments[2].array, true, 0, m * size, m * size}};
    }
    const std::string type = CType(z.type);
    const std::string body = absl::StrCat(
        "  lamina_gemm_", z.type == DataType::kSingle ? "f32" : "f64", "(", m, ", ", columns, ", ",
        k, ", (const ", type, " *)a[0], ", steps(op->transpose_x(), x.sizes[0]), ", (const ", type,
        " *)a[1]", y_start, ", ", steps(op->transpose_y(), y.sizes[0]), ", 0, (", type, " *)a[2]",
        z_start, ", ", m, ");\n");
    AddCall(body, absl::StrCat("matmul -> ", Described(z)), std::move(call));
    return true;
  }

  void AddCall(const std::string& body, const std::string& comment, KernelCall call) {
    const auto [found, is_new] = kernels_.emplace(body, out_.num_kernels);
    if (is_new) {
      absl::StrAppend(&source_, "\n/* ", comment, " */\nvoid k", out_.num_kernels++,
                      "(char *const *a, int64_t begin, int64_t end) {\n", body, "}\n");
    }
    call.kernel = found->second;
    out_.calls.push_back(std::move(call));
  }

  const Graph& graph_;
  KernelProgram out_;
  CPrinter printer_{Language::kC99, CFunctions::kPrelude};
  std::string source_;
  std::map<std::string, int> array_by_name_;
  std::map<std::string, int> kernels_;  // By their bodies.
};

}  // namespace

KernelProgram WriteKernels(const Graph& graph) { return KernelWriter(graph).Run(); }

}  // namespace lamina
