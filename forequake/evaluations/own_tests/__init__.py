"""A user's own tests: a function in a file beside the experiment's, called in a process of its own.

`inputs` has what makes their keys, `answers` reads what a function gives back, `compute` calls it, and
`_interface` is what the function meets in its process. docs/own_tests.md says how to write one.
"""
