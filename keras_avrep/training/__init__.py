from keras_avrep.training.momentum_encoder import MomentumEncoder
from keras_avrep.training.self_supervised_task import SelfSupervisedTask

__all__ = ["MomentumEncoder", "SelfSupervisedTask"]
