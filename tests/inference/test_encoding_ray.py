"""encode on a cluster: the table of this machine, whatever becomes of the processes."""

import os
import signal
from contextlib import closing

import numpy as np
import pytest

from latentspace.core.cluster import Cluster, Engine
from latentspace.data.config import DataConfig
from latentspace.data.sources import load_images
from latentspace.inference import anomalies, encoding
from latentspace.inference.encoding import EncodingPlan, encode_to, here
from latentspace.inference.tables import read_table
from latentspace.inference.trained import TrainedAutoencoder

pytest.importorskip("ray", reason="pip install 'latentspace[ray]'")

from latentspace.inference.encoding_ray import OnCluster


def test_the_table_is_that_of_this_machine_though_a_process_is_killed_and_the_call_goes_on(
    ray_nodes, small_runs, archive, tmp_path, monkeypatch
):
    ray_nodes.keep(1)
    monkeypatch.setattr(encoding, "PIECE", 16)
    run = small_runs["ae"]
    plan = EncodingPlan(
        run, TrainedAutoencoder.load(run, "cpu"), load_images(DataConfig(spec=str(archive))), own=True
    )
    encode_to(plan, tmp_path / "here.parquet")
    victims = []

    def with_a_kill(plan, pieces):
        import ray

        on = OnCluster(cluster)
        with closing(on(plan, pieces)) as columns:
            for number, one in columns:
                yield number, one
                if not victims:
                    (process,) = on._processes
                    victims.append(int(ray.get(process.about.remote())["process"].partition("@")[0]))
                    os.kill(victims[0], signal.SIGKILL)
                elif len(list((tmp_path / "there.parquet.pieces").glob("*.npz"))) > 3:
                    raise KeyboardInterrupt

    with closing(Cluster(Engine(name="ray"))) as cluster:
        with pytest.raises(KeyboardInterrupt):
            encode_to(plan, tmp_path / "there.parquet", computed=with_a_kill)
        assert victims
        kept = {one.name: one.read_bytes() for one in (tmp_path / "there.parquet.pieces").glob("*.npz")}
        assert 3 < len(kept) < -(-len(plan.images) // 16)
        encode_to(
            plan, tmp_path / "there.parquet", resume=True, computed=here
        )  # a table may change its engine
        monkeypatch.setattr(anomalies, "_AT_ONCE", 50)
        usual = anomalies.find_anomalies(plan.trained, own=plan.images)
        found = anomalies.find_anomalies(plan.trained, own=plan.images, computed=OnCluster(cluster))
    tables = [read_table(tmp_path / f"{name}.parquet")[0] for name in ("here", "there")]
    assert tables[0].keys() == tables[1].keys()
    for column in tables[0]:
        np.testing.assert_array_equal(tables[0][column], tables[1][column])
    assert found.columns().keys() == usual.columns().keys()
    for name, column in usual.columns().items():
        np.testing.assert_array_equal(found.columns()[name], column)
