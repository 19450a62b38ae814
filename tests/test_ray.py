"""The engine ray: what is computed is that of this machine, whatever becomes of processes and nodes.

One cluster and few processes serve all tests: each begins by loading PyTorch.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ray_nodes as ray_cluster
from executor_contract import ExecutorContract, is_gone
from latentspace.core.cluster import Cluster, Engine, LostProcessError
from latentspace.core.connection import require_answer
from latentspace.core.errors import ConfigurationError, DataError, TrainingError
from latentspace.data import memmap
from latentspace.data.config import DataConfig
from latentspace.data.readers import processes
from latentspace.data.readers.decode import decoding
from latentspace.data.readers.reading import Task, read
from latentspace.data.sources import load_images
from latentspace.evaluation import all_metrics as pieces
from latentspace.evaluation.card.subject import Subject as CardSubject
from latentspace.evaluation.doctor.codes import Coder
from latentspace.evaluation.doctor.subject import Subject
from latentspace.inference import anomalies, encoding
from latentspace.inference.computing import here
from latentspace.inference.encoding import EncodingPlan, computed_codes, encode_to
from latentspace.inference.tables import read_table
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.runs.directory import Run
from latentspace.search.run import search
from latentspace.training import train as training_module
from latentspace.training.train import resume, start, train
from makers import encoded, random_pixels, write_folder
from preloaded import until
from small_search import run_all, small_study
from training_together import InThreads, losses, planned

pytest.importorskip("ray", reason="pip install 'latentspace[ray]'")
import grpc

from latentspace.data.readers import on_nodes
from latentspace.data.readers.on_nodes import ReadingProcess, reading_on
from latentspace.inference import encoding_ray
from latentspace.inference.encoding_ray import OnCluster
from latentspace.search.executors.ray import RayExecutor
from latentspace.training.together.on_ray import RayRanks

ON_RAY = Engine(name="ray")


@pytest.fixture(scope="module")
def nodes() -> Iterator[ray_cluster.Nodes]:
    """A head, and a node of one CPU."""
    with ray_cluster.nodes() as nodes:
        nodes.add()
        yield nodes


@pytest.fixture
def executor(nodes, monkeypatch) -> Iterator[RayExecutor]:
    monkeypatch.setattr("latentspace.search.run.LOOKING", 0.05)
    with closing(RayExecutor(ON_RAY)) as executor:
        yield executor


@pytest.fixture(scope="class")
def on_cluster(nodes) -> Iterator[OnCluster]:
    with closing(Cluster(ON_RAY)) as cluster, closing(OnCluster(cluster)) as computed:
        yield computed


class TestExecutor(ExecutorContract):
    pass


@pytest.mark.usefixtures("nodes")
def test_more_than_a_node_has_is_refused_at_once():
    with pytest.raises(ConfigurationError, match="one node must have 64 CPUs and 0 GPUs") as refused:
        RayExecutor(Engine(name="ray", cpus=64))
    assert "nodes with 0 CPUs and 0 GPUs, 1 CPUs and 0 GPUs" in refused.value.found


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("UNAUTHENTICATED", "must be sent its token"),
        ("UNIMPLEMENTED", "must be where the head serves clients"),
        ("UNAVAILABLE", "must answer"),
    ],
)
def test_a_cluster_that_refuses_is_told_of_before_ray_tries_for_half_a_minute(code, said):
    class Refusing(grpc.GenericRpcHandler):
        def service(self, _):
            refused = getattr(grpc.StatusCode, code)
            return grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(refused, "no"))

    server = grpc.server(ThreadPoolExecutor(1), [Refusing()])
    address = f"ray://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with pytest.raises(ConfigurationError, match=f"{address} {said}"):
            require_answer(address)
    finally:
        server.stop(0)


@pytest.fixture
def _sent_whole() -> Iterator[None]:
    """The nodes of a cluster do not find the tests' modules: their classes are sent as they are."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(ray_cluster)
    yield
    cloudpickle.unregister_pickle_by_value(ray_cluster)


