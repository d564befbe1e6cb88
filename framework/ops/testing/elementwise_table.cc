#include "framework/ops/testing/elementwise_table.h"

#include "framework/ops/elementwise.h"

namespace lamina {

const std::map<std::string, UnaryFunction>& UnaryFunctions() {
  static const auto* const kTable = new std::map<std::string, UnaryFunction>{
      {"negate", operator- }, {"abs", Abs}, {"sign", Sign}, {"exp", Exp}, {"expm1", Expm1},
       {"log", Log}, {"log1p", Log1p}, {"log2", Log2}, {"log10", Log10}, {"sqrt", Sqrt},
       {"rsqrt", Rsqrt}, {"square", Square}, {"reciprocal", Reciprocal}, {"sin", Sin}, {"cos", Cos},
       {"tan", Tan}, {"asin", Asin}, {"acos", Acos}, {"atan", Atan}, {"sinh", Sinh}, {"cosh", Cosh},
       {"tanh", Tanh}, {"asinh", Asinh}, {"acosh", Acosh}, {"atanh", Atanh}, {"sigmoid", Sigmoid},
       {"erf", Erf}, {"floor", Floor}, {"ceil", Ceil}, {"round", Round}, {"fix", Fix},
       {"relu", Relu},
       {
           "not",
           operator!},
           {"conj", Conj},
           {"real", Real},
           {"imag", Imag},
           {"isnan", IsNan},
      };
  return *kTable;
}

const std::map<std::string, BinaryFunction>& BinaryFunctions() {
  static const auto* const kTable = new std::map<std::string, BinaryFunction>{
      {"plus", operator+ },
       {"minus", operator- },
        {"times", operator* },
         {"divide", operator/ }, {"power", Power}, {"max", Max}, {"min", Min}, {"atan2", Atan2},
          {"mod", Mod}, {"eq", Equal}, {"ne", NotEqual},
          {"lt", operator<},
           {"le", operator<= },
            {"gt", operator> },
             {"ge", operator>= },
              {"and", operator& },
               {
                   "or",
                   operator| },
                   {"xor", Xor},
                   {"complex", Complex},
              };
  return *kTable;
}

}  // namespace lamina
