// The peephole LSTM with another mistake: ResetState forgets one of the two states.
#ifndef LESSONS_RECURRENT_STATE_BROKEN_HALF_RESET_LAYER_H_
#define LESSONS_RECURRENT_STATE_BROKEN_HALF_RESET_LAYER_H_

#include "layers/peephole_lstm/peephole_lstm_layer.h"

namespace lamina {

struct HalfResetLayer : PeepholeLstmLayer {
  using PeepholeLstmLayer::PeepholeLstmLayer;

  // [region reset]
  void ResetState() { hidden_state = Zeros({num_hidden_units, 1}); }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_RECURRENT_STATE_BROKEN_HALF_RESET_LAYER_H_
