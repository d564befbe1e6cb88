// What the threads of a block, or those of several blocks, share and join.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "framework/emit/cuda_kernel_printer.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Statement;

size_t KernelPrinter::NumTrees() const { return static_cast<size_t>(8 * kThreads / threads_); }

std::string KernelPrinter::PartType(DataType type) {
  return type == DataType::kLogical || type == DataType::kInt32 ? "int"
                                                                : CType(type, Language::kCuda);
}

std::string KernelPrinter::PartsName(DataType type) {
  return absl::StrCat("Parts_", PartType(type));
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
  return absl::StrCat(Begin(nest, shared), "  for (unsigned item = blockIdx.x; item < items; ",
                      "item += gridDim.x) {\n", Indices(nest.loops, "item", 2), body, "  }\n");
}

std::string KernelPrinter::Once(const Statement& s, const std::string& sync) {
  if (s.kind != Statement::kStore) return printer_.Print({s}, 2);
  return absl::StrCat(sync, "    if (thread == 0) {\n", printer_.Print({s}, 3), "    }\n", sync);
}

std::string KernelPrinter::Begin(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
  std::string parts;
  std::map<std::string, size_t> most;
  for (const SharedLoop& loop : shared) {
    std::map<std::string, size_t> rows;
    for (const SharedLoop::Joined& joined : loop.joined) {
      const std::string type = PartType(joined.type);
      most[type] = std::max(most[type], std::min(++rows[type], NumTrees()));
    }
  }
  for (const auto& [type, rows] : most) {
    absl::StrAppend(&parts, "  __shared__ ", type, " Parts_", type, "[",
                    static_cast<size_t>(threads_) * rows, "];\n");
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
  const size_t joins = shared[0].joined.size();
  for (size_t j = 0; j < joins; ++j) {
    absl::StrAppend(&body, "    if (thread == 0) joins[(item * ", groups, "u + group) * ", joins,
                    "u + ", j, "u] = ", shared[0].joined[j].variable, ";\n");
  }
  return absl::StrCat(Begin(nest, shared), "  for (unsigned block = blockIdx.x; block < items * ",
                      groups, "u; block += gridDim.x) {\n",
                      "    const unsigned item = block % items, group = block / items;\n",
                      Indices(nest.loops, "item", 2), body, "  }\n");
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
    for (size_t j = 0; j < joined.size(); ++j) {
      const std::string other =
          joined[j].identity ? CNumber(*joined[j].identity, joined[j].type) : joined[j].variable;
      absl::StrAppend(&body, "    ", joined[j].variable, " = thread < ", groups, " ? (",
                      PartType(joined[j].type), ")joins[(item * ", groups, "u + threadIdx.x) * ",
                      joined.size(), "u + ", j, "u] : ", other, ";\n");
    }
    body += TreesText(joined);
  }
  return absl::StrCat(Begin(nest, shared), "  for (unsigned item = blockIdx.x; item < items; ",
                      "item += gridDim.x) {\n", Indices(nest.loops, "item", 2), body, "  }\n");
}

std::string KernelPrinter::SharedText(const ParallelNest& nest, const SharedLoop& loop,
                                      int64_t groups) {
  std::vector<Statement> all = nest.loops;
  all.insert(all.end(), loop.loops.begin(), loop.loops.end());
  const auto four = Four(all, loop.body);
  if (four) quartered_ = four->innermost;
  std::string text;
  for (const SharedLoop::Joined& joined : loop.joined) {
    if (!joined.identity) continue;
    absl::StrAppend(&text, "    if (thread != 0", groups > 1 ? " || group != 0" : "", ") ",
                    joined.variable, " = ", CNumber(*joined.identity, joined.type), ";\n");
  }
  const std::string first =
      groups > 1 ? absl::StrCat("group * ", threads_, "u + threadIdx.x") : "threadIdx.x";
  absl::StrAppend(&text, "    for (unsigned part = ", first, "; part < ", Count(loop.loops),
                  "; part += ", groups * threads_, "u) {\n", Indices(loop.loops, "part", 3),
                  four ? FourText(*four, 3) : printer_.Print(loop.body, 3), "    }\n");
  quartered_.clear();
  return text + TreesText(loop.joined);
}

std::string KernelPrinter::TreesText(const std::vector<SharedLoop::Joined>& joined) {
  std::string text;
  for (size_t first = 0; first < joined.size(); first += NumTrees()) {
    text += TreesText(
        joined.begin() + static_cast<std::ptrdiff_t>(first),
        joined.begin() + static_cast<std::ptrdiff_t>(std::min(joined.size(), first + NumTrees())));
  }
  return text;
}

std::string KernelPrinter::TreesText(JoinedAt begin, JoinedAt end) {
  std::string puts, joins, gets;
  std::map<std::string, int> rows;
  for (JoinedAt joined = begin; joined != end; ++joined) {
    const std::string parts = PartsName(joined->type);
    const int row = threads_ * rows[parts]++;
    const Expression mine = Expression(row) + Expression::Variable("thread"),
                     other =
                         Expression::Load(parts, joined->type, mine + Expression::Variable("half"));
    const std::string put =
        absl::StrCat(parts, "[", printer_.Print(mine), "] = ", joined->variable, ";\n");
    Block join;
    if (joined->identity) {
      Statement sum = joined->statement;
      sum.value = Expression::Make(sum.value.operation(), sum.value.type(),
                                   {sum.value.node().operands[0], other});
      join = {sum};
    } else {
      join = {{.kind = Statement::kLet, .name = joined->value, .value = other}, joined->statement};
    }
    absl::StrAppend(&puts, "    ", put);
    absl::StrAppend(&joins, printer_.Print(join, 4), "        ", put);
    absl::StrAppend(&gets, "    ", joined->variable, " = ", parts, "[", row, "];\n");
  }
  return absl::StrCat(puts, "    __syncthreads();\n    for (int half = ", threads_ / 2,
                      "; half > 0; half /= 2) {\n      if (thread < half) {\n", joins,
                      "      }\n      __syncthreads();\n    }\n", gets, "    __syncthreads();\n");
}

}  // namespace lamina
