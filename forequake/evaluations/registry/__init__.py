"""The tests that forequake knows, by name: what each needs, when it rejects, and on which side.

Light on purpose: reading an experiment's files must not cost the import of SciPy.
"""

from forequake.evaluations.registry.definition import COMPAT_FLAG, TestDefinition
from forequake.evaluations.registry.names import TESTS, find_test

__all__ = ["COMPAT_FLAG", "TESTS", "TestDefinition", "find_test"]
