"""What is learned from: pictures, their holes and labels, drawn into samples and batches."""
