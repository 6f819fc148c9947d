// h' = n + a * (h - n), where a and n follow from the input alone: n = g(.), and of the minimal GRU a = sigmoid(.), of the
// minimal LSTM a = f / (f + i) with f, i = sigmoid(.). Gates lie in this order: update, candidate; or f, i, candidate.
#pragma once

#include "inputs.h"
#include "sharing.h"

template <typename Number, bool LSTM> struct Minimal : Window {
  static constexpr int GATES = LSTM ? 3 : 2;
  struct Gates {
    Vector kept, candidate, slope;  // a, n, and how n changes with what stands before it
  };

  Gates at(const Number* x) const {
    const int64_t H = units;
    const Vector c = load(x + (GATES - 1) * H), s = sigmoid(c > 0.f ? Vector{} : c);  // 1/2 where c is above zero
    Vector kept;
    if constexpr (LSTM) {
      const Vector f = 1.f + exponential(-load(x)), i = 1.f + exponential(-load(x + H));  // one over each gate
      kept = i / (f + i);
    } else {
      kept = sigmoid(load(x));
    }
    return {kept, c > 0.f ? c + s : s, c > 0.f ? all(1.f) : s * (1.f - s)};
  }

  // inputs of width G*H -> states (1 + T, B, H) in fp32, of which the first is there
  void forward(const Inputs<Number>& inputs, float* states) const {
    const int64_t H = units;
    share_rows([&](int64_t first, int64_t end) {
      for (int t = 0; t < steps; t++)
        for (int64_t row = first; row < end; row++)
          for (int64_t unit = 0; unit < H; unit += LANES) {
            const int64_t place = t * rows + row;
            const Gates gates = at(inputs[place] + unit);
            const Vector before = load(states + place * H + unit);
            store(states + (place + rows) * H + unit, gates.candidate + gates.kept * (before - gates.candidate));
          }
    });
  }

  // d_outputs (T, B, H) -> d_projected (T, B, G*H); d_hidden (B, H): of the state after, then of the one before
  void backward(const Inputs<Number>& inputs, const float* states, const float* d_outputs, Number* d_projected,
                float* d_hidden) const {
    const int64_t H = units;
    share_rows([&](int64_t first, int64_t end) {
      for (int t = steps - 1; t >= 0; t--)
        for (int64_t row = first; row < end; row++)
          for (int64_t unit = 0; unit < H; unit += LANES) {
            const int64_t place = t * rows + row, gate = GATES * place * H + unit;
            const Number* x = inputs[place] + unit;
            const Gates gates = at(x);
            float* dh_at = d_hidden + row * H + unit;
            const Vector dh = load(dh_at) + load(d_outputs + place * H + unit);
            const Vector before = load(states + place * H + unit);
            const Vector d = dh * (before - gates.candidate) * gates.kept * (1.f - gates.kept);
            if constexpr (LSTM) {
              store(d_projected + gate, d * sigmoid(-load(x)));
              store(d_projected + gate + H, -d * sigmoid(-load(x + H)));
            } else {
              store(d_projected + gate, d);
            }
            store(d_projected + gate + (GATES - 1) * H, dh * (1.f - gates.kept) * gates.slope);
            store(dh_at, dh * gates.kept);
          }
    });
  }
};
