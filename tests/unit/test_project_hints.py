"""What the code tells of its own speed: seen with its place, or not said."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackwise.project import scan
from tests.unit.strangers import EXAMPLES, make

MODELS = """
from django.db import models
class Author(models.Model):
    name = models.CharField(max_length=9)
class Post(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.CharField(max_length=9)
    slug = models.SlugField()
    status = models.CharField(max_length=9)
    day = models.DateField(db_index=True)
    class Meta:
        indexes = [models.Index(fields=["-title"])]
"""
LOOP = "{% for post in posts %}{{ post.title }} by {{ post.author.name }}{% endfor %}"


def hints(tmp_path: Path, views: str, template: str = LOOP, settings: str = "") -> dict[str, str]:
    root = tmp_path / "project"
    (root / "shop" / "templates").mkdir(parents=True)
    (root / "shop" / "templates" / "list.html").write_text(template)
    views = "from django.shortcuts import render\nfrom .models import Post\n" + views
    return make(root, settings, shop__models=MODELS, shop__views=views).hints


def view(query: str) -> str:
    return f"def posts(request):\n    return render(request, 'list.html', {{'posts': {query}}})\n"


@pytest.mark.parametrize(
    "query", ["Post.objects.all()", "Post.objects.filter(day=1)", "Post.objects.all().order_by('-day')"]
)
def test_a_relation_that_a_template_reads_of_each_row_is_seen(tmp_path: Path, query: str) -> None:
    assert hints(tmp_path, view(query))["queries"] == "shop/views.py:4"


@pytest.mark.parametrize(
    "query",
    [
        "Post.objects.select_related('author').all()",
        "Post.objects.filter(day=1).prefetch_related('author')",
        "Post.objects.filter(day=1).count()",
        "Post.objects.filter(day=1).values('title')",
    ],
)
def test_a_query_that_brings_its_relations_is_not_blamed(tmp_path: Path, query: str) -> None:
    assert "queries" not in hints(tmp_path, view(query))


def test_a_template_that_reads_no_relation_is_not_blamed(tmp_path: Path) -> None:
    assert "queries" not in hints(
        tmp_path, view("Post.objects.all()"), "{% for post in posts %}{{ post.title }}{% endfor %}"
    )


def test_a_field_that_is_filtered_by_and_has_no_index_is_named(tmp_path: Path) -> None:
    assert hints(tmp_path, view("Post.objects.filter(status='new')"))["unindexed"] == "shop/views.py:4 (Post.status)"


@pytest.mark.parametrize(
    "query", ["filter(day=1)", "filter(slug='x')", "order_by('-title')", "filter(author=1)", "filter(pk=1)"]
)
def test_a_field_with_an_index_is_not_named(tmp_path: Path, query: str) -> None:
    assert "unindexed" not in hints(tmp_path, view(f"Post.objects.{query}"))


def test_template_loaders_without_the_cached_one_are_seen(tmp_path: Path) -> None:
    loaders = "TEMPLATES = [{'OPTIONS': {'loaders': ['django.template.loaders.filesystem.Loader']}}]\n"
    assert hints(tmp_path, view("None"), settings=loaders)["uncached"].startswith("shop/settings.py:")


def test_cached_template_loaders_are_in_order(tmp_path: Path) -> None:
    inner = "['django.template.loaders.filesystem.Loader']"
    loaders = f"TEMPLATES = [{{'OPTIONS': {{'loaders': [('django.template.loaders.cached.Loader', {inner})]}}}}]\n"
    assert "uncached" not in hints(tmp_path, view("None"), settings=loaders)


def test_what_runs_in_a_command_is_not_what_a_visitor_waits_for(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "shop" / "templates").mkdir(parents=True)
    (root / "shop" / "templates" / "list.html").write_text(LOOP)
    command = "from shop.models import Post\nposts = Post.objects.all()\n"
    found = make(root, "", shop__models=MODELS, shop__management__commands__report=command).hints
    assert "queries" not in found


def test_superbook_asks_its_questions_well() -> None:
    found = scan(EXAMPLES / "superbook").hints
    assert found == {"uploads": "yes"}
