"""One question for several sets of filters: rules that ask the same of different customers are one statement."""
