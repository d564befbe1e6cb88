#include "framework/cpu/convolution_dnnl.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "framework/cpu/allocator.h"
#include "framework/cpu/convolution_amx.h"
#include "framework/cpu/convolution_vectors.h"
#include "framework/cpu/convolution_winograd.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

using dnnl::memory;
using Dims = memory::dims;

dnnl::engine& Engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

struct Key {
  ConvolutionKind kind;
  bool has_bias;
  bool blocks;  // x and y come in blocks of channels
  int threads;
  ConvolutionShape shape;
  friend bool operator==(const Key&, const Key&) = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    const ConvolutionShape& s = key.shape;
    uint64_t h =
        static_cast<uint64_t>(key.kind) * 4 + (key.blocks ? 2 : 0) + (key.has_bias ? 1 : 0);
    const auto mix = [&h](int64_t v) {
      h = (h ^ static_cast<uint64_t>(v)) * 0x9e3779b97f4a7c15u;
      h ^= h >> 29;
    };
    for (int64_t v : {int64_t{key.threads}, int64_t{s.spatial_rank}, s.batch, s.channels_in,
                      s.channels_out, s.groups}) {
      mix(v);
    }
    for (const auto* part :
         {&s.input, &s.kernel, &s.output, &s.stride, &s.dilation, &s.pad_begin, &s.pad_end}) {
      for (int64_t v : *part) mix(v);
    }
    return h;
  }
};

// An argument of the primitive: the caller's memory (plain, or in blocks), the primitive's, and the
// way between them.
struct Argument {
  memory::desc plain, wanted;
  dnnl::reorder reorder;  // used if the two differ
  bool differs() const { return plain != wanted; }
};

// A compiled convolution; never changed after it was made.
struct Plan {
  dnnl::primitive primitive;
  Argument x, weights, y;
  memory::desc bias, scratchpad;
};

// Spatial sizes in oneDNN's order: the slowest first.
Dims Reversed(const std::array<int64_t, 3>& values, int rank) {
  Dims dims;
  for (int d = rank - 1; d >= 0; --d) dims.push_back(values[static_cast<size_t>(d)]);
  return dims;
}

Dims Join(Dims head, const Dims& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

memory::desc Plain(const Dims& dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= dims[d];
  }
  return memory::desc(dims, memory::data_type::f32, strides);
}
memory::desc Any(const Dims& dims) {
  return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
}

// [16 x positions x C / 16 x N] in our order.
memory::desc InBlocks(const Dims& dims) {
  static constexpr memory::format_tag kTags[] = {
      memory::format_tag::nCw16c, memory::format_tag::nChw16c, memory::format_tag::nCdhw16c};
  return memory::desc(dims, memory::data_type::f32, kTags[dims.size() - 3]);
}

// Whether the data is to be reordered to blocks of channels and back. Measured (one thread, 3 x 3
// filters, AVX-512): for 64 to 64 and for 8 to 16 channels this takes half to a third of the time
// that the plain primitive takes, reordering included; only the gradient of a few input channels,
// which then are padded to 16, is two to three times slower.
bool WantsBlocks(const Key& key) {
  return key.kind != ConvolutionKind::kBackwardData ||
         key.shape.channels_in / key.shape.groups >= 4;
}

