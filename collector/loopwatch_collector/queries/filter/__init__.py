"""The filter language: a line of text to a condition on runs, every value bound. See docs/filter-language.md."""
