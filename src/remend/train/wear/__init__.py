"""Made wear as tensors, on any device: noise, JPEG, softness; shared by all that learn to take it off."""
