/* Reads the test pictures with the generated network and prints how many it reads right. */
#include <stdio.h>

#include "digits.h"
#include "digits_images.h"

// [region main]
static digits_context context; /* all the memory that the network uses */

static int best(const float *scores) {
  int i, at = 0;
  for (i = 1; i < digits_output_size; ++i) {
    if (scores[i] > scores[at]) at = i;
  }
  return at;
}

int main(void) {
  int picture, pixel, right = 0;
  float input[digits_input_size], scores[digits_output_size];
  digits_start(&context, &digits_trained);
  for (picture = 0; picture < NUM_PICTURES; ++picture) {
    for (pixel = 0; pixel < digits_input_size; ++pixel) {
      input[pixel] = (float)pictures[picture][pixel] / 16;
    }
    digits_predict(&context, input, scores);
    if (best(scores) == labels[picture]) {
      ++right;
    } else {
      printf("picture %d: a %d, read as %d\n", picture, labels[picture], best(scores));
    }
  }
  printf("test accuracy: %.4f\n", (double)right / NUM_PICTURES);
  return 0;
}
// [endregion]
