// Training a network on data.
//
//   DlNetwork network({ImageInputLayer({8, 8, 1}), Convolution2dLayer({3, 3}, 16), SReluLayer(),
//                      FullyConnectedLayer(10), SoftmaxLayer()});
//   TrainingResult result = TrainNet(Dataset(images, labels), network, "crossentropy",
//                                    {.solver = "adam", .max_epochs = 10});
//   DlArray scores = MiniBatchPredict(result.network, new_images);
//   std::string picture = PlotTraining(result.info);
//
// Data, targets: data.h, labels.h. Losses: loss_function.h. Options: training_options.h.
//
// Sequences of different lengths (data.h): with a target for each step a batch is padded, and loss
// and metrics get the steps that are real, one after another: "CBT" has become "CB". With one
// target for each sequence the batches have sequences of equal length, and nothing is padded, so
// that the last step is one of the sequence. The options sequence_... change that; a loss that
// needs the time dim of padded data asks for sequence_length = "equal".
//
// The states begin as ResetState sets them. In each iteration a mini-batch goes through Forward,
// the loss is differentiated with respect to the learnables, and the solver takes a step; new
// states are put into the network, and then ResetState is called: what gathers over batches stays
// (batch normalization), what belongs to one sequence begins anew (recurrent layers). Learnables
// with learn rate factor 0 are left alone, and their gradients are not computed.
//
// The same arguments give the same network, to rounding: all random numbers come from the option
// seed, and neither validation nor printing changes them. Where a training is long enough to be
// compiled (acceleration.h), when kernels take over depends on the compiler; without acceleration,
// or when it waits for the compiler, the network is the same bit for bit on the same machine.
//
// Several ranks (`tools/data_parallel 4 PROGRAM`, parallel/communicator.h) train one network, when
// the option execution_environment lets them. Each runs the whole program; TrainNet then
//   - divides each mini-batch among them, in the order of its observations. Losses are means over
//     observations, so losses and gradients of the parts are averaged by the parts' numbers of
//     observations, or of real steps where sequences are padded, before regularization, clipping
//     and solver: the step is that of the whole mini-batch. A loss that is no mean becomes one.
//   - averages in the same way the states that gather over batches (what ResetState leaves alone)
//     after each step, those of your own layers too. Each rank normalizes its part by the part's
//     own statistics: mean states are those of the whole batch, variances the mean of the parts'
//     variances. States that are not floating numbers stay with their rank.
//   - draws other random numbers in each rank (dropout), and the same order of data in all.
//   - measures metrics and validates on all observations, each rank predicting its part.
//   - begins and ends with learnables and states of the first rank in all, and sees after each
//     epoch that the learnables are the same to the last bit ("trainnet:RanksDiffer").
// Every rank returns the same network. An Error in one rank is one in all
// (parallel/communicator.h).
//
// The network's layers do not change but for their arrays, and a loss does the same for each batch:
// what a layer or a loss reads from elsewhere is fixed when a step is recorded.
//
// Threads: pure but for what the options' functions do; several trainings may run in several
// threads.
#ifndef FRAMEWORK_TRAINNET_TRAIN_NET_H_
#define FRAMEWORK_TRAINNET_TRAIN_NET_H_

#include "framework/network/network.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/labels.h"
#include "framework/trainnet/loss_function.h"
#include "framework/trainnet/predict.h"
#include "framework/trainnet/training_info.h"
#include "framework/trainnet/training_options.h"

namespace lamina {

struct TrainingResult {
  DlNetwork network;
  TrainingInfo info;
};

/// Trains a copy of `network`. One that is not initialised is initialised from the sizes of the
/// data; parameters that are set stay where they begin. Errors: those of the options, the data
/// ("data:NoTargets" without targets too) and the loss; "network:InputCount";
/// "trainnet:NothingToLearn" when no learnable has a learn rate factor above 0;
/// "trainnet:LossUntraced" when the loss does not come from the network's outputs by array
/// functions; those of the network, its layers and the metrics. With several ranks also
/// "trainnet:RanksDiffer" when they were given different things, "trainnet:RanksBusy",
/// "trainnet:OutputObservations", and those of the communicator.
TrainingResult TrainNet(const Dataset& data, DlNetwork network, const LossFunction& loss,
                        const TrainingOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_TRAIN_NET_H_
