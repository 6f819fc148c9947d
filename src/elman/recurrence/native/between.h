// What stands between layers: dropout, and layer normalisation.
#pragma once

#include <cmath>

#include "vectors.h"

typedef uint64_t Words __attribute__((vector_size(8 * LANES)));

// The numbers at some places of the stream that a seed begins: splitmix64 (Steele, Lea and Flood 2014).
inline Words random_words(uint64_t seed, int64_t place) {
  Words z;
  for (int lane = 0; lane < LANES; lane++) z[lane] = place + lane + 1;
  z = z * 0x9e3779b97f4a7c15u + seed;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Each entry zero where its 16 bits are below `level`, and what is left times `scale`: of stretches of `count` entries, a
// multiple of 4 where there are several, so far apart in x and side by side in y.
template <typename Number>
void drop(int64_t stretches, int64_t count, int64_t apart, int64_t seed, int level, float scale, const Number* x, Number* y,
          int threads) {
  constexpr int64_t BLOCK = 4 * LANES;  // entries of one vector of words
#pragma omp parallel for collapse(2) num_threads(threads)
  for (int64_t stretch = 0; stretch < stretches; stretch++)
    for (int64_t start = 0; start < count; start += BLOCK) {
      const int64_t place = stretch * count + start;
      const Words words = random_words(seed, place / 4);
      uint16_t bits[BLOCK];
      std::memcpy(bits, &words, sizeof bits);
      Number rest[BLOCK];  // the last block, where it is not full
      const bool full = count - start >= BLOCK;
      const Number* from = x + stretch * apart + start;
      Number* to = full ? y + place : rest;
      if (!full) from = (const Number*)std::memcpy(rest, from, (count - start) * sizeof(Number));
      for (int n = 0; n < BLOCK; n += LANES) {
        Halves drawn;
        std::memcpy(&drawn, bits + n, sizeof drawn);
        store(to + n, __builtin_convertvector(drawn, Integers) < level ? Vector{} : load(from + n) * scale);
      }
      if (!full) std::memcpy(y + place, rest, (count - start) * sizeof(Number));
    }
}

inline float sum(Vector value) {
  float total = 0;
  for (int lane = 0; lane < LANES; lane++) total += value[lane];
  return total;
}

// Rows x (N, D), weight and bias (D,) -> y (N, D); mean and one over the deviation of each row (N, 2).
template <typename Number>
void normalize(int64_t rows, int width, float epsilon, const float* x, const float* weight, const float* bias, Number* y,
               float* moments, int threads) {
#pragma omp parallel for num_threads(threads)
  for (int64_t row = 0; row < rows; row++) {
    const float* from = x + row * width;
    Vector total{}, squares{};
    for (int n = 0; n < width; n += LANES) total += load(from + n);
    const float mean = sum(total) / width;
    for (int n = 0; n < width; n += LANES) {
      const Vector off = load(from + n) - mean;
      squares += off * off;
    }
    const float scale = 1 / std::sqrt(sum(squares) / width + epsilon);
    for (int n = 0; n < width; n += LANES)
      store(y + row * width + n, (load(from + n) - mean) * scale * load(weight + n) + load(bias + n));
    moments[2 * row] = mean;
    moments[2 * row + 1] = scale;
  }
}

// d_y (N, D) -> d_x (N, D); each thread's share of the gradients of weight and bias (threads, 2, D), zeros before.
template <typename Number>
void normalize_back(int64_t rows, int width, const float* x, const float* weight, const float* moments, const Number* d_y,
                    float* d_x, float* d_shares, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; thread++) {
    float *d_weight = d_shares + 2 * thread * width, *d_bias = d_weight + width;
    for (int64_t row = rows * thread / threads; row < rows * (thread + 1) / threads; row++) {
      const float *from = x + row * width, mean = moments[2 * row], scale = moments[2 * row + 1];
      const Number* d = d_y + row * width;
      Vector total{}, along{};
      for (int n = 0; n < width; n += LANES) {
        const Vector normal = (load(from + n) - mean) * scale, dy = load(d + n), dn = dy * load(weight + n);
        total += dn;
        along += dn * normal;
        store(d_weight + n, load(d_weight + n) + dy * normal);
        store(d_bias + n, load(d_bias + n) + dy);
      }
      const float mean_d = sum(total) / width, mean_along = sum(along) / width;
      for (int n = 0; n < width; n += LANES) {
        const Vector normal = (load(from + n) - mean) * scale;
        store(d_x + row * width + n, (load(d + n) * load(weight + n) - mean_d - normal * mean_along) * scale);
      }
    }
  }
}
