"""How many nats each token of one stream costs, given all tokens before it: token ids in, nats out.

A stream has to be read in order, and one row leaves most of a processor idle. So it is cut into stretches
that are read side by side, all but the first from a cold state; then each begins again where the one before
it has ended, until that makes no difference any more. The nats are those of one row, but for rounding, of all
models that forget: if the states of a model do not come together so, it is read in order.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.engine import Engine, Ids, Logits, State

TOKENS_AT_MOST = 4096  # in one call of the engine: bounds what its layers hold
LOGITS_AT_MOST = 4_000_000  # numbers in one block of logits: bounds memory, and keeps blocks in the cache
STRETCHES = 16  # side by side: more gain little
SHORTEST, LONGEST = 1024, 4096  # tokens in a stretch
PIECE = 128  # tokens from one comparison to the next
ROUNDING = 1e-5  # of 1, or of a larger number: states and logits no further apart are the same

Nats = NDArray[np.float32]
Rows = NDArray[np.intp]  # numbers of stretches


class Reached(NamedTuple):
    """Where rows of tokens stand that have been read so far."""

    state: State  # each part (B, size)
    logits: Logits  # (B, V) of the next token

    def rows(self, which: NDArray[Any]) -> "Reached":
        """Return some of the rows, by their numbers or a mask."""
        return Reached(tuple(part[which] for part in self.state), self.logits[which])


class SurprisalStream:
    """One stream of tokens through an engine.

    The first token after no context at all is charged as if every token were equally likely.
    """

    def __init__(self, engine: Engine, context: Ids | None = None, in_order: bool = False) -> None:
        """`in_order`: for an engine that changes as it reads, or sees what comes later in the same call.

        Others are read in order from where reading side by side has not paid.
        """
        self._engine, self._in_order = engine, in_order
        self._reached = self._cold(1)
        for _ in self.read(context) if context is not None else ():
            pass

    def read(self, ids: Ids) -> Iterator[Nats]:
        """Yield the nats of each token of ids (T,), in blocks."""
        while len(ids):
            length = min(len(ids) // STRETCHES, LONGEST)
            if self._in_order or length < SHORTEST:
                nats = self._in_a_row(ids[:TOKENS_AT_MOST])
            else:
                nats = self._side_by_side(ids[: STRETCHES * length].reshape(STRETCHES, length).T)
            ids = ids[len(nats) :]
            yield nats

    def _in_a_row(self, ids: Ids) -> Nats:
        """Read ids (T,): nats (T,)."""
        nats, self._reached = self._follow(ids[:, np.newaxis], self._reached)
        return nats[:, 0]

    def _side_by_side(self, ids: Ids) -> Nats:
        """Read stretches (T, B), each the end of the one before it: the nats of the first N tokens, (N,).

        These are all, or those of as many stretches as have begun where they should.
        """
        rows = np.arange(ids.shape[1])
        nats, piece_ends = np.empty(ids.shape, dtype=np.float32), []
        reached = _join(self._reached, self._cold(len(rows) - 1))
        for piece in _pieces(ids):
            nats[piece], reached = self._follow(ids[piece], reached)
            piece_ends.append(_flat(reached))
        stretch_ends = [reached.rows(rows == row) for row in rows]
        wrong = rows[1:]  # those that have not begun where the one before ends
        while len(wrong) and not self._in_order:
            now = _join(*(stretch_ends[row - 1] for row in wrong))
            changed, now = self._begin_again(ids, wrong, now, nats, piece_ends)
            for index, row in enumerate(changed):
                stretch_ends[row] = now.rows(np.array([index]))
            self._in_order = len(changed) > len(rows) // 2  # it does not pay
            wrong = changed[changed < rows[-1]] + 1
        right = wrong[0] if len(wrong) else len(rows)
        self._reached = stretch_ends[right - 1]
        return nats[:, :right].T.ravel()

    def _begin_again(
        self, ids: Ids, rows: Rows, reached: Reached, nats: Nats, piece_ends: list[NDArray[np.float32]]
    ) -> tuple[Rows, Reached]:
        """Read some of the stretches anew, each until it stands where it stood: who never comes there.

        `nats` (T, B), and where rows stood after each piece, (B, S), are those of the last time, and changed.
        """
        for piece, end in zip(_pieces(ids), piece_ends, strict=True):
            nats[piece, rows], reached = self._follow(ids[piece, rows], reached)
            before, end[rows] = end[rows], _flat(reached)
            apart = np.any(~np.isclose(before, end[rows], ROUNDING, ROUNDING), axis=1)
            rows, reached = rows[apart], reached.rows(apart)
            if not len(rows):
                break
        return rows, reached

    def _follow(self, ids: Ids, reached: Reached) -> tuple[Nats, Reached]:
        """Read ids (T, B) in rows that stand somewhere: nats (T, B), and where they stand then."""
        rows = ids.shape[1]
        block = max(1, min(TOKENS_AT_MOST, LOGITS_AT_MOST // self._engine.vocabulary_size) // rows)
        nats = []
        for start in range(0, len(ids), block):
            part = ids[start : start + block]
            logits, state = self._engine.feed(part, reached.state)  # (T, B, V)
            nats.append(nats_of(np.concatenate([reached.logits[np.newaxis], logits[:-1]]), part))
            reached = Reached(state, logits[-1])
        return np.concatenate(nats), reached

    def _cold(self, rows: int) -> Reached:
        """Return where rows stand that have read nothing."""
        logits = np.zeros((rows, self._engine.vocabulary_size), dtype=np.float32)
        return Reached(self._engine.initial_state(rows), logits)


def nats_of(logits: Logits, ids: Ids) -> Nats:
    """Return the negative log-probability of ids (...) under logits (..., V)."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(shifted, ids[..., np.newaxis].astype(np.int64), axis=-1)[..., 0]
    nats: Nats = np.log(np.exp(shifted).sum(axis=-1)) - chosen
    return nats


def _pieces(ids: Ids) -> list[slice]:
    return [slice(start, start + PIECE) for start in range(0, len(ids), PIECE)]


def _join(*some: Reached) -> Reached:
    state = tuple(np.concatenate(parts) for parts in zip(*(one.state for one in some), strict=True))
    return Reached(state, np.concatenate([one.logits for one in some]))


def _flat(reached: Reached) -> NDArray[np.float32]:
    """Return where rows stand as one array (B, S)."""
    return np.concatenate([*reached.state, reached.logits], axis=1)
