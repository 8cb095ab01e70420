"""A small simulated production system that is consistent with itself.

Services depend on each other; a fault in one shows in its logs, its metrics and, where a release caused it,
in the deployments, and it reaches the services that call it as time-outs and latency. Everything is a
function of (seed, fault, now): asking twice gives the same answer.
"""
