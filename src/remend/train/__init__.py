"""Training: pictures in, a checkpoint out; on PyTorch and Lightning Fabric.

- ``config``: recipes (TOML) and ``--set`` as frozen dataclasses
- ``pictures``: folders and tar shards in memory; ``masks``: where holes come from; ``samples``: what the
  net is shown, each a pure function of (seed, index); ``loader``: batches ahead of the loop
- ``step``: what learns, and one step of it; ``losses``; the game with a critic: ``adversarial`` (losses),
  ``augment``, ``collapse`` (readings and alarm), ``game`` (its part of a step); ``ema``, ``schedule``
- ``loop``: the loop; ``run``: what is asked for and how it ended; ``announce``: what is said before
- ``state``: what is saved and how a run goes on; ``checkpoint``, ``portable``: the files; ``transfer``:
  starting from another net
- ``validation``, ``journal``, ``board``, ``profile``: what can be seen; ``devices``, ``signals``,
  ``allocator``: the machine
"""
