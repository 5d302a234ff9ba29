"""Links: which the catalogue holds, how they answer, what is remembered of that, and what to do about it."""
