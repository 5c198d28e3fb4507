from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.core.management import call_command
from django.test import TestCase
from django.utils import timezone

from .models import Post


class PostTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.author = get_user_model().objects.create_user("dana")
        cls.post = Post.objects.create(author=cls.author, title="Hello", slug="hello", body="First <b>words</b>")

    def setUp(self):
        cache.clear()

    def test_the_list_shows_posts_and_counts(self):
        self.client.get("/")
        answer = self.client.get("/")
        self.assertContains(answer, "Hello")
        self.assertContains(answer, "asked for 2 times")

    def test_the_list_takes_one_query_for_posts_and_authors(self):
        with self.assertNumQueries(1):
            self.client.get("/")

    def test_the_list_works_when_nothing_is_cached(self):
        with patch("django.core.cache.cache.incr", side_effect=ValueError):
            self.assertContains(self.client.get("/"), "Hello")

    def test_a_post_is_escaped(self):
        self.assertContains(self.client.get(self.post.get_absolute_url()), "&lt;b&gt;words")

    def test_the_future_is_not_shown(self):
        Post.objects.create(
            author=self.author, title="Later", slug="later", body="x", published=timezone.now() + timedelta(days=1)
        )
        self.assertNotContains(self.client.get("/"), "Later")
        self.assertEqual(self.client.get("/posts/later/").status_code, 404)

    def test_seeding_twice_is_seeding_once(self):
        call_command("seed", stdout=StringIO())
        count = Post.objects.count()
        call_command("seed", stdout=StringIO())
        self.assertEqual(Post.objects.count(), count)
        self.assertGreater(count, 10)

    def test_health(self):
        answer = self.client.get("/healthz")
        self.assertEqual((answer.status_code, answer.content), (200, b"ok\n"))