std::shared_ptr<const Plan> Make(const Key& key) {
  constexpr dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
  const ConvolutionShape& s = key.shape;
  const int rank = s.spatial_rank;
  const Dims x = Join({s.batch, s.channels_in}, Reversed(s.input, rank));
  const Dims y = Join({s.batch, s.channels_out}, Reversed(s.output, rank));
  const Dims kernel = Reversed(s.kernel, rank);
  const Dims weights =
      s.groups > 1 ? Join({s.groups, s.channels_out / s.groups, s.channels_in / s.groups}, kernel)
                   : Join({s.channels_out, s.channels_in}, kernel);
  const Dims stride = Reversed(s.stride, rank), begin = Reversed(s.pad_begin, rank),
             end = Reversed(s.pad_end, rank);
  Dims dilation = Reversed(s.dilation, rank);
  for (int64_t& d : dilation) --d;
  auto plan = std::make_shared<Plan>();
  plan->x.plain = key.blocks ? InBlocks(x) : Plain(x);
  plan->weights.plain = Plain(weights);
  plan->y.plain = key.blocks ? InBlocks(y) : Plain(y);
  if (key.has_bias) plan->bias = Plain({s.channels_out});
  const bool blocks = key.blocks || WantsBlocks(key);
  const memory::desc want_x = blocks ? Any(x) : plan->x.plain;
  const memory::desc want_y = blocks ? Any(y) : plan->y.plain;
  const memory::desc want_weights = Any(weights);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto forward_desc = [&] {
    return key.has_bias && key.kind == ConvolutionKind::kForward
               ? dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training, algorithm,
                                                 want_x, want_weights, plan->bias, want_y, stride,
                                                 dilation, begin, end)
               : dnnl::convolution_forward::desc(dnnl::prop_kind::forward_training, algorithm,
                                                 want_x, want_weights, want_y, stride, dilation,
                                                 begin, end);
  };
  const dnnl::convolution_forward::primitive_desc forward(forward_desc(), attributes, Engine());
  switch (key.kind) {
    case ConvolutionKind::kForward: {
      plan->primitive = dnnl::convolution_forward(forward);
      plan->x.wanted = forward.src_desc();
      plan->weights.wanted = forward.weights_desc();
      plan->y.wanted = forward.dst_desc();
      plan->scratchpad = forward.scratchpad_desc();
      break;
    }
    case ConvolutionKind::kBackwardData: {
      const dnnl::convolution_backward_data::primitive_desc backward(
          dnnl::convolution_backward_data::desc(algorithm, want_x, want_weights, want_y, stride,
                                                dilation, begin, end),
          attributes, Engine(), forward);
      plan->primitive = dnnl::convolution_backward_data(backward);
      plan->x.wanted = backward.diff_src_desc();
      plan->weights.wanted = backward.weights_desc();
      plan->y.wanted = backward.diff_dst_desc();
      plan->scratchpad = backward.scratchpad_desc();
      break;
    }
    case ConvolutionKind::kBackwardWeights: {
      using Backward = dnnl::convolution_backward_weights;
      const Backward::desc desc = key.has_bias
                                      ? Backward::desc(algorithm, want_x, want_weights, plan->bias,
                                                       want_y, stride, dilation, begin, end)
                                      : Backward::desc(algorithm, want_x, want_weights, want_y,
                                                       stride, dilation, begin, end);
      const Backward::primitive_desc backward(desc, attributes, Engine(), forward);
      plan->primitive = Backward(backward);
      plan->x.wanted = backward.src_desc();
      plan->weights.wanted = backward.diff_weights_desc();
      plan->y.wanted = backward.diff_dst_desc();
      plan->scratchpad = backward.scratchpad_desc();
      break;
    }
  }
  const auto add_reorder = [&](Argument& argument, bool written) {
    if (!argument.differs()) return;
    const memory::desc& from = written ? argument.wanted : argument.plain;
    const memory::desc& to = written ? argument.plain : argument.wanted;
    argument.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(Engine(), from, Engine(), to));
  };
  add_reorder(plan->x, key.kind == ConvolutionKind::kBackwardData);
  add_reorder(plan->weights, key.kind == ConvolutionKind::kBackwardWeights);
  add_reorder(plan->y, key.kind == ConvolutionKind::kForward);
  return plan;
}

// The plans that are kept, the latest used first. nullptr: oneDNN has none.
class Plans {
 public:
  std::shared_ptr<const Plan> Find(const Key& key) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (const auto found = index_.find(key); found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
      }
    }
    std::shared_ptr<const Plan> plan;
    try {
      plan = Make(key);  // slow: not under the lock
    } catch (const dnnl::error& error) {
      if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = index_.find(key); found != index_.end()) return found->second->second;
    entries_.emplace_front(key, plan);
    index_.emplace(key, entries_.begin());
    if (entries_.size() > kMaxPrimitives) {
      index_.erase(entries_.back().first);
      entries_.pop_back();
    }
    return plan;
  }

  size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return entries_.size();
  }

 private:
  using Entry = std::pair<Key, std::shared_ptr<const Plan>>;
  std::mutex mutex_;
  std::list<Entry> entries_;
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> index_;
};

Plans& AllPlans() {
  static Plans* plans = new Plans;  // never destroyed: threads may outlive it
  return *plans;
}

