#include "checks/faulty/layouts.h"

namespace lamina::faulty {
namespace {

std::vector<Layouts> OneInput(std::initializer_list<NetworkDataLayout> list) {
  std::vector<Layouts> out;
  for (const NetworkDataLayout& l : list) out.push_back({l});
  return out;
}

}  // namespace

Layouts Repeated(const Layouts& one, int count) {
  Layouts out;
  for (int i = 0; i < count; ++i) out.insert(out.end(), one.begin(), one.end());
  return out;
}

std::vector<Layouts> Repeated(const std::vector<Layouts>& list, int count) {
  std::vector<Layouts> out;
  for (const Layouts& one : list) out.push_back(Repeated(one, count));
  return out;
}

std::vector<Layouts> WithChannels(const std::vector<Layouts>& list, int64_t channels) {
  std::vector<Layouts> out = list;
  for (Layouts& one : out) {
    for (NetworkDataLayout& l : one) {
      Sizes sizes = l.sizes();
      sizes[l.FindDim('C')] = channels;
      l = NetworkDataLayout(sizes, l.format().str());
    }
  }
  return out;
}

std::vector<Layouts> AnyFormat() {
  using L = NetworkDataLayout;
  return OneInput({L({4, 3, 2, 5}, "SSCB"),
                   L({1, 1, 1, 1}, "SSCB"),
                   L({7, 1, 3, 2}, "SSCB"),
                   L({1, 5, 1, 3}, "SSCB"),
                   L({6, 6, 2}, "SSC"),
                   L({2, 3, 2, 3, 4}, "SSSCB"),
                   L({1, 3, 1, 1, 2}, "SSSCB"),
                   L({5, 4}, "CB"),
                   L({1, 7}, "CB"),
                   L({9, 1}, "CB"),
                   L({6}, "C"),
                   L({3, 4, 6}, "CBT"),
                   L({1, 1, 9}, "CBT"),
                   L({4, 3, 1}, "CBT"),
                   L({2, 7}, "CT"),
                   L({3, 2, 3, 4}, "SCBT"),
                   L({2, 3, 1, 2, 3}, "SSCBT"),
                   L({2, 2, 2, 1, 2, 2}, "SSSCBT"),
                   L({5, 3, 3}, "SCB"),
                   L({11, 1}, "SC")});
}

std::vector<Layouts> Images() {
  using L = NetworkDataLayout;
  return OneInput({L({4, 3, 2, 5}, "SSCB"), L({1, 1, 1, 1}, "SSCB"), L({1, 1, 3, 4}, "SSCB"),
                   L({7, 1, 2, 2}, "SSCB"), L({1, 7, 2, 2}, "SSCB"), L({5, 5, 1, 3}, "SSCB"),
                   L({6, 6, 3, 1}, "SSCB"), L({3, 8, 2, 3}, "SSCB"), L({8, 3, 1, 2}, "SSCB"),
                   L({2, 2, 4, 2}, "SSCB"), L({9, 4, 1, 1}, "SSCB"), L({4, 4, 5, 2}, "SSCB"),
                   L({3, 3, 1, 7}, "SSCB"), L({5, 2, 3, 3}, "SSCB"), L({2, 5, 3, 3}, "SSCB"),
                   L({7, 7, 1, 2}, "SSCB"), L({4, 6, 2, 2}, "SSCB"), L({6, 5, 1, 3}, "SSCB"),
                   L({3, 4, 6, 1}, "SSCB"), L({5, 3, 2, 4}, "SSCB")});
}

std::vector<Layouts> Sequences() {
  using L = NetworkDataLayout;
  return OneInput(
      {L({3, 4, 6}, "CBT"),  L({1, 1, 1}, "CBT"), L({1, 3, 5}, "CBT"), L({5, 1, 4}, "CBT"),
       L({2, 2, 1}, "CBT"),  L({4, 3, 2}, "CBT"), L({2, 5, 3}, "CBT"), L({7, 2, 3}, "CBT"),
       L({1, 1, 12}, "CBT"), L({3, 1, 1}, "CBT"), L({2, 7, 2}, "CBT"), L({6, 3, 3}, "CBT"),
       L({1, 2, 9}, "CBT"),  L({3, 3, 7}, "CBT"), L({9, 1, 2}, "CBT"), L({2, 4, 5}, "CBT"),
       L({5, 2, 5}, "CBT"),  L({1, 6, 4}, "CBT"), L({4, 1, 8}, "CBT"), L({2, 2, 11}, "CBT")});
}

std::vector<Layouts> FeatureVectors() {
  using L = NetworkDataLayout;
  return OneInput({L({5, 4}, "CB"),  L({1, 1}, "CB"), L({1, 6}, "CB"),  L({6, 1}, "CB"),
                   L({2, 2}, "CB"),  L({3, 7}, "CB"), L({7, 3}, "CB"),  L({4, 4}, "CB"),
                   L({2, 9}, "CB"),  L({9, 2}, "CB"), L({8, 5}, "CB"),  L({5, 8}, "CB"),
                   L({3, 1}, "CB"),  L({1, 3}, "CB"), L({6, 6}, "CB"),  L({11, 2}, "CB"),
                   L({2, 11}, "CB"), L({4, 2}, "CB"), L({10, 1}, "CB"), L({3, 3}, "CB")});
}

std::vector<Layouts> Series() {
  using L = NetworkDataLayout;
  return OneInput({L({6, 2, 4}, "SCB"),         L({2, 1, 1}, "SCB"),        L({9, 1, 3}, "SCB"),
                   L({3, 4, 2}, "SCB"),         L({12, 1, 2}, "SCB"),       L({5, 3, 1}, "SCB"),
                   L({3, 4, 6}, "CBT"),         L({1, 1, 2}, "CBT"),        L({2, 3, 9}, "CBT"),
                   L({5, 1, 4}, "CBT"),         L({4, 2, 3}, "CBT"),        L({1, 6, 5}, "CBT"),
                   L({4, 3, 2, 5}, "SSCB"),     L({2, 1, 1, 3}, "SSCB"),    L({1, 5, 2, 2}, "SSCB"),
                   L({3, 3, 1, 1}, "SSCB"),     L({3, 2, 3, 4}, "SCBT"),    L({1, 2, 3, 4}, "SCBT"),
                   L({2, 3, 1, 2, 3}, "SSCBT"), L({2, 3, 2, 3, 2}, "SSSCB")});
}

}  // namespace lamina::faulty
