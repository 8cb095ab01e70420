-- What names a conversation, customer or user beside spans: points of metrics and verdicts.
SELECT
    (SELECT count() FROM metric_points FINAL WHERE project = {project:String}
        AND arrayExists(name -> attributes[name] = {value:String}, {attributes:Array(String)})) AS metric_points,
    (SELECT count() FROM verdicts FINAL WHERE project = {project:String} AND {field:String} = 'user'
        AND author = {value:String}) AS verdicts
