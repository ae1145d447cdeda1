from keras_avrep.export.all_formats import FORMATS, export_all
from keras_avrep.export.litert import export_litert
from keras_avrep.export.onnx import export_onnx
from keras_avrep.export.parts import export_part
from keras_avrep.export.saved_model import export_saved_model
from keras_avrep.export.verify import (
    ExportError,
    class_agreement,
    compare,
    retrieval_agreement,
    run_litert,
    run_onnx,
    run_saved_model,
)

__all__ = [
    "FORMATS",
    "ExportError",
    "class_agreement",
    "compare",
    "export_all",
    "export_litert",
    "export_onnx",
    "export_part",
    "export_saved_model",
    "retrieval_agreement",
    "run_litert",
    "run_onnx",
    "run_saved_model",
]
