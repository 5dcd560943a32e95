"""Training: pictures in, a checkpoint out; on PyTorch and Lightning Fabric.

- ``config``: recipes (TOML) and ``--set`` as frozen dataclasses
- ``pictures``: folders and tar shards in memory; ``masks``: where holes come from; ``samples``: what the
  net is shown, each a pure function of (seed, index); ``loader``: batches ahead of the loop
- ``losses``, ``ema``, ``checkpoint``, ``validation``, ``journal``: the parts of the loop
- ``run``: what is asked for and how it ended; ``loop``: the loop
"""
