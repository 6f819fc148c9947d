"""Which exchange processes have, and the line between those on one machine: threads stand for processes."""

import copy
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest
import torch

from elman.cells import CELLS, Cell
from elman.errors import RankError
from elman.recurrence import Lookup, native
from elman.recurrence.native.weights import pack, pack_together
from elman.training import ALONE, Ranks
from elman.training.common import CommonWeight
from elman.training.exchange import AddedGradients, Exchange, SharedMemory, make_exchange
from elman.training.line import Line, open_line


@pytest.fixture
def ranks() -> Iterator[list[Ranks]]:
    """Three on one machine, of which the last connects before the second."""
    path = Future[str]()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(open_line, 0, 3, path.set_result)
        third = pool.submit(open_line, 2, 3, lambda _: path.result())
        third.result()
        second = pool.submit(open_line, 1, 3, lambda _: path.result())
        lines = [one.result() for one in (first, second, third)]
    yield [Ranks(rank, 3, line=line) for rank, line in enumerate(lines)]
    for line in lines:
        line.close()


def together(ranks: list[Ranks], work: object) -> list[object]:
    with ThreadPoolExecutor(len(ranks)) as pool:
        return list(pool.map(work, ranks))


def test_all_hear_the_same_sums_and_what_the_leader_says(ranks: list[Ranks]) -> None:
    assert together(ranks, lambda one: one.add(one.rank, 0.5)) == [[3.0, 1.5]] * 3
    assert together(ranks, lambda one: one.agree(10.0 + one.rank)) == [[10.0]] * 3


def test_sums_are_in_the_order_of_ranks_whoever_comes_first(ranks: list[Ranks]) -> None:
    values = [1e100, -1e100, 1.0]  # in any other order the last one is lost
    assert together(ranks, lambda one: one.add(values[one.rank])) == [[1.0]] * 3


def test_memory_is_common_and_has_no_name(ranks: list[Ranks]) -> None:
    files = len(os.listdir("/proc/self/fd"))
    first, second, third = together(ranks, lambda one: one.memory(2, 3))
    assert first.shape == (2, 3)
    first[1, 2] = 7.0
    assert second[1, 2] == third[1, 2] == 7.0
    assert not second[0].any()
    assert len(os.listdir("/proc/self/fd")) == files


def test_who_is_gone_is_missed_at_once(ranks: list[Ranks]) -> None:
    ranks[1].line.close()
    with pytest.raises(RankError, match="another of the 3 processes of this run has ended"):
        ranks[0].add(1.0)
    ranks[0].line.close()
    with pytest.raises(RankError, match="has ended"):
        ranks[2].agree(0.0)


