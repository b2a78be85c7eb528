"""A student in the workers of a real Ray, on this machine: two of them, on two cores."""
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import ROOT
from sieves_distill import Student
from sieves_distill.deploy.ray import Labeller

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'sieves-distill[ray]'")
FOLDER = ROOT / "tests/fixtures/old_folders/model2vec_single"
TEXTS = ["The team won the match.", "A new phone with a faster chip.", "Bread and cheese.", None]


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


def test_the_recipe(cluster, tmp_path):
    "Many small files, two workers: each row once, with what the student says."
    student = Student.load(FOLDER)
    folder = student.export(tmp_path / "student", "numpy")
    (tmp_path / "in").mkdir()
    for i in range(20):
        rows = {"id": range(4 * i, 4 * i + 4), "text": TEXTS}
        pq.write_table(pa.table(rows), tmp_path / f"in/{i}.parquet")
    rows = ray.data.read_parquet(str(tmp_path / "in")).repartition(4)
    rows.map_batches(Labeller, fn_constructor_args=(str(folder),), batch_format="pyarrow", batch_size=16, num_cpus=0.5,
                     concurrency=2).write_parquet(str(tmp_path / "out"))
    labelled = pq.read_table(tmp_path / "out").sort_by("id").to_pydict()
    assert labelled["id"] == list(range(80)) and labelled["text"] == TEXTS * 20
    assert labelled["label"] == [*student.predict(TEXTS[:3]), None] * 20
