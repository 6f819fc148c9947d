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

// Outputs that lie side by side: one column of a block, for which `step` numbers of it are from one k to the next.
template <typename Number> void pack_outputs(const float* from, Number* to, int64_t step, const Order& order) {
  for (int k = 0; k < order.depth; k += PAIRED<Number>, to += step)
    store_words(to, from + k * order.input_stride, order.input_stride);
}

// Inputs that lie side by side: the same, by squares that are written row by row and read column by column.
template <typename Number> void pack_inputs(const float* from, Number* to, int64_t step, const Order& order) {
  constexpr int PAIR = PAIRED<Number>, SIDE = LANES * PAIR;
  alignas(64) Number square[LANES][SIDE];
  for (int start = 0; start < order.depth; start += SIDE) {
    const int width = std::min(SIDE, order.depth - start);
    for (int lane = 0; lane < LANES; lane++)
      for (int k = 0; k < width; k += LANES) store(square[lane] + k, load(from + lane * order.output_stride + start + k));
    for (int k = 0; k < width; k += PAIR, to += step)
      for (int lane = 0; lane < LANES; lane++) std::memcpy(to + lane * PAIR, square[lane] + k, PAIR * sizeof(Number));
  }
}

template <typename Number> void pack(const float* weights, Number* packed, const Order& order, int threads) {
#pragma omp parallel for num_threads(threads)
  for (int block = 0; block < order.blocks; block++)
    for (int column = 0; column < order.columns; column++) {
      const float* from = weights + (block * order.block_step + column * order.column_step) * order.output_stride;
      const int64_t wide = order.columns * LANES, step = wide * PAIRED<Number>;
      Number* to = packed + block * wide * order.depth + column * LANES * PAIRED<Number>;
      if (order.output_stride == 1) pack_outputs(from, to, step, order);
      else pack_inputs(from, to, step, order);
    }
}