// oneDNN memory on a block of our allocator.
class Block {
 public:
  explicit Block(const memory::desc& desc)
      : bytes_(desc.get_size()), data_(Allocate(bytes_)), memory_(desc, Engine(), data_) {}
  ~Block() { Deallocate(data_, bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  const memory& get() const { return memory_; }

 private:
  const size_t bytes_;
  void* const data_;
  memory memory_;
};

// An argument while a primitive runs: our memory, and a reordered copy if the primitive wants one.
class Bound {
 public:
  Bound(const Argument& argument, float* data, bool written, dnnl::stream& stream)
      : argument_(argument), written_(written), plain_(argument.plain, Engine(), data) {
    if (!argument.differs()) return;
    block_ = std::make_unique<Block>(argument.wanted);
    if (!written) argument.reorder.execute(stream, plain_, const_cast<memory&>(block_->get()));
  }
  const memory& get() const { return block_ ? block_->get() : plain_; }
  void WriteBack(dnnl::stream& stream) {
    if (block_ && written_) {
      argument_.reorder.execute(stream, const_cast<memory&>(block_->get()), plain_);
    }
  }

 private:
  const Argument& argument_;
  const bool written_;
  memory plain_;
  std::unique_ptr<Block> block_;
};

double Operations(const ConvolutionShape& s) {
  double operations = 2.0 * static_cast<double>(s.batch * s.channels_out) *
                      static_cast<double>(s.channels_in / s.groups);
  for (size_t d = 0; d < 3; ++d) operations *= static_cast<double>(s.kernel[d] * s.output[d]);
  return operations;
}

// How many threads compute a convolution; those of oneDNN, while the object lives.
class Threads {
 public:
  explicit Threads(const ConvolutionShape& shape)
      : guard_(Operations(shape) < kParallelOperations),
        count_(omp_in_parallel() != 0 ? 1 : omp_get_max_threads()) {}
  int count() const { return count_; }

 private:
  const OneThread guard_;
  const int count_;
};

void Execute(const Plan& plan, ConvolutionKind kind, float* x, float* weights, float* bias,
             float* y) {
  try {
    dnnl::stream stream(Engine());
    Bound bound_x(plan.x, x, kind == ConvolutionKind::kBackwardData, stream);
    Bound bound_weights(plan.weights, weights, kind == ConvolutionKind::kBackwardWeights, stream);
    Bound bound_y(plan.y, y, kind == ConvolutionKind::kForward, stream);
    const Block scratchpad(plan.scratchpad);
    std::unordered_map<int, memory> arguments = {{DNNL_ARG_SCRATCHPAD, scratchpad.get()}};
    const bool backward = kind != ConvolutionKind::kForward;
    arguments.emplace(kind == ConvolutionKind::kBackwardData ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC,
                      bound_x.get());
    arguments.emplace(
        kind == ConvolutionKind::kBackwardWeights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS,
        bound_weights.get());
    arguments.emplace(backward ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, bound_y.get());
    if (bias != nullptr) {
      arguments.emplace(backward ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS,
                        memory(plan.bias, Engine(), bias));
    }
    plan.primitive.execute(stream, arguments);
    bound_x.WriteBack(stream);
    bound_weights.WriteBack(stream);
    bound_y.WriteBack(stream);
    stream.wait();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) throw std::bad_alloc();
    throw;
  }
}

void ReorderBlocks(int64_t positions, int64_t channels, int64_t batch, bool to_blocks,
                   const float* from, float* to) {
  const Dims dims = {batch, channels, positions};
  const memory::desc plain = Plain(dims), blocks = InBlocks(dims);
  const OneThread guard(positions * channels * batch < kElementwiseGrain);
  dnnl::stream stream(Engine());
  memory source(to_blocks ? plain : blocks, Engine(), const_cast<float*>(from));
  memory target(to_blocks ? blocks : plain, Engine(), to);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
}

}  // namespace

bool DnnlConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights,
                     float* bias, float* y) {
  const Threads threads(shape);
  if (kind == ConvolutionKind::kBackwardData) bias = nullptr;
  const std::shared_ptr<const Plan> plan =
      AllPlans().Find({kind, bias != nullptr, /*blocks=*/false, threads.count(), shape});
  if (plan == nullptr) return false;
  Execute(*plan, kind, x, weights, bias, y);
  return true;
}

bool WantsChannelBlocks(ConvolutionKind kind, const ConvolutionShape& shape) {
  if (shape.groups != 1 || shape.batch == 0 || shape.channels_in % kChannelBlock != 0 ||
      shape.channels_out % kChannelBlock != 0) {
    return false;
  }
  const bool strict = StrictConvolution::IsActive();
  // What it shares its images with wants them plain.
  for (const ConvolutionKind other : {ConvolutionKind::kForward, ConvolutionKind::kBackwardData,
                                      ConvolutionKind::kBackwardWeights}) {
    if (!strict && (AmxConvolutionPays(other, shape) || WinogradPays(other, shape))) return false;
    if (VectorConvolutionPays(other, shape)) return false;
  }
  const Threads threads(shape);
  const std::shared_ptr<const Plan> plan =
      AllPlans().Find({kind, /*has_bias=*/false, /*blocks=*/true, threads.count(), shape});
  return plan != nullptr && !plan->x.differs() && !plan->y.differs();
}

void ConvolutionInBlocks(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                         float* weights, float* bias, float* y) {
  const Threads threads(shape);
  const std::shared_ptr<const Plan> plan =
      AllPlans().Find({kind, bias != nullptr, /*blocks=*/true, threads.count(), shape});
  LAMINA_CHECK(plan != nullptr);
  Execute(*plan, kind, x, weights, bias, y);
}

void ToChannelBlocks(int64_t positions, int64_t channels, int64_t batch, const float* plain,
                     float* blocks) {
  ReorderBlocks(positions, channels, batch, /*to_blocks=*/true, plain, blocks);
}

void FromChannelBlocks(int64_t positions, int64_t channels, int64_t batch, const float* blocks,
                       float* plain) {
  ReorderBlocks(positions, channels, batch, /*to_blocks=*/false, blocks, plain);
}

size_t NumKeptPrimitives() { return AllPlans().size(); }

}  // namespace lamina::cpu
