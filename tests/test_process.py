"""What a call from Python leaves behind in its process: nothing."""

import subprocess
import sys
from pathlib import Path

CODE = """
import ctypes, logging, random, sys, warnings
import numpy, optuna, pooch, scipy.sparse, scipy.special, sklearn.decomposition, torch

asked, library = [], ctypes.CDLL
class Asked(library):
    def __getattr__(self, name):
        asked.append(name)
        return super().__getattr__(name)
ctypes.CDLL = Asked
import latentspace
import latentspace.training.fabric

def state():
    loggers = [logging.getLogger(name) for name in ("optuna", "lightning_fabric", "latentspace", None)]
    loggers.append(pooch.get_logger())
    return {
        "levels": [one.level for one in loggers],
        "handlers": [list(one.handlers) for one in loggers],
        "threads": torch.get_num_threads(),
        "random": (torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate()),
        "warnings": list(warnings.filters),
        "gradients": torch.is_grad_enabled(),
    }

optuna.logging.set_verbosity(optuna.logging.INFO)
logging.getLogger("lightning_fabric").setLevel(logging.INFO)
torch.set_num_threads(3)
before = state()

data = {"spec": sys.argv[1]}
small = {"code_size": 2, "conv1_channels": 2, "conv2_channels": 2, "conv3_channels": 2, "neurons": 2}
values = {"data": data, "model": small, "training": {"epochs": 1}, "threads": 2}
latentspace.train(latentspace.Experiment.parse(values, "the plan"), "run")
latentspace.evaluate("run")
latentspace.load("run").encode(latentspace.load_data(sys.argv[1]))

from pathlib import Path
from latentspace.search.request import SearchRequest, draft
from latentspace.search.trials import begin
space = {"space": {"model.code_size": {"low": 1, "high": 3}}}
study = {"model": small, "training": {"batch_size": 20}, "search": space}
recipe = latentspace.Recipe.parse({"data": data, "ae": study}, "the recipe")
plan, _ = draft(SearchRequest("ae", recipe, trials=1, epochs=1), Path("study"), resume=False)
with begin(plan, Path("study"), None, resume=False):
    pass

after = state()
changed = [name for name in before if before[name] != after[name]]
assert not changed, {name: (before[name], after[name]) for name in changed}
assert "mallopt" not in asked, asked

from latentspace.training.optimizers import optimizer_of
device = torch.device("cpu")
for name in ("adam", "adamw", "muon", "rmsprop"):
    layers = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    optimizer = optimizer_of(latentspace.Experiment(training={"optimizer": name}), layers, device)
    optimizer.zero_grad()
    layers(torch.ones(1, 2)).sum().backward()
    before = layers[1].bias.tolist()
    optimizer.step()
    assert layers[1].bias.tolist() != before
    optimizer.load_state_dict(optimizer.state_dict())
assert "torch._dynamo" not in sys.modules  # PyTorch's compiler: seconds of a start
"""


def test_a_call_from_python_leaves_the_process_as_it_was(archive: Path, tmp_path: Path) -> None:
    """Threads, levels of libraries' loggers, random states, warnings, the C library's memory."""
    command = [sys.executable, "-c", CODE, str(archive)]
    ran = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    assert "study" not in ran.stderr, "Optuna told of it"
