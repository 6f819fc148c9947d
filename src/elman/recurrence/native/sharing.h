// How the threads share a window: each takes some rows of the batch through all steps, and waits for nobody; or, of few rows
// and many weights, some units of all rows, so that it reads no weights but its own, and waits for the others at every step.
#pragma once

#include <omp.h>

#include "tiles.h"

// Call work(first, end) once in each thread, for its share of the rows.
template <typename Work> inline void share_rows(int64_t rows, int most, Work&& work) {
  const int threads = std::min<int64_t>(most, rows);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; thread++) work(rows * thread / threads, rows * (thread + 1) / threads);
}

// The rows and the units that a thread sees to.
struct Share {
  int64_t first, end;  // rows
  int unit, last;      // units, `last` not with them
  bool together;       // others see to other units of the same rows

  int rows() const { return end - first; }

  void meet() const {
    if (!together) return;
#pragma omp barrier
  }
};

// Where that pays: with fewer rows for each thread, for a matrix unit waits for weights sooner; and at least as many bytes of
// weights, more than a core keeps beside all else.
#ifdef TILES
constexpr int FEW = 64;
#else
constexpr int FEW = 16;
#endif
constexpr int64_t MANY = 2 * 1024 * 1024;

// Call work(share) once in each thread, where each step reads some bytes of weights in blocks of some units.
template <typename Work> inline void share(int64_t rows, int units, int block, int64_t bytes, int threads, Work&& work) {
  const bool together = rows < FEW * threads && bytes >= MANY;
  const int64_t pieces = together ? units / block : rows;
#pragma omp parallel num_threads(std::min<int64_t>(threads, pieces))
  {
    const int64_t team = omp_get_num_threads(), thread = omp_get_thread_num();
    const int64_t from = pieces * thread / team, to = pieces * (thread + 1) / team;
#ifdef TILES
    const Tiles tiles(together ? rows : to - from);
#endif
    if (together) work(Share{0, rows, int(from) * block, int(to) * block, true});
    else work(Share{from, to, 0, units, false});
  }
}
