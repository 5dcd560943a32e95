"""Weights from files: safetensors, ours and exported, and foreign checkpoints read without running them."""
