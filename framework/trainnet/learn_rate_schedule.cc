#include "framework/trainnet/learn_rate_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

using internal::CheckAtLeastOne;
using internal::CheckNonNegative;
using internal::ThrowInvalidOption;

void CheckNumSteps(std::string_view name, int64_t n) {
  if (n >= 0) return;  // 0 is kRestOfTraining.
  ThrowInvalidOption(name, "1 or more, kRestOfTraining or kForever", absl::StrCat(n));
}

double Fraction(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Step s of n; after the end, the last one: no new period begins there.
int64_t Kept(int64_t s, int64_t n) { return std::min(s, n - 1); }

double ThroughLine(double initial, double final, double power, int64_t s, int64_t n) {
  if (s >= n) return final;
  return final + (initial - final) * std::pow(1 - Fraction(s, n), power);
}

}  // namespace

LearnRateSchedule::LearnRateSchedule()
    : LearnRateSchedule("none", ScheduleUnit::kEpoch, kForever,
                        [](int64_t, int64_t, const SchedulePosition&) { return 1.0; }) {}

LearnRateSchedule PiecewiseLearnRate(const PiecewiseOptions& o) {
  CheckNonNegative("drop_factor", o.drop_factor);
  CheckAtLeastOne("period", o.period);
  CheckNumSteps("num_steps", o.num_steps);
  return {"piecewise", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition&) {
            return std::pow(o.drop_factor, static_cast<double>(Kept(s, n) / o.period));
          }};
}

LearnRateSchedule WarmupLearnRate(const WarmupOptions& o) {
  CheckNonNegative("initial_factor", o.initial_factor);
  CheckNonNegative("final_factor", o.final_factor);
  CheckNumSteps("num_steps", o.num_steps);
  return {"warmup", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition&) {
            if (s >= n) return o.final_factor;
            return o.initial_factor + (o.final_factor - o.initial_factor) * Fraction(s, n);
          }};
}

LearnRateSchedule PolynomialLearnRate(const PolynomialOptions& o) {
  internal::CheckPositive("power", o.power);
  CheckNonNegative("initial_factor", o.initial_factor);
  CheckNonNegative("final_factor", o.final_factor);
  CheckNumSteps("num_steps", o.num_steps);
  return {"polynomial", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition&) {
            return ThroughLine(o.initial_factor, o.final_factor, o.power, s, n);
          }};
}

LearnRateSchedule ExponentialLearnRate(const ExponentialOptions& o) {
  CheckNonNegative("drop_factor", o.drop_factor);
  CheckAtLeastOne("period", o.period);
  CheckNumSteps("num_steps", o.num_steps);
  return {"exponential", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition&) {
            return std::pow(o.drop_factor, Fraction(Kept(s, n), o.period));
          }};
}

LearnRateSchedule CosineLearnRate(const CosineOptions& o) {
  CheckNonNegative("initial_factor", o.initial_factor);
  CheckNonNegative("min_factor", o.min_factor);
  CheckNumSteps("period", o.period);
  CheckNumSteps("num_steps", o.num_steps);
  if (!(o.period_growth_factor >= 1) || !std::isfinite(o.period_growth_factor)) {
    ThrowInvalidOption("period_growth_factor", "a finite number, 1 or more",
                       absl::StrCat(o.period_growth_factor));
  }
  return {"cosine", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition& p) {
            const int64_t all = o.unit == ScheduleUnit::kEpoch
                                    ? p.max_epochs
                                    : p.max_epochs * p.iterations_per_epoch;
            double period = static_cast<double>(
                o.period != kRestOfTraining ? o.period : std::max<int64_t>(1, std::min(n, all)));
            double at = static_cast<double>(Kept(s, n));
            if (o.period_growth_factor == 1) at = std::fmod(at, period);
            while (at >= period) {
              at -= period;
              period *= o.period_growth_factor;
            }
            return o.min_factor + (o.initial_factor - o.min_factor) *
                                      (1 + std::cos(std::numbers::pi * at / period)) / 2;
          }};
}

