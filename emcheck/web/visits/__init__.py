"""The fitters' page: a visit on a phone, step by step (docs/adr/0030, console.md).

Rule book:
1. The page decides nothing. What a step comes to, what to do next and what may be signed is the session's word
   (emcheck/domain/fitting); what is pressed is the same act that `emcheck fit` posts.
2. Whoever fits sees what wants a fitting and their own visits; whoever may override sees all visits and makes none.
3. Each act that a phone sends has a key and says how long ago it was done: it may be sent again, late, and from a
   phone whose clock is wrong. A name is shown as logged; what is kept on a phone goes with the sign-out.
4. Every page can be read and used without JavaScript. With it readings are live, and a dead spot loses nothing.
"""
