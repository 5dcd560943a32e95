"""Learning with others while pictures stay where they are: members, their terms, Flower between them."""
