// A pass that keeps images in the layout with which convolutions compute: blocks of 16 channels.
//
// Convolutions of a graph get images in blocks and give them so. Between them, elementwise
// functions, sums and normalizations work on blocks too: what they read for each channel or
// observation is reshaped, the dims that they work along are those of the blocks. An array is
// brought to blocks once for all that want it so, and back only for those who cannot take it.
#ifndef FRAMEWORK_GRAPH_CHANNEL_BLOCKS_H_
#define FRAMEWORK_GRAPH_CHANNEL_BLOCKS_H_

#include "framework/graph/graph.h"

namespace lamina {

/// The order of additions in sums and normalizations changes, and with it the last bits. Which
/// convolutions want blocks depends on the machine and on StrictConvolution.
Graph KeepChannelBlocks(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_CHANNEL_BLOCKS_H_
