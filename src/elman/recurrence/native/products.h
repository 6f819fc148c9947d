// Products of a few rows with packed weights, summed in registers in fp32, each sum handed on where it stands.
#pragma once

#include "packing.h"
#include "tiles.h"

// sums[row][column] += inputs[row] . weights[column], over the depth of one block
template <int ROWS, int COLUMNS>
inline void multiply(const float* inputs, int64_t stride, const float* weights, int depth, Vector (&sums)[ROWS][COLUMNS]) {
  for (int k = 0; k < depth; k++, weights += COLUMNS * LANES) {
    Vector columns[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) columns[c] = load(weights + c * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
      const Vector input = all(inputs[r * stride + k]);
#pragma GCC unroll 4
      for (int c = 0; c < COLUMNS; c++) sums[r][c] += input * columns[c];
    }
  }
}

#ifdef __AVX512BF16__
template <int ROWS, int COLUMNS>
inline void multiply(const bf16* inputs, int64_t stride, const bf16* weights, int depth, Vector (&sums)[ROWS][COLUMNS]) {
  for (int k = 0; k < depth; k += 2, weights += 2 * COLUMNS * LANES) {
    __m512bh columns[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) columns[c] = (__m512bh)_mm512_loadu_si512(weights + 2 * c * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
      int32_t pair;
      std::memcpy(&pair, inputs + r * stride + k, sizeof pair);
      const __m512bh input = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
      for (int c = 0; c < COLUMNS; c++) sums[r][c] = (Vector)_mm512_dpbf16_ps((__m512)sums[r][c], input, columns[c]);
    }
  }
}
#endif

#ifdef TILES
template <int COLUMNS, typename Done>
inline void product_of_tiles(int rows, const bf16* inputs, int64_t stride, const bf16* block, int depth, Done&& done) {
  alignas(64) float sums[COLUMNS][TILE_ROWS][LANES];
  for (int row = 0, now = rows_at_once(rows); row < rows; row += now) {
    const int start = std::min(row, rows - now);  // the last turn may see some rows again
    multiply_tiles<COLUMNS>(inputs + start * stride, stride, block, depth, sums);
    for (int r = row - start; r < now; r++) {
      Vector found[COLUMNS];
      for (int c = 0; c < COLUMNS; c++) found[c] = load(sums[c][r]);
      done(start + r, found);
    }
  }
}
#endif

// Call done(row, sums of COLUMNS vectors) for each of some rows, as many rows at once as there are registers.
template <int COLUMNS, typename Number, typename Done>
inline void product(int rows, const Number* inputs, int64_t stride, const Number* block, int depth, Done&& done) {
#ifdef TILES
  if constexpr (std::is_same_v<Number, bf16>)
    if (depth % TILE_DEPTH == 0 && tiles_allowed()) return product_of_tiles<COLUMNS>(rows, inputs, stride, block, depth, done);
#endif
  constexpr int MOST = std::min(12, REGISTERS / COLUMNS);
  for (int row = 0, now; row < rows; row += now) {
    const int turns = (rows - row + MOST - 1) / MOST;
    now = (rows - row + turns - 1) / turns;
    const auto run = [&](auto count) {
      constexpr int ROWS = decltype(count)::value;
      Vector sums[ROWS][COLUMNS] = {};
      multiply<ROWS, COLUMNS>(inputs + row * stride, stride, block, depth, sums);
      for (int r = 0; r < ROWS; r++) done(row + r, sums[r]);
    };
    switch (now) {
#define CASE(N)                                                           \
  case N:                                                                 \
    if constexpr (N <= MOST) run(std::integral_constant<int, N>{});       \
    break;
      CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#undef CASE
    }
  }
}

// Call run(4), run(2) or run(1), with what `adjacent` says as a constant.
template <typename Run> inline void by_adjacent(int units, Run&& run) {
  if (adjacent(units) == 4) run(std::integral_constant<int, 4>{});
  else if (adjacent(units) == 2) run(std::integral_constant<int, 2>{});
  else run(std::integral_constant<int, 1>{});
}

// What a step passes back to the state before it: gradients (rows, W) times weights (W, H), into (rows, H) or onto it.
template <typename Number>
inline void pass_back(int rows, int units, int width, const Number* gradients, const Number* packed, float* state, bool onto) {
  by_adjacent(units, [&](auto columns) {
    constexpr int COLUMNS = decltype(columns)::value;
    for (int unit = 0; unit < units; unit += COLUMNS * LANES)
      product<COLUMNS>(rows, gradients, width, packed + (int64_t)unit * width, width, [&](int row, Vector* sums) {
        float* to = state + (int64_t)row * units + unit;
        for (int c = 0; c < COLUMNS; c++) store(to + c * LANES, onto ? load(to + c * LANES) + sums[c] : sums[c]);
      });
  });
}

// Call work(first, end) once in each thread, for its share of the rows.
template <typename Work> inline void share_rows(int64_t rows, int threads, Work&& work) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; thread++) {
    const int64_t first = rows * thread / threads, end = rows * (thread + 1) / threads;
#ifdef TILES
    const Tiles tiles(end - first);
#endif
    work(first, end);
  }
}
