"""What is shown to people who were not there: records on paper."""
