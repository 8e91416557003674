"""What is seen of all at once: the board, the shift, the equipment, and a wearer's fortnight."""
