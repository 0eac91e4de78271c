"""The commands of `tripletlab`: their options beside the few lines that call the rooms."""
