"""What a model call costs: rates per token, and the one place that applies them."""
