"""Rule 1."""
from rules_support import *
from cspsim.rules.budgets import receive_budgets

def test_x():
    b = Bench(levers={"targets": 1}, uncertainties={"gaming": .1})
    b.run(receive_budgets, 1)
    print(b.state.available)
    assert not out_of_range(b.state)
