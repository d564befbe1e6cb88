// Parts of arrays along one dim, one of them or several side by side: the ops, shared by slice.cc
// (what users call), the tape, which adds up the derivatives of many slices at once
// (autodiff/gradient_sum.h), and passes over graphs (graph/direct_parts.h).
#ifndef FRAMEWORK_OPS_PARTS_OP_H_
#define FRAMEWORK_OPS_PARTS_OP_H_

#include <compare>
#include <cstdint>
#include <string>

#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina {

/// Positions start, start + step, ... along one dim.
struct SliceRange {
  int dim;
  int64_t start, count, step;

  auto operator<=>(const SliceRange&) const = default;
  std::string ToString() const;
  /// Where position i[dim] of the slice stands in the whole.
  Indices At(Indices i) const;
};

/// Of one array that has the range.
class SliceOp : public Op, public WrittenOp {
 public:
  explicit SliceOp(const SliceRange& range) : range_(range) {}
  const SliceRange& range() const { return range_; }

  std::string_view Name() const override { return "slice"; }
  std::string Attributes() const override { return range_.ToString(); }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;

 private:
  SliceRange range_;
};

/// Side by side, of arrays of one type whose labels and other sizes agree.
class CatOp : public Op, public WrittenOp {
 public:
  explicit CatOp(int dim) : dim_(dim) {}
  int dim() const { return dim_; }

  std::string_view Name() const override { return "cat"; }
  std::string Attributes() const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool ReadsElementsOnce() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override;

 private:
  int dim_;
};

/// The transpose of a slice: zeros of `size` along the dim, `part` at the range.
DlArray EmbedSlice(const DlArray& part, const SliceRange& range, int64_t size);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_PARTS_OP_H_
