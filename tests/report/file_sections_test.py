from keras_avrep.report.file_sections import exports_section
from keras_avrep.report.run_reader import Run


def section(*rows):
    return exports_section(Run("run", {"export": list(rows)}, [], [], []))


def test_agreements_have_a_column_where_they_were_measured():
    plain = {"format": "litert", "path": "a.tflite", "bytes": 10, "max_abs_diff": 0.0}
    features = {**plain, "retrieval_agreement": 0.75}
    classes = {**plain, "class_agreement": 0.98}
    assert "same nearest" not in section(plain)
    html = section(plain, features)
    assert "same nearest clip" in html and "75.0%" in html and "same class" not in html
    html = section(classes)
    assert "same class" in html and "98.0%" in html and "nearest" not in html


def test_no_section_without_files():
    assert section() == ""
