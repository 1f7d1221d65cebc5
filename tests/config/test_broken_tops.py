"""Mistakes at the top of the file, in its catalog and its YAML: one each, found alone, in its place."""

from collections.abc import Callable

import pytest

#: What is replaced, by what, the key and the line that are blamed, what is said, and what is suggested.
BROKEN: dict[str, tuple[str, ...]] = {
    "misspelt top key": ("models:\n", "modles:\n", "modles", "modles:", "unknown key", "models"),
    "key that nobody knows": ("name: small", "name: small\nzzz: 1", "zzz", "zzz: 1", "known here: LICENSE"),
    "misspelt time key at the top": (
        "name: small",
        "name: small\nhorizn: 1 year",
        "horizn",
        "horizn: 1 year",
        "unknown key",
        "horizon",
    ),
    "no name": ("name: small\n", "", "name", "", "required"),
    "empty name": ("name: small", "name: ''", "name", "name: ''", "must not be empty"),
    "name without text": ("name: small", "name:", "name", "name:", "required"),
    "name a number": ("name: small", "name: 2020", "name", "name: 2020", "expected text; put it into quotes"),
    "name of two lines": ("name: small", 'name: "a\\nb"', "name", 'name: "a\\nb"', "printable"),
    "seed negative": ("name: small", "name: small\nseed: -1", "seed", "seed: -1", "0 or more"),
    "seed too large": (
        "name: small",
        "name: small\nseed: 4294967296",
        "seed",
        "seed: 4294967296",
        "less than 4294967296",
    ),
    "seed a fraction": ("name: small", "name: small\nseed: 1.5", "seed", "seed: 1.5", "whole number"),
    "seed true": ("name: small", "name: small\nseed: true", "seed", "seed: true", "not true or false"),
    "seed as text": ("name: small", "name: small\nseed: '23'", "seed", "seed: '23'", "without quotes"),
    "seed with a leading zero": (
        "name: small",
        "name: small\nseed: 010",
        "seed",
        "seed: 010",
        "whole number",
    ),
    "alpha one": ("name: small", "name: small\nalpha: 1", "alpha", "alpha: 1", "less than 1"),
    "alpha zero": ("name: small", "name: small\nalpha: 0.0", "alpha", "alpha: 0.0", "greater than 0"),
    "alpha not a number": ("name: small", "name: small\nalpha: .nan", "alpha", "alpha: .nan", "finite"),
    "order of a third of two": (
        "name: small",
        "name: small\norder: [0, 2]",
        "order[1]",
        "order: [0, 2]",
        "they have the numbers 0 to 1",
    ),
    "order with one twice": (
        "name: small",
        "name: small\norder: [0, 1, 0]",
        "order[2]",
        "order: [0, 1, 0]",
        "'Model A' is taken twice",
    ),
    "order by names": (
        "name: small",
        "name: small\norder: [Model A]",
        "order[0]",
        "order: [Model A]",
        "expected a whole number",
    ),
    "no model in order": ("name: small", "name: small\norder: []", "order", "order: []", "must not be empty"),
    "quality unknown": (
        "name: small",
        "name: small\nforecast_quality: recrod",
        "forecast_quality",
        "forecast_quality: recrod",
        "expected 'refuse' or 'record'",
        "record",
    ),
    "models under two names": (
        "name: small",
        "name: small\nmodel_config: models.yml",
        "model_config",
        "model_config: models.yml",
        "given here and as models",
    ),
    "path that is no folder": (
        "name: small",
        "name: small\npath: nowhere",
        "path",
        "path: nowhere",
        "no such folder",
    ),
    "no catalog": ("catalog: catalog.csv\n", "", "catalog", "", "required"),
    "catalog misspelt": (
        "catalog: catalog.csv",
        "catalog: catalogg.csv",
        "catalog",
        "catalog: catalogg.csv",
        "no such file",
        "catalog.csv",
    ),
    "catalog a folder": ("catalog: catalog.csv", "catalog: models", "catalog", "catalog: models", "a folder"),
    "catalog blank": ("catalog: catalog.csv", "catalog: ' '", "catalog", "catalog: ' '", "no such file"),
    "catalog by a query that there is not": (
        "catalog: catalog.csv",
        "catalog: query_comcatt",
        "catalog",
        "catalog: query_comcatt",
        "no such service",
        "query_comcat",
    ),
    "catalog under two names": (
        "catalog: catalog.csv",
        "catalog: catalog.csv\ncatalog_reader: query_bsi",
        "catalog_reader",
        "catalog_reader: query_bsi",
        "given here and as catalog",
    ),
    "data set misspelt": (
        "catalog: catalog.csv",
        "catalog: csep:comcat_exmple_catalog",
        "catalog",
        "catalog: csep:comcat_exmple_catalog",
        "no such data set",
        "csep:comcat_example_catalog",
    ),
    "data set of another kind": (
        "catalog: catalog.csv",
        "catalog: csep:helmstetter_mainshock",
        "catalog",
        "catalog: csep:helmstetter_mainshock",
        "is a gridded forecast, not a catalog",
    ),
    "key twice": (
        "name: small",
        "name: small\nname: other",
        "name",
        "name: other",
        "given twice; the first is in line 1",
    ),
    "unsafe tag": (
        "name: small",
        "name: small\nauthors: !!python/object/apply:os.getcwd []",
        "authors",
        "authors: !!python/object/apply:os.getcwd []",
        "the tag !!python/object/apply:os.getcwd is not allowed",
    ),
    "alias to itself": (
        "name: small",
        "name: small\nauthors: &me [*me]",
        "authors[0]",
        "authors: &me [*me]",
        "refers to itself",
    ),
    "key that is not text": ("name: small", "name: small\nyes: 1", "yes", "yes: 1", "known here"),
    "metadata infinite": ("name: small", "name: small\ndoi: .inf", "doi", "doi: .inf", "finite number"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_one_mistake_makes_one_problem_in_its_place(
    broken: tuple[str, ...], told_alone: Callable[..., None]
) -> None:
    told_alone(*broken)
