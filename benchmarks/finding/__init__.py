"""How well damage is found, part by part, each with its bar: ``python -m benchmarks.finding``.

``counts``, ``outlines``, ``pictures`` and ``bars`` are what the parts share; every other module is a part.
Nothing here may be tuned to: others measure the same on marks and pictures that are kept closed.
"""
