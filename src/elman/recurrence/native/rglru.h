// r, i = sigmoid(.)   a = e^(limit * r)   h' = a * h + sqrt(1 - a^2) * i * u; gates lie in this order: r, i, u. The limit of
// each unit, the logarithm of what an open gate keeps, is below zero.
#pragma once

#include <cfloat>

#include "inputs.h"
#include "sharing.h"

template <typename Number> struct RGLRU : Window {
  static constexpr int GATES = 3;
  struct Gates {
    Vector open, entry, value, kept, room;  // r, i, u, a, sqrt(1 - a^2)
  };

  Gates at(const Number* x, Vector limit) const {
    const Vector open = sigmoid(load(x)), log_kept = limit * open;
    const Vector room = root(missing(2.f * log_kept) + FLT_MIN);
    return {open, sigmoid(load(x + units)), load(x + 2 * (int64_t)units), exponential(log_kept), room};
  }

  // inputs of width 3H, limits (H,) -> states (1 + T, B, H) in fp32, of which the first is there
  void forward(const Inputs<Number>& inputs, const float* limits, float* states) const {
    const int64_t H = units;
    share_rows([&](int64_t first, int64_t end) {
      for (int t = 0; t < steps; t++)
        for (int64_t row = first; row < end; row++)
          for (int64_t unit = 0; unit < H; unit += LANES) {
            const int64_t place = t * rows + row;
            const Gates gates = at(inputs[place] + unit, load(limits + unit));
            const Vector before = load(states + place * H + unit);
            store(states + (place + rows) * H + unit, gates.kept * before + gates.room * gates.entry * gates.value);
          }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, 3H); d_limits (B, H), of each row, zero before; d_hidden (B, H): of the state
  // after, then of the one before
  void backward(const Inputs<Number>& inputs, const float* limits, const float* states, const float* d_outputs,
                Number* d_projected, float* d_limits, float* d_hidden) const {
    const int64_t H = units;
    share_rows([&](int64_t first, int64_t end) {
      for (int t = steps - 1; t >= 0; t--)
        for (int64_t row = first; row < end; row++)
          for (int64_t unit = 0; unit < H; unit += LANES) {
            const int64_t place = t * rows + row, gate = GATES * place * H + unit, state = row * H + unit;
            const Vector limit = load(limits + unit);
            const auto [open, entry, value, kept, room] = at(inputs[place] + unit, limit);
            const Vector dh = load(d_hidden + state) + load(d_outputs + place * H + unit);
            const Vector before = load(states + place * H + unit);
            const Vector d_log_kept = dh * kept * (before - entry * value * kept / room);
            store(d_projected + gate, d_log_kept * limit * open * (1.f - open));
            store(d_projected + gate + H, dh * room * value * entry * (1.f - entry));
            store(d_projected + gate + 2 * H, dh * room * entry);
            store(d_limits + state, load(d_limits + state) + d_log_kept * open);
            store(d_hidden + state, dh * kept);
          }
    });
  }
};
