"""No password or token of a URL is shown."""

import subprocess
import sys

import pytest

from tripletlab.system.redaction import redacted

SECRET = "s3cr3t"
URLS = [
    f"postgresql+psycopg2://ann:{SECRET}@head:5432/studies",
    f"postgresql://ann:{SECRET}@with/@signs@head/studies",
    f"postgresql://ann:it's-{SECRET}@head/studies",
    f'postgresql://ann:"{SECRET}"@head/studies',
    f"postgresql://head/studies?user=ann&password={SECRET}",
    f"mysql://head/studies?sslmode=require&sslpassword={SECRET}&x=1",
    f"https://ann:{SECRET}@head/mlflow",
    f"https://{SECRET}@head/mlflow",
    f"http://:{SECRET}@head",
    f"https://head/mlflow?access_token={SECRET}",
]


@pytest.mark.parametrize("url", URLS)
def test_a_secret_is_replaced_wherever_the_url_stands(url):
    for text in (url, f"studies={url}: refused", f"a: '{url}'\nb: 1\n", f'{{"uri": "{url}"}}'):
        assert SECRET not in redacted(text)
        assert "head" in redacted(text)
        assert len(redacted(text).splitlines()) == len(text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////home/ann/mlruns/mlflow.db",
        "postgresql+psycopg2://ann@head:5432/studies",
        "http://127.0.0.1:5000 answers, mail ann@head",
        "models:/faces@champion and runs:/0123/card.json",
        "margin=0.2 key=value",
    ],
)
def test_what_is_no_secret_is_left_alone(text):
    assert redacted(text) == text


def test_a_traceback_shows_no_secret():
    code = (
        "from tripletlab.system.redaction import redact_tracebacks; redact_tracebacks();"
        f"raise ValueError('no route to ' + 'http://ann:' + '{SECRET[:3]}' + '{SECRET[3:]}@head')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "ValueError: no route to http://ann:***@head" in run.stderr
    assert SECRET not in run.stderr
