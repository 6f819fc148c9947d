// h' = tanh(.) or relu(.)
#pragma once

#include "products.h"

template <typename Number, bool RELU> struct Elman : Window {
  // projected (T, B, H), hidden (B, H) -> outputs (T, B, H), last (B, H)
  void forward(const Number* projected, const Number* packed, const Number* hidden, Number* outputs, float* last) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, H * H * sizeof(Number), [&](const Share& share) {
      for (int t = 0; t < steps; t++) {
        const int64_t here = t * rows + share.first;
        const Number* h_before = t ? outputs + (here - rows) * H : hidden + share.first * H;
        by_adjacent(units, [&](auto columns) {
          constexpr int COLUMNS = decltype(columns)::value;
          for (int64_t unit = share.unit; unit < share.last; unit += COLUMNS * LANES)
            product<COLUMNS>(share.rows(), h_before, H, packed + unit * H, H, [&](int row, Vector* sums) {
              for (int c = 0; c < COLUMNS; c++) {
                const int64_t place = (here + row) * H + unit + c * LANES;
                const Vector before = sums[c] + load(projected + place);
                const Vector h = RELU ? (before < 0.f ? Vector{} : before) : hyperbolic_tangent(before);
                store(outputs + place, h);
                if (t == steps - 1) store(last + (share.first + row) * H + unit + c * LANES, h);
              }
            });
        });
        share.meet();
      }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, H); d_hidden (B, H): of the state after, then of the one before
  void backward(const Number* packed, const Number* outputs, const Number* d_outputs, Number* d_projected,
                float* d_hidden) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, H * H * sizeof(Number), [&](const Share& share) {
      for (int t = steps - 1; t >= 0; t--) {
        for (int64_t row = share.first; row < share.end; row++)
          for (int64_t unit = share.unit; unit < share.last; unit += LANES) {
            const int64_t place = (t * rows + row) * H + unit;
            const Vector h = load(outputs + place), dh = load(d_hidden + row * H + unit) + load(d_outputs + place);
            store(d_projected + place, RELU ? (h > 0.f ? dh : Vector{}) : dh * (1.f - h * h));
          }
        share.meet();
        pass_back(share, units, units, d_projected + t * rows * H, packed, d_hidden, false);
      }
    });
  }
};
