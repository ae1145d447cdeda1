from notebook_runs import run_notebook


def test_it_runs_from_top_to_bottom(tmp_path, monkeypatch):
    run_notebook("02_concepts_regions_order_steps", tmp_path, monkeypatch, traced=False)