@pytest.mark.usefixtures("_sent_whole")
def test_a_node_where_no_process_can_begin_gets_no_more(nodes, caplog):
    import ray

    with closing(Cluster(ON_RAY)) as cluster:
        (unable,) = (one["NodeID"] for one in cluster.nodes if one["Resources"].get("CPU"))
        room = cluster.room
        begun = [cluster.process(ray_cluster.Beginner, unable)]
        with pytest.raises(LostProcessError) as only:  # there is no other node
            cluster.asked(begun[0].where.remote())
        other = nodes.add()
        begun = [cluster.process(ray_cluster.Beginner, unable) for _ in range(2)]
        found, lost = [], []
        for one in begun:
            try:
                found.append(cluster.asked(one.where.remote()))
            except LostProcessError as error:
                lost.append(error.blameless)
        assert (only.value.blameless, lost) == (False, [True])
        assert "gets no more" in caplog.text
        assert cluster.room == 1
        for one in begun:
            ray.kill(one)
        assert cluster.asked(cluster.process(ray_cluster.Beginner, unable).where.remote()) == found[0]
        nodes.kill(other)
        until(lambda: len([one for one in ray.nodes() if one["Alive"] and one["Resources"].get("CPU")]) == 1)
    assert Cluster(ON_RAY).room == room


