#include "framework/layers/settings.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"

namespace lamina::internal {
namespace {

[[noreturn]] void Invalid(std::string_view layer, std::string_view setting,
                          const std::string& allowed, const std::string& came) {
  throw Error("layer:InvalidSetting",
              absl::StrCat(std::string(layer), ": ", std::string(setting), " is ", allowed, "."),
              absl::StrCat(came, " came."), "");
}

std::string Labels(int spatial, const char* rest) {
  return absl::StrCat("\"", std::string(spatial, 'S'), rest, "\"");
}

}  // namespace

void RequireAtLeast(std::string_view layer, std::string_view setting, int64_t value,
                    int64_t least) {
  if (value >= least) return;
  Invalid(layer, setting, absl::StrCat("a whole number, ", least, " or more"), absl::StrCat(value));
}

void RequireEach(std::string_view layer, std::string_view setting, const Sizes& value, int rank,
                 int64_t least) {
  const int entries = static_cast<int>(value.size());
  const bool fits = entries == 1 || entries == rank;
  if (fits && *std::min_element(value.begin(), value.end()) >= least) return;
  Invalid(layer, setting,
          rank == 1 ? absl::StrCat("one whole number, ", least, " or more")
                    : absl::StrCat("one whole number for all dims or one for each of ", rank, ", ",
                                   least, " or more"),
          Bracketed(value));
}

void RequireInterval(std::string_view layer, std::string_view setting, double value, double low,
                     double high) {
  if (value >= low && value < high) return;
  Invalid(layer, setting, absl::StrCat("a number from ", low, " up to, but not, ", high),
          absl::StrCat(value));
}

void RequirePositive(std::string_view layer, std::string_view setting, double value) {
  if (value > 0 && std::isfinite(value)) return;
  Invalid(layer, setting, "a finite number above 0", absl::StrCat(value));
}

void RequireOneOf(std::string_view layer, std::string_view setting, std::string_view value,
                  std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), value) != words.end()) return;
  std::string list;
  for (std::string_view word : words) {
    if (!list.empty()) list += word == *(words.end() - 1) ? " or " : ", ";
    list.append("\"").append(word).append("\"");
  }
  Invalid(layer, setting, list, absl::StrCat("\"", std::string(value), "\""));
}

void WrongFormat(std::string_view layer, std::string_view expected, const ArraySpec& came) {
  throw Error("layer:InputFormat",
              absl::StrCat(std::string(layer), " expects ", std::string(expected), "."),
              absl::StrCat("A ", ToString(came), " came."),
              "Look at the layer before this one, or at the labels of the data.");
}

Sizes ForEachDim(const Sizes& option, int rank) {
  return option.size() == 1 ? Sizes(static_cast<size_t>(rank), option[0]) : option;
}

std::string Bracketed(const Sizes& sizes) {
  return absl::StrCat("[", absl::StrJoin(sizes, " "), "]");
}

PaddingSetting PaddingSetting::Of(std::string_view layer, const Padding& padding, int rank) {
  if (padding == Padding("same")) return {"same", {}};
  if (padding == Padding("causal")) {
    if (rank != 1) Invalid(layer, "Padding", "\"causal\" for one dim only", "\"causal\"");
    return {"causal", {}};
  }
  PaddingSetting setting;
  try {
    auto [begin, end] = padding.Explicit(layer, rank);
    setting.size = std::move(begin);
    setting.size.insert(setting.size.end(), end.begin(), end.end());
  } catch (const Error& e) {
    throw Error("layer:InvalidSetting", e.message(), "", "");
  }
  return setting;
}

std::string PaddingSetting::Text() const {
  return mode == "manual" ? Bracketed(size) : absl::StrCat("\"", mode, "\"");
}

Padding ToPadding(const std::string& mode, const Sizes& size) {
  if (mode != "manual") return Padding(mode);
  const auto middle = size.begin() + static_cast<std::ptrdiff_t>(size.size() / 2);
  return Padding::BeginEnd(Sizes(size.begin(), middle), Sizes(middle, size.end()));
}

bool MovesOverTime(std::string_view layer, int rank, const ArraySpec& x) {
  const int spatial = x.format.Count('S');
  if (spatial == rank) return false;
  if (spatial == rank - 1 && x.format.Find('T') >= 0) return true;
  WrongFormat(layer,
              absl::StrCat("data with ", Counted(rank, "S dim"), ", such as ", Labels(rank, "CB"),
                           ", or ", rank == 1 ? "none" : absl::StrCat(rank - 1), " and T, such as ",
                           Labels(rank - 1, "CBT")),
              x);
}

}  // namespace lamina::internal
