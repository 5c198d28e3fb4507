"""What a plan lists is what a rendering makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stackwise.job import load_job
from stackwise.render import file_names
from tests.conftest import EXAMPLES


@pytest.mark.parametrize("overrides", [{}, {"stack.database": "sqlite", "stack.cache": "local-memory"}])
def test_the_files_of_a_plan_are_those_of_its_rendering(tmp_path: Path, overrides: dict[str, str]) -> None:
    shutil.copytree(EXAMPLES / "superbook", tmp_path / "site")
    job = load_job(tmp_path / "site" / "stackwise.yml", overrides)
    assert file_names(job.plan()) == tuple(job.rendered())
