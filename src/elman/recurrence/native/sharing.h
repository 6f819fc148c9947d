// How a window is shared. Each thread takes some rows of the batch through all steps, and waits for nobody; or, of few rows
// and many weights, some units of all rows, so that it reads no weights but its own, and waits for the others at every step.
// So do the processes of a team: what a window reads and writes lies in memory that all of them see.
#pragma once

#include <omp.h>

#include <algorithm>

#include "team.h"
#include "tiles.h"

// The rows and the units that a thread sees to.
struct Share {
  int64_t first, end;  // rows
  int unit, last;      // units, `last` not with them
  bool together;       // others see to other units of the same rows
  Team* team;          // of processes that do, or null

  int rows() const { return end - first; }

  void meet() const {
    if (!together) return;
#pragma omp barrier
    if (!team) return;
#pragma omp master
    team->meet();
#pragma omp barrier
  }
};

// Units are shared with fewer rows for each thread, and more bytes of weights, than these. A matrix unit waits sooner.
#ifdef TILES
constexpr int64_t ROWS = 64, BYTES = 1024 * 1024;
#else
constexpr int64_t ROWS = 16, BYTES = 2 * 1024 * 1024;
#endif

inline bool shares_units(int64_t rows, int64_t bytes, int64_t threads) { return rows < ROWS * threads && bytes > BYTES; }

// T steps of B rows.
struct Window {
  int steps;
  int64_t rows;
  int units, threads;
  Team* team;

  // Call work(first, end) once in each thread, for its share of the rows.
  template <typename Work> void share_rows(Work&& work) const {
    const int parts = std::min<int64_t>(threads, rows);
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int part = 0; part < parts; part++) work(rows * part / parts, rows * (part + 1) / parts);
  }

  // Call work(share) once in each thread, where each step reads some bytes of weights in blocks of some units.
  template <typename Work> void share(int block, int64_t bytes, Work&& work) const {
    const bool together = team || shares_units(rows, bytes, threads);
    const int64_t all = together ? units / block : rows;  // pieces; those of this process from `begin` on
    const int64_t begin = team ? all * team->rank / team->size : 0;
    const int64_t pieces = (team ? all * (team->rank + 1) / team->size : all) - begin;
#pragma omp parallel num_threads(std::max<int64_t>(1, std::min<int64_t>(threads, pieces)))
    {
      const int64_t parts = omp_get_num_threads(), part = omp_get_thread_num();
      const int64_t from = begin + pieces * part / parts, to = begin + pieces * (part + 1) / parts;
#ifdef TILES
      const Tiles tiles(together ? rows : to - from);
#endif
      const Share share = together ? Share{0, rows, int(from) * block, int(to) * block, true, team}
                                   : Share{from, to, 0, units, false, nullptr};
      if (team) share.meet();  // until all have brought what is theirs
      work(share);
      if (team) share.meet();
    }
  }
};
