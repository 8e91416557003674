"""The operators' console and the REST API: what is shown, who may see it, and acts on their way to the decision loop.

Nothing here decides about anybody. A page asks the store (`emcheck.desk`) and the running service's memory; an act is
an instruction in the mailbox, like one of the command line, and only the decision loop carries it out.
"""
