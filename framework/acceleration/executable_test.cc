// Executables over programs that are written here by hand; that the emitter's programs compute
// what the ops do is tested where they are made.
#include "framework/acceleration/executable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>

#include "framework/cpu/allocator.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace {
std::atomic<int64_t> num_news{0};
}  // namespace

// Not inlined: the compiler would see malloc meet delete. Both forms: the address sanitizer's own
// nothrow form would not call the other one, as the standard's does.
[[gnu::noinline]] void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  num_news.fetch_add(1, std::memory_order_relaxed);
  return std::malloc(bytes);
}
[[gnu::noinline]] void* operator new(size_t bytes) {
  if (void* p = operator new(bytes, std::nothrow)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

namespace lamina {
namespace {

const ArraySpec kData{DataType::kSingle, {4, 3}, "CB"};

// x, w -> 2 x + w's sum, the sum itself, the first as 12 elements in a row, and x.
Graph Example() {
  return RecordGraph(
      [](Arrays x) {
        const DlArray t = 2 * x[0], s = Sum(x[1]), y = t + s;
        return DlArrays{y, s, Reshape(y, {12}, "C"), x[0]};
      },
      std::vector<ArraySpec>{kData, kData});
}

int ArrayFor(const Graph& graph, int value, ProgramArray::Role role, KernelProgram* program) {
  program->arrays.push_back({"", graph.values()[value].spec, role});
  return program->array_of[value] = static_cast<int>(program->arrays.size()) - 1;
}

// k0: t = 2 x into scratch. Then the op sum. k1: y = t + s.
KernelProgram ExampleProgram(const Graph& graph) {
  KernelProgram p;
  p.array_of.assign(graph.values().size(), -1);
  const std::vector<GraphStep>& steps = graph.steps();
  EXPECT_EQ(steps.size(), 5u) << ToString(graph);
  const int x = ArrayFor(graph, graph.inputs()[0], ProgramArray::kInput, &p);
  ArrayFor(graph, graph.inputs()[1], ProgramArray::kInput, &p);
  const int t = ArrayFor(graph, steps[0].outputs[0], ProgramArray::kScratch, &p);
  p.arrays[t].offset = 64;
  p.scratch_bytes = 128;
  const int s = ArrayFor(graph, steps[1].outputs[0], ProgramArray::kOutput, &p);
  p.array_of[steps[2].outputs[0]] = s;  // A view: without the dims of size 1.
  const int y = ArrayFor(graph, steps[3].outputs[0], ProgramArray::kOutput, &p);
  p.array_of[steps[4].outputs[0]] = y;
  p.source =
      "#include <stdint.h>\n"
      "void k0(char *const *a, int64_t begin, int64_t end) {\n"
      "  const float *x = (const float *)a[0];\n"
      "  float *t = (float *)a[1];\n"
      "  for (int64_t i = begin; i < end; ++i) t[i] = 2 * x[i];\n"
      "}\n"
      "void k1(char *const *a, int64_t begin, int64_t end) {\n"
      "  const float *t = (const float *)a[0], *s = (const float *)a[1];\n"
      "  float *y = (float *)a[2];\n"
      "  for (int64_t i = begin; i < end; ++i) y[i] = t[i] + s[0];\n"
      "}\n";
  p.num_kernels = 2;
  // The first in two calls, to use an offset.
  p.calls = {{0, -1, {{x, 0}, {t, 0}}, 8, 1},
             {0, -1, {{x, 32}, {t, 32}}, 4, 1000},
             {-1, 1, {}},
             {1, -1, {{t, 0}, {s, 0}, {y, 0}}, 12, 1000}};
  return p;
}

DlArrays ExampleInputs(uint64_t seed) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  return {Randn({4, 3}, DataType::kSingle, "CB"), Randn({4, 3}, DataType::kSingle, "CB")};
}

class ExecutableTest : public testing::Test {
 protected:
  ExecutableTest() { settings_.cache_folder = folder_.path(); }

  void Compile(Executable& executable) {
    executable.Compile(settings_);
    ASSERT_TRUE(executable.Wait().ok()) << executable.Wait();
    ASSERT_NE(executable.plan(), nullptr);
  }

  const TemporaryFolder folder_{"executable_test_"};
  CompilerSettings settings_;
};

void ExpectSame(const DlArrays& a, const DlArrays& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(IsEqual(a[i], b[i])) << i << a[i] << b[i];
}

TEST_F(ExecutableTest, GivesWhatTheGraphGives) {
  Executable executable(Example(), ExampleProgram);
  const DlArrays first = ExampleInputs(1);
  ExpectSame(executable.Run(first), executable.graph().Evaluate(first));
  Compile(executable);
  for (uint64_t seed = 1; seed < 4; ++seed) {
    const DlArrays in = ExampleInputs(seed), out = executable.Run(in);
    ExpectSame(out, executable.graph().Evaluate(in));
    EXPECT_TRUE(out[2].SharesDataWith(out[0]));
    EXPECT_TRUE(out[3].SharesDataWith(in[0]));
  }
  EXPECT_EQ(executable.plan()->num_op_calls(), 1);
  EXPECT_GE(executable.bytes(), 128);
}

TEST_F(ExecutableTest, EarlierResultsAreLeftAlone) {
  Executable executable(Example(), ExampleProgram);
  Compile(executable);
  const DlArrays first = executable.Run(ExampleInputs(1));
  const std::vector<float> values = first[0].ToVector<float>();
  executable.Run(ExampleInputs(2));
  EXPECT_EQ(first[0].ToVector<float>(), values);
}

TEST_F(ExecutableTest, WrongInputsGetTheErrorsOfTheGraph) {
  Executable executable(Example(), ExampleProgram);
  Compile(executable);
  DlArrays in = ExampleInputs(1);
  in[1] = DlArray(1.0);
  try {
    executable.Run(in);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "graph:InputSpec");
  }
}

TEST_F(ExecutableTest, AReplayTakesNoMemoryButForItsOutputs) {
  Executable executable(Example(), ExampleProgram);
  Compile(executable);
  const DlArrays in = ExampleInputs(1);
  DlArray out[4];
  for (int i = 0; i < 10; ++i) executable.Run(in, out);
  const int64_t news = num_news, system = cpu::Stats().system_allocations;
  for (int i = 0; i < 100; ++i) executable.Run(in, out);
  EXPECT_EQ(num_news - news, 0);
  EXPECT_EQ(cpu::Stats().system_allocations - system, 0);
}

TEST_F(ExecutableTest, SeveralThreadsRunAtOnce) {
  Executable executable(Example(), ExampleProgram);
  executable.Compile(settings_);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const DlArrays in = ExampleInputs(t), right = executable.graph().Evaluate(in);
      // The first runs go op by op; kernels come in between.
      for (int i = 0; i < 2000 || !executable.IsSettled(); ++i) {
        const DlArrays out = executable.Run(in);
        for (size_t k = 0; k < out.size(); ++k) wrong += !IsEqual(out[k], right[k]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_NE(executable.plan(), nullptr);
}

TEST_F(ExecutableTest, IdleArenasAreGivenBackOnDemandAndWithTheExecutable) {
  const DlArrays in = ExampleInputs(1);
  const auto large = [](const Graph& graph) {
    KernelProgram program = ExampleProgram(graph);
    program.scratch_bytes = 1 << 20;
    return program;
  };
  const int64_t before = cpu::Stats().bytes_in_use;
  {
    Executable executable(Example(), large);
    Compile(executable);
    executable.Run(in);
    EXPECT_GE(cpu::Stats().bytes_in_use - before, 1 << 20);
    EXPECT_GE(executable.bytes(), 1 << 20);
    Executable::ReleaseIdleArenas();
    EXPECT_LT(cpu::Stats().bytes_in_use - before, 1 << 19);
    EXPECT_LT(executable.bytes(), 1 << 19);
    ExpectSame(executable.Run(in), executable.graph().Evaluate(in));
  }
  EXPECT_EQ(cpu::Stats().bytes_in_use, before);
}

TEST_F(ExecutableTest, WithoutACompilerItRunsOpByOpAndSaysWhy) {
  Executable executable(Example(), ExampleProgram);
  settings_.compiler = "no-such-compiler";
  executable.Compile(settings_);
  EXPECT_EQ(executable.Wait().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(executable.plan(), nullptr);
  const DlArrays in = ExampleInputs(1);
  ExpectSame(executable.Run(in), executable.graph().Evaluate(in));
}

// A program without kernels: each step is a call of its op.
KernelProgram OpsOnly(const Graph& graph) {
  KernelProgram p;
  p.array_of.assign(graph.values().size(), -1);
  for (const int v : graph.inputs()) ArrayFor(graph, v, ProgramArray::kInput, &p);
  for (size_t s = 0; s < graph.steps().size(); ++s) {
    for (const int v : graph.steps()[s].inputs) {
      if (p.array_of[v] >= 0) continue;
      p.arrays[ArrayFor(graph, v, ProgramArray::kConstant, &p)].constant =
          graph.values()[v].constant;
    }
    for (const int v : graph.steps()[s].outputs) {
      const bool out = std::count(graph.outputs().begin(), graph.outputs().end(), v) > 0;
      const int a = ArrayFor(graph, v, out ? ProgramArray::kOutput : ProgramArray::kScratch, &p);
      if (out) continue;
      p.arrays[a].offset = p.scratch_bytes;
      p.scratch_bytes += (p.arrays[a].spec.numel() * 16 + 63) / 64 * 64;
    }
    p.calls.push_back({-1, static_cast<int>(s), {}});
  }
  return p;
}

TEST_F(ExecutableTest, RandomNumbersAreThoseOfTheFunctionAndFreshInEachRun) {
  const auto f = [](Arrays x) { return DlArrays{x[0] + RandLike(x[0]), Randn({3})}; };
  Executable executable(RecordGraph(f, std::vector<ArraySpec>{kData}), OpsOnly);
  settings_.compiler = "no-such-compiler";  // It is not needed.
  Compile(executable);
  const DlArrays in{ExampleInputs(1)[0]};
  Rng(5);
  const DlArrays first = executable.Run(in), second = executable.Run(in);
  Rng(5);
  ExpectSame(first, f(in));
  ExpectSame(second, f(in));
  EXPECT_FALSE(IsEqual(first[0], second[0]));
}

// Gives its input's elements themselves, whatever was planned.
class Handed : public Op {
 public:
  std::string_view Name() const override { return "handed"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override {
    if (in[0].At(0) == 99) throw Error("test:NinetyNine", "Anything but 99.", "99 came.", "");
    out.Share(0, in[0]);
  }
};

TEST_F(ExecutableTest, AnOpMayShareItsInputOrThrow) {
  const auto op = std::make_shared<Handed>();
  const auto f = [&](Arrays x) {
    const DlArray y = Apply(op, {x[0]});
    return DlArrays{Apply(op, {y}), Sum(y), Apply(op, {Sum(y)})};
  };
  Executable executable(RecordGraph(f, std::vector<ArraySpec>{kData}), OpsOnly);
  Compile(executable);
  for (uint64_t seed = 1; seed < 4; ++seed) {
    const DlArrays in{ExampleInputs(seed)[0]};
    ExpectSame(executable.Run(in), f(in));
    const DlArrays bad{DlArray::FromVector<float>(std::vector<float>(12, 99), {4, 3}, "CB")};
    EXPECT_THROW(executable.Run(bad), Error);
  }
}

// Not a check: what one replay costs.
TEST_F(ExecutableTest, PrintsTheTimeOfAReplay) {
  Executable executable(Example(), [](const Graph& graph) {
    KernelProgram program = ExampleProgram(graph);
    program.calls[0].grain = 1000;  // One thread.
    return program;
  });
  Executable empty(RecordGraph([](Arrays x) { return DlArrays{x[0] + x[1]}; },
                               std::vector<ArraySpec>{kData, kData}),
                   [](const Graph& graph) {
                     KernelProgram p = OpsOnly(graph);
                     p.num_kernels = 1;
                     p.source = "void k0(char *const *a, long begin, long end) {}\n";
                     p.calls = {{0, -1, {{0, 0}, {1, 0}, {2, 0}}, 12, 1000}};
                     return p;
                   });
  Compile(executable);
  Compile(empty);
  const DlArrays in = ExampleInputs(1);
  const auto nanoseconds = [&](auto&& run) {
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 5000; ++i) run();
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count() / 5000);
    }
    return best;
  };
  DlArray out[4];
  std::printf("one kernel that does nothing, one output: %.0f ns\n",
              nanoseconds([&] { empty.Run(in, std::span(out, 1)); }));
  std::printf("three calls of kernels, one op, two outputs and two views: %.0f ns\n",
              nanoseconds([&] { executable.Run(in, out); }));
  std::printf("the same op by op: %.0f ns\n",
              nanoseconds([&] { executable.graph().Evaluate(in); }));
}

}  // namespace
}  // namespace lamina
