// What the threads of a block, or those of several blocks, share and join.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/cuda_kernel_printer.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Statement;

namespace {

// How many numbers a variable is.
int PartsOf(const SharedLoop::Joined& joined) { return IsComplex(joined.type) ? 2 : 1; }

int PartsOf(const std::vector<SharedLoop::Joined>& joined) {
  int parts = 0;
  for (const SharedLoop::Joined& one : joined) parts += PartsOf(one);
  return parts;
}

// The variables in their order, taken apart so that those beside one another are at most so many
// numbers.
std::vector<std::vector<SharedLoop::Joined>> Together(const std::vector<SharedLoop::Joined>& joined,
                                                      int most) {
  std::vector<std::vector<SharedLoop::Joined>> all;
  for (const SharedLoop::Joined& one : joined) {
    if (all.empty() || PartsOf(all.back()) + PartsOf(one) > most) all.emplace_back();
    all.back().push_back(one);
  }
  return all;
}

}  // namespace

int KernelPrinter::NumTrees() const { return 8 * kThreads / threads_; }

int64_t KernelPrinter::JoinsOf(const SharedLoop& loop) { return PartsOf(loop.joined); }

std::string KernelPrinter::PartType(DataType type) {
  return type == DataType::kLogical || type == DataType::kInt32 ? "int"
                                                                : CType(type, Language::kCuda);
}

std::string KernelPrinter::PartsName(DataType type) {
  return absl::StrCat(
      "Parts_",
      absl::StrReplaceAll(PartType(type), {{"lamina_cuda::", ""}, {"<", "_"}, {">", ""}}));
}

std::string KernelPrinter::Shared(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
  const std::string sync = Meets(nest) ? "    __syncthreads();\n" : "";
  std::string body;
  size_t next = 0;
  for (const Statement& s : nest.body) {
    if (s.kind == Statement::kFor) {
      const SharedLoop& loop = shared[next++];
      absl::StrAppend(&body, loop.stores ? sync : "", SharedText(nest, loop),
                      loop.stores ? sync : "");
    } else {
      body += Once(s, sync);
    }
  }
  return Begin(nest, shared) + ItemsOfBlocks(nest, body);
}

std::string KernelPrinter::ItemsOfBlocks(const ParallelNest& nest, const std::string& body,
                                         int64_t groups) {
  const std::string tail = absl::StrCat(Indices(nest.loops, "item", 2), body, "  }\n");
  if (lanes_ == 1 && groups == 1) {
    return absl::StrCat("  for (unsigned item = blockIdx.x; item < items; item += gridDim.x) {\n",
                        tail);
  }
  // Lanes past the last item do what the last one does, and leave nothing.
  const std::string sets = lanes_ == 1 ? "items" : "sets";
  return absl::StrCat(
      lanes_ == 1 ? ""
                  : absl::StrCat("  const unsigned sets = (items + ", lanes_ - 1, "u) / ", lanes_,
                                 "u, lane = threadIdx.x % ", lanes_, "u;\n"),
      "  for (unsigned block = blockIdx.x; block < ", sets, " * ", groups,
      "u; block += gridDim.x) {\n",
      lanes_ == 1 ? "    const unsigned item = block % items"
                  : absl::StrCat("    const unsigned own = block % sets * ", lanes_, "u + lane, ",
                                 "item = own < items ? own : items - 1u"),
      groups == 1 ? "" : absl::StrCat(", group = block / ", sets), ";\n", tail);
}

std::string KernelPrinter::IsFirst() const {
  return lanes_ == 1 ? "thread == 0" : absl::StrCat("thread < ", lanes_, " && own < items");
}

std::string KernelPrinter::Once(const Statement& s, const std::string& sync) {
  if (s.kind != Statement::kStore) return printer_.Print({s}, 2);
  return absl::StrCat(sync, "    if (", IsFirst(), ") {\n", printer_.Print({s}, 3), "    }\n",
                      sync);
}

std::string KernelPrinter::Begin(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
  std::string parts;
  std::map<std::string, int> most;  // By what is declared.
  for (const SharedLoop& loop : shared) {
    for (const auto& together : Together(loop.joined, NumTrees())) {
      std::map<std::string, int> rows;
      for (const SharedLoop::Joined& joined : together) {
        const std::string array = absl::StrCat(PartType(joined.type), " ", PartsName(joined.type));
        most[array] = std::max(most[array], ++rows[array]);
      }
    }
  }
  for (const auto& [array, rows] : most) {
    absl::StrAppend(&parts, "  __shared__ ", array, "[", threads_ * rows, "];\n");
  }
  return absl::StrCat(parts, "  const int thread = (int)threadIdx.x;\n  const unsigned items = ",
                      Count(nest.loops), ";\n");
}

