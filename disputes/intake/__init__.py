"""From filing to the decision whether a complaint is accepted."""
