// Weights in the order in which products read them.
#pragma once

#include <algorithm>
#include <type_traits>

#include "vectors.h"

template <typename Number> constexpr int PAIRED = std::is_same_v<Number, bf16> ? 2 : 1;  // products in one instruction

// The order in which weights are read: [block][k / PAIRED][column][lane][PAIRED]. A block is `columns` vectors of
// outputs; output o of block b, column c, lane l is b * block_step + c * column_step + l. Steps count outputs.
struct Order {
  int blocks, columns, depth;           // depth: how many inputs k a sum has, a multiple of LANES
  int64_t block_step, column_step;      // from one block, and one column, to the next
  int64_t output_stride, input_stride;  // of the weights as they lie in memory; one of them is 1
};

// The order of a step forward: all gates of a unit side by side. Weights are (gates * units, units).
inline Order order_of_gates(int gates, int units) {
  return {units / LANES, gates, units, LANES, units, units, 1};
}

// How many vectors of adjacent outputs a block has: the most that divide them all.
inline int adjacent(int units) { return units % (4 * LANES) == 0 ? 4 : units % (2 * LANES) == 0 ? 2 : 1; }

// The order of sums over `depth` inputs: as many adjacent outputs side by side as a block takes.
inline Order order_of_adjacent(int units, int depth, int64_t output_stride, int64_t input_stride) {
  const int columns = adjacent(units);
  return {units / (columns * LANES), columns, depth, columns * LANES, LANES, output_stride, input_stride};
}

inline void store_words(float* to, const float* from, int64_t) { store(to, load(from)); }

inline void store_words(bf16* to, const float* from, int64_t stride) {  // of each lane the inputs k and k + 1
  const Integers words = (nearest(load(from)) & 0xffff) | (nearest(load(from + stride)) << 16);
  std::memcpy(to, &words, sizeof words);
}

// Weights whose outputs lie side by side: row by row as they lie, each into all blocks.
template <typename Number> void pack_outputs(const float* weights, Number* packed, const Order& order, int threads) {
  constexpr int PAIR = PAIRED<Number>;
  const int64_t wide = order.columns * LANES;
#pragma omp parallel for num_threads(threads)
  for (int k = 0; k < order.depth; k += PAIR)
    for (int block = 0; block < order.blocks; block++) {
      const float* from = weights + k * order.input_stride + block * order.block_step;
      Number* to = packed + (block * order.depth + k) * wide;
      for (int column = 0; column < order.columns; column++)
        store_words(to + column * LANES * PAIR, from + column * order.column_step, order.input_stride);
    }
}

// Weights whose inputs lie side by side: by squares that are written row by row and read column by column.
template <typename Number> void pack_inputs(const float* weights, Number* packed, const Order& order, int threads) {
  constexpr int PAIR = PAIRED<Number>, SIDE = LANES * PAIR;
  const int64_t wide = order.columns * LANES;
#pragma omp parallel for num_threads(threads)
  for (int vector = 0; vector < order.blocks * order.columns; vector++) {
    const int block = vector / order.columns, column = vector % order.columns;
    const float* from = weights + (block * order.block_step + column * order.column_step) * order.output_stride;
    Number* to = packed + block * wide * order.depth + column * SIDE;
    alignas(64) Number square[LANES][SIDE];
    for (int start = 0; start < order.depth; start += SIDE) {
      const int width = std::min(SIDE, order.depth - start);
      for (int lane = 0; lane < LANES; lane++)
        for (int k = 0; k < width; k += LANES) store(square[lane] + k, load(from + lane * order.output_stride + start + k));
      for (int k = 0; k < width; k += PAIR, to += wide * PAIR)
        for (int lane = 0; lane < LANES; lane++) std::memcpy(to + lane * PAIR, square[lane] + k, PAIR * sizeof(Number));
    }
  }
}

template <typename Number> void pack(const float* weights, Number* packed, const Order& order, int threads) {
  if (order.output_stride == 1) pack_outputs(weights, packed, order, threads);
  else pack_inputs(weights, packed, order, threads);
}
