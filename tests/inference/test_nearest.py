"""Nearest codes: found exactly, in small searches, or by a graph."""

import sys

import numpy as np
import pytest
import sklearn.neighbors

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.evaluation.baselines import by_neighbours
from latentspace.inference import nearest as module
from latentspace.inference.nearest import PRODUCTS, Graph, nearest


def codes(count: int, size: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def sorted_out(asked: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All places, the nearest first, and their distances, by the definition."""
    every = np.linalg.norm(asked[:, None].astype(float) - among[None], axis=2)
    rows = np.argsort(every, axis=1)
    return rows, np.take_along_axis(every, rows, axis=1)


@pytest.mark.parametrize("size", [1, 7, 40])
def test_the_nearest_are_those_of_the_definition(size):
    asked, among = codes(20, size), codes(60, size, seed=1)
    rows, distances = sorted_out(asked, among)
    found = nearest(asked, among, 5)
    assert np.array_equal(found.rows, rows[:, :5])
    assert found.distances == pytest.approx(distances[:, :5], abs=1e-5)


def test_a_code_is_no_neighbour_of_itself():
    among = codes(30)
    among[7] = among[3]  # a copy is a neighbour
    found = nearest(among, among, 4, own=np.arange(30))
    assert not (found.rows == np.arange(30)[:, None]).any()
    assert (found.rows[7, 0], found.rows[3, 0]) == (3, 7)
    rows, _ = sorted_out(among, among)
    assert np.array_equal(found.rows[10], rows[10, 1:5])


def test_codes_without_a_place_of_their_own_keep_all_they_found():
    asked, among = codes(3, seed=1), codes(30)
    assert np.array_equal(nearest(asked, among, 4, own=np.full(3, -1)).rows, nearest(asked, among, 4).rows)


def test_of_many_copies_one_is_left_out():
    same = np.zeros((6, 2), np.float32)
    found = nearest(same, same, 2, own=np.arange(6))
    assert found.rows.shape == (6, 2)
    assert not (found.rows == np.arange(6)[:, None]).any()


def test_all_are_given_where_there_are_fewer():
    assert nearest(codes(2), codes(3, seed=1), 12).rows.shape == (2, 3)
    assert nearest(codes(3), codes(3), 12, own=np.arange(3)).rows.shape == (3, 2)


def test_none_to_search_among_is_refused():
    with pytest.raises(DataError, match="at least one code"):
        nearest(codes(2), codes(3)[:0], 1)


def test_no_neighbour_but_itself_is_refused():
    with pytest.raises(DataError, match="another image to search among"):
        nearest(codes(1), codes(1), 1, own=np.arange(1))


def test_neighbours_are_looked_for_in_small_searches(monkeypatch):
    draw = np.random.default_rng(0)
    inputs, labels = codes(300), draw.integers(0, 3, 300)
    known, asked = np.arange(200), np.arange(200, 300)
    whole = by_neighbours(inputs, labels, known, asked, [1, 5])
    sizes, search = [], sklearn.neighbors.NearestNeighbors.kneighbors

    def kneighbors(self, rows, **options):
        sizes.append(len(rows))
        return search(self, rows, **options)

    monkeypatch.setattr(sklearn.neighbors.NearestNeighbors, "kneighbors", kneighbors)
    monkeypatch.setattr(module, "PRODUCTS", 200 * 7 * 30)
    parts = by_neighbours(inputs, labels, known, asked, [1, 5])
    assert sizes == [30, 30, 30, 10]
    assert all(np.array_equal(parts[k], whole[k]) for k in whole)
    assert PRODUCTS // (20_000 * 3 * 32 * 32) >= 1, "of colour images of 32x32 too"


def test_a_graph_grows_is_kept_and_finds_nearly_all(tmp_path):
    pytest.importorskip("usearch", reason="the extra neighbours is not installed")
    among = codes(3000)
    graph = Graph.of(among[:1000])
    graph.add(among[1000:])
    graph.write(tmp_path / "graph")
    kept = Graph.read(tmp_path / "graph")
    assert len(kept) == 3000
    assert kept.recall(among, 10) > 0.95
    found, exact = nearest(among[:5], among, 3, graph=kept), nearest(among[:5], among, 3)
    assert np.array_equal(found.rows[:, 0], np.arange(5))
    assert found.distances == pytest.approx(exact.distances, abs=1e-3)


def test_a_graph_that_does_not_hold_the_codes_shows_in_its_recall():
    pytest.importorskip("usearch", reason="the extra neighbours is not installed")
    assert Graph.of(codes(2000, seed=5)).recall(codes(2000), 10) < 0.2


def test_a_damaged_graph_is_refused(tmp_path):
    pytest.importorskip("usearch", reason="the extra neighbours is not installed")
    (tmp_path / "graph").write_bytes(b"no graph")
    with pytest.raises(DataError, match="must be the graph of an index"):
        Graph.read(tmp_path / "graph")


def test_without_its_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch", None)
    with pytest.raises(ConfigurationError, match=r"latentspace\[neighbours\]"):
        Graph.of(codes(3))
