"""Which prediction belongs to which truth: two files, two folders, or a table of cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cellgan.errors import InputError
from cellgan.segmentation.cases import read_cases
from cellgan.segmentation.volumes import SUFFIXES, stem

_MASK = "_mask"
_MAPS = ("_probability", "_uncertainty")


@dataclass(frozen=True)
class Pair:
    """One case to be scored: its name, its site, both masks, and its (first) image where that is known."""

    case: str
    site: str
    predicted: Path
    truth: Path
    image: Path | None = None


def find_pairs(predicted: Path, truth: Path) -> list[Pair]:
    """Find the prediction of every truth.

    Parameters
    ----------
    predicted
        A mask; a folder of masks; or a table of cases, whose column ``mask`` names the predictions.
    truth
        A mask; a folder; or a table of cases, whose column ``mask`` names the truth. In two folders, files
        belong together that have the same name, up to an ending ``_mask``. With a table, the prediction of a
        case is the folder's file ``X_mask.nii.gz`` for the case's image ``X.nii.gz``.

    Returns
    -------
    One pair for each truth, in the order of their names or of the table.

    Raises
    ------
    InputError
        The two do not fit, or a truth has no prediction: none is ever left out.
    """
    predicted, truth = Path(predicted), Path(truth)
    if truth.suffix.lower() == ".csv" or (truth.is_file() and not truth.name.lower().endswith(SUFFIXES)):
        return _of_table(predicted, truth)
    if truth.is_dir() and predicted.is_dir():
        known = _files(predicted)
        pairs = [Pair(name, "-", known.get(name, Path()), file) for name, file in _files(truth).items()]
        _check(pairs, predicted, truth, {pair.case for pair in pairs} - set(known))
        return pairs
    if truth.is_dir() != predicted.is_dir() or predicted.suffix.lower() == ".csv":
        msg = (
            f"{predicted} and {truth} are of two kinds; expected two masks, two folders of masks, or a "
            "table of cases (.csv) as the second"
        )
        raise InputError(msg)
    return [Pair(stem(truth), "-", predicted, truth)]


def _of_table(predicted: Path, truth: Path) -> list[Pair]:
    cases = read_cases(truth)
    if predicted.suffix.lower() == ".csv":
        known = {case.name: case.mask for case in read_cases(predicted)}
        names = {case.name: case.name for case in cases}
    elif predicted.is_dir():
        known = _files(predicted)
        names = {case.name: stem(case.images[0]) for case in cases}
    else:
        msg = f"{truth} is a table of cases, but {predicted} is neither a folder of masks nor such a table"
        raise InputError(msg)
    pairs = [
        Pair(case.name, case.site, known.get(names[case.name], Path()), case.mask, case.images[0])
        for case in cases
    ]
    _check(pairs, predicted, truth, {name for name, key in names.items() if key not in known})
    return pairs


def _files(folder: Path) -> dict[str, Path]:
    """Return the masks of a folder by the name of their image."""
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        name = stem(file)
        if file.name.lower().endswith(SUFFIXES) and not name.endswith(_MAPS):
            key = name.removesuffix(_MASK)
            if key in found:
                msg = f"{found[key]} and {file} are both masks of {key}; expected one: move one away"
                raise InputError(msg)
            found[key] = file
    return found


def _check(pairs: list[Pair], predicted: Path, truth: Path, missing: set[str]) -> None:
    if not pairs:
        msg = f"{truth} holds no masks; expected files that end in .nii.gz"
        raise InputError(msg)
    if missing:
        msg = (
            f"{predicted} has no mask of {len(missing)} of the {len(pairs)} cases in {truth}, such as "
            f"{min(missing)}; expected one for each, since a case that is left out would better the mean. "
            "Masks are called like their images, with _mask at the end"
        )
        raise InputError(msg)
