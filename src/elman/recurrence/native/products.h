// Products of a few rows with packed weights, summed in registers in fp32, each sum handed on where it stands.
#pragma once

#include "packing.h"
#include "sharing.h"

// Registers to sum in: of 32, or of 16 with 8 lanes. With more, compilers move sums to memory and back, of bf16 earlier.
template <typename Number> constexpr int REGISTERS = std::is_same_v<Number, bf16> ? 16 : LANES == 16 ? 24 : 12;

// How many rows a product takes at once. In fp32 it takes four columns two by two, and twice as many rows instead: then it
// reads weights half as often.
template <typename Number, int COLUMNS>
constexpr int MOST = std::min(12, REGISTERS<Number> / (std::is_same_v<Number, float> && COLUMNS == 4 ? 2 : COLUMNS));

// sums[row][column] = inputs[row] . weights[column], over the depth of one block; `next` is what will be read some
// time after, of which some is fetched; what is left of it is returned. Within another function gcc moves sums to memory.
template <int ROWS, int COLUMNS>
[[gnu::noinline]] const float* multiply(const float* inputs, int64_t stride, const float* weights, int depth,
                                        Vector (*sums)[COLUMNS], const float* next) {
  constexpr int SIDE = COLUMNS == 4 && ROWS * COLUMNS > LANES ? 2 : COLUMNS;
  for (int first = 0; first < COLUMNS; first += SIDE, next += LANES * depth) {
    Vector part[ROWS][SIDE] = {};
    for (int k = 0; k < depth; k++) {
      Vector columns[SIDE];
      if (ROWS > 4) __builtin_prefetch(next + LANES * k);
      for (int c = 0; c < SIDE; c++) columns[c] = load(weights + (COLUMNS * k + first + c) * LANES);
#pragma GCC unroll 12
      for (int r = 0; r < ROWS; r++) {
        const Vector input = all(inputs[r * stride + k]);
#pragma GCC unroll 4
        for (int c = 0; c < SIDE; c++) part[r][c] += input * columns[c];
      }
    }
    for (int r = 0; r < ROWS; r++)
      for (int c = 0; c < SIDE; c++) sums[r][first + c] = part[r][c];
  }
  return next;
}

#ifdef __AVX512BF16__
template <int ROWS, int COLUMNS>
inline const bf16* multiply(const bf16* inputs, int64_t stride, const bf16* weights, int depth, Vector (*sums)[COLUMNS],
                            const bf16* next) {
  Vector part[ROWS][COLUMNS] = {};
  for (int k = 0; k < depth; k += 2, weights += 2 * COLUMNS * LANES) {
    __m512bh columns[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) columns[c] = (__m512bh)_mm512_loadu_si512(weights + 2 * c * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < ROWS; r++) {
      int32_t pair;
      std::memcpy(&pair, inputs + r * stride + k, sizeof pair);
      const __m512bh input = (__m512bh)_mm512_set1_epi32(pair);
#pragma GCC unroll 4
      for (int c = 0; c < COLUMNS; c++) part[r][c] = (Vector)_mm512_dpbf16_ps((__m512)part[r][c], input, columns[c]);
    }
  }
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < COLUMNS; c++) sums[r][c] = part[r][c];
  return next;
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
  constexpr int MOST_ROWS = MOST<Number, COLUMNS>;
  const Number* next = block + COLUMNS * LANES * stride;  // the block after this one
  for (int row = 0, now; row < rows; row += now) {
    const int turns = (rows - row + MOST_ROWS - 1) / MOST_ROWS;
    now = (rows - row + turns - 1) / turns;
    Vector sums[MOST_ROWS][COLUMNS];
    const auto run = [&](auto count) {
      constexpr int ROWS = decltype(count)::value;
      next = multiply<ROWS, COLUMNS>(inputs + row * stride, stride, block, depth, sums, next);
    };
    switch (now) {
#define CASE(N)                                                           \
  case N:                                                                 \
    if constexpr (N <= MOST_ROWS) run(std::integral_constant<int, N>{});  \
    break;
      CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#undef CASE
    }
    for (int r = 0; r < now; r++) done(row + r, sums[r]);
  }
}

// Call run(4), run(2) or run(1), with what `adjacent` says as a constant.
template <typename Run> inline void by_adjacent(int units, Run&& run) {
  if (adjacent(units) == 4) run(std::integral_constant<int, 4>{});
  else if (adjacent(units) == 2) run(std::integral_constant<int, 2>{});
  else run(std::integral_constant<int, 1>{});
}

// What a step passes back to the state before it: gradients (B, W) times weights (W, H), into `state` (B, H) or onto it; of
// a share of both. In fp32 so many gradients at once that those of all rows stay near.
template <typename Number>
void pass_back(const Share& share, int units, int width, const Number* gradients, const Number* packed, float* state,
               bool onto) {
  const int most = std::is_same_v<Number, float> ? 512 : width;
  by_adjacent(units, [&](auto columns) {
    constexpr int COLUMNS = decltype(columns)::value;
    for (int start = 0; start < width; start += most)
      for (int64_t unit = share.unit; unit < share.last; unit += COLUMNS * LANES) {
        const Number* from = gradients + share.first * width + start;
        const Number* block = packed + unit * width + start * COLUMNS * LANES;
        product<COLUMNS>(share.rows(), from, width, block, std::min(most, width - start), [&](int row, Vector* sums) {
          float* to = state + (share.first + row) * units + unit;
          for (int c = 0; c < COLUMNS; c++) store(to + c * LANES, onto || start ? load(to + c * LANES) + sums[c] : sums[c]);
        });
      }
  });
}
