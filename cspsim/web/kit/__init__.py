"""The facilitator's kit: ready lessons with the model's own figures, role cards, a debrief sheet, on the page and on paper."""
