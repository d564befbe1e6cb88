// How the learn rate changes while a network is trained.
//
// A schedule gives a factor on the initial learn rate for each step, where a step is an epoch or an
// iteration, counted from 0 when the schedule begins. Several schedules follow one another: each
// takes its number of steps, then the next begins at its own step 0; when the last one has ended,
// its last factor stays.
//
//   TrainingOptions options{.learn_rate_schedule = "cosine"};
//   options.learn_rate_schedule = {WarmupLearnRate({.num_steps = 3}),
//                                  PiecewiseLearnRate({.drop_factor = 0.5, .period = 5})};
//   options.learn_rate_schedule =
//       CustomLearnRate([](const SchedulePosition& p) { return 1.0 / p.epoch; });
//
// Below s is the step and n = num_steps. Threads: values; a custom function is called by the thread
// that trains. Errors of all: "trainnet:InvalidOption".
#ifndef FRAMEWORK_TRAINNET_LEARN_RATE_SCHEDULE_H_
#define FRAMEWORK_TRAINNET_LEARN_RATE_SCHEDULE_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace lamina {

enum class ScheduleUnit : uint8_t { kEpoch, kIteration };

/// Number of steps: all that are left of the training.
inline constexpr int64_t kRestOfTraining = 0;
/// Number of steps: no end.
inline constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

/// Where the training stands.
struct SchedulePosition {
  int64_t epoch = 1;      ///< From 1.
  int64_t iteration = 1;  ///< From 1, over all epochs.
  int64_t iterations_per_epoch = 1;
  int64_t max_epochs = 1;
};

class LearnRateSchedule {
 public:
  /// The factor for step s of n, both in `unit`; n may be kForever.
  using FactorFn = std::function<double(int64_t s, int64_t n, const SchedulePosition& position)>;

  /// Nothing changes, for ever.
  LearnRateSchedule();
  LearnRateSchedule(std::string name, ScheduleUnit unit, int64_t num_steps, FactorFn factor)
      : name_(std::move(name)), unit_(unit), num_steps_(num_steps), factor_(std::move(factor)) {}
  const std::string& name() const { return name_; }
  ScheduleUnit unit() const { return unit_; }
  int64_t num_steps() const { return num_steps_; }
  double Factor(int64_t step, int64_t num_steps, const SchedulePosition& position) const {
    return factor_(step, num_steps, position);
  }

 private:
  std::string name_;
  ScheduleUnit unit_;
  int64_t num_steps_;
  FactorFn factor_;
};

struct PiecewiseOptions {
  double drop_factor = 0.1;
  int64_t period = 10;
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = kForever;
};
/// drop_factor^floor(s / period).
LearnRateSchedule PiecewiseLearnRate(const PiecewiseOptions& options = {});

struct WarmupOptions {
  double initial_factor = 0.1;
  double final_factor = 1;
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = 5;
};
/// From initial_factor in even steps, so that final_factor is reached at s = n:
/// initial + (final - initial) s / n, and final from there on.
LearnRateSchedule WarmupLearnRate(const WarmupOptions& options = {});

struct PolynomialOptions {
  double power = 1;
  double initial_factor = 1;
  double final_factor = 0;
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = kRestOfTraining;
};
/// final + (initial - final) (1 - s / n)^power, and final from s = n on. Power 1 is a straight
/// line.
LearnRateSchedule PolynomialLearnRate(const PolynomialOptions& options = {});

struct ExponentialOptions {
  double drop_factor = 0.1;
  int64_t period = 10;
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = kForever;
};
/// drop_factor^(s / period): as piecewise at the ends of the periods, smooth between.
LearnRateSchedule ExponentialLearnRate(const ExponentialOptions& options = {});

struct CosineOptions {
  double initial_factor = 1;
  double min_factor = 0;
  /// Steps from the highest to the lowest factor. Then it starts again.
  int64_t period = kRestOfTraining;
  double period_growth_factor = 2;  ///< Each period is longer than the one before by this, >= 1.
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = kForever;
};
/// min + (initial - min) (1 + cos(pi a)) / 2, where a is the part of the current period that has
/// passed, from 0. Source: I. Loshchilov and F. Hutter, 2017 (warm restarts), equation 5.
LearnRateSchedule CosineLearnRate(const CosineOptions& options = {});

struct CyclicalOptions {
  double base_factor = 0.1;
  double max_factor = 1;
  int64_t period = 10;            ///< Steps of one whole cycle, up and down; 2 or more.
  double step_up_fraction = 0.5;  ///< The part of a cycle in which the rate rises, in (0, 1).
  ScheduleUnit unit = ScheduleUnit::kEpoch;
  int64_t num_steps = kForever;
};
/// A triangle between base and max: base + (max - base) a / up while the part a of the cycle is at
/// most up = step_up_fraction, then base + (max - base) (1 - a) / (1 - up).
/// Source: L. N. Smith, 2017 (triangular policy).
LearnRateSchedule CyclicalLearnRate(const CyclicalOptions& options = {});

/// Your own factor: a finite number, 0 or more; asked at each iteration.
LearnRateSchedule CustomLearnRate(std::function<double(const SchedulePosition&)> factor,
                                  ScheduleUnit unit = ScheduleUnit::kIteration,
                                  int64_t num_steps = kForever);

/// One schedule or several, one after another.
class LearnRateSchedules {
 public:
  /// Nothing changes.
  LearnRateSchedules() = default;
  /// By name, with the defaults above: "none", "piecewise", "warmup", "polynomial", "exponential",
  /// "cosine", "cyclical".
  LearnRateSchedules(std::string_view name);   // NOLINT
  LearnRateSchedules(const std::string& name)  // NOLINT
      : LearnRateSchedules(std::string_view(name)) {}
  LearnRateSchedules(const char* name) : LearnRateSchedules(std::string_view(name)) {}  // NOLINT
  LearnRateSchedules(LearnRateSchedule schedule) : list_{std::move(schedule)} {}        // NOLINT
  /// Errors: "trainnet:InvalidOption" when one that has no end stands before another.
  LearnRateSchedules(std::initializer_list<LearnRateSchedule> list);  // NOLINT

  /// The factor on the initial learn rate. Errors: "trainnet:InvalidOption" when a custom function
  /// returns a negative or not finite one.
  double Factor(const SchedulePosition& position) const;

 private:
  std::vector<LearnRateSchedule> list_;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_LEARN_RATE_SCHEDULE_H_
