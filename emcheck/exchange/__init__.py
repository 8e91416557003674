"""Orders from and to the shapes that other services use. Pure: text in, an order and a report out.

Nothing is guessed in silence (docs/adr/0015): what a document does not say is asked for, what is read in one way of
several is told with what says otherwise, and every field that was not used is named.
"""