def test_the_leader_spreads_bytes(ranks: list[Ranks]) -> None:
    content = {"a": np.arange(300_000).reshape(2, -1), "none": np.zeros((0, 3), dtype=np.float32)}

    def spread(one: Ranks) -> tuple[dict[str, np.ndarray], dict]:
        return one.spread(*((content, {"b": [1, "ä"]}) if one.rank == 0 else ({}, {})))

    for tensors, values in together(ranks, spread):
        assert values == {"b": [1, "ä"]}
        for name, expected in content.items():
            np.testing.assert_array_equal(tensors[name], expected)
            assert tensors[name].dtype == expected.dtype


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sizes", [(5, 7), (201, 130), (3, 1)])
def test_gradients_are_added_and_shortened_together(
    ranks: list[Ranks], sizes: tuple[int, int], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, and the second time the bias of one process has none."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)  # of each process
    networks, plain = [torch.nn.Linear(*sizes) for _ in ranks], torch.nn.Linear(*sizes)
    shared = together(ranks, lambda one: make_exchange(networks[one.rank], 0.1, one))

    def exchange(one: Ranks) -> tuple[float, float, list[torch.Tensor]]:
        mine = shared[one.rank]
        assert type(mine) is SharedMemory
        return *mine.gradients(float(one.rank)), [share.grad for share in mine.shares]

    for missing in (None, networks[1].bias):
        for parameter in plain.parameters():
            parameter.grad = torch.zeros_like(parameter)
        for network, one in zip(networks, shared, strict=True):
            one.clear_gradients()
            for parameter, total in zip(network.parameters(), plain.parameters(), strict=True):
                if parameter is not missing:
                    parameter.grad = torch.randn_like(parameter)
                    total.grad += parameter.grad
        norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.1)
        outcomes = together(ranks, exchange)
        assert [(nats, found) for nats, found, _ in outcomes] == [(1.0, pytest.approx(norm.item()))] * 3
        for place, parameter in enumerate(plain.parameters()):
            whole = torch.cat([gradients[place] for _, _, gradients in outcomes])
            torch.testing.assert_close(whole.view_as(parameter), parameter.grad)
    for network in networks:
        assert torch.equal(network.weight, networks[0].weight)  # they see the same numbers


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn-tanh"])
def test_weights_are_brought_into_order_together(ranks: list[Ranks], name: str) -> None:
    weight = CELLS[name](3, 80).recurrent_weight.detach()
    expected = pack(weight, torch.float32, back=True)

    def share(one: Ranks) -> tuple[torch.Tensor, ...]:
        common = CommonWeight(one, torch.zeros_like(weight))
        orders = pack_together(weight, torch.float32, common)
        common.meet()
        return orders

    for found in together(ranks, share):
        assert all(torch.equal(*orders) for orders in zip(found, expected, strict=True))


