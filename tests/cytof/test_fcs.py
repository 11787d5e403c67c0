"""FCS files: every way of storing cells that is read or refused, and files that other programs open."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import flowio
import numpy as np
import pytest

from cellgan.cytof.fcs import open_fcs, read_fcs, write_fcs
from cellgan.cytof.fcs_text import format_keywords, parse_keywords
from cellgan.cytof.fcs_write import stream_fcs, unique
from cellgan.errors import InputError, OutputError

COUNTS = np.array([[0, 5.5, 300], [1.5, 80, 2.25], [-0.5, 7, 40], [12, 0, 262_144]], dtype=np.float32)


def fcs_bytes(
    values: np.ndarray, keywords: dict[str, str], *, header_data: bool = True, tail: bytes = b""
) -> bytes:
    """Lay out an FCS 3.0 file by hand; `keywords` replace the usual ones, None takes one out."""
    raw = values.tobytes()
    n_cells, n_channels = values.shape
    first = 2000
    kind = values.dtype.kind.replace("u", "I").replace("f", "F" if values.dtype.itemsize == 4 else "D")
    text = {
        "$BEGINDATA": str(first),
        "$ENDDATA": str(first + len(raw) - 1),
        "$BYTEORD": "4,3,2,1" if values.dtype.byteorder == ">" else "1,2,3,4",
        "$DATATYPE": kind,
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(n_channels),
        "$TOT": str(n_cells),
    }
    for i in range(1, n_channels + 1):
        text |= {f"$P{i}N": f"Nd14{i}Di", f"$P{i}S": f"CD{i}", f"$P{i}B": str(8 * values.dtype.itemsize)}
        text |= {f"$P{i}E": "0,0", f"$P{i}R": "262144"}
    text = {key: value for key, value in (text | keywords).items() if value is not None}
    segment = format_keywords(text)
    place = (first, first + len(raw) - 1) if header_data else (0, 0)
    ends = (58, 57 + len(segment), *place, 0, 0)
    head = b"FCS3.0    " + b"".join(b"%8d" % end for end in ends) + segment
    return head.ljust(first) + raw + tail


@pytest.fixture
def written(tmp_path):
    def write(content: bytes, name: str = "cells.fcs") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_floats_of_both_sizes_and_byte_orders(written, dtype):
    adata = read_fcs(written(fcs_bytes(COUNTS.astype(dtype), {})))
    assert adata.X.dtype == np.float32
    np.testing.assert_array_equal(adata.X, COUNTS)
    assert list(adata.var_names) == ["CD1", "CD2", "CD3"]
    assert list(adata.var["channel"]) == ["Nd141Di", "Nd142Di", "Nd143Di"]
    assert list(adata.obs_names) == ["cells-1", "cells-2", "cells-3", "cells-4"]


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<u4", ">u4"])
def test_integers_count_only_the_bits_of_their_range(written, dtype):
    values = np.array([[1, 1023], [1024 + 5, 512]], dtype=dtype)  # a stray high bit
    adata = read_fcs(written(fcs_bytes(values, {"$P1R": "1024", "$P2R": "1000"})))
    np.testing.assert_array_equal(adata.X, [[1, 1023], [5, 512]])


def test_log_amplified_integers_become_linear(written):
    values = np.array([[0, 512], [1023, 256]], dtype="<u2")
    keywords = {"$P1R": "1024", "$P2R": "1024", "$P1E": "4,0", "$P2E": "2,0.5"}
    adata = read_fcs(written(fcs_bytes(values, keywords)))
    expected = [[1, 0.5 * 10], [10 ** (4 * 1023 / 1024), 0.5 * 10**0.5]]
    np.testing.assert_allclose(adata.X, expected, rtol=1e-6)


def test_integers_of_mixed_width(written):
    record = np.zeros(2, dtype=[("a", "<u1"), ("b", "<u4")])
    record["a"], record["b"] = [7, 200], [70_000, 3]
    content = fcs_bytes(record.view("u1").reshape(2, 5)[:, :2], {})
    text = parse_keywords(content[58:2000].rstrip(), empty_values=False)
    text |= {"$P1B": "8", "$P1R": "256", "$P2B": "32", "$P2R": "1048576", "$ENDDATA": "2009"}
    segment = format_keywords(text)
    head = b"FCS3.0    " + b"".join(b"%8d" % end for end in (58, 57 + len(segment), 2000, 2009, 0, 0))
    adata = read_fcs(written((head + segment).ljust(2000) + record.tobytes()))
    np.testing.assert_array_equal(adata.X, [[7, 70_000], [200, 3]])


def test_places_in_keywords_in_the_header_or_in_both(written):
    for keywords, header in (
        ({}, True),
        ({}, False),
        ({"$BEGINDATA": None, "$ENDDATA": None}, True),
        ({"$BEGINDATA": "0", "$ENDDATA": "0"}, True),
        ({"$ENDDATA": str(2000 + COUNTS.nbytes)}, True),  # off by one
        ({"$TOT": None}, True),
    ):
        file = open_fcs(written(fcs_bytes(COUNTS, keywords, header_data=header, tail=b"00000000")))
        np.testing.assert_array_equal(file.rows(0, 99), COUNTS)
    with pytest.raises(InputError, match="neither"):
        open_fcs(written(fcs_bytes(COUNTS, {"$BEGINDATA": None, "$ENDDATA": None}, header_data=False)))


def test_the_place_that_holds_the_announced_cells_is_followed(written):
    file = open_fcs(written(fcs_bytes(COUNTS, {"$BEGINDATA": "1999", "$ENDDATA": "2009"})))
    np.testing.assert_array_equal(file.rows(0, 4), COUNTS)
    assert "the header was followed" in file.notes[0]


def test_fewer_cells_announced_than_stored_are_noted(written):
    file = open_fcs(written(fcs_bytes(COUNTS, {"$TOT": "3"})))
    assert file.n_cells == 3
    assert "$TOT announces 3 cells" in file.notes[0]


def test_several_data_sets_compensation_and_odd_amplification_are_noted(written):
    keywords = {"$NEXTDATA": "5000", "$SPILLOVER": "2,a,b,1,0,0,1", "$P2E": "4,1"}
    file = open_fcs(written(fcs_bytes(COUNTS, keywords)))
    assert [
        word in note for word, note in zip(("first", "log", "compensation"), file.notes, strict=True)
    ] == [True] * 3
    np.testing.assert_array_equal(file.rows(0, 4), COUNTS)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"$MODE": "C"}, r"\$MODE is 'C', a histogram"),
        ({"$DATATYPE": "A"}, r"\$DATATYPE A"),
        ({"$DATATYPE": "I", "$P2B": "10"}, "with 10 bits"),
        ({"$DATATYPE": "I", "$P2B": "*"}, "variable bits"),
        ({"$BYTEORD": "3,4,1,2"}, "3,4,1,2"),
        ({"$DATATYPE": None}, r"lacks \$DATATYPE"),
        ({"$P3N": None}, r"lacks \$P3N"),
        ({"$PAR": "999999999999"}, r"lacks \$P4N"),
        ({"$PAR": "three"}, r"\$PAR is 'three'"),
        ({"$TOT": "-7"}, r"\$TOT is '-7'"),
        ({"$P1E": "many"}, r"\$P1E is 'many'"),
        ({"$TOT": "5"}, "truncated: 5 cells"),
    ],
)
def test_what_cannot_be_read_is_refused_in_plain_words(written, keywords, message):
    with pytest.raises(InputError, match=message):
        open_fcs(written(fcs_bytes(COUNTS, keywords)))


def test_a_doubled_delimiter_is_an_escape_or_an_empty_value(written):
    content = fcs_bytes(COUNTS, {"$CYT": "a|b", "$OP": None})
    segment = content[58:2000].rstrip()
    delimiter = segment[:1]
    escaped = segment.replace(b"a|b", b"a" + 2 * delimiter + b"b")
    emptied = delimiter + b"$OP" + 2 * delimiter + segment[1:]
    for text, key, value in ((escaped, "$CYT", f"a{delimiter.decode()}b"), (emptied, "$OP", "")):
        head = b"FCS3.0    " + b"".join(b"%8d" % end for end in (58, 57 + len(text), 2000, 2047, 0, 0))
        file = open_fcs(written((head + text).ljust(2000) + COUNTS.tobytes()))
        assert file.keywords[key] == value
        np.testing.assert_array_equal(file.rows(0, 4), COUNTS)


def test_columns_get_unique_names(written):
    names = {"$P1S": "CD45", "$P2S": "CD45", "$P3S": None}
    file = open_fcs(written(fcs_bytes(COUNTS, names)))
    assert file.names() == ("CD45 (Nd141Di)", "CD45 (Nd142Di)", "Nd143Di")
    file = open_fcs(written(fcs_bytes(COUNTS, {f"$P{i}{x}": "A" for i in (1, 2, 3) for x in "NS"})))
    assert file.names() == ("A", "A-2", "A-3")
    assert unique(["a", "a", "a-2", "b"]) == ("a", "a-3", "a-2", "b")


def test_rows_are_read_where_they_are(written):
    file = open_fcs(written(fcs_bytes(COUNTS, {})))
    np.testing.assert_array_equal(file.rows(1, 3), COUNTS[1:3])
    assert file.rows(4, 9).shape == (0, 3)


def test_the_real_file_without_begindata_holds_the_cells_of_the_table(real_cells):
    file = open_fcs(real_cells / "sample_masscyt.fcs")
    table = ad.read_h5ad(real_cells / "thymus.h5ad")
    assert "$BEGINDATA" not in file.keywords
    assert file.names() == tuple(table.var_names)
    np.testing.assert_array_equal(file.rows(0, file.n_cells), table.X)


def test_real_big_endian_files_hold_the_cells_of_the_table(real_cells):
    table = ad.read_h5ad(real_cells / "controls_volunteer1.h5ad")
    for plate in ("021", "028", "034"):
        cells = read_fcs(real_cells / f"Gates_PTLG{plate}_Unstim_Control_1.fcs")
        expected = table[table.obs["batch"] == f"PTLG{plate}"]
        np.testing.assert_array_equal(cells[:, expected.var_names].X, expected.X)


KEYWORDS = {
    "$CYT": "CyTOF|2/\\",
    "$DATE": "01-JAN-2024",
    "$TOT": "9",
    "$P1N": "x",
    "SPILL": "y",
    "note": "München",
}


def test_what_is_written_opens_everywhere_with_the_same_values(tmp_path):
    path = tmp_path / "out.fcs"
    write_fcs(path, COUNTS, ["Nd142Di", "Nd142Di", "a,b"], ["CD19", "", "CD3"], KEYWORDS)
    mine = open_fcs(path)
    np.testing.assert_array_equal(mine.rows(0, 4), COUNTS)
    assert mine.names() == ("CD19", "Nd142Di-2", "CD3")
    theirs = flowio.FlowData(path)
    np.testing.assert_array_equal(theirs.as_array(preprocess=False), COUNTS)
    assert theirs.pnn_labels == ["Nd142Di", "Nd142Di-2", "a_b"]
    assert theirs.pns_labels == ["CD19", "", "CD3"]
    assert all(top < limit for top, limit in zip(COUNTS.max(axis=0), theirs.pnr_values, strict=True))
    assert {k: theirs.text[k] for k in ("cyt", "date", "note")} == {
        "cyt": "CyTOF|2/\\",
        "date": "01-JAN-2024",
        "note": "München",
    }
    assert "spill" not in theirs.text


@pytest.mark.filterwarnings("ignore")  # readfcs' own
def test_what_is_written_opens_in_readfcs(tmp_path):
    readfcs = pytest.importorskip("readfcs")
    path = tmp_path / "out.fcs"
    write_fcs(path, COUNTS, ["Nd142Di", "Nd143Di", "Time"], ["CD19", "CD4", "Time"], KEYWORDS)
    cells = readfcs.read(str(path))
    np.testing.assert_array_equal(cells.X, COUNTS)
    assert list(cells.var_names) == ["CD19", "CD4", "Time"]


def test_writing_piece_by_piece_gives_the_same_bytes(tmp_path):
    names = ["Nd142Di", "Nd143Di", "Time"]
    write_fcs(tmp_path / "whole.fcs", COUNTS, names, names)
    stream_fcs(tmp_path / "pieces.fcs", iter([COUNTS[:1], COUNTS[1:]]), channels=names, markers=names)
    assert (tmp_path / "whole.fcs").read_bytes() == (tmp_path / "pieces.fcs").read_bytes()


def test_values_without_a_number_are_never_written(tmp_path):
    bad = COUNTS.copy()
    bad[1, 2] = np.inf
    with pytest.raises(InputError, match="CD3 are NaN or infinite"):
        write_fcs(tmp_path / "out.fcs", bad, ["a", "b", "c"], ["CD1", "CD2", "CD3"])
    assert not list(tmp_path.iterdir())


def test_writing_into_a_missing_folder(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        write_fcs(tmp_path / "none" / "out.fcs", COUNTS, ["a", "b", "c"], ["", "", ""])


def test_offsets_beyond_eight_digits_stand_in_the_keywords(tmp_path):
    path = tmp_path / "big.fcs"
    write_fcs(path, np.zeros((260_000, 100), np.float32), [f"c{i}" for i in range(100)], [""] * 100)
    assert path.read_bytes()[26:42] == b"       0       0"
    file = open_fcs(path)
    assert (file.n_cells, file.notes) == (260_000, ())
    assert not file.rows(259_990, 260_000).any()
    path.unlink()  # a hundred megabytes
