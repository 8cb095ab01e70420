"""Loopwatch: see why each agent run did what it did, what it cost and where it looped."""
