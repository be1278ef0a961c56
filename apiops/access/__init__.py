"""Who may do what: one function for every door, and the judgement on every commit of a range.

`grants.build` makes a permission snapshot from resources, `decide` answers one question about
it, `judge` charges each commit for what it changed and says which changes of a plan may happen.
Pure thought: no file, no clock, no cryptography. Signatures arrive verified, time as a value.
"""
