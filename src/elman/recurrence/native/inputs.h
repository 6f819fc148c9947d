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

// To the sums (V, W) of the tokens first, first + apart, first + 2 apart and so on add the gradients (T * B, W) of all that
// read them; each thread has some columns.
template <typename Number>
void add_by_token(int64_t count, int64_t width, int first, int apart, const Number* gradients, const int32_t* tokens,
                  float* sums, int threads) {
#pragma omp parallel num_threads(threads)
  {
    const int64_t vectors = width / LANES, parts = omp_get_num_threads(), part = omp_get_thread_num();
    const int64_t from = vectors * part / parts * LANES, to = vectors * (part + 1) / parts * LANES;
    for (int64_t row = 0; row < count; row++) {
      const int place = tokens[row] - first;
      if (place % apart) continue;
      float* sum = sums + place / apart * width;
      for (int64_t n = from; n < to; n += LANES) store(sum + n, load(sum + n) + load(gradients + row * width + n));
    }
  }
}
