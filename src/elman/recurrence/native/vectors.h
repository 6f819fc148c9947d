// Vectors of LANES numbers in fp32, as wide as this processor's registers; bf16 only to load and to store.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#ifdef __AVX512F__
constexpr int LANES = 16;
#else
constexpr int LANES = 8;
#endif

typedef uint16_t bf16;  // the upper half of an fp32
typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));

inline Vector all(float value) { return value - Vector{}; }

inline Vector load(const float* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline Vector load(const bf16* from) {
  Halves halves;
  std::memcpy(&halves, from, sizeof halves);
  return (Vector)(__builtin_convertvector(halves, Integers) << 16);
}

inline void store(float* to, Vector value) { std::memcpy(to, &value, sizeof value); }

inline Integers nearest(Vector value) {  // bf16, in the lower half of each lane; ties to even; what is not a number stays so
  const Integers bits = (Integers)value;
  return value == value ? (bits + 0x7fff + ((bits >> 16) & 1)) >> 16 : Integers{} + 0x7fc0;
}

inline void store(bf16* to, Vector value) {
#ifdef __AVX512BF16__
  const __m256bh halves = _mm512_cvtneps_pbh((__m512)value);
#else
  const Halves halves = __builtin_convertvector(nearest(value), Halves);
#endif
  std::memcpy(to, &halves, sizeof halves);
}

// e^r - 1 for |r| <= ln 2 / 2, by the polynomial of Cephes (Moshier 1992), to 2 units in the last place of e^r.
inline Vector beyond_one(Vector r) {
  Vector sum = r * 1.9875691500e-4f + 1.3981999507e-3f;
  sum = sum * r + 8.3334519073e-3f;
  sum = sum * r + 4.1665795894e-2f;
  sum = sum * r + 1.6666665459e-1f;
  sum = sum * r + 5.0000001201e-1f;
  return sum * (r * r) + r;
}

inline Vector exponential(Vector x) {  // 2^n e^r
  x = x > 88.f ? all(88.f) : x;
  x = x < -87.f ? all(-87.f) : x;
  const Vector rounder = all(12582912.f);  // 1.5 * 2^23: a number added to it is rounded to a whole one
  const Vector moved = x * 1.44269504f + rounder, n = moved - rounder;
  const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  return (Vector)((Integers)(beyond_one(r) + 1.f) + ((Integers)moved << 23));
}

// 1 - e^x for x <= 0, exact also where that is small.
inline Vector missing(Vector x) { return x > -0.34f ? -beyond_one(x) : 1.f - exponential(x); }

inline Vector root(Vector x) {
  for (int lane = 0; lane < LANES; lane++) x[lane] = __builtin_sqrtf(x[lane]);
  return x;
}

inline Vector sigmoid(Vector x) { return 1.f / (1.f + exponential(-x)); }
inline Vector hyperbolic_tangent(Vector x) { return 2.f / (1.f + exponential(-2.f * x)) - 1.f; }
