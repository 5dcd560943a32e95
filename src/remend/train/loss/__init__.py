"""What is minimised besides a critic: distances of pixels and features, and to a teacher."""
