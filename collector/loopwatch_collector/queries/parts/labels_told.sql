-- The groups of a call by tag or attribute: its own, else those of its run, else one without a name.
(own, of_run) -> multiIf(notEmpty(own), own, notEmpty(of_run), of_run, [''])
