"""Further tasks on the features of an encoder: heads, losses and scores."""