LearnRateSchedule CyclicalLearnRate(const CyclicalOptions& o) {
  CheckNonNegative("base_factor", o.base_factor);
  CheckNonNegative("max_factor", o.max_factor);
  CheckNumSteps("num_steps", o.num_steps);
  if (o.period < 2) ThrowInvalidOption("period", "2 or more", absl::StrCat(o.period));
  if (!(o.step_up_fraction > 0 && o.step_up_fraction < 1)) {
    ThrowInvalidOption("step_up_fraction", "a number between 0 and 1",
                       absl::StrCat(o.step_up_fraction));
  }
  return {"cyclical", o.unit, o.num_steps, [o](int64_t s, int64_t n, const SchedulePosition&) {
            const double a = Fraction(Kept(s, n) % o.period, o.period), up = o.step_up_fraction;
            const double height = a <= up ? a / up : (1 - a) / (1 - up);
            return o.base_factor + (o.max_factor - o.base_factor) * height;
          }};
}

LearnRateSchedule CustomLearnRate(std::function<double(const SchedulePosition&)> factor,
                                  ScheduleUnit unit, int64_t num_steps) {
  CheckNumSteps("num_steps", num_steps);
  if (factor == nullptr) ThrowInvalidOption("factor", "a function", "None");
  return {"custom", unit, num_steps,
          [f = std::move(factor)](int64_t, int64_t, const SchedulePosition& p) {
            const double factor = f(p);
            CheckNonNegative("learn_rate_schedule, the factor of a custom function", factor);
            return factor;
          }};
}

LearnRateSchedules::LearnRateSchedules(std::string_view name) {
  internal::CheckChoice(
      "learn_rate_schedule", name,
      {"none", "piecewise", "warmup", "polynomial", "exponential", "cosine", "cyclical"});
  if (name == "piecewise") list_.push_back(PiecewiseLearnRate());
  if (name == "warmup") list_.push_back(WarmupLearnRate());
  if (name == "polynomial") list_.push_back(PolynomialLearnRate());
  if (name == "exponential") list_.push_back(ExponentialLearnRate());
  if (name == "cosine") list_.push_back(CosineLearnRate());
  if (name == "cyclical") list_.push_back(CyclicalLearnRate());
}

LearnRateSchedules::LearnRateSchedules(std::initializer_list<LearnRateSchedule> list)
    : list_(list) {
  for (size_t i = 0; i + 1 < list_.size(); ++i) {
    if (list_[i].num_steps() != kForever && list_[i].num_steps() != kRestOfTraining) continue;
    ThrowInvalidOption("learn_rate_schedule",
                       "schedules of which each but the last has a number of steps",
                       absl::StrCat("\"", list_[i].name(), "\" without an end, before \"",
                                    list_[i + 1].name(), "\","));
  }
}

double LearnRateSchedules::Factor(const SchedulePosition& position) const {
  // Positions at which a schedule begins; in epochs and in iterations, since units may change.
  int64_t epoch = position.epoch - 1, iteration = position.iteration - 1;
  int64_t begin_epoch = 0, begin_iteration = 0;
  for (size_t i = 0; i < list_.size(); ++i) {
    const LearnRateSchedule& schedule = list_[i];
    const bool by_epoch = schedule.unit() == ScheduleUnit::kEpoch;
    const int64_t s = by_epoch ? epoch - begin_epoch : iteration - begin_iteration;
    int64_t n = schedule.num_steps();
    if (n == kRestOfTraining) {
      const int64_t all_epochs = position.max_epochs;
      n = std::max<int64_t>(1, by_epoch
                                   ? all_epochs - begin_epoch
                                   : all_epochs * position.iterations_per_epoch - begin_iteration);
    }
    if (s < n) return schedule.Factor(std::max<int64_t>(0, s), n, position);
    if (i + 1 == list_.size()) return schedule.Factor(n, n, position);
    // The next one begins where this one ended; within an epoch if its unit is the iteration.
    if (by_epoch) {
      begin_epoch += n;
      begin_iteration = begin_epoch * position.iterations_per_epoch;
    } else {
      begin_iteration += n;
      begin_epoch =
          (begin_iteration + position.iterations_per_epoch - 1) / position.iterations_per_epoch;
    }
  }
  return 1;
}

}  // namespace lamina
