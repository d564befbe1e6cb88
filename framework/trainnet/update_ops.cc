#include "framework/trainnet/update_ops.h"

#include <complex>
#include <limits>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "framework/cpu/floating_type.h"
#include "framework/trainnet/update_kernels.h"

namespace lamina::internal {
namespace {

using loops::Expression;

template <class Rates>
const Rates& RatesOf(const DlArray& array) {
  return *reinterpret_cast<const Rates*>(array.Data<double>());
}

// Elements of the inputs at these indices, and the rates in the type of the array.
struct Elements {
  OpWriter& w;
  const Indices& at;
  Expression operator[](int input) const { return w.Load(input, at); }
  Expression Rate(int i) const { return Convert(Exactly(i), w.input(0).type); }
  // 1 - rate, taken in double.
  Expression Rest(int i) const {
    return Convert(Expression::Number(1, DataType::kDouble) - Exactly(i), w.input(0).type);
  }
  // As the function of this name in update_kernels.cc.
  Expression WithoutSubnormal(std::string_view hint, const Expression& x) const {
    const DataType type = w.input(0).type;
    const double least = type == DataType::kSingle ? std::numeric_limits<float>::min()
                                                   : std::numeric_limits<double>::min();
    const Expression named = w.code().Let(hint, x);
    return Select(Abs(named) < Expression::Number(least, type), Expression::Number(0, type), named);
  }

 private:
  Expression Exactly(int i) const {
    return w.Load(w.num_inputs() - 1, {Expression(static_cast<double>(i))});
  }
};

void CheckIsReal(const OpWriter& w) {
  if (IsRealFloating(w.input(0).type)) return;
  throw Error("emit:CannotPrint", "The update of an array is printed for real arrays.",
              absl::StrCat("A ", ToString(w.input(0)), " came."), "");
}

class Sgdm : public UpdateOp {
 public:
  std::string_view Name() const override { return "sgdm_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {{true, false}, {false, true}, {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto velocity = [](const Elements& in) {
      return in.WithoutSubnormal("velocity",
                                 in.Rate(2) * in[2] - in.Rate(0) * (in[1] + in.Rate(1) * in[0]));
    };
    w.Define(0, [&w, velocity](const Indices& i) {
      const Elements in{w, i};
      return in[0] + velocity(in);
    });
    w.Define(1, [&w, velocity](const Indices& i) { return velocity({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    cpu::WithFloatingType(in[0].type(), [&]<class T>(T) {
      SgdmKernel(in[0].numel(), RatesOf<SgdmStepRates>(in[3]), in[0].Data<T>(), in[1].Data<T>(),
                 in[2].Data<T>(), out.Data<T>(0), out.Data<T>(1));
    });
  }
};

class Rmsprop : public UpdateOp {
 public:
  std::string_view Name() const override { return "rmsprop_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {
        {true, false}, {false, true}, {false, false}, {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto gradient = [](const Elements& in) { return in[1] + in.Rate(1) * in[0]; };
    const auto square = [gradient](const Elements& in) {
      const Expression g = gradient(in);
      return in.WithoutSubnormal("square", in.Rate(2) * in[2] + in.Rest(2) * (g * g));
    };
    w.Define(0, [&w, gradient, square](const Indices& i) {
      const Elements in{w, i};
      return in[0] - in.Rate(0) / (Sqrt(square(in)) + in.Rate(3)) * gradient(in);
    });
    w.Define(1, [&w, square](const Indices& i) { return square({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    cpu::WithFloatingType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      RmspropKernel(in[0].numel(), RatesOf<RmspropStepRates>(in[3]), in[0].Data<T>(),
                    in[1].Data<T>(), in[2].Data<R>(), out.Data<T>(0), out.Data<R>(1));
    });
  }
};

class Adam : public UpdateOp {
 public:
  std::string_view Name() const override { return "adam_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {{true, false}, {false, false}, {true, true},
                                           {false, true}, {false, false}, {false, false},
                                           {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto gradient = [](const Elements& in) { return in[1] + in.Rate(3) * in[0]; };
    const auto average = [gradient](const Elements& in) {
      return in.WithoutSubnormal("average", in.Rate(4) * in[2] + in.Rest(4) * gradient(in));
    };
    const auto square = [gradient](const Elements& in) {
      const Expression g = gradient(in);
      return in.WithoutSubnormal("square", in.Rate(5) * in[3] + in.Rest(5) * (g * g));
    };
    w.Define(0, [&w, average, square](const Indices& i) {
      const Elements in{w, i};
      return in.Rate(2) * in[0] -
             in.Rate(0) / (Sqrt(in.Rate(1) * square(in)) + in.Rate(6)) * average(in);
    });
    w.Define(1, [&w, average](const Indices& i) { return average({w, i}); });
    w.Define(2, [&w, square](const Indices& i) { return square({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    cpu::WithFloatingType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      AdamKernel(in[0].numel(), RatesOf<AdamStepRates>(in[4]), in[0].Data<T>(), in[1].Data<T>(),
                 in[2].Data<T>(), in[3].Data<R>(), out.Data<T>(0), out.Data<T>(1), out.Data<R>(2));
    });
  }
};

template <class T>
const UpdateOp& TheOne() {
  static const T* const op = new T;
  return *op;
}

}  // namespace

void UpdateOp::Infer(const Specs& in, SpecList* out) const {
  for (size_t i = 0; i + 1 < in.size(); ++i) {
    if (i != 1) out->push_back(in[i]);
  }
}

const UpdateOp& SgdmOp() { return TheOne<Sgdm>(); }
const UpdateOp& RmspropOp() { return TheOne<Rmsprop>(); }
const UpdateOp& AdamOp() { return TheOne<Adam>(); }

}  // namespace lamina::internal
