"""The rules of a simulated month, by subject: one file each. ``cspsim.model.month`` puts them in order.

Every rule has the signature ``verb_noun(world, state, luck, month)``, changes ``state`` in place, reads no clock,
file or global, and imports no other rule.
"""
