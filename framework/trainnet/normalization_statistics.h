// What layers take from the whole of the training data: the statistics by which input layers
// normalize, and those that batch normalization layers keep.
#ifndef FRAMEWORK_TRAINNET_NORMALIZATION_STATISTICS_H_
#define FRAMEWORK_TRAINNET_NORMALIZATION_STATISTICS_H_

#include "framework/network/network.h"
#include "framework/trainnet/data.h"

namespace lamina {

/// Sets the statistics of the input layers of `network` that normalize; with `reset` also those
/// that are set already. Layers deeper inside keep theirs.
void SetInputNormalization(const Dataset& data, bool reset, DlNetwork& network);

/// Sets mean and variance of each BatchNormalizationLayer, nested ones too, to those of what comes
/// to it from all the data, batch by batch in training mode: as if all data were one batch, but
/// that layers before it normalize each batch by its own statistics. Variances are divided by the
/// number of elements.
void SetPopulationStatistics(MiniBatchQueue& queue, DlNetwork& network);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_NORMALIZATION_STATISTICS_H_
