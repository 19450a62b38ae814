"""Which preset a plan begins from where none is named."""

import logging
from collections.abc import Mapping
from typing import Any

from ..models.families import MODELS
from .config import models_of, settings_of
from .presets import PRESETS, USUAL
from .tasks import TASKS

logger = logging.getLogger(__name__)


def usual_preset(kind: object, changes: Mapping[str, Any]) -> str:
    """`default`; or the first preset whose network has the settings of `model` that are named, which is said.

    So `--set model.conv1_channels=4` trains the report's network, with the report's other settings.

    Args:
        changes: settings, nested as in config.json.
    """
    model = changes.get("model")
    if not isinstance(kind, str) or kind not in TASKS or not isinstance(model, Mapping):
        return USUAL
    named = {key for key in model if key != "name"}
    wanted = model.get("name")
    for preset in dict.fromkeys([USUAL, *PRESETS]):
        name = settings_of(preset, kind)["model"].get("name", models_of(kind)[0])
        if named <= MODELS[name].model_fields.keys() and wanted in (None, name):
            if preset != USUAL:
                logger.info(
                    "preset %s, whose network has %s",
                    preset,
                    ", ".join(f"model.{key}" for key in sorted(named)) or f"the name {name}",
                )
            return preset
    return USUAL
