// What Python calls: each cell over a whole window, in fp32 and, where the processor has its products, in bf16.
//
// Threads share the rows of the batch or the units (sharing.h). Weights are packed once a window, in the order in which they
// are read. The state is fp32 throughout, and all sums are.
// T steps, B rows, H units (a multiple of LANES); arrays are contiguous, time first.

#include "between.h"
#include "elman.h"
#include "gru.h"
#include "lstm.h"
#include "minimal.h"
#include "rglru.h"

#define EXPORT extern "C" __attribute__((visibility("default"))) void
#define SHAPE int steps, int64_t rows, int units, int threads, Team* team
#define GIVEN {{steps, rows, units, threads, team}}
#define INPUTS(Number) const Number *products, const int32_t *tokens
#define READ(gates) {products, tokens, gates * int64_t(units)}

#define FUNCTIONS(Number, name)                                                                                               \
  EXPORT pack_##name(const float* weights, Number* packed, Number* back, int gates, int units, int begin, int end,            \
                     int threads) {                                                                                           \
    const Order order = gates == 1 ? order_of_adjacent(units, units) : order_of_gates(gates, units);                          \
    pack(weights, packed, order, back, begin, end, threads);                                                                  \
  }                                                                                                                           \
  EXPORT lstm_forward_##name(SHAPE, INPUTS(Number), const Number* packed, Number* states, float* last, float* memories,       \
                             Number* gates) {                                                                                 \
    LSTM<Number> GIVEN.forward(READ(4), packed, states, last, memories, gates);                                               \
  }                                                                                                                           \
  EXPORT lstm_backward_##name(SHAPE, const Number* packed, const Number* gates, const float* memories,                        \
                              const Number* d_outputs, Number* d_projected, float* d_hidden, float* d_memory) {               \
    LSTM<Number> GIVEN.backward(packed, gates, memories, d_outputs, d_projected, d_hidden, d_memory);                         \
  }                                                                                                                           \
  EXPORT gru_forward_##name(SHAPE, INPUTS(Number), const Number* packed, const float* bias, Number* states, float* state,     \
                            Number* gates) {                                                                                  \
    GRU<Number> GIVEN.forward(READ(3), packed, bias, states, state, gates);                                                   \
  }                                                                                                                           \
  EXPORT gru_backward_##name(SHAPE, const Number* packed, const Number* gates, const Number* states,                          \
                             const Number* d_outputs, Number* d_projected, Number* d_recurrent, float* d_hidden) {            \
    GRU<Number> GIVEN.backward(packed, gates, states, d_outputs, d_projected, d_recurrent, d_hidden);                         \
  }                                                                                                                           \
  ELMAN(tanh, false, Number, name)                                                                                            \
  ELMAN(relu, true, Number, name)                                                                                             \
  MINIMAL(min_gru, false, 2, Number, name)                                                                                    \
  MINIMAL(min_lstm, true, 3, Number, name)                                                                                    \
  EXPORT rg_lru_forward_##name(SHAPE, INPUTS(Number), const float* limits, float* states) {                                   \
    RGLRU<Number> GIVEN.forward(READ(3), limits, states);                                                                     \
  }                                                                                                                           \
  EXPORT rg_lru_backward_##name(SHAPE, INPUTS(Number), const float* limits, const float* states,                              \
                                const float* d_outputs, Number* d_projected, float* d_limits, float* d_hidden) {              \
    RGLRU<Number> GIVEN.backward(READ(3), limits, states, d_outputs, d_projected, d_limits, d_hidden);                        \
  }

#define ELMAN(kind, RELU, Number, name)                                                                                       \
  EXPORT kind##_forward_##name(SHAPE, INPUTS(Number), const Number* packed, Number* states, float* last) {                    \
    Elman<Number, RELU> GIVEN.forward(READ(1), packed, states, last);                                                         \
  }                                                                                                                           \
  EXPORT kind##_backward_##name(SHAPE, const Number* packed, const Number* states, const Number* d_outputs,                   \
                                Number* d_projected, float* d_hidden) {                                                       \
    Elman<Number, RELU> GIVEN.backward(packed, states, d_outputs, d_projected, d_hidden);                                     \
  }

#define MINIMAL(kind, LSTM, GATES, Number, name)                                                                              \
  EXPORT kind##_forward_##name(SHAPE, INPUTS(Number), float* states) {                                                        \
    Minimal<Number, LSTM> GIVEN.forward(READ(GATES), states);                                                                 \
  }                                                                                                                           \
  EXPORT kind##_backward_##name(SHAPE, INPUTS(Number), const float* states, const float* d_outputs,                           \
                                Number* d_projected, float* d_hidden) {                                                       \
    Minimal<Number, LSTM> GIVEN.backward(READ(GATES), states, d_outputs, d_projected, d_hidden);                              \
  }

#define AROUND(Number, name)                                                                                                  \
  EXPORT add_by_token_##name(int64_t count, int64_t width, int first, int apart, const Number* gradients,                      \
                             const int32_t* tokens, float* sums, int threads) {                                               \
    add_by_token(count, width, first, apart, gradients, tokens, sums, threads);                                               \
  }                                                                                                                           \
  EXPORT drop_##name(int64_t stretches, int64_t count, int64_t apart, int64_t seed, int level, float scale, const Number* x,  \
                     Number* y, int threads) {                                                                                \
    drop(stretches, count, apart, seed, level, scale, x, y, threads);                                                         \
  }                                                                                                                           \
  EXPORT normalize_##name(int64_t rows, int width, float epsilon, const float* x, const float* weight, const float* bias,     \
                          Number* y, float* moments, int threads) {                                                           \
    normalize(rows, width, epsilon, x, weight, bias, y, moments, threads);                                                    \
  }                                                                                                                           \
  EXPORT normalize_back_##name(int64_t rows, int width, const float* x, const float* weight, const float* moments,            \
                               const Number* d_y, float* d_x, float* d_shares, int threads) {                                 \
    normalize_back(rows, width, x, weight, moments, d_y, d_x, d_shares, threads);                                             \
  }

AROUND(float, fp32)
AROUND(bf16, bf16)
FUNCTIONS(float, fp32)
#ifdef __AVX512BF16__
FUNCTIONS(bf16, bf16)
#endif

EXPORT meet(Team* team) { team->meet(); }

EXPORT add_gradients(Team* team, const Piece* pieces, int count, float* const* left, double (*sums)[2], double* totals,
                     int threads) {
  add_gradients(*team, pieces, count, left, sums, totals, threads);
}

extern "C" __attribute__((visibility("default"))) int lanes() { return LANES; }

extern "C" __attribute__((visibility("default"))) int pays(int64_t rows, int64_t bytes, int64_t threads) {
  return shares_units(rows, bytes, threads);
}
