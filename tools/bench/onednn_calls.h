// What the workloads *_onednn are measured against: oneDNN called directly, on memory of its own.
//
//   for (const DirectWorkload& w : DirectWorkloads()) {
//     for (const DirectVariant& v : w.variants) {
//       const std::unique_ptr<DirectCall> call = v.make(inputs);  // a list of arrays for w.sizes
//       call->Run();                                              // this is what is timed
//     }
//   }
//
// Data and weights lie in the layout that oneDNN likes best, and primitive and scratchpad are made
// once: less than this no caller of oneDNN can do.
//
// Threads: a call is used by one thread at a time, and runs on as many as OpenMP has.
#ifndef TOOLS_BENCH_ONEDNN_CALLS_H_
#define TOOLS_BENCH_ONEDNN_CALLS_H_

#include <cstdint>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace lamina::bench {

using Floats = std::vector<float>;

/// A primitive with all that it needs.
class DirectCall {
 public:
  /// `arguments` hold the output under DNNL_ARG_DST; `plain` is the output's layout in Output().
  DirectCall(dnnl::primitive primitive, std::unordered_map<int, dnnl::memory> arguments,
             dnnl::memory::desc plain);

  void Run();
  /// What the last run computed, in the order of Lamina's elements.
  Floats Output();

 private:
  dnnl::stream stream_;
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  dnnl::memory::desc plain_;
};

/// One way to ask oneDNN for it: another primitive, layout or algorithm.
struct DirectVariant {
  std::string name;
  /// The inputs have the order of Lamina's elements. Throws dnnl::error: with dnnl_unimplemented
  /// where this oneDNN has no such way on this machine.
  std::function<std::unique_ptr<DirectCall>(const std::vector<Floats>& inputs)> make;
};

struct DirectWorkload {
  std::string name;
  std::vector<int64_t> input_sizes;  ///< The number of elements of each input.
  std::vector<DirectVariant> variants;
};

const std::vector<DirectWorkload>& DirectWorkloads();

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_ONEDNN_CALLS_H_
