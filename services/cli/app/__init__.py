"""`tiphys app ...`: Applications as kubectl would read and write them, said in the field's words.

The pure modules (view, operation, progress, difference) decide; store.py and the verbs read and write.
"""
