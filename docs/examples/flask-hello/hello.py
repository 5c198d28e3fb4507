"""A page, a static file, a variable, a health check: the smallest site that shows a WSGI application which is not Django's."""

import os

from flask import Flask, render_template

app = Flask(__name__)


@app.get("/")
def index():
    return render_template("index.html", greeting=os.environ.get("GREETING", "Hello"))


@app.get("/healthz")
def healthz():
    return "ok\n", {"Content-Type": "text/plain", "Cache-Control": "no-store"}
