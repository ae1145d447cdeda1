from notebook_runs import run_notebook


def test_it_runs_from_top_to_bottom(tmp_path, monkeypatch):
    run_notebook("03_find_what_sounds", tmp_path, monkeypatch, traced=False)
