// Kernels touch what their calls say (KernelCall::accesses), and nothing else: on this rests that
// threads may walk through calls alone (framework/emit/call_ranges.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/executable.h"
#include "framework/acceleration/kernel_library.h"
#include "framework/cpu/threads.h"
#include "framework/emit/kernels.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/lstm_function.h"
#include "framework/graph/testing/random_function.h"
#include "framework/io/temporary_folder.h"

namespace lamina {
namespace {

// One for each array of a program; with room around, where windows end outside.
using Memory = std::vector<std::vector<char>>;
constexpr int64_t kRoom = 64;

int64_t Bytes(const ProgramArray& array) {
  return array.spec.numel() * static_cast<int64_t>(SizeOf(array.spec.type));
}

class Calls {
 public:
  explicit Calls(const Graph& graph) : program_(WriteKernels(graph)) {
    CompilerSettings settings = CompilerSettings::FromEnvironment();
    settings.cache_folder = folder_.path();
    const std::string source = absl::StrCat("#pragma GCC optimize(\"O1\")\n", program_.source);
    auto loaded = KernelLibrary::Load({source, program_.num_kernels}, settings);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    if (loaded.ok()) library_ = *loaded;
  }

  // The number of calls that were looked at.
  int Check() {
    int checked = 0;
    for (const KernelCall& call : program_.calls) {
      if (call.kernel < 0 || call.count < 2) continue;
      for (const int64_t part : {int64_t{0}, call.count / 2, call.count - 1}) {
        CheckPart(call, part);
        if (::testing::Test::HasFailure()) return checked;
      }
      ++checked;
    }
    return checked;
  }

 private:
  // Numbers that are no index beyond the first element, where they are used as such.
  Memory Draw() {
    Memory memory;
    for (const ProgramArray& array : program_.arrays) {
      std::vector<char>& bytes = memory.emplace_back(Bytes(array) + 2 * kRoom);
      const auto fill = [&]<class T>(T) {
        std::uniform_real_distribution<T> draw(-1, 1);
        auto* const x = reinterpret_cast<T*>(bytes.data());
        for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) x[i] = draw(random_);
      };
      const DataType type = ToReal(array.spec.type);
      if (type == DataType::kSingle) fill(0.0f);
      if (type == DataType::kDouble) fill(0.0);
    }
    return memory;
  }

  // For each byte of each array whether the part may touch it, or store it.
  Memory Allowed(const KernelCall& call, int64_t part, bool stored) const {
    Memory allowed;
    for (const ProgramArray& array : program_.arrays)
      allowed.emplace_back(Bytes(array) + 2 * kRoom);
    for (const KernelAccess& a : call.accesses) {
      if (stored && !a.is_stored) continue;
      std::vector<char>& bytes = allowed[a.array];
      const auto size = static_cast<int64_t>(bytes.size());
      const int64_t begin = kRoom + a.first + part * a.step;
      for (int64_t i = std::max<int64_t>(begin, 0); i < std::min(begin + a.width, size); ++i) {
        bytes[i] = 1;
      }
    }
    return allowed;
  }

  void Run(const KernelCall& call, int64_t part, Memory& memory) const {
    std::vector<char*> arguments;
    for (const KernelArgument& a : call.arguments) {
      arguments.push_back(memory[a.array].data() + kRoom + a.offset);
    }
    library_->kernel(call.kernel)(arguments.data(), part, part + 1);
  }

  void CheckPart(const KernelCall& call, int64_t part) {
    const Memory before = Draw(), other = Draw();
    const Memory touched = Allowed(call, part, false), stored = Allowed(call, part, true);
    Memory after = before, again = before;
    Run(call, part, after);
    // The same where it may look, and other numbers elsewhere.
    for (size_t a = 0; a < again.size(); ++a) {
      for (size_t i = 0; i < again[a].size(); ++i) {
        if (touched[a][i] == 0) again[a][i] = other[a][i];
      }
    }
    Run(call, part, again);
    for (size_t a = 0; a < after.size(); ++a) {
      for (size_t i = 0; i < after[a].size(); ++i) {
        if (stored[a][i] == 0) {
          ASSERT_EQ(after[a][i], before[a][i]) << "stored: " << Place(call, part, a, i);
        } else {
          ASSERT_EQ(after[a][i], again[a][i]) << "read elsewhere: " << Place(call, part, a, i);
        }
      }
    }
  }

  std::string Place(const KernelCall& call, int64_t part, size_t array, size_t byte) const {
    return absl::StrCat("kernel ", call.kernel, ", part ", part, ", array ", array, ", byte ",
                        static_cast<int64_t>(byte) - kRoom, "\n", program_.source);
  }

  const TemporaryFolder folder_{"kernel_accesses"};
  const KernelProgram program_;
  std::shared_ptr<const KernelLibrary> library_;
  std::mt19937 random_{1};
};

Graph Recorded(const std::function<DlArrays(Arrays)>& function, const DlArrays& inputs) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : inputs) specs.push_back(x.spec());
  return Optimize(RecordGraph(function, specs));
}

TEST(KernelAccessesTest, ThoseOfARecurrentLayerAreAsTheCallsSay) {
  EXPECT_GT(Calls(Recorded(testing::LstmAndGradients, testing::LstmInputs(3, 5, 4, 3))).Check(),
            20);
}

TEST(KernelAccessesTest, ThoseOfRandomFunctionsAreAsTheCallsSay) {
  int checked = 0;
  for (uint32_t first = 0; first < 60; first += 20) {
    DlArrays inputs;
    for (uint32_t i = first; i < first + 20; ++i) {
      for (const DlArray& x : testing::RandomInputs(i)) inputs.push_back(x);
    }
    const auto all = [&](Arrays x) {
      DlArrays outputs;
      for (uint32_t i = first; i < first + 20; ++i) {
        testing::RandomFunction function(i, 4 + static_cast<int>(i % 20));
        for (const DlArray& y : function(x.subspan(2 * (i - first), 2))) outputs.push_back(y);
      }
      return outputs;
    };
    checked += Calls(Recorded(all, inputs)).Check();
    if (HasFailure()) return;
  }
  EXPECT_GT(checked, 150);
}

// Large enough that threads share the range; 24 threads have one observation each.
TEST(KernelAccessesTest, ManyThreadsGiveTheBitsOfOne) {
  const DlArrays inputs = testing::LstmInputs(3, 33, 24, 20);
  const TemporaryFolder folder("kernel_accesses");
  CompilerSettings settings = CompilerSettings::FromEnvironment();
  settings.cache_folder = folder.path();
  Executable executable(Recorded(testing::LstmAndGradients, inputs), WriteKernels);
  executable.Compile(settings);
  ASSERT_TRUE(executable.Wait().ok()) << executable.Wait();
  const int threads = cpu::NumThreads();
  cpu::SetNumThreads(1);
  const DlArrays one = executable.Run(inputs);
  for (const int n : {2, 3, 5, 24}) {
    cpu::SetNumThreads(n);
    for (int run = 0; run < 20; ++run) {
      const DlArrays many = executable.Run(inputs);
      for (size_t k = 0; k < one.size(); ++k) ASSERT_TRUE(IsEqual(many[k], one[k])) << n << k;
    }
  }
  cpu::SetNumThreads(threads);
}

}  // namespace
}  // namespace lamina
