"""Outputs appear whole or not at all, and inputs are never outputs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest

from cellgan.atomic import atomic, check_output
from cellgan.cytof.read_write import write_whole
from cellgan.errors import OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends_well(tmp_path):
    target = tmp_path / "out.txt"
    with atomic(target) as part:
        assert (part.parent, part.suffix) == (tmp_path, ".txt")
        part.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError, SystemExit])
def test_whatever_stops_the_block_leaves_the_older_file(tmp_path, stop):
    target = tmp_path / "out.txt"
    target.write_text("older")
    with pytest.raises(stop), atomic(target) as part:  # noqa: PT012 -- both must happen within the block
        part.write_text("half")
        raise stop
    assert target.read_text() == "older"
    assert names(tmp_path) == ["out.txt"]


def test_a_link_is_followed(tmp_path):
    real = tmp_path / "real.txt"
    real.write_text("older")
    (tmp_path / "link.txt").symlink_to(real)
    with atomic(tmp_path / "link.txt") as part:
        part.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "not writable"),
        (OSError(errno.EROFS, "Read-only file system"), "not writable"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError("Can't write data (file write failed: errno = 28)"), "the disk is full"),
        (RuntimeError("Can't decrement id ref count (file write failed: errno = 28)"), "the disk is full"),
    ],
)
def test_what_the_system_refuses_is_said_in_plain_words(tmp_path, error, message):
    with pytest.raises(OutputError, match=message) as stopped, atomic(tmp_path / "out.txt"):
        raise error
    assert str(tmp_path / "out.txt") in str(stopped.value)
    assert names(tmp_path) == []


def test_errors_that_are_not_about_writing_pass():
    with pytest.raises(RuntimeError, match="of another kind"), atomic(Path("out.txt")):
        raise RuntimeError("of another kind")  # noqa: EM101


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_is_full(tmp_path):
    def write(part: Path) -> None:
        part.unlink()
        part.symlink_to("/dev/full")
        part.write_text("x" * 100_000)

    with pytest.raises(OutputError, match="the disk is full"), atomic(tmp_path / "out.txt") as part:
        write(part)
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_while_hdf5_writes(tmp_path, cells, monkeypatch):
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "out.h5ad").write_text("older")
    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_whole(cells, tmp_path / "out.h5ad")
    assert (tmp_path / "out.h5ad").read_text() == "older"
    assert names(tmp_path) == ["out.h5ad"]


def test_folders_that_take_no_files(tmp_path, cells):
    with pytest.raises(OutputError, match=r"folder .* does not exist"):
        write_whole(cells, tmp_path / "none" / "out.h5ad")
    with pytest.raises(OutputError, match="it is a folder"):
        write_whole(cells, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        write_whole(cells, tmp_path / "file" / "out.h5ad")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_permission(tmp_path, cells):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="not writable"):
        write_whole(cells, tmp_path / "locked" / "out.h5ad")


def test_what_is_written_is_what_was_given(tmp_path, cells):
    cells.layers["aligned"] = cells.X * 2
    write_whole(cells, tmp_path / "out.h5ad")
    back = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_array_equal(back.X, cells.X)
    np.testing.assert_array_equal(back.layers["aligned"], cells.X * 2)


def test_outputs_are_checked_before_any_work(tmp_path, monkeypatch):
    source, out = tmp_path / "in.h5ad", tmp_path / "out.h5ad"
    source.touch()
    (tmp_path / "link.h5ad").symlink_to(source)
    monkeypatch.chdir(tmp_path)
    for same in (source, tmp_path / "link.h5ad", Path("in.h5ad")):
        with pytest.raises(OutputError, match="is also an input"):
            check_output(same, inputs=[source], overwrite=True)
    check_output(out, inputs=[source])
    out.touch()
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        check_output(out, inputs=[source])
    check_output(out, inputs=[source], overwrite=True)
    for place, message in ((tmp_path, "it is a folder"), (tmp_path / "none" / "x.h5ad", "does not exist")):
        with pytest.raises(OutputError, match=message):
            check_output(place, overwrite=True)
    assert names(tmp_path) == ["in.h5ad", "link.h5ad", "out.h5ad"]
