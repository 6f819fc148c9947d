// Products of up to 16 rows at once by the matrix unit (AMX) of a processor that has one. A tile has 16 rows of 64 bytes.
#pragma once

#include "vectors.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
#define TILES
#include <sys/syscall.h>
#include <unistd.h>

constexpr int TILE_ROWS = 16, TILE_DEPTH = 32;  // rows of a batch, and inputs k of a sum, in one instruction

// How many of some rows are taken at once, so that all turns are alike.
inline int rows_at_once(int rows) {
  const int turns = (rows + TILE_ROWS - 1) / TILE_ROWS;
  return (rows + turns - 1) / turns;
}

// Whether the system lets this process use tiles: it has to be asked once.
inline bool tiles_allowed() {
  constexpr int REQUEST = 0x1023, TILE_DATA = 18;
  static const bool allowed = syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
  return allowed;
}

// The tiles of this thread, as long as it stands: 0 to 3 are sums and 4 inputs, with as many rows as are taken at once; 5 to
// 7 are weights.
class Tiles {
 public:
  explicit Tiles(int rows) {  // of a batch, that this thread sees to
    if (!tiles_allowed()) return;
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {};
    } shape;
    for (int tile = 0; tile < 8; tile++) shape.rows[tile] = tile < 5 ? rows_at_once(rows) : TILE_ROWS;
    __asm__ volatile("" ::"r"(&shape) : "memory");  // compilers think that only its first bytes are read
    _tile_loadconfig(&shape);
  }
  ~Tiles() {
    if (tiles_allowed()) _tile_release();
  }
  Tiles(const Tiles&) = delete;
};

// sums[column][row] = inputs[row] . weights[column], over the depth of one block, in the order that products.h packs
template <int COLUMNS>
inline void multiply_tiles(const bf16* inputs, int64_t stride, const bf16* weights, int depth, float (*sums)[TILE_ROWS][LANES]) {
  constexpr int64_t BETWEEN = 4 * COLUMNS * LANES, COLUMN = 2 * LANES;  // bytes from one pair of inputs to the next; numbers
  __asm__ volatile("" ::: "memory");  // what was stored before is read by tiles, which compilers do not see
  _tile_zero(0);
  if constexpr (COLUMNS > 1) _tile_zero(1);
  if constexpr (COLUMNS > 2) _tile_zero(2);
  if constexpr (COLUMNS > 3) _tile_zero(3);
  for (int k = 0; k < depth; k += TILE_DEPTH, weights += COLUMNS * LANES * TILE_DEPTH) {
    _tile_loadd(4, inputs + k, 2 * stride);
    _tile_loadd(5, weights, BETWEEN);
    _tile_dpbf16ps(0, 4, 5);
    if constexpr (COLUMNS > 1) {
      _tile_loadd(6, weights + COLUMN, BETWEEN);
      _tile_dpbf16ps(1, 4, 6);
    }
    if constexpr (COLUMNS > 2) {
      _tile_loadd(7, weights + 2 * COLUMN, BETWEEN);
      _tile_dpbf16ps(2, 4, 7);
    }
    if constexpr (COLUMNS > 3) {
      _tile_loadd(5, weights + 3 * COLUMN, BETWEEN);
      _tile_dpbf16ps(3, 4, 5);
    }
  }
  _tile_stored(0, sums[0], 4 * LANES);
  if constexpr (COLUMNS > 1) _tile_stored(1, sums[1], 4 * LANES);
  if constexpr (COLUMNS > 2) _tile_stored(2, sums[2], 4 * LANES);
  if constexpr (COLUMNS > 3) _tile_stored(3, sums[3], 4 * LANES);
  __asm__ volatile("" ::: "memory");
}
#endif
