import keras

from keras_avrep.models.weights_without_optimizer import WeightsWithoutOptimizer


class PresetTask(WeightsWithoutOptimizer):
    """Names of configurations, some with packaged weights, for a keras-hub `Task`.

    Comes before the task in the bases of a class, which says, as class attributes:

    - `presets`: dict from name to a dict of `backbone`, `views`, `task` (all
      arguments), `clip` (what a decoded sample is), `description` and, where a
      recipe is published, `optimizer`; see `keras_avrep.training.make_optimizer`;
    - `preset_folder`: path of the directories of presets that have weights;
    - `backbone_cls` and `views_cls`: what the first two are arguments of.
    """

    presets = {}
    preset_folder = None
    views_cls = None

    @classmethod
    def packaged_weights(cls, name):
        """Directory of a preset whose weights come with the package, or `None`."""
        folder = cls.preset_folder / name
        return folder if (folder / "model.weights.h5").exists() else None

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A model from a built-in name, a directory, `hf://` or `kaggle://`.

        Args:
            preset: string. A name of the class's `presets`, a directory that
                `save_to_preset` wrote, or a handle of keras-hub.
            load_weights: bool. `False` for a fresh model. Defaults to `True`.
            **kwargs: constructor arguments to change. For a fresh model of a built-in
                name `views` may be a dict of those arguments of its views to change.

        Returns:
            A model of this class.

        Raises:
            ValueError: if weights are asked of a name that has none.

        Example:
        ```python
        model = keras_avrep.models.DCLR.from_preset("dclr_tiny", load_weights=False)
        ```
        """
        if preset in cls.presets:
            folder = cls.packaged_weights(preset)
            if folder is None and load_weights:
                raise ValueError(
                    f"The preset {preset!r} is a configuration without weights: pass "
                    "`load_weights=False` and pretrain it, or give a directory that "
                    "`save_to_preset` wrote."
                )
            if folder is None or not load_weights:
                return cls(**cls.preset_arguments(cls.presets[preset], kwargs))
            preset = str(folder)
        if isinstance(kwargs.get("views"), dict):
            raise ValueError(
                "`views` is a dict, which changes those of a fresh model; of one with "
                f"weights give the views themselves, a `{cls.views_cls.__name__}`, or "
                "pass `load_weights=False`."
            )
        # Keras-hub cannot read a mixed policy back, and today's machine decides.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        try:
            model = super().from_preset(preset, load_weights, **kwargs)
        except ValueError as error:
            fits = load_weights and cls._can_be_built(preset, kwargs)
            if fits and "loss_weights" in kwargs:
                raise ValueError(
                    f"`loss_weights` {kwargs['loss_weights']} may not go with what was "
                    f"saved in {preset}: name the same terms, with 0 for those to be "
                    f"left out, or pass `load_weights=False`."
                ) from error
            raise
        model.after_loading()
        return model

    @classmethod
    def _can_be_built(cls, preset, kwargs):
        """Whether a preset is there and its arguments are right, so that it is the
        weights that do not fit."""
        try:
            super().from_preset(preset, False, **kwargs)
        except ValueError:
            return False
        return True

    @classmethod
    def preset_arguments(cls, preset, changes):
        """Constructor arguments of a built-in configuration."""
        dtype = {k: changes.pop(k) for k in ("dtype",) if k in changes}
        backbone = cls.backbone_cls(**preset["backbone"], **dtype)
        views = changes.pop("views", {})
        if isinstance(views, dict):
            views = {"seed": changes.get("seed"), **preset["views"], **views}
            views = cls.views_cls(**views)
        return {"backbone": backbone, "views": views, **preset["task"], **changes}

    def after_loading(self):
        """Set what does not come with a backbone's weights; nothing by default."""

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config.get("views"), dict):
            config["views"] = keras.layers.deserialize(config["views"])
        return super().from_config(config)

    def get_config(self):
        return {**super().get_config(), "views": keras.layers.serialize(self.views)}
