// h' = tanh(.) or relu(.)
#pragma once

#include "products.h"

template <typename Number, bool RELU> struct Elman {
  int steps, units, threads;
  int64_t rows;

  // projected (T, B, H), hidden (B, H) -> outputs (T, B, H), last (B, H)
  void forward(const Number* projected, const Number* packed, const Number* hidden, Number* outputs, float* last) const {
    const int64_t H = units;
    share_rows(rows, threads, [&](int64_t first, int64_t end) {
      for (int t = 0; t < steps; t++) {
        const int64_t here = t * rows + first;
        const Number* h_before = t ? outputs + (here - rows) * H : hidden + first * H;
        by_adjacent(units, [&](auto columns) {
          constexpr int COLUMNS = decltype(columns)::value;
          for (int64_t unit = 0; unit < H; unit += COLUMNS * LANES)
            product<COLUMNS>(end - first, h_before, H, packed + unit * H, H, [&](int row, Vector* sums) {
              for (int c = 0; c < COLUMNS; c++) {
                const int64_t place = (here + row) * H + unit + c * LANES;
                const Vector before = sums[c] + load(projected + place);
                const Vector h = RELU ? (before < 0.f ? Vector{} : before) : hyperbolic_tangent(before);
                store(outputs + place, h);
                if (t == steps - 1) store(last + (first + row) * H + unit + c * LANES, h);
              }
            });
        });
      }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, H); d_hidden (B, H): of the state after, then of the one before
  void backward(const Number* packed, const Number* outputs, const Number* d_outputs, Number* d_projected, float* d_hidden) const {
    const int64_t H = units;
    share_rows(rows, threads, [&](int64_t first, int64_t end) {
      for (int t = steps - 1; t >= 0; t--) {
        const int64_t here = (t * rows + first) * H;
        for (int64_t n = 0; n < (end - first) * H; n += LANES) {
          const Vector h = load(outputs + here + n), dh = load(d_hidden + first * H + n) + load(d_outputs + here + n);
          store(d_projected + here + n, RELU ? (h > 0.f ? dh : Vector{}) : dh * (1.f - h * h));
        }
        pass_back(end - first, units, units, d_projected + here, packed, d_hidden + first * H, false);
      }
    });
  }
};
