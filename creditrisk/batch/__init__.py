"""Files of applicants scored together: what a file's rows become, where that is kept, and what is handed out of it.

A bad row is set aside with what is wrong with it and the good ones go on. A part is kept whole or not at all, so that a batch
goes on where it was, whatever stopped it.
"""
