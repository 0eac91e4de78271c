"""Passwords and tokens in URLs are not for screens, logs or the tracking store."""

import re
import sys
import threading
import traceback
from types import TracebackType

HIDDEN = "***"
# user:password@, whatever is in it; a quote ends the URL only where one can end a string
_PASSWORD = re.compile(r"(?<=://)([^\s/:@'\"]*):(?:[^\s'\"]|['\"](?![\s,:;)\]}]))*@")
_TOKEN = re.compile(r"(?i)(https?://)[^\s/:@'\"]+@")  # a token in the place of the user
# of libpq's "key=value key=value"
_WORD = re.compile(r"(?i)\b(\w*(?:password|passwd|pwd)=)[^\s'\"]+")
_PARAMETER = re.compile(
    r"(?i)([?&;]\w*(?:password|passwd|pwd|secret|token|key|sig|signature)=)[^\s&;'\"]*[^\s&;:'\"]"
)


def redacted(text: str) -> str:
    """The text, with the secrets of every URL in it replaced by ***."""
    text = _PASSWORD.sub(rf"\1:{HIDDEN}@", text)
    text = _TOKEN.sub(rf"\1{HIDDEN}@", text)
    text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    return _WORD.sub(rf"\1{HIDDEN}", text)


def redact_tracebacks() -> None:
    """Print the traceback of an error that nothing catches, in any thread, without its secrets."""
    sys.excepthook = _print_traceback
    threading.excepthook = _print_traceback_of_thread


def _print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(redacted("".join(traceback.format_exception(kind, error, trace))))


def _print_traceback_of_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and what.exc_type is not SystemExit:
        _print_traceback(what.exc_type, what.exc_value, what.exc_traceback)
