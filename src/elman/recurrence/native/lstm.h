// i, f, o = sigmoid(.)   g = tanh(.)   c' = f * c + i * g   h' = o * tanh(c'); gates lie in this order: i, f, g, o.
#pragma once

#include "inputs.h"
#include "products.h"

template <typename Number> struct LSTM : Window {
  // inputs of width 4H -> states and memories (1 + T, B, H), of which the first are there; last state (B, H); gates (T, B, 4H)
  // or null
  void forward(const Inputs<Number>& inputs, const Number* packed, Number* states, float* last, float* memories,
               Number* gates) const {
    const int64_t H = units;
    share(LANES, 4 * H * H * sizeof(Number), [&](const Share& share) {
      for (int t = 0; t < steps; t++) {
        const int64_t here = t * rows + share.first;
        for (int64_t unit = share.unit; unit < share.last; unit += LANES)
          product<4>(share.rows(), states + here * H, H, packed + 4 * unit * H, H, [&](int row, Vector* sums) {
            const int64_t before = (here + row) * H + unit, after = before + rows * H;
            const Number* x = inputs[here + row] + unit;
            const Vector i = sigmoid(sums[0] + load(x)), f = sigmoid(sums[1] + load(x + H));
            const Vector g = hyperbolic_tangent(sums[2] + load(x + 2 * H)), o = sigmoid(sums[3] + load(x + 3 * H));
            const Vector c = f * load(memories + before) + i * g, h = o * hyperbolic_tangent(c);
            store(memories + after, c);
            store(states + after, h);
            if (t == steps - 1) store(last + (share.first + row) * H + unit, h);
            if (!gates) return;
            Number* gate = gates + 4 * (here + row) * H + unit;
            store(gate, i);
            store(gate + H, f);
            store(gate + 2 * H, g);
            store(gate + 3 * H, o);
          });
        share.meet();
      }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, 4H); d_hidden and d_memory (B, H): of the state after, then of the one before
  void backward(const Number* packed, const Number* gates, const float* memories, const Number* d_outputs, Number* d_projected,
                float* d_hidden, float* d_memory) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, 4 * H * H * sizeof(Number), [&](const Share& share) {
      for (int t = steps - 1; t >= 0; t--) {
        const int64_t here = t * rows + share.first;
        for (int64_t row = 0; row < share.rows(); row++)
          for (int64_t unit = share.unit; unit < share.last; unit += LANES) {
            const int64_t place = (here + row) * H + unit, gate = 4 * (here + row) * H + unit;
            const int64_t state = (share.first + row) * H + unit;
            const Vector i = load(gates + gate), f = load(gates + gate + H);
            const Vector g = load(gates + gate + 2 * H), o = load(gates + gate + 3 * H);
            const Vector c = hyperbolic_tangent(load(memories + place + rows * H)), dh = load(d_hidden + state) + load(d_outputs + place);
            const Vector dc = load(d_memory + state) + dh * o * (1.f - c * c);
            store(d_projected + gate, dc * g * i * (1.f - i));
            store(d_projected + gate + H, dc * load(memories + place) * f * (1.f - f));
            store(d_projected + gate + 2 * H, dc * i * (1.f - g * g));
            store(d_projected + gate + 3 * H, dh * c * o * (1.f - o));
            store(d_memory + state, dc * f);
          }
        share.meet();
        pass_back(share, units, 4 * units, d_projected + 4 * t * rows * H, packed, d_hidden, false);
      }
    });
  }
};
