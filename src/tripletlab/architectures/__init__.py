"""Networks: a grey face in, a unit embedding out."""
