// What a window reads at each step, and what goes back to it.
#pragma once

#include <omp.h>

#include "vectors.h"

// Input products of each row of all steps (T, B, W); or those of each token once (V, W), and the tokens (T, B).
template <typename Number> struct Inputs {
  const Number* products;
  const int32_t* tokens;  // or null
  int64_t width;

  const Number* operator[](int64_t row) const { return products + (tokens ? tokens[row] : row) * width; }
};

// To the sums of each token (V, W) add the gradients (T, B, W) of all that read it, of the rows from `first` to `end`; each
// thread has some columns.
template <typename Number>
void add_by_token(int steps, int64_t rows, int64_t first, int64_t end, int64_t width, const Number* gradients,
                  const int32_t* tokens, float* sums, int threads) {
#pragma omp parallel num_threads(threads)
  {
    const int64_t vectors = width / LANES, parts = omp_get_num_threads(), part = omp_get_thread_num();
    const int64_t from = vectors * part / parts * LANES, to = vectors * (part + 1) / parts * LANES;
    for (int t = 0; t < steps; t++)
      for (int64_t row = t * rows + first; row < t * rows + end; row++) {
        float* sum = sums + tokens[row] * width;
        for (int64_t n = from; n < to; n += LANES) store(sum + n, load(sum + n) + load(gradients + row * width + n));
      }
  }
}
