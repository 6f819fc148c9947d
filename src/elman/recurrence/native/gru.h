// r, z = sigmoid(.)   n = tanh(Wx + r * q), q = Uh + c   h' = (1 - z) * n + z * h; gates lie in this order: r, z, n.
#pragma once

#include "inputs.h"
#include "products.h"

template <typename Number> struct GRU : Window {
  // inputs of width 3H, bias c (H) or null -> states (1 + T, B, H), of which the first is there; `state` (B, H) is the one
  // before, then the one after; gates r, z, n, q (T, B, 4H) or null
  void forward(const Inputs<Number>& inputs, const Number* packed, const float* bias, Number* states, float* state,
               Number* gates) const {
    const int64_t H = units;
    share(LANES, 3 * H * H * sizeof(Number), [&](const Share& share) {
      for (int t = 0; t < steps; t++) {
        const int64_t here = t * rows + share.first;
        for (int64_t unit = share.unit; unit < share.last; unit += LANES)
          product<3>(share.rows(), states + here * H, H, packed + 3 * unit * H, H, [&](int row, Vector* sums) {
            const Number* x = inputs[here + row] + unit;
            float* h_at = state + (share.first + row) * H + unit;
            const Vector r = sigmoid(sums[0] + load(x)), z = sigmoid(sums[1] + load(x + H));
            const Vector q = bias ? sums[2] + load(bias + unit) : sums[2];
            const Vector n = hyperbolic_tangent(load(x + 2 * H) + r * q), h = n + z * (load(h_at) - n);
            store(h_at, h);
            store(states + (here + rows + row) * H + unit, h);
            if (!gates) return;
            Number* gate = gates + 4 * (here + row) * H + unit;
            store(gate, r);
            store(gate + H, z);
            store(gate + 2 * H, n);
            store(gate + 3 * H, q);
          });
        share.meet();
      }
    });
  }

  // d_outputs (T, B, H) -> d_projected and d_recurrent (T, B, 3H): of what stands before the gates, and of the recurrent
  // products; d_hidden (B, H): of the state after, then of the one before
  void backward(const Number* packed, const Number* gates, const Number* states, const Number* d_outputs, Number* d_projected,
                Number* d_recurrent, float* d_hidden) const {
    const int64_t H = units;
    share(adjacent(units) * LANES, 3 * H * H * sizeof(Number), [&](const Share& share) {
      for (int t = steps - 1; t >= 0; t--) {
        const int64_t here = t * rows + share.first;
        for (int64_t row = 0; row < share.rows(); row++)
          for (int64_t unit = share.unit; unit < share.last; unit += LANES) {
            const Number* gate = gates + 4 * (here + row) * H + unit;
            const int64_t place = 3 * (here + row) * H + unit;
            const Vector r = load(gate), z = load(gate + H), n = load(gate + 2 * H), q = load(gate + 3 * H);
            float* dh_at = d_hidden + (share.first + row) * H + unit;
            const Vector dh = load(dh_at) + load(d_outputs + (here + row) * H + unit);
            const Vector dn = dh * (1.f - z) * (1.f - n * n), dr = dn * q * r * (1.f - r);
            const Vector dz = dh * (load(states + (here + row) * H + unit) - n) * z * (1.f - z);
            store(d_projected + place, dr);
            store(d_projected + place + H, dz);
            store(d_projected + place + 2 * H, dn);
            store(d_recurrent + place, dr);
            store(d_recurrent + place + H, dz);
            store(d_recurrent + place + 2 * H, dn * r);
            store(dh_at, dh * z);
          }
        share.meet();
        pass_back(share, units, 3 * units, d_recurrent + 3 * t * rows * H, packed, d_hidden, true);
      }
    });
  }
};
