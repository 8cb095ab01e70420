-- title: Forecast of the month
-- description: What the calendar month (UTC) in which the range ends will have cost at its end. Foretold from the whole days of the range before the last, up to eight weeks and from the first that cost anything: with four weeks of them a straight trend plus what each weekday usually has (least squares), with three days or more their mean; the last day, broken off, gets the share of a day's cost that usually falls after its hour. The interval is the one that 95 of 100 months end in if days go on to scatter as they did. The range must begin at the first of the month or before, better eight weeks earlier. A budget rule's forecast is another one: it goes by the rule's time zone and the time of the calls, not of their runs, and knows no trend and no weekdays.
-- param: dimension Enum(all, agent, version, customer, environment) = all | What to tell apart
-- column: key text | Value of the dimension
-- column: month time | First day of the month
-- column: spent_usd usd | Cost of the runs started in the month so far, as far as they have a price; none where none has, or the range begins later than the month
-- column: expected_usd usd | Cost at the end of the month; none where there is too little to foretell from
-- column: low_usd usd | Lower end of the interval, never under what is spent
-- column: high_usd usd | Upper end of the interval
-- column: trend_usd_per_day usd | By how much a day costs more than the one before; none without four weeks
-- column: days count | Days foretold from
-- column: unpriced_tokens tokens | Tokens of the month so far that have no price and so are in no number here
-- with: selected_runs
WITH
    fromUnixTimestamp64Nano(least({to_ns:Int64}, {now_ns:Int64}) - 1, 'UTC') AS until,
    toUInt16(toDate(until)) AS today,
    toStartOfMonth(until) AS month_start,
    -- One step of the method per sub-query, each a row per key: what is named here is computed once.
    days AS (
        SELECT
            multiIf(
                {dimension:String} = 'agent', toString(agent),
                {dimension:String} = 'version', toString(agent_version),
                {dimension:String} = 'customer', customer_id,
                {dimension:String} = 'environment', toString(environment),
                ''
            ) AS key,
            toUInt16(toDate(start_time)) AS day,
            toFloat64(sum(selected_runs.cost_usd)) AS cost,
            toFloat64(sumIf(selected_runs.cost_usd, start_time - toStartOfDay(start_time) > until - toStartOfDay(until)))
                AS later_cost,
            sum(selected_runs.unpriced_tokens) AS unpriced
        FROM selected_runs
        GROUP BY key, day
    ),
    totals AS (
        SELECT
            key,
            groupArray(day) AS seen,
            groupArray(ifNull(cost, 0)) AS costs,
            minIf(day, cost > 0) AS first_day,
            sumIf(cost, day >= toUInt16(month_start)) AS spent,
            ifNull(sumIf(later_cost, day < today) / nullIf(sumIf(cost, day < today), 0), 0) AS later_share,
            sumIf(unpriced, day >= toUInt16(month_start)) AS unpriced
        FROM days
        GROUP BY key
    ),
    -- Whole days, those without a run included, and the share of each day that is to come.
    known AS (
        SELECT
            *,
            if(first_day = 0, [], range(toUInt16(greatest(first_day, today - 56)), today)) AS past,
            arrayMap(day -> costs[indexOf(seen, day)], past) AS past_costs,
            length(past) >= 28 AS has_trend,
            arrayMap(day -> if(has_trend, toDayOfWeek(toDate(day)), 0), past) AS seasons,
            range(today, toUInt16(toLastDayOfMonth(until)) + 1) AS coming,
            arrayMap(day -> if(day = today, later_share, 1.0), coming) AS shares
        FROM totals
    ),
    -- For each past day: how far it and its cost lie from the middle of its season.
    centred AS (
        SELECT
            *,
            arrayMap(season -> arrayAvg(arrayFilter((day, other) -> other = season, past, seasons)), range(8)) AS middles,
            arrayMap(season -> arrayAvg(arrayFilter((cost, other) -> other = season, past_costs, seasons)), range(8)) AS means,
            arrayMap((day, season) -> day - middles[season + 1], past, seasons) AS distances,
            arrayMap((cost, season) -> cost - means[season + 1], past_costs, seasons) AS deviations,
            arrayMap(day -> if(has_trend, toDayOfWeek(toDate(day)), 0), coming) AS coming_seasons
        FROM known
        WHERE length(past) >= 3
    ),
    fitted AS (
        SELECT
            *,
            arraySum(distance -> distance * distance, distances) AS spread,
            if(has_trend, arraySum((distance, deviation) -> distance * deviation, distances, deviations) / spread, 0) AS slope,
            arraySum((distance, deviation) -> pow(deviation - slope * distance, 2), distances, deviations)
                / (length(past) - if(has_trend, 8, 1)) AS variance,
            arrayMap(
                season -> arraySum(arrayFilter((share, other) -> other = season, shares, coming_seasons)), range(8)
            ) AS season_shares,
            arraySum((day, share, season) -> share * (day - middles[season + 1]), coming, shares, coming_seasons) AS reach
        FROM centred
    ),
    rests AS (
        SELECT
            key,
            greatest(0, slope * reach + arraySum((share, season) -> share * means[season + 1], shares, coming_seasons)) AS rest,
            -- of the days themselves, of the means they are foretold from, and of the slope
            1.959963984540054 * sqrt(variance * (
                arraySum(shares)
                + arraySum((share, season) -> if(share > 0, share * share / countEqual(seasons, season), 0), season_shares, range(8))
                + if(has_trend, reach * reach / spread, 0)
            )) AS margin,
            if(has_trend, slope, NULL) AS trend,
            length(past) AS days
        FROM fitted
    )
SELECT
    key,
    month_start AS month,
    if(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') > month_start, NULL, spent) AS spent_usd,
    if(rests.days > 0, spent_usd + rest, NULL) AS expected_usd,
    if(rests.days > 0, spent_usd + greatest(0, rest - margin), NULL) AS low_usd,
    if(rests.days > 0, spent_usd + rest + margin, NULL) AS high_usd,
    trend AS trend_usd_per_day,
    rests.days AS days,
    unpriced AS unpriced_tokens
FROM totals
LEFT JOIN rests USING (key)
ORDER BY spent_usd DESC, key
