"""The commands of `tripletlab`, one file each: options beside the few lines that call the rooms."""