std::string KernelPrinter::PartsOfGroups(const ParallelNest& nest,
                                         const std::vector<SharedLoop>& shared) {
  const int64_t groups = Groups(nest, shared);
  std::string body;
  for (const Statement& s : nest.body) {
    if (s.kind == Statement::kFor) break;
    body += Once(s, "");
  }
  absl::StrAppend(&body, SharedText(nest, shared[0], groups));
  const int joins = PartsOf(shared[0].joined);
  int place = 0;
  for (const SharedLoop::Joined& joined : shared[0].joined) {
    const std::vector<std::string> parts =
        IsComplex(joined.type)
            ? std::vector<std::string>{joined.variable + ".re", joined.variable + ".im"}
            : std::vector<std::string>{joined.variable};
    for (const std::string& part : parts) {
      absl::StrAppend(&body, "    if (", IsFirst(), ") joins[(item * ", groups, "u + group) * ",
                      joins, "u + ", place++, "u] = ", part, ";\n");
    }
  }
  return Begin(nest, shared) + ItemsOfBlocks(nest, body, groups);
}

std::string KernelPrinter::JoinOfGroups(const ParallelNest& nest,
                                        const std::vector<SharedLoop>& shared) {
  const int64_t groups = Groups(nest, shared);
  const std::vector<SharedLoop::Joined>& joined = shared[0].joined;
  std::string body;
  for (const Statement& s : nest.body) {
    if (s.kind != Statement::kFor) {
      body += Once(s, "");
      continue;
    }
    int place = 0;
    for (const SharedLoop::Joined& one : joined) {
      const std::string other =
          one.identity ? CNumber(*one.identity, one.type, Language::kCuda) : one.variable;
      const auto part = [&] {
        return absl::StrCat("(", PartType(ToReal(one.type)), ")joins[(item * ", groups,
                            "u + threadIdx.x) * ", PartsOf(joined), "u + ", place++, "u]");
      };
      std::string value = part();
      if (IsComplex(one.type))
        value = absl::StrCat(PartType(one.type), "{", value, ", ", part(), "}");
      absl::StrAppend(&body, "    ", one.variable, " = thread < ", groups, " ? ", value, " : ",
                      other, ";\n");
    }
    body += TreesText(joined);
  }
  return Begin(nest, shared) + ItemsOfBlocks(nest, body);
}

std::string KernelPrinter::SharedText(const ParallelNest& nest, const SharedLoop& loop,
                                      int64_t groups) {
  std::vector<Statement> all = nest.loops;
  all.insert(all.end(), loop.loops.begin(), loop.loops.end());
  const auto four = lanes_ > 1 ? std::nullopt : Four(all, loop.body);
  if (four) quartered_ = four->innermost;
  std::string text;
  for (const SharedLoop::Joined& joined : loop.joined) {
    if (!joined.identity) continue;
    absl::StrAppend(&text, "    if (thread ", lanes_ > 1 ? absl::StrCat(">= ", lanes_) : "!= 0",
                    groups > 1 ? " || group != 0" : "", ") ", joined.variable, " = ",
                    CNumber(*joined.identity, joined.type, Language::kCuda), ";\n");
  }
  const int rows = threads_ / lanes_;
  const std::string row = lanes_ > 1 ? absl::StrCat("threadIdx.x / ", lanes_, "u") : "threadIdx.x",
                    first = groups > 1 ? absl::StrCat("group * ", rows, "u + ", row) : row;
  absl::StrAppend(&text, "    for (unsigned part = ", first, "; part < ", Count(loop.loops),
                  "; part += ", groups * rows, "u) {\n", Indices(loop.loops, "part", 3),
                  four ? FourText(*four, 3) : printer_.Print(loop.body, 3), "    }\n");
  quartered_.clear();
  return text + TreesText(loop.joined);
}

std::string KernelPrinter::TreesText(const std::vector<SharedLoop::Joined>& joined) {
  std::string text;
  for (const auto& together : Together(joined, NumTrees())) text += TreesTogether(together);
  return text;
}

std::string KernelPrinter::TreesTogether(const std::vector<SharedLoop::Joined>& together) {
  std::string puts, joins, gets;
  std::map<std::string, int> rows;
  for (const SharedLoop::Joined& joined : together) {
    const std::string parts = PartsName(joined.type);
    const int row = threads_ * rows[parts]++;
    const Expression mine = Expression(row) + Expression::Variable("thread"),
                     other =
                         Expression::Load(parts, joined.type, mine + Expression::Variable("half"));
    const std::string put =
        absl::StrCat(parts, "[", printer_.Print(mine), "] = ", joined.variable, ";\n");
    Block join;
    if (joined.identity) {
      Statement sum = joined.statement;
      sum.value = Expression::Make(sum.value.operation(), sum.value.type(),
                                   {sum.value.node().operands[0], other});
      join = {sum};
    } else {
      join = {{.kind = Statement::kLet, .name = joined.value, .value = other}, joined.statement};
    }
    absl::StrAppend(&puts, "    ", put);
    absl::StrAppend(&joins, printer_.Print(join, 4), "        ", put);
    absl::StrAppend(&gets, "    ", joined.variable, " = ", parts, "[", row,
                    lanes_ > 1 ? " + lane" : "", "];\n");
  }
  return absl::StrCat(puts, "    __syncthreads();\n    for (int half = ", threads_ / 2, "; half > ",
                      lanes_ / 2, "; half /= 2) {\n      if (thread < half) {\n", joins,
                      "      }\n      __syncthreads();\n    }\n", gets, "    __syncthreads();\n");
}

}  // namespace lamina
