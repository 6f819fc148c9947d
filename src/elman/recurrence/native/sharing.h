// How a window is shared. Each thread takes some rows of the batch through all steps, and waits for nobody; or, of few rows
// and many weights, some units of all rows, so that it reads no weights but its own, and waits for the others at every step.
// So do the processes of a team: what a window reads and writes lies in memory that all of them see.
#pragma once

#include <omp.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "tiles.h"

// This process among those of a team, as weights.py has it.
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
