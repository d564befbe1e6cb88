// The layouts of inputs that faulty and correct layers are tried with. Small: a table has thousands
// of runs.
//
//   CheckLayer(AnyLayer(SReluLayer()), Image());                  // 4(S) x 3(S) x 2(C) x 5(B)
//   for (const Layouts& one : AnyFormat()) { ... }                // 20 of them, for sweeps
#ifndef CHECKS_FAULTY_LAYOUTS_H_
#define CHECKS_FAULTY_LAYOUTS_H_

#include <vector>

#include "framework/layers/network_data_layout.h"

namespace lamina::faulty {

/// One for each input.
using Layouts = std::vector<NetworkDataLayout>;

// One layout each, for the faults.
inline Layouts Image() { return {NetworkDataLayout({4, 3, 2, 5}, "SSCB")}; }
inline Layouts ManyImages() { return {NetworkDataLayout({4, 3, 2, 40}, "SSCB")}; }
inline Layouts Sequence() { return {NetworkDataLayout({3, 4, 6}, "CBT")}; }
inline Layouts Features() { return {NetworkDataLayout({5, 4}, "CB")}; }
/// The same for each of several inputs.
Layouts Repeated(const Layouts& one, int count);
inline Layouts TwoImages() { return Repeated(Image(), 2); }
inline Layouts ThreeImages() { return Repeated(Image(), 3); }
inline Layouts TwoFeatures() { return Repeated(Features(), 2); }

// Twenty each, for the correct layers.
/// With "C", whatever else: images in 1 to 3 dims, features, sequences, also of images.
std::vector<Layouts> AnyFormat();
/// "SSCB".
std::vector<Layouts> Images();
/// "CBT".
std::vector<Layouts> Sequences();
/// "CB".
std::vector<Layouts> FeatureVectors();
/// The same layouts for each of `count` inputs.
std::vector<Layouts> Repeated(const std::vector<Layouts>& list, int count);
/// The same layouts with `channels` in place of their sizes along "C".
std::vector<Layouts> WithChannels(const std::vector<Layouts>& list, int64_t channels);
/// With S or T, and C and B: what has a mean over space or time.
std::vector<Layouts> Series();

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_LAYOUTS_H_
