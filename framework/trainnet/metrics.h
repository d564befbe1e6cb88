// Numbers that tell people how good a network is, gathered exactly over any number of batches.
//
//   TrainingOptions options{.metrics = {"accuracy", FScoreMetric({.beta = 2})}};
//   std::vector<double> values = TestNet(network, data, {"accuracy"});
//
// A metric is named, or one of the objects here, or your own class with these functions:
//
//   struct LargestErrorMetric {
//     double largest = 0;
//     std::string Name() const { return "largest error"; }
//     bool Maximize() const { return false; }            // Is more better? True if left out.
//     void Reset() { largest = 0; }
//     void Update(const DlArray& y, const DlArray& t) {  // A batch of outputs and targets.
//       largest = std::max(largest, MaxOver(Abs(y - t)).Scalar());
//     }
//     double Evaluate() const { return largest; }        // Of all batches since Reset.
//   };
//
// or a function of outputs and targets, which is averaged over batches with the number of their
// observations as weight: FunctionMetric("bias", [](const DlArray& y, const DlArray& t) { ... }).
//
// Metrics of classes take scores along C, and targets one-hot (or probabilities) along C or class
// numbers in an integer type without C. The class is that of the largest score; with one channel
// there are two classes, 1 from the threshold 0.5 on. Each observation and time step counts once.
//
// Threads: values; one thread at a time for each. Errors: "trainnet:MetricSize" when targets do not
// fit outputs, "trainnet:InvalidOption".
#ifndef FRAMEWORK_TRAINNET_METRICS_H_
#define FRAMEWORK_TRAINNET_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// How the numbers of the classes become one.
enum class MetricAverage : uint8_t {
  kMacro,     ///< The mean over classes that occur in outputs or targets.
  kMicro,     ///< From the counts of all classes together.
  kWeighted,  ///< The mean over classes, each weighted by how often it is the target.
};

/// The part of right decisions, 0 to 1. With top_k > 1 a decision is right when the target is among
/// the k largest scores.
class AccuracyMetric {
 public:
  struct Options {
    std::string name = "accuracy";
    int64_t top_k = 1;
  };
  explicit AccuracyMetric(const Options& options);
  AccuracyMetric() : AccuracyMetric(Options()) {}
  std::string Name() const { return options_.name; }
  void Reset() { right_ = all_ = 0; }
  void Update(const DlArray& y, const DlArray& t);
  /// NaN before the first observation.
  double Evaluate() const;

 private:
  Options options_;
  int64_t right_ = 0, all_ = 0;
};

/// The root of the mean over all elements of |y - t|^2. Targets have the sizes of the outputs.
class RmseMetric {
 public:
  explicit RmseMetric(std::string name = "rmse") : name_(std::move(name)) {}
  std::string Name() const { return name_; }
  bool Maximize() const { return false; }
  void Reset() { sum_ = 0, count_ = 0; }
  void Update(const DlArray& y, const DlArray& t);
  /// NaN before the first element.
  double Evaluate() const;

 private:
  std::string name_;
  double sum_ = 0;
  int64_t count_ = 0;
};

namespace internal {

/// What metrics have in common that count for each class how often it was chosen rightly, chosen
/// wrongly, and missed.
class ClassMetric {
 public:
  std::string Name() const { return name_; }
  void Reset() { right_ = wrong_ = missed_ = {}; }
  void Update(const DlArray& y, const DlArray& t);

 protected:
  ClassMetric(std::string name, MetricAverage average)
      : name_(std::move(name)), average_(average) {}
  /// The average of ratio(right, wrong, missed); NaN without observations.
  double Average(const std::function<double(double, double, double)>& ratio) const;

 private:
  std::string name_;
  MetricAverage average_;
  std::vector<int64_t> right_, wrong_, missed_;
};

}  // namespace internal

/// Of the decisions for a class, the part that is right. A class never chosen counts 0.
class PrecisionMetric : public internal::ClassMetric {
 public:
  struct Options {
    std::string name = "precision";
    MetricAverage average = MetricAverage::kMacro;
  };
  explicit PrecisionMetric(const Options& options) : ClassMetric(options.name, options.average) {}
  PrecisionMetric() : PrecisionMetric(Options()) {}
  double Evaluate() const;
};

