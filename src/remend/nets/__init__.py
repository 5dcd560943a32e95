"""Networks, one file a paper, on PyTorch; ``registry`` names them and imports them only when asked.

A net's body takes stacked planes and the hole and answers a residual (``remend``); ``Inpainter`` puts
masking, the base fill and composition around any body, so that training and serving run one graph.
"""
