"""Training: pictures in, a checkpoint out; on PyTorch and Lightning Fabric.

- ``config``, ``preset``, ``ranges``: recipes (TOML, in ``recipes/``) and ``--set`` as frozen dataclasses
- ``data/``: pictures, masks and labels; samples, each a pure function of (seed, index); batches ahead of
  the loop; ``sources/``: what ``--data`` takes
- ``loss/``, ``adversarial/``, ``tasks/``: what is minimised: distances, a critic's part, further tasks
- ``optim/``: optimisers, schedules, averaged weights
- ``machine/``: devices, memory, signals, traces
- ``run/``: the loop and one step of it, checkpoints, validation, logs
- ``finder/``: the net that finds damage has a loop of its own
"""
