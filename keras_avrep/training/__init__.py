from keras_avrep.training.adam_with_l2 import AdamWithL2
from keras_avrep.training.callbacks import (
    Checkpoints,
    CollapseAlarm,
    History,
    NearestNeighbourProbe,
    StepCallback,
)
from keras_avrep.training.checkpoint import (
    CheckpointError,
    CheckpointWriter,
    load_checkpoint,
    resume,
    save_checkpoint,
)
from keras_avrep.training.device_policy import (
    DevicePolicy,
    choose_device_policy,
    make_deterministic,
)
from keras_avrep.training.momentum_encoder import MomentumEncoder
from keras_avrep.training.optimizers import DEFAULT_RECIPE, make_optimizer
from keras_avrep.training.phase_trainer import PhaseTrainer
from keras_avrep.training.phases import Phase, train_phases
from keras_avrep.training.pretrain import pretrain, warm_up_queue
from keras_avrep.training.recalibrate_batch_norm import recalibrate_batch_norm
from keras_avrep.training.self_supervised_step import SelfSupervisedStep
from keras_avrep.training.self_supervised_task import SelfSupervisedTask
from keras_avrep.training.sgd_with_l2 import SGDWithL2
from keras_avrep.training.tensorboard_scalars import TensorBoardScalars

__all__ = [
    "DEFAULT_RECIPE",
    "AdamWithL2",
    "CheckpointError",
    "CheckpointWriter",
    "Checkpoints",
    "CollapseAlarm",
    "DevicePolicy",
    "History",
    "MomentumEncoder",
    "NearestNeighbourProbe",
    "Phase",
    "PhaseTrainer",
    "SGDWithL2",
    "SelfSupervisedStep",
    "SelfSupervisedTask",
    "StepCallback",
    "TensorBoardScalars",
    "choose_device_policy",
    "load_checkpoint",
    "make_deterministic",
    "make_optimizer",
    "pretrain",
    "recalibrate_batch_norm",
    "resume",
    "save_checkpoint",
    "train_phases",
    "warm_up_queue",
]
