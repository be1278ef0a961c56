"""The table of kinds, a module per family: facts about kinds, without their models."""
