"""Which preset a plan begins from where none is named."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from ..core.config import nested
from ..models.families import MODELS
from .config import models_of, tables_of
from .presets import PRESETS, USUAL
from .tasks import TASKS

logger = logging.getLogger(__name__)

SHORT: Final = {
    "code_size": "model.code_size",
    **{name: f"training.{name}" for name in ("epochs", "minutes", "batch_size", "learning_rate", "keep")},
}


def settings_named(named: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as config.json nests them, from dotted names and the short ones that options of `train` have.

    `{"code_size": 4, "model.width": 16}` -> `{"model": {"code_size": 4, "width": 16}}`; None: not named.
    """
    return nested({SHORT.get(name, name): value for name, value in named.items() if value is not None})


def usual_preset(kind: object, changes: Mapping[str, Any]) -> str:
    """`default`; or the first preset whose network has the settings of `model` that are named, which is said.

    So `--set model.conv1_channels=4` trains the network of the preset `report`, with its other settings.

    Args:
        changes: settings, nested as in config.json.
    """
    model = changes.get("model")
    if not isinstance(kind, str) or kind not in TASKS or not isinstance(model, Mapping):
        return USUAL
    named = {key for key in model if key != "name"}
    wanted = model.get("name")
    for preset in dict.fromkeys([USUAL, *PRESETS]):
        name = tables_of(preset, kind)["model"].get("name", models_of(kind)[0])
        if named <= MODELS[name].model_fields.keys() and wanted in (None, name):
            if preset != USUAL:
                logger.info(
                    "preset %s, whose network has %s",
                    preset,
                    ", ".join(f"model.{key}" for key in sorted(named)) or f"the name {name}",
                )
            return preset
    return USUAL
