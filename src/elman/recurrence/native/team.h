// Processes on one machine that train one network: how they meet, and how they add up their gradients.
#pragma once

#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

// This process among those of a team, as team.py has it.
struct Team {
  int32_t rank, size;
  std::atomic<uint32_t>* arrived;  // how often each process has come to a meeting, APART from one to the next
  const int32_t* ends;             // sockets that say when another one is gone
  int32_t count, gone;             // of these; whether one is

  static constexpr int APART = 16;  // a cache line

  void meet() {
    const uint32_t mine = arrived[rank * APART].fetch_add(1, std::memory_order_acq_rel) + 1;
    for (int other = 0; other < size; other++)
      for (uint32_t turn = 1; int32_t(arrived[other * APART].load(std::memory_order_acquire) - mine) < 0 && !gone; turn++) {
        if (turn % 4096 == 0) sched_yield();
        if (turn % 65536 == 0) look();
      }
  }

  void look() {
    char byte;
    for (int end = 0; end < count; end++) {
      const ssize_t heard = recv(ends[end], &byte, 1, MSG_PEEK | MSG_DONTWAIT);
      if (heard == 0 || (heard < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) gone = 1;
    }
  }
};

// The gradient of a weight of `count` numbers, of which this process changes those from `begin` to `end`, as team.py has it.
struct Piece {
  float* gradient;  // of this process's rows of the batch
  int64_t place;    // where it stands among those that a process leaves for the others
  int64_t count, begin, end;
  int32_t complete;  // no other has anything to add
};

// Leave for the others what belongs to them, and where this process's own stand the sums of these and what they left. `left`:
// where each process leaves its gradients; `sums`: of each, the sum of the squares of its own, and its loss; `totals`: those
// of all.
inline void add_gradients(Team& team, const Piece* pieces, int count, float* const* left, double (*sums)[2],
                          double totals[2], int threads) {
  constexpr int64_t BLOCK = 4096;
  for (const Piece* piece = pieces; piece < pieces + count; piece++) {
    float* place = left[team.rank] + piece->place;
    if (piece->gradient == place) continue;  // it was made there
    std::memcpy(place, piece->gradient, piece->begin * sizeof(float));
    std::memcpy(place + piece->end, piece->gradient + piece->end, (piece->count - piece->end) * sizeof(float));
  }
  team.meet();
  std::vector<double> squares(threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; thread++)
    for (const Piece* piece = pieces; piece < pieces + count; piece++) {
      const int64_t own = piece->end - piece->begin, last = piece->begin + own * (thread + 1) / threads;
      for (int64_t from = piece->begin + own * thread / threads; from < last; from += BLOCK) {
        const int64_t size = std::min(BLOCK, last - from);
        float *sum = left[team.rank] + piece->place + from, square = 0;
        if (piece->gradient + from != sum) std::memcpy(sum, piece->gradient + from, size * sizeof(float));
        for (int other = 0; other < team.size && !piece->complete; other++) {
          if (other == team.rank) continue;
          const float* part = left[other] + piece->place + from;
          for (int64_t n = 0; n < size; n++) sum[n] += part[n];
        }
#pragma omp simd reduction(+ : square)
        for (int64_t n = 0; n < size; n++) square += sum[n] * sum[n];
        squares[thread] += square;
      }
    }
  sums[team.rank][0] = 0;
  for (double square : squares) sums[team.rank][0] += square;
  sums[team.rank][1] = totals[1];
  team.meet();
  totals[0] = totals[1] = 0;
  for (int rank = 0; rank < team.size; rank++)
    for (int n = 0; n < 2; n++) totals[n] += sums[rank][n];
}
