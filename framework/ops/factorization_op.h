// The ops that factorize matrices and solve with the factors, for linear_algebra.cc.
//
// What a factorization is made for are the gradients of LuSolveOp and LuDeterminantOp: they read
// the matrix `a` beside its factors, which are constants to them. So the derivative with respect to
// `a` is that of the solution, which is simple, and not that of the factors, which is not; and it
// uses the same factors.
//
// Arrays are unlabelled, of one floating type and at least two dims; dims beyond them are pages.
#ifndef FRAMEWORK_OPS_FACTORIZATION_OP_H_
#define FRAMEWORK_OPS_FACTORIZATION_OP_H_

#include <string>

#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {

/// Of a: its L and U, packed as cpu::LuFactor does it, and the exchanges of rows, int32, n x 1 x
/// pages. Has no derivative.
class LuOp : public Op, public WrittenOp {
 public:
  std::string_view Name() const override { return "lu"; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool HasFastKernel() const override { return true; }
  bool IsDifferentiable() const override { return false; }
};

/// Of a, what LuOp gives of it, and b: x of a x = b or of a^H x = b.
class LuSolveOp : public Op, public WrittenOp {
 public:
  explicit LuSolveOp(bool transposed) : transposed_(transposed) {}
  std::string_view Name() const override { return "lu_solve"; }
  std::string Attributes() const override;
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool HasFastKernel() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return 0b111; }

 private:
  bool transposed_;
};

/// Of a and what LuOp gives of it, 1 x 1 x pages: the determinant, its sign, the logarithm of its
/// magnitude.
class LuDeterminantOp : public Op, public WrittenOp {
 public:
  std::string_view Name() const override { return "lu_determinant"; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool HasFastKernel() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedOutputs() const override { return 0b011; }
};

/// Of a Hermitian a, of which the lower triangle is read: L as cpu::Cholesky gives it. Its gradient
/// is Hermitian too.
class CholeskyOp : public Op, public WrittenOp {
 public:
  std::string_view Name() const override { return "cholesky"; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool HasFastKernel() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
};

/// Of t and b: x of T x = b or of T^H x = b, for one triangle T of t.
class TriangularSolveOp : public Op, public WrittenOp {
 public:
  TriangularSolveOp(bool lower, bool transposed) : lower_(lower), transposed_(transposed) {}
  std::string_view Name() const override { return "triangular_solve"; }
  std::string Attributes() const override;
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  bool HasFastKernel() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return 0b01; }

 private:
  bool lower_, transposed_;
};

/// The elements of matrices of any type on and below, or on and above, diagonal k; zeros elsewhere.
class TriangleOp : public Op, public WrittenOp {
 public:
  TriangleOp(bool lower, int64_t k) : lower_(lower), k_(k) {}
  std::string_view Name() const override { return "triangle"; }
  std::string Attributes() const override;
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override;
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  bool lower_;
  int64_t k_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_FACTORIZATION_OP_H_
