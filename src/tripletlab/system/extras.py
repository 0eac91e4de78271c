"""Which extra of the package a missing module belongs to."""

EXTRAS = {  # the modules that tripletlab imports, by the extra that installs them
    "train": {
        *("bokeh", "cmaes", "h5py", "hydra", "jinja2", "joblib", "keras", "matplotlib", "mlflow"),
        *("numba", "omegaconf", "optuna", "pandas", "plotly", "pooch", "psutil", "requests"),
        *("scipy", "sklearn", "sqlalchemy", "starlette", "tensorflow", "tf2onnx", "umap"),
        *("uvicorn", "yaml"),
    },
    "webcam": {"kivy"},
    "cluster": {"psycopg2", "ray"},
    "gp": {"torch"},
}


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """What to install for the module that was not found; None where no extra has it."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            return f"{module} is not installed: pip install -e '.[{extra}]' in tripletlab's folder"
    return None
