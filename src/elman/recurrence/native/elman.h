// h' = tanh(.) or relu(.)
#pragma once

#include "inputs.h"
#include "products.h"

template <typename Number, bool RELU> struct Elman : Window {
  // inputs of width H -> states (1 + T, B, H), of which the first is there; last (B, H)
  void forward(const Inputs<Number>& inputs, const Number* packed, Number* states, float* last) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, H * H * sizeof(Number), [&](const Share& share) {
      for (int t = 0; t < steps; t++) {
        const int64_t here = t * rows + share.first;
        by_adjacent(units, [&](auto columns) {
          constexpr int COLUMNS = decltype(columns)::value;
          for (int64_t unit = share.unit; unit < share.last; unit += COLUMNS * LANES)
            product<COLUMNS>(share.rows(), states + here * H, H, packed + unit * H, H, [&](int row, Vector* sums) {
              for (int c = 0; c < COLUMNS; c++) {
                const int64_t n = unit + c * LANES;
                const Vector before = sums[c] + load(inputs[here + row] + n);
                const Vector h = RELU ? (before < 0.f ? Vector{} : before) : hyperbolic_tangent(before);
                store(states + (here + rows + row) * H + n, h);
                if (t == steps - 1) store(last + (share.first + row) * H + n, h);
              }
            });
        });
        share.meet();
      }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, H); d_hidden (B, H): of the state after, then of the one before
  void backward(const Number* packed, const Number* states, const Number* d_outputs, Number* d_projected,
                float* d_hidden) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, H * H * sizeof(Number), [&](const Share& share) {
      for (int t = steps - 1; t >= 0; t--) {
        for (int64_t row = share.first; row < share.end; row++)
          for (int64_t unit = share.unit; unit < share.last; unit += LANES) {
            const int64_t place = (t * rows + row) * H + unit;
            const Vector h = load(states + place + rows * H), dh = load(d_hidden + row * H + unit) + load(d_outputs + place);
            store(d_projected + place, RELU ? (h > 0.f ? dh : Vector{}) : dh * (1.f - h * h));
          }
        share.meet();
        pass_back(share, units, units, d_projected + t * rows * H, packed, d_hidden, false);
      }
    });
  }
};
