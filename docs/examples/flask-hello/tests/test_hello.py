import unittest
from unittest.mock import patch

from hello import app


class HelloTests(unittest.TestCase):
    def setUp(self):
        self.client = app.test_client()

    def test_the_page_greets_as_the_environment_says(self):
        with patch.dict("os.environ", GREETING="Good <morning>"):
            self.assertIn("<h1>Good &lt;morning&gt;</h1>", self.client.get("/").text)

    def test_the_page_greets_without_it(self):
        self.assertIn("<h1>Hello</h1>", self.client.get("/").text)

    def test_the_static_file(self):
        with self.client.get("/static/style.css") as answer:
            self.assertEqual(answer.mimetype, "text/css")

    def test_health(self):
        self.assertEqual(self.client.get("/healthz").text, "ok\n")
