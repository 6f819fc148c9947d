// Weights (outputs, inputs) in the orders in which products read them.
#pragma once

#include <algorithm>
#include <type_traits>

#include "vectors.h"

template <typename Number> constexpr int PAIRED = std::is_same_v<Number, bf16> ? 2 : 1;  // products in one instruction

// The order in which weights are read: [block][k / PAIRED][column][lane][PAIRED]. A block is `columns` vectors of
// outputs; output o of block b, column c, lane l is b * block_step + c * column_step + l. Steps count outputs.
struct Order {
  int blocks, columns, depth;       // depth: how many inputs k a sum has, a multiple of LANES
  int64_t block_step, column_step;  // from one block, and one column, to the next
};

// The order of a step forward where a unit has several gates: all of them side by side. Weights are (gates * units, units).
inline Order order_of_gates(int gates, int units) { return {units / LANES, gates, units, LANES, units}; }

// How many vectors of adjacent outputs a block has: the most that divide them all.
inline int adjacent(int units) { return units % (4 * LANES) == 0 ? 4 : units % (2 * LANES) == 0 ? 2 : 1; }

// The order of sums over `depth` inputs: as many adjacent outputs side by side as a block takes.
inline Order order_of_adjacent(int units, int depth) {
  const int columns = adjacent(units);
  return {units / (columns * LANES), columns, depth, columns * LANES, LANES};
}

inline void store_words(float* to, const float* from, int64_t) { store(to, load(from)); }

inline void store_words(bf16* to, const float* from, int64_t stride) {  // of each lane the inputs k and k + 1
  const Integers words = (nearest(load(from)) & 0xffff) | (nearest(load(from + stride)) << 16);
  std::memcpy(to, &words, sizeof words);
}

// Pack for sums over the inputs; and transposed, for the sums over all outputs that go back, into `back` or nowhere. Weights
// are read once, by squares: written row by row and read column by column for the one, as they lie for the other. Of all
// vectors of outputs, those from `begin` to `end` are packed.
template <typename Number>
void pack(const float* weights, Number* packed, const Order& order, Number* back, int begin, int end, int threads) {
  constexpr int PAIR = PAIRED<Number>, SIDE = LANES * PAIR;
  const int units = order.depth, outputs = order.blocks * order.columns * LANES;
  const Order backward = order_of_adjacent(units, outputs);
  const int64_t wide = order.columns * LANES, wide_back = backward.columns * LANES;
#pragma omp parallel for num_threads(threads)
  for (int vector = begin; vector < end; vector++) {
    const int block = vector / order.columns, column = vector % order.columns;
    const int64_t first = block * order.block_step + column * order.column_step;
    Number* to = packed + block * wide * units + column * SIDE;
    alignas(64) Number square[LANES][SIDE];
    const float* from = weights + first * units;
    for (int start = 0; start < units; start += SIDE) {
      const int width = std::min(SIDE, units - start);
      for (int lane = 0; lane < LANES; lane++)
        for (int k = 0; k < width; k += LANES) store(square[lane] + k, load(from + lane * units + start + k));
      for (int k = 0; k < width; k += PAIR, to += wide * PAIR)
        for (int lane = 0; lane < LANES; lane++) std::memcpy(to + lane * PAIR, square[lane] + k, PAIR * sizeof(Number));
    }
    if (!back) continue;
    for (int lane = 0; lane < LANES; lane += PAIR)
      for (int64_t start = 0; start < units; start += wide_back) {
        Number* row = back + start * outputs + (first + lane) * wide_back;
        for (int64_t unit = 0; unit < wide_back; unit += LANES)
          store_words(row + unit * PAIR, from + lane * units + start + unit, units);
      }
  }
}
