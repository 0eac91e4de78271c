"""One run: config, built components, fit, evaluation, log."""