class TestCodes:
    def test_nodes_read_the_files_that_they_see_to_the_bytes_of_this_machine(
        self, on_cluster, tmp_path, monkeypatch
    ):
        files = {f"{'ab'[one % 2]}/{one}.png": encoded(random_pixels(6, 5, seed=one)) for one in range(200)}
        files["a/190.png"] = b"no image"
        path = write_folder(tmp_path / "set", files)
        usual = load_images(DataConfig(spec=str(path)))
        monkeypatch.setattr(processes, "PATIENCE", 0)
        monkeypatch.setattr(processes, "COUNT", 16)
        asked, answered, readers = [], on_nodes._OnNode.__call__, set()

        def told(reader, task):
            until(reader.begun)
            readers.add(reader)
            asked.append(task)
            reader._gone = len(asked) % 3 == 0  # lost: it is read here
            try:
                return answered(reader, task)
            finally:
                reader._gone = False

        monkeypatch.setattr(on_nodes._OnNode, "__call__", told)
        with reading_on(on_cluster._cluster):
            found = load_images(DataConfig(spec=str(path)))
        assert found.content_hash == usual.content_hash
        assert found.names == usual.names
        assert found.record == usual.record
        assert sum(one.tasks for one in readers) == len(asked) - len(asked) // 3 > 6
        # A node that sees another file, or none, leaves all of them to this machine; bytes it decodes.
        (first, *others), config = asked[0].files, asked[0].config
        for stamp in ((1, 1, 1), ()):
            assert ReadingProcess().read(Task((*others, first._replace(stamp=stamp)), config), None) is None
        sent = Task((*others, first._replace(content=Path(first.content).read_bytes(), stamp=())), config)
        there = ReadingProcess().read(sent, Image.MAX_IMAGE_PIXELS)
        with decoding():
            usual_answer = read(sent)
        np.testing.assert_array_equal(there.results.pixels, usual_answer.results.pixels)

    def test_anomalies_are_those_of_this_machine(self, on_cluster, small_runs, archive, monkeypatch):
        trained, images = (
            TrainedAutoencoder.load(small_runs["ae"], "cpu"),
            load_images(DataConfig(spec=str(archive))),
        )
        monkeypatch.setattr(anomalies, "_AT_ONCE", 50)
        usual = anomalies.find_anomalies(trained, own=images)
        found = anomalies.find_anomalies(trained, own=images, computed=on_cluster)
        assert found.columns().keys() == usual.columns().keys()
        for name, column in usual.columns().items():
            np.testing.assert_array_equal(found.columns()[name], column)

    def test_a_process_reads_the_images_of_a_file_that_it_sees_itself(
        self, on_cluster, small_runs, tmp_path, monkeypatch
    ):
        path = tmp_path / "images.npy"
        np.save(path, np.asfortranarray(random_pixels(60, 16, 16)))
        images = load_images(DataConfig.parse({"spec": str(path), "resident": "never"}, "a test's data"))
        shown = images.pixels[4:]
        place = memmap.place_of(shown)
        np.testing.assert_array_equal(place.mapped(), shown)
        trained = TrainedAutoencoder.load(small_runs["ae"], "cpu")
        usual = computed_codes(trained, shown, np.arange(40))
        sent = []
        monkeypatch.setattr(
            encoding_ray, "require_unchanged", lambda pixels: sent.append(memmap.require_unchanged(pixels))
        )
        found = computed_codes(trained, shown, np.arange(40), on_cluster)
        assert not sent
        # A node that sees another file under that path is sent the images.
        monkeypatch.setattr(encoding_ray, "place_of", lambda _: place._replace(size=1))
        again = computed_codes(trained, shown, np.arange(40), on_cluster)
        assert len(sent) == 1
        for one in (found, again):
            np.testing.assert_array_equal(one[0], usual[0])
            np.testing.assert_array_equal(one[1], usual[1])
        os.utime(path, (1, 1))
        assert place.mapped() is None
        with pytest.raises(DataError, match="must stay as it is"):
            computed_codes(trained, shown, np.arange(40), on_cluster)

    @pytest.mark.parametrize("kind", ["vae", "classifier"])
    def test_metrics_are_those_of_this_machine(self, on_cluster, small_runs, archive, monkeypatch, kind):
        monkeypatch.setattr(pieces, "PIECE", 32)
        images = load_images(DataConfig(spec=str(archive)))
        chosen = np.arange(100)
        one, other = (
            pieces.all_metrics(small_runs[kind], images, 2, "cpu", chosen, computed)
            for computed in (here, on_cluster)
        )
        assert one == other
        assert list(one) == list(pieces.all_metrics(small_runs[kind], images, 2, "cpu", chosen))

    def test_features_of_a_card_are_those_of_this_machine(self, on_cluster, small_runs, archive):
        images = load_images(DataConfig(spec=str(archive)))
        usual, found = (
            CardSubject(small_runs["classifier"], images, "test", 24, computed=one)
            for one in (here, on_cluster)
        )
        for name, features in usual.evaluated_features.items():
            np.testing.assert_array_equal(found.evaluated_features[name], features)

    def test_what_the_doctor_sees_is_that_of_this_machine(self, on_cluster, small_runs, archive, monkeypatch):
        monkeypatch.setattr(memmap, "BLOCK", 40 * 256)
        images = load_images(DataConfig(spec=str(archive)))
        coder = Coder.of_run(small_runs["ae"].path, "cpu")
        subjects = [
            Subject(images, "letters", lambda: coder, computed=computed) for computed in (here, on_cluster)
        ]
        assert len(list(memmap.blocks(images.pixels))) == 3
        for name in vars(subjects[0].statistics):
            np.testing.assert_array_equal(*(getattr(one.statistics, name) for one in subjects))
        for one, other in zip(subjects[0]._coded, subjects[1]._coded, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_the_table_is_that_of_this_machine_though_a_process_is_killed_and_the_call_goes_on(
        self, on_cluster, small_runs, archive, tmp_path, monkeypatch
    ):
        import ray

        monkeypatch.setattr(encoding, "PIECE", 16)
        run = small_runs["ae"]
        plan = EncodingPlan(
            run, TrainedAutoencoder.load(run, "cpu"), load_images(DataConfig(spec=str(archive))), own=True
        )
        encode_to(plan, tmp_path / "here.parquet")
        victims = []

        def with_a_kill(plan, pieces):
            with closing(on_cluster(plan, pieces)) as columns:
                for number, one in columns:
                    yield number, one
                    if not victims:
                        (process,) = on_cluster._processes
                        victims.append(int(ray.get(process.about.remote())["process"].partition("@")[0]))
                        os.kill(victims[0], signal.SIGKILL)
                    elif len(list((tmp_path / "there.parquet.pieces").glob("*.npz"))) > 3:
                        (process,) = on_cluster._processes
                        victims.append(int(ray.get(process.about.remote())["process"].partition("@")[0]))
                        raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            encode_to(plan, tmp_path / "there.parquet", computed=with_a_kill)
        until(lambda: all(map(is_gone, victims)), seconds=20)
        assert len(victims) == 2
        kept = {one.name: one.read_bytes() for one in (tmp_path / "there.parquet.pieces").glob("*.npz")}
        assert 3 < len(kept) < -(-len(plan.images) // 16)
        encode_to(
            plan, tmp_path / "there.parquet", resume=True, computed=here
        )  # a table may change its engine
        tables = [read_table(tmp_path / f"{name}.parquet")[0] for name in ("here", "there")]
        assert tables[0].keys() == tables[1].keys()
        for column in tables[0]:
            np.testing.assert_array_equal(tables[0][column], tables[1][column])


def test_a_training_is_the_same_to_the_bit_and_a_lost_process_ends_it(
    nodes, small_runs, tmp_path, monkeypatch
):
    import ray

    plan = planned(small_runs["ae"], 2, epochs=2)
    with closing(Cluster(Engine(name="ray", cpus=0.5))) as cluster:
        with pytest.raises(ConfigurationError, match="must have a place at once") as refused:
            RayRanks(cluster, start(planned(small_runs["ae"], 3), tmp_path / "wide").context)
        assert "has room for 2" in refused.value.found
        of_cluster = []

        def begun(context):
            of_cluster.append(RayRanks(cluster, context))
            return of_cluster[0]

        records = start(plan, tmp_path / "run", together=begun).records()
        next(records)
        about = ray.get(of_cluster[0]._processes[1].about.remote())
        os.kill(int(about["process"].partition("@")[0]), signal.SIGKILL)
        with pytest.raises(TrainingError, match="must live until its end") as lost:
            list(records)
        assert "its worker was killed" in lost.value.found
    monkeypatch.setattr(training_module, "LocalRanks", InThreads)
    monkeypatch.setattr(InThreads, "folder", tmp_path)
    list(resume(tmp_path / "run").records())
    assert losses(Run.open(tmp_path / "run")) == losses(train(plan, tmp_path / "whole"))


def test_a_killed_node_s_trial_is_run_again_by_one_that_comes_late_to_the_bits_of_this_machine(
    nodes, executor, archive, tmp_path
):
    here = small_study(archive, tmp_path / "here", trials=1, epochs=60, startup_trials=9)
    run_all(here)
    trials = small_study(archive, tmp_path / "there", trials=1, epochs=60, startup_trials=9)
    killed = False
    with closing(search(trials, executor, workers=None)) as going:
        for _ in going:
            at_work = [one for one in trials.all() if one.state == "running" and one.reports]
            if at_work and not killed:
                nodes.kill(nodes.there[0])
                nodes.add()
                killed = True
    assert killed
    assert (trials.progress().counted, trials.progress().count("complete")) == (1, 1)
    lost, again = trials.all()
    assert (lost.state, lost.notes.reason) == ("lost", "its node was lost")
    assert again.notes.retry_of == lost.number
    (usual,) = here.all()
    for name in ("state", "params", "reports", "values"):
        assert getattr(again, name) == getattr(usual, name)
    assert again.notes.seed == lost.notes.seed == usual.notes.seed
    assert again.notes.computed_by != usual.notes.computed_by == ""
    np.testing.assert_array_equal(again.reports[: len(lost.reports)], lost.reports)
    pictures = [
        {one.read_bytes() for one in (study.directory / "artifacts").iterdir()} for study in (here, trials)
    ]
    assert pictures[0] <= pictures[1]
    assert pictures[0]
