"""From files to tables: nothing is left out, and a paired interval holds what it should."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from cellgan.errors import InputError
from cellgan.segmentation.compare import compare
from cellgan.segmentation.evaluation import evaluate
from cellgan.segmentation.metrics import METRICS
from cellgan_cli.main import cli


def box(width: int) -> np.ndarray:
    mask = np.zeros((12, 10, 6), np.uint8)
    mask[1 : 1 + width, 2:8, 1:5] = 1
    return mask


@pytest.fixture
def study(tmp_path, save, affine_of):
    """Give three cases of two sites; predictions are boxes 8, 6 and 0 wide where the truth is 8 wide."""
    for folder in ("truth", "out", "other"):
        (tmp_path / folder).mkdir()
    lines = ["case,site,image,mask"]
    for name, site, width, other in (("p1", "A", 8, 8), ("p2", "A", 6, 7), ("p3", "B", 0, 4)):
        image = np.random.default_rng(0).random((12, 10, 6)).astype(np.float32)
        matrix = affine_of((1, 2, 3), flip=(-1, 1, 1))
        save(f"truth/{name}_t2.nii.gz", image, matrix)
        save(f"truth/{name}_gland.nii.gz", box(8), matrix)
        save(f"out/{name}_t2_mask.nii.gz", box(width), matrix)
        save(f"other/{name}_t2_mask.nii.gz", box(other), matrix)
        lines.append(f"{name},{site},truth/{name}_t2.nii.gz,truth/{name}_gland.nii.gz")
    (tmp_path / "CASES.csv").write_text("\n".join(lines))
    return tmp_path


def test_cases_slices_and_sites(study):
    found = evaluate(study / "out", study / "CASES.csv")
    assert found.values("dice", 1) == pytest.approx({"p1": 1, "p2": 12 / 14, "p3": 0})
    by_site = {row.site: row for row in found.sites}
    assert {site: row.n for site, row in by_site.items()} == {"A": 2, "B": 1, "all": 3}
    assert by_site["A"].mean["dice"] == pytest.approx(13 / 14)
    assert by_site["all"].mean["dice"] == pytest.approx((1 + 12 / 14) / 3)
    assert by_site["all"].sd["dice"] == pytest.approx(np.std([1, 12 / 14, 0], ddof=1))
    extent = np.sqrt(11**2 + 18**2 + 15**2)
    assert found.values("hd95", 1)["p3"] == pytest.approx(extent, rel=1e-6)
    slices = [row for row in found.slices if row.case == "p2"]
    assert [row.index for row in slices] == [1, 2, 3, 4]
    assert all(row.scores["dice"] == pytest.approx(12 / 14) for row in slices)
    assert all(np.isfinite(value) for row in found.slices for value in row.scores.values())
    json.dumps(found.as_json(), allow_nan=False)


def test_a_table_may_have_any_name(study):
    (study / "CASES.csv").rename(study / "cases.txt")
    assert len(evaluate(study / "out", study / "cases.txt").cases) == 3


def test_two_files_and_two_folders(study, save, affine_of):
    one = evaluate(study / "out/p2_t2_mask.nii.gz", study / "truth/p2_gland.nii.gz")
    assert one.cases[0].scores["dice"] == pytest.approx(12 / 14)
    two = evaluate(study / "out", study / "other")
    assert two.values("dice", 1) == pytest.approx({"p1_t2": 1, "p2_t2": 12 / 13, "p3_t2": 0})
    table = study / "CASES.csv"
    assert evaluate(table, table).sites[-1].mean["dice"] == 1


def test_a_label_that_only_some_cases_have_counts_in_all(study, save, affine_of):
    mask = box(8)
    mask[2:4] *= 2
    save("out/p1_t2_mask.nii.gz", mask, affine_of((1, 2, 3), flip=(-1, 1, 1)))
    found = evaluate(study / "out", study / "CASES.csv")
    assert found.values("dice", 2) == {"p1": 0, "p2": 1, "p3": 1}
    assert found.values("dice", 1)["p1"] == pytest.approx(12 / 14)


def test_a_case_without_a_prediction_stops_everything(study):
    (study / "out/p3_t2_mask.nii.gz").unlink()
    with pytest.raises(InputError, match=r"no mask of 1 of the 3 cases.*such as p3"):
        evaluate(study / "out", study / "CASES.csv")
    with pytest.raises(InputError, match="two kinds"):
        evaluate(study / "out", study / "truth/p1_gland.nii.gz")
    (study / "none").mkdir()
    with pytest.raises(InputError, match="holds no masks"):
        evaluate(study / "out", study / "none")
    (study / "out/p1_t2.nii").touch()
    with pytest.raises(InputError, match="both masks of p1_t2"):
        evaluate(study / "out", study / "CASES.csv")


def test_the_interval_of_a_mean_of_differences():
    rng = np.random.default_rng(3)
    hard = rng.normal(0.6, 0.2, 200)  # difficulty is shared: it cancels
    gain = rng.normal(0.05, 0.04, 200)
    names = [f"c{k}" for k in range(200)]
    a, b = dict(zip(names, hard + gain, strict=True)), dict(zip(names, hard, strict=True))
    found = compare(a, b, seed=0)
    half = 1.96 * gain.std(ddof=1) / np.sqrt(200)
    assert found.mean == pytest.approx(gain.mean())
    assert (found.low, found.high) == pytest.approx((gain.mean() - half, gain.mean() + half), abs=0.001)
    assert found == compare(a, b, seed=0) != compare(a, b, seed=1)
    back = compare(b, a, seed=0)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    moved = {name: value + 0.1 for name, value in b.items()}
    even = compare(moved, b, seed=0)
    assert (even.low, even.mean, even.high) == pytest.approx((0.1, 0.1, 0.1))


def test_only_the_same_cases_are_compared():
    with pytest.raises(InputError, match="such as c"):
        compare({"a": 1, "b": 2}, {"a": 1, "b": 2, "c": 3}, seed=0)
    with pytest.raises(InputError, match="at least 2"):
        compare({"a": 1}, {"a": 1}, seed=0)


def run(*words):
    return CliRunner().invoke(cli, ["segment", "evaluate", *map(str, words)])


def test_the_command_prints_a_table_and_writes_both_files(study):
    out = study / "scores"
    done = run(study / "out", study / "CASES.csv", "--json", f"{out}.json", "--csv", f"{out}.csv")
    assert done.exit_code == 0, done.output
    head, *rows = done.stdout.splitlines()
    assert head.split()[:4] == ["site", "label", "cases", "Dice"]
    assert [row.split()[0] for row in rows] == ["A", "B", "all"]
    assert rows[-1].split()[3] == "0.619"
    with (study / "scores.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["case"] for row in table] == ["p1", "p2", "p3"]
    assert set(table[0]) == {"case", "site", "label", *METRICS, "truth_ml", "trusted", "distance"}
    kept = json.loads((study / "scores.json").read_text())
    assert (kept["format"], len(kept["cases"]), len(kept["slices"])) == (1, 3, 12)
    again = run(study / "out", study / "CASES.csv", "--csv", f"{out}.csv")
    assert again.exit_code == 1
    assert "exists already" in again.stderr


def test_the_command_compares(study):
    path = study / "scores.json"
    done = run(study / "out", study / "CASES.csv", "--against", study / "other", "--json", path)
    wrong = run(study / "out", study / "CASES.csv", "--against", study / "other", "--seed", "-1")
    assert wrong.exit_code == 2
    assert "seed is -1" in wrong.output
    assert done.exit_code == 0, done.output
    kept = json.loads(path.read_text())["against"]["1"]["dice"]
    truth = np.mean([0, 12 / 14 - 14 / 15, 0 - 8 / 12])
    assert kept["mean"] == pytest.approx(truth)
    assert kept["low"] <= truth <= kept["high"] <= 1e-9
    assert f"{truth:+.3f}" in done.stdout


def test_the_command_names_what_it_cannot_use(study):
    done = run(study / "out", study / "none.csv")
    assert done.exit_code == 1
    assert "none.csv" in done.stderr
