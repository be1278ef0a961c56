"""(desired, live) → plan: merge, compare, order, prune, guard. Pure thought, no I/O."""