def test_a_gradient_stands_where_others_read_it_and_a_second_one_is_added(ranks: list[Ranks]) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 2, 3)

    def learn(cell: Cell) -> torch.Tensor:
        outputs, _ = native.unroll(cell, x, cell.initial_state(2))
        outputs.square().sum().backward()
        return cell.recurrent_weight.grad

    plain = CELLS["gru"](3, 32)
    expected = learn(plain).clone()

    def share(one: Ranks) -> None:
        cell = copy.deepcopy(plain)
        weight, place = cell.recurrent_weight, torch.zeros_like(expected)
        weight.grad, common = None, CommonWeight(one, place)
        vars(weight)["common"] = common
        for times in (1, 2, 3):
            assert learn(cell).data_ptr() == place.data_ptr()
            torch.testing.assert_close(place, times * expected)
        weight.grad = None
        common.clear_gradient()
        assert learn(cell).data_ptr() == place.data_ptr()
        torch.testing.assert_close(place, expected)

    together(ranks, share)


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize(("name", "units"), [("lstm", 384), ("gru", 432), ("rnn-tanh", 736)])
def test_few_rows_and_many_weights_are_seen_to_together(
    ranks: list[Ranks], name: str, units: int, tokens: bool
) -> None:
    """In windows of several lengths: each process sees to some units of all rows, and gets its own."""
    torch.manual_seed(0)
    plain = CELLS[name](8, units)
    cells = [copy.deepcopy(plain) for _ in ranks]
    windows = [torch.randint(11, (steps, 6)) for steps in (6, 2, 9)]
    state = plain.state_type(*(torch.randn(6, units) for _ in plain.state_type._fields))
    table = torch.randn(11, 8)

    def learn(cell: Cell, own: slice, ranks: Ranks = ALONE) -> dict[str, list[torch.Tensor]]:
        found: dict[str, list[torch.Tensor]] = {"own": [], "weight": [], "table": []}
        now = cell.state_type(*(part[own] for part in state))
        weight, common = cell.recurrent_weight, vars(cell.recurrent_weight).get("common")
        for ids in windows:
            cell.zero_grad()
            ranks.meet()  # as they do to add up their gradients
            if common:
                common.clear_gradient()
            x, now = table.clone().requires_grad_(), cell.state_type(*(part.detach() for part in now))
            read = Lookup(x, ids[:, own])
            outputs, now = native.unroll(cell, read if tokens else read.rows(), now)
            (outputs.sin().sum() + sum(part.square().sum() for part in now)).backward()
            # outputs stand there until the next window, states for as long as they are held
            found["own"] += [outputs.detach().clone(), *(part.detach() for part in now)]
            found["weight"] += [weight.grad.clone()]
            if common and common.complete:
                part = ranks.rows(len(weight))
                found["weight"][-1][: part.start] = found["weight"][-1][part.stop :] = 0
            found["table"] += [x.grad]
        assert common is None or common.complete
        return found

    def share(one: Ranks) -> dict[str, list[torch.Tensor]]:
        weight = cells[one.rank].recurrent_weight
        vars(weight)["common"] = CommonWeight(one, torch.full_like(weight, 7.0))
        return learn(cells[one.rank], one.rows(6), one)

    expected, shared = learn(plain, slice(0, 6)), together(ranks, share)
    for kind, wholes in expected.items():
        for whole, *parts in zip(wholes, *(found[kind] for found in shared), strict=True):
            made = torch.cat(parts, -2) if kind == "own" else sum(parts)
            torch.testing.assert_close(made, whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("at_once", [True, False])
def test_of_few_rows_too_a_second_gradient_is_added(ranks: list[Ranks], at_once: bool) -> None:
    """That of two windows, which go back together or one after the other."""
    torch.manual_seed(0)
    plain, windows = CELLS["lstm"](8, 384), [torch.randn(steps, 3, 8) for steps in (4, 5)]
    cells = [copy.deepcopy(plain) for _ in ranks]

    def learn(cell: Cell, rows: slice) -> torch.Tensor:
        losses = (native.unroll(cell, x[:, rows], cell.initial_state(1))[0].sin().sum() for x in windows)
        for loss in [sum(losses)] if at_once else losses:
            loss.backward()
        return cell.recurrent_weight.grad

    def share(one: Ranks) -> torch.Tensor:
        weight = cells[one.rank].recurrent_weight
        vars(weight)["common"] = common = CommonWeight(one, torch.full_like(weight, 7.0))
        gradient = learn(cells[one.rank], one.rows(3))
        assert not common.complete
        return gradient

    for row in range(3):
        expected = learn(plain, slice(row, row + 1))
    torch.testing.assert_close(sum(together(ranks, share)), expected, rtol=1e-4, atol=1e-4)


def test_who_is_gone_in_the_middle_of_a_window_is_missed(ranks: list[Ranks]) -> None:
    cells = [CELLS["lstm"](8, 384) for _ in ranks]

    def share(one: Ranks) -> None:
        weight = cells[one.rank].recurrent_weight
        vars(weight)["common"] = common = CommonWeight(one, torch.zeros_like(weight))
        common.rows(1), common.team  # agreed on before
        if one.rank == 1:
            one.line.close()
            return
        with pytest.raises(RankError, match="another of the 3 processes of this run has ended"):
            native.unroll(cells[one.rank], torch.randn(4, 1, 8), cells[one.rank].initial_state(1))
        one.line.close()

    together(ranks, share)


def test_alone_nothing_is_exchanged_and_from_afar_all_is() -> None:
    network = torch.nn.Linear(2, 3)
    assert type(make_exchange(network, None, ALONE)) is Exchange
    assert type(make_exchange(network, None, Ranks(0, 2))) is AddedGradients


def test_the_leader_computes_on_the_threads_of_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    before = torch.get_num_threads()
    try:
        for own, borrowed in ((1, 3), (2, 4)):  # of three processes, as many as there are cores
            torch.set_num_threads(own)
            with Ranks(0, 3, line=Line([], leads=True)).borrowed_threads():
                assert torch.get_num_threads() == borrowed
            assert torch.get_num_threads() == own
            with ALONE.borrowed_threads():
                assert torch.get_num_threads() == own
    finally:
        torch.set_num_threads(before)
