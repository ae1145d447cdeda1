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


def test_a_file_is_named_by_its_path_in_the_run(tmp_path):
    served = {"format": "saved_model", "path": "dclr/1", "bytes": 10}
    assert "<td>dclr/1</td>" in section(served)
    (tmp_path / "export/dclr/1").mkdir(parents=True)
    run = Run("run", {"export": [served]}, [], [], [], tmp_path)
    assert "<td>export/dclr/1</td>" in exports_section(run)
    # Of another machine, the name is all that means something.
    assert "<td>a.onnx</td>" in section({**served, "path": "/srv/x/run/a.onnx"})


def test_notes_are_not_torn():
    noted = section({"format": "onnx", "note": "skipped: a module is missing"})
    assert '<td><span class="wide">skipped: a module is missing</span></td>' in noted


def test_no_section_without_files():
    assert section() == ""
