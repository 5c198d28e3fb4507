"""Fill an empty site with something to look at."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.text import slugify

from posts.models import Post

AUTHORS = ["amira", "bruno", "chen"]
TITLES = [
    "How I learned to fly",
    "A cape is a safety hazard",
    "Saving the day, asynchronously",
    "What to pack for another planet",
    "My secret identity got a promotion",
    "On being bulletproof in meetings",
    "The trouble with x-ray vision",
    "Ten uses for a grappling hook",
    "Why villains monologue",
    "Night shifts in the city",
    "Retiring a sidekick gracefully",
    "A short history of masks",
    "Teleporting with luggage",
    "The league meets on Tuesdays",
    "Lifting with your knees",
]
FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Command(BaseCommand):
    help = "Create demo people and posts. Run again, it changes nothing."

    @transaction.atomic
    def handle(self, *args, **options):
        authors = [self.author(name) for name in AUTHORS]
        made = 0
        for index, title in enumerate(TITLES):
            _, created = Post.objects.get_or_create(
                slug=slugify(title),
                defaults={
                    "author": authors[index % len(authors)],
                    "title": title,
                    "body": f"{title}. It took a while, and there is more to say about it than fits here.",
                    "published": FIRST + timedelta(days=index),
                },
            )
            made += created
        self.stdout.write(f"{made} posts made, {len(TITLES) - made} were there already.")

    def author(self, name):
        """Return a demo person, who cannot log in."""
        user, created = get_user_model().objects.get_or_create(username=name)
        if created:
            user.set_unusable_password()
            user.save()
        return user