/// Of the observations of a class, the part that was found. A class without any counts 0.
class RecallMetric : public internal::ClassMetric {
 public:
  struct Options {
    std::string name = "recall";
    MetricAverage average = MetricAverage::kMacro;
  };
  explicit RecallMetric(const Options& options) : ClassMetric(options.name, options.average) {}
  RecallMetric() : RecallMetric(Options()) {}
  double Evaluate() const;
};

/// (1 + b^2) right / ((1 + b^2) right + b^2 missed + wrong) with b = beta: the harmonic mean of
/// precision and recall, where recall weighs b^2 times as much. Source: C. J. van Rijsbergen, 1979.
class FScoreMetric : public internal::ClassMetric {
 public:
  struct Options {
    std::string name = "fscore";
    MetricAverage average = MetricAverage::kMacro;
    double beta = 1;  ///< Above 0.
  };
  explicit FScoreMetric(const Options& options);
  FScoreMetric() : FScoreMetric(Options()) {}
  double Evaluate() const;

 private:
  double beta_;
};

/// A function of a batch; batches are averaged with their numbers of observations as weights.
class FunctionMetric {
 public:
  using Fn = std::function<double(const DlArray& y, const DlArray& t)>;
  FunctionMetric(std::string name, Fn f, bool maximize = true)
      : name_(std::move(name)), f_(std::move(f)), maximize_(maximize) {}
  std::string Name() const { return name_; }
  bool Maximize() const { return maximize_; }
  void Reset() { sum_ = weight_ = 0; }
  void Update(const DlArray& y, const DlArray& t);
  double Evaluate() const;

 private:
  std::string name_;
  Fn f_;
  bool maximize_;
  double sum_ = 0, weight_ = 0;
};

/// Any of these: what options and TestNet take.
class AnyMetric {
 public:
  /// "accuracy", "rmse", "precision", "recall", "fscore". Errors: "trainnet:InvalidOption".
  AnyMetric(std::string_view name);                                   // NOLINT(runtime/explicit)
  AnyMetric(const char* name) : AnyMetric(std::string_view(name)) {}  // NOLINT(runtime/explicit)
  AnyMetric(const std::string& name)                                  // NOLINT(runtime/explicit)
      : AnyMetric(std::string_view(name)) {}
  /// A metric object; `output` is the number of the network's output, and of the target, that it
  /// looks at.
  template <class T>
  requires requires(T m, const T& c, const DlArray& x) {
    { c.Name() } -> std::convertible_to<std::string>;
    m.Reset();
    m.Update(x, x);
    { c.Evaluate() } -> std::convertible_to<double>;
  }
  AnyMetric(T metric, int output = 0)  // NOLINT(runtime/explicit)
      : model_(std::make_unique<ModelOf<T>>(std::move(metric))), output_(output) {}
  AnyMetric(const AnyMetric& other) : model_(other.model_->Clone()), output_(other.output_) {}
  AnyMetric(AnyMetric&&) noexcept = default;
  AnyMetric& operator=(AnyMetric other) noexcept {
    model_ = std::move(other.model_);
    output_ = other.output_;
    return *this;
  }

  std::string Name() const { return model_->Name(); }
  bool Maximize() const { return model_->Maximize(); }
  void Reset() { model_->Reset(); }
  /// All outputs and all targets of the network. Errors: "trainnet:MetricOutput" when the output
  /// that the metric looks at is not there; those of the metric, which is named.
  void Update(const DlArrays& y, const DlArrays& t);
  double Evaluate() const { return model_->Evaluate(); }

 private:
  struct Model {
    virtual ~Model() = default;
    virtual std::unique_ptr<Model> Clone() const = 0;
    virtual std::string Name() const = 0;
    virtual bool Maximize() const = 0;
    virtual void Reset() = 0;
    virtual void Update(const DlArray& y, const DlArray& t) = 0;
    virtual double Evaluate() const = 0;
  };
  template <class T>
  struct ModelOf : Model {
    explicit ModelOf(T m) : metric(std::move(m)) {}
    std::unique_ptr<Model> Clone() const override { return std::make_unique<ModelOf>(metric); }
    std::string Name() const override { return metric.Name(); }
    bool Maximize() const override {
      if constexpr (requires { metric.Maximize(); }) return metric.Maximize();
      return true;
    }
    void Reset() override { metric.Reset(); }
    void Update(const DlArray& y, const DlArray& t) override { metric.Update(y, t); }
    double Evaluate() const override { return metric.Evaluate(); }
    T metric;
  };

  std::unique_ptr<Model> model_;
  int output_ = 0;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_METRICS_H_
