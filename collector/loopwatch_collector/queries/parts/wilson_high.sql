-- The upper end of Wilson's interval of a share at 95 % (z = 1.959963984540054): what it may be, given so few.
(events, total) ->
    least(1.0, (events / total + pow(1.959963984540054, 2) / (2 * total)
        + 1.959963984540054 * sqrt(
            events / total * (1 - events / total) / total + pow(1.959963984540054 / (2 * total), 2)))
        / (1 + pow(1.959963984540054, 2) / total))
