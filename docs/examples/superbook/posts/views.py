"""The list of posts, which counts its readers in the cache, and one post."""

from django.core.cache import cache
from django.shortcuts import get_object_or_404, render

from .models import Post

POSTS_ON_A_PAGE = 12


def count_view():
    """Return how often the list was asked for since the cache began to count; a cache that is down counts nothing."""
    cache.add("posts:views", 0, timeout=None)
    try:
        return cache.incr("posts:views")
    except ValueError:
        return None


def post_list(request):
    posts = Post.objects.published().select_related("author")[:POSTS_ON_A_PAGE]
    return render(request, "posts/list.html", {"posts": posts, "views": count_view()})


def post_detail(request, slug):
    post = get_object_or_404(Post.objects.published().select_related("author__profile"), slug=slug)
    return render(request, "posts/detail.html", {"post": post})
