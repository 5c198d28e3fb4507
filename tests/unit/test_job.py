"""What a plan lists is what a rendering makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from stackwise.cli import app
from stackwise.errors import ProjectError
from stackwise.job import load_job, load_standing
from stackwise.render import file_names
from tests.conftest import EXAMPLES


@pytest.mark.parametrize("overrides", [{}, {"stack.database": "sqlite", "stack.cache": "local-memory"}])
def test_the_files_of_a_plan_are_those_of_its_rendering(tmp_path: Path, overrides: dict[str, str]) -> None:
    shutil.copytree(EXAMPLES / "superbook", tmp_path / "site")
    job = load_job(tmp_path / "site" / "stackwise.yml", overrides)
    assert file_names(job.plan()) == tuple(job.rendered())


def test_what_stands_can_be_reached_and_removed_whatever_has_become_of_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(EXAMPLES / "startproject", tmp_path / "mysite"))
    (project / "stackwise.yml").write_text("schema: 1\nname: shop\nenvironment: staging\n")
    (project / "mysite" / "settings.py").write_text("INSTALLED_APPS = [\n")
    monkeypatch.chdir(project)
    with pytest.raises(ProjectError):
        load_job(project / "stackwise.yml")
    job = load_standing(project / "stackwise.yml")
    assert str(job.identity) == "shop-staging"
    assert "shop.service" in job.outline().services
    for command in ("destroy", "status"):
        result = CliRunner().invoke(app, [command])
        assert result.exit_code == 0, result.output
    shutil.rmtree(project / "mysite")
    assert str(load_standing(project / "stackwise.yml").identity) == "shop-staging"
