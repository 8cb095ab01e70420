-- title: Forecast of the month
-- description: What the calendar month (UTC) in which the range ends will have cost at its end. Foretold from the whole days of the range before the last, up to eight weeks and from the first that cost anything: with four weeks of them a straight trend plus what each weekday usually has (least squares), with three days or more their mean; the last day, broken off, gets the share of a day's cost that usually falls after its hour. The interval is the one that 95 of 100 months end in if days go on to scatter as they did. The range must begin at the first of the month or before, better eight weeks earlier.
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
    toDate(until) AS today,
    toStartOfMonth(today) AS month_start,
    days AS (
        SELECT
            multiIf(
                {dimension:String} = 'agent', toString(agent),
                {dimension:String} = 'version', toString(agent_version),
                {dimension:String} = 'customer', customer_id,
                {dimension:String} = 'environment', toString(environment),
                ''
            ) AS key,
            toDate(start_time) AS day,
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
            sumIf(cost, day >= month_start) AS spent,
            sumIf(later_cost, day < today) / nullIf(sumIf(cost, day < today), 0) AS later_share,
            sumIf(unpriced, day >= month_start) AS unpriced
        FROM days
        GROUP BY key
    ),
    -- Whole days, those without a run included.
    history AS (
        SELECT
            key,
            day,
            costs[indexOf(seen, day)] AS cost,
            if(count() OVER (PARTITION BY key) >= 28, toDayOfWeek(day), 0) AS season
        FROM totals
        ARRAY JOIN arrayMap(ago -> today - ago, range(1, toUInt32(least(56, today - first_day)) + 1)) AS day
        WHERE first_day > '1970-01-01'
    ),
    seasons AS (
        SELECT key, season, count() AS days, avg(cost) AS usual, avg(toUInt16(day)) AS middle
        FROM history
        GROUP BY key, season
    ),
    trends AS (
        SELECT
            key,
            count() AS days,
            days >= 28 AS has_trend,
            sum(pow(toUInt16(day) - middle, 2)) AS spread,
            sum((toUInt16(day) - middle) * (cost - usual)) AS slant,
            if(has_trend, slant / spread, 0) AS slope,
            (sum(pow(cost - usual, 2)) - slope * slant) / (days - if(has_trend, 8, 1)) AS variance
        FROM history
        INNER JOIN seasons USING (key, season)
        GROUP BY key
        HAVING days >= 3
    ),
    -- The days to come, by season: how many (today for its share), and how far they lie from the middle of those seen.
    ahead AS (
        SELECT
            key,
            season,
            sum(share) AS shares,
            sum(share * (toUInt16(day) - middle)) AS distance,
            any(usual) AS usual,
            any(seasons.days) AS seen_days
        FROM (
            SELECT
                key,
                arrayJoin(arrayMap(n -> today + n, range(toUInt32(toLastDayOfMonth(today) - today) + 1))) AS day,
                if(day = today, ifNull(later_share, 0), 1) AS share,
                if(has_trend, toDayOfWeek(day), 0) AS season
            FROM totals
            INNER JOIN trends USING (key)
        ) AS coming
        INNER JOIN seasons USING (key, season)
        GROUP BY key, season
    ),
    rests AS (
        SELECT
            key,
            greatest(0, sum(shares * usual + slope * distance)) AS rest,
            -- of the days themselves, of each season's mean, and of the slope
            1.95996398 * sqrt(any(variance) * (
                sum(shares) + sum(pow(shares, 2) / seen_days) + if(any(has_trend), pow(sum(distance), 2) / any(spread), 0)
            )) AS margin,
            if(any(has_trend), any(slope), NULL) AS trend,
            any(trends.days) AS days
        FROM ahead
        INNER JOIN trends USING (key)
        GROUP BY key
    )
SELECT
    key,
    month_start AS month,
    if(fromUnixTimestamp64Nano({from_ns:Int64}, 'UTC') > month_start, NULL, spent) AS spent_usd,
    if(rests.days >= 3, spent_usd + rest, NULL) AS expected_usd,
    if(rests.days >= 3, spent_usd + greatest(0, rest - margin), NULL) AS low_usd,
    if(rests.days >= 3, spent_usd + rest + margin, NULL) AS high_usd,
    trend AS trend_usd_per_day,
    rests.days AS days,
    unpriced AS unpriced_tokens
FROM totals
LEFT JOIN rests USING (key)
ORDER BY spent_usd DESC, key
