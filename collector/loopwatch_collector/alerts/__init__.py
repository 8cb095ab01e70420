"""Rules over named queries, the alerts they raise, and who is told.

The way of one evaluation: a rule's condition names ranges of time (`conditions`), a reader answers its query for
them (`reading`), the condition judges each group, and the verdicts move alerts through their states (`states`).
What changed is stored as one row, outgoing messages included (`records`), and only then delivered (`notifier`).
Exactly one collector does this at a time (`lease`).
"""
