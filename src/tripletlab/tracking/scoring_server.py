"""The server of `tripletlab serve`: MLflow's for a model, refusing what is addressed elsewhere.

servers.py runs it as a script. It imports nothing of the package, because the model brings its own
copy, as it was when the bundle was exported.
"""

import sys
import warnings

import uvicorn
from mlflow.pyfunc.scoring_server import init, load_model_with_mlflow_config
from starlette.middleware.trustedhost import TrustedHostMiddleware


def main(model: str, host: str, port: str, *names: str) -> None:
    """Serve a model by its URI until it is stopped; only to requests for one of `names`."""
    # Filters do not do: MLflow sets its own before them
    warnings.showwarning = lambda *_, **__: None
    app = init(load_model_with_mlflow_config(model))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names, www_redirect=False)
    uvicorn.run(app, host=host, port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
