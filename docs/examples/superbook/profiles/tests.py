import tempfile

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings

from .models import LARGEST_AVATAR


class ProfileTests(TestCase):
    def setUp(self):
        self.user = get_user_model().objects.create_user("dana", password="a long enough one")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        media = override_settings(MEDIA_ROOT=folder.name)
        media.enable()
        self.addCleanup(media.disable)

    def upload(self, name, content):
        self.client.force_login(self.user)
        return self.client.post("/people/me/", {"about": "Hi", "avatar": SimpleUploadedFile(name, content)}, follow=True)

    def test_everybody_has_a_profile(self):
        self.assertContains(self.client.get("/people/dana/"), "dana")

    def test_logging_in(self):
        answer = self.client.post("/accounts/login/", {"username": "dana", "password": "a long enough one"}, follow=True)
        self.assertContains(answer, "Log out")

    def test_only_for_those_who_are_logged_in(self):
        self.assertRedirects(self.client.get("/people/me/"), "/accounts/login/?next=/people/me/")

    def test_an_upload_gets_a_name_of_its_own(self):
        answer = self.upload("../../Me.PNG", b"\x89PNG")
        self.assertContains(answer, "Your profile is saved.")
        self.user.profile.refresh_from_db()
        self.assertRegex(self.user.profile.avatar.name, r"^avatars/[0-9a-f]{32}\.png$")

    def test_what_is_no_picture_or_too_large_is_refused(self):
        self.assertContains(self.upload("me.html", b"<script>"), "not allowed")
        self.assertContains(self.upload("me.png", b"x" * (LARGEST_AVATAR + 1)), "one megabyte")
