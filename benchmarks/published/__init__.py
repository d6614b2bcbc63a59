"""Published and closed-form results, reproduced: specs/published, trained into a store, asked in SQL."""
