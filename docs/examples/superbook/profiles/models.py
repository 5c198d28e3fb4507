"""Profiles: who the people are."""

from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.db import models
from django.urls import reverse

LARGEST_AVATAR = 1024 * 1024
AVATAR_KINDS = ["png", "jpg", "jpeg", "gif", "webp"]


def avatar_path(profile, filename):
    """Name the file anew: a name that a stranger chose is not kept, and an old picture is never served for a new one."""
    return f"avatars/{uuid4().hex}{Path(filename).suffix.lower()}"


def validate_size(file):
    if file.size > LARGEST_AVATAR:
        raise ValidationError("A picture may have one megabyte at most.")


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="profile")
    about = models.TextField(blank=True, max_length=1000)
    # A plain file: checking more than its kind and size would need a library for images.
    avatar = models.FileField(
        blank=True, upload_to=avatar_path, validators=[FileExtensionValidator(AVATAR_KINDS), validate_size]
    )

    def __str__(self):
        return self.user.get_username()

    def get_absolute_url(self):
        return reverse("profiles:detail", args=[self.user.get_username()])
