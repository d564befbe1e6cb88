#include "framework/acceleration/kernel_plan.h"

#include <cstring>
#include <utility>

#include "framework/cpu/allocator.h"
#include "framework/cpu/threads.h"
#include "framework/ops/abstract_run.h"

namespace lamina::internal {
namespace {

char* StartOf(const DlArray& x) {
  return const_cast<char*>(static_cast<const char*>(x.data()->bytes()));
}

// The same elements under `spec`; the very array where it has that spec.
DlArray Shown(const DlArray& x, const ArraySpec& spec) {
  return x.spec() == spec ? x : DlArray(ArrayData::Alias(*x.data(), spec));
}

}  // namespace

KernelPlan::KernelPlan(std::shared_ptr<const Graph> graph, KernelProgram program,
                       std::shared_ptr<const KernelLibrary> library)
    : graph_(std::move(graph)), program_(std::move(program)), library_(std::move(library)) {
  const std::vector<int>&inputs = graph_->inputs(), &outputs = graph_->outputs();
  input_of_.assign(program_.arrays.size(), -1);
  output_of_ = input_of_;
  const auto note = [&](const std::vector<int>& values, std::vector<int>& first) {
    for (size_t i = values.size(); i-- > 0;) {
      const int array = program_.array_of[values[i]];
      if (array >= 0) first[array] = static_cast<int>(i);
    }
  };
  note(inputs, input_of_);
  note(outputs, output_of_);
  int num_arguments = 0;
  for (const KernelCall& c : program_.calls) {
    Call call{nullptr, nullptr, num_arguments, 0, 0, c.count, c.grain};
    if (c.kernel >= 0) {
      call.kernel = library_->kernel(c.kernel);
      can_share_ = can_share_ || c.count >= 2 * c.grain;
      for (const KernelArgument& a : c.arguments) {
        const ProgramArray::Role role = program_.arrays[a.array].role;
        const bool fixed = role == ProgramArray::kScratch || role == ProgramArray::kConstant;
        (fixed ? fixed_ : changing_).push_back({num_arguments++, a.array, a.offset});
      }
    } else {
      const GraphStep& step = graph_->steps()[c.op_step];
      call.op = step.op.get();
      call.first = static_cast<int>(operands_.size());
      call.num_inputs = static_cast<int>(step.inputs.size());
      call.num_outputs = static_cast<int>(step.outputs.size());
      for (const int v : step.inputs) operands_.push_back(OperandFor(v));
      for (const int v : step.outputs) operands_.push_back(OperandFor(v));
      ++num_op_calls_;
    }
    calls_.push_back(call);
  }
  for (const CallRange& range : program_.ranges) {
    can_share_ = can_share_ || range.items >= 2 * range.grain;
  }
}

KernelPlan::Operand KernelPlan::OperandFor(int value) const {
  const ArraySpec& spec = graph_->values()[value].spec;
  const int array = program_.array_of[value];
  Operand operand{Operand::kFixed, -1, array, &spec,
                  static_cast<size_t>(spec.numel()) * SizeOf(spec.type)};
  if (array < 0) {
    operand.kind = Operand::kUnused;
  } else if (program_.arrays[array].role == ProgramArray::kInput) {
    operand.kind = Operand::kOfInput;
    operand.number = input_of_[array];
  } else if (program_.arrays[array].role == ProgramArray::kOutput) {
    operand.kind = Operand::kOfOutput;
    operand.number = output_of_[array];
  }
  return operand;
}

Arena::Arena(const KernelPlan& plan) : bytes_(static_cast<size_t>(plan.scratch_bytes())) {
  memory_ = static_cast<char*>(cpu::Allocate(bytes_));
  starts_.resize(plan.program_.arrays.size());
  for (size_t a = 0; a < starts_.size(); ++a) {
    const ProgramArray& array = plan.program_.arrays[a];
    if (array.role == ProgramArray::kScratch) starts_[a] = memory_ + array.offset;
    if (array.role == ProgramArray::kConstant) starts_[a] = StartOf(array.constant);
  }
  arguments_.resize(plan.fixed_.size() + plan.changing_.size());
  for (const KernelPlan::Argument& a : plan.fixed_) {
    arguments_[a.place] = starts_[a.array] + a.offset;
  }
  operands_.reserve(plan.operands_.size());
  for (const KernelPlan::Operand& o : plan.operands_) {
    if (o.kind != KernelPlan::Operand::kFixed) {
      operands_.emplace_back(ArrayDataPtr());
    } else if (plan.program_.arrays[o.array].role == ProgramArray::kConstant) {
      operands_.push_back(Shown(plan.program_.arrays[o.array].constant, *o.spec));
    } else {
      operands_.push_back(Borrow(*o.spec, starts_[o.array]));
    }
  }
  fixed_operands_ = operands_;
}

DlArray Arena::Borrow(const ArraySpec& spec, char* memory) {
  ArrayDataPtr d = ArrayData::MakeAbstract(spec);
  d->storage = Storage::Allocate(0);
  d->storage->memory = memory;
  borrowed_.push_back(d->storage);
  return DlArray(std::move(d));
}

Arena::~Arena() {
  operands_.clear();
  fixed_operands_.clear();
  for (RefPtr<Storage>& storage : borrowed_) {
    LAMINA_CHECK(storage.unique());
    storage->memory = nullptr;  // It is the arena's.
  }
  borrowed_.clear();
  cpu::Deallocate(memory_, bytes_);
}

void KernelPlan::Run(Arrays inputs, std::span<DlArray> outputs, Arena& arena,
                     ThreadChoice::Way way) const {
  const std::vector<int>&in = graph_->inputs(), &out = graph_->outputs();
  for (size_t i = 0; i < in.size(); ++i) {
    const int array = program_.array_of[in[i]];
    if (array >= 0) arena.starts_[array] = StartOf(inputs[i]);
  }
  // New memory where an output is the first that shows an array of its own.
  const auto is_made = [&](size_t i) {
    const int array = program_.array_of[out[i]];
    return program_.arrays[array].role == ProgramArray::kOutput &&
           output_of_[array] == static_cast<int>(i);
  };
  for (size_t i = 0; i < out.size(); ++i) {
    if (!is_made(i)) continue;
    outputs[i] = DlArray(ArrayData::Make(graph_->values()[out[i]].spec));
    arena.starts_[program_.array_of[out[i]]] = StartOf(outputs[i]);
  }
  for (const Argument& a : changing_) {
    arena.arguments_[a.place] = arena.starts_[a.array] + a.offset;
  }
  const auto run = [&arena](const Call& call, int64_t begin, int64_t end) {
    call.kernel(arena.arguments_.data() + call.first, begin, end);
  };
  const auto share = [way](int64_t n, int64_t grain, const auto& f) {
    if (way == ThreadChoice::kAlone) return f(int64_t{0}, n);
    cpu::ParallelFor(n, grain, f);
  };
  auto range = program_.ranges.begin();
  for (size_t c = 0; c < calls_.size(); ++c) {
    const Call& call = calls_[c];
    if (range != program_.ranges.end() && range->first == static_cast<int>(c)) {
      share(range->items, range->grain, [&](int64_t begin, int64_t end) {
        for (int i = range->first; i <= range->last; ++i) {
          const int64_t parts = calls_[i].count / range->items;
          run(calls_[i], begin * parts, end * parts);
        }
      });
      c = static_cast<size_t>(range->last);
      ++range;
    } else if (call.kernel == nullptr) {
      RunOp(call, inputs, outputs, arena);
    } else {
      share(call.count, call.grain, [&](int64_t begin, int64_t end) { run(call, begin, end); });
    }
  }
  for (size_t i = 0; i < out.size(); ++i) {
    if (is_made(i)) continue;
    const int array = program_.array_of[out[i]];
    const ProgramArray::Role role = program_.arrays[array].role;
    LAMINA_CHECK(role != ProgramArray::kScratch);
    const DlArray& shown = role == ProgramArray::kInput    ? inputs[input_of_[array]]
                           : role == ProgramArray::kOutput ? outputs[output_of_[array]]
                                                           : program_.arrays[array].constant;
    outputs[i] = Shown(shown, graph_->values()[out[i]].spec);
  }
}

void KernelPlan::RunOp(const Call& call, Arrays inputs, std::span<DlArray> outputs,
                       Arena& arena) const {
  const Operand* const described = operands_.data() + call.first;
  DlArray* const operands = arena.operands_.data() + call.first;
  const int n = call.num_inputs, all = n + call.num_outputs;
  for (int i = 0; i < all; ++i) {
    const Operand& o = described[i];
    if (o.kind == Operand::kOfInput) operands[i] = Shown(inputs[o.number], *o.spec);
    if (o.kind == Operand::kOfOutput) operands[i] = Shown(outputs[o.number], *o.spec);
    if (o.kind == Operand::kUnused) operands[i] = AbstractArray(*o.spec);
  }
  call.op->Run(Arrays(operands, n), Results(std::span<DlArray>(operands + n, call.num_outputs)));
  for (int i = 0; i < all; ++i) {
    const Operand& o = described[i];
    if (i >= n && o.kind != Operand::kUnused && StartOf(operands[i]) != arena.starts_[o.array]) {
      // It showed an input's elements, or wrote to the copy of an array that is held in its handle.
      std::memmove(arena.starts_[o.array], StartOf(operands[i]), o.bytes);
    }
    // Inputs and outputs are not held beyond the call; an op may have put another array in place.
    operands[i] = arena.fixed_operands_[call.first + i];
  }
}

}  // namespace lamina::internal
