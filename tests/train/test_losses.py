import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from remend.errors import UsageError  # noqa: E402
from remend.nets.push_pull import push_pull  # noqa: E402
from remend.train.config import Loss  # noqa: E402
from remend.train.loss.perceptual import (  # noqa: E402
    feature_distance,
    gram,
    plain_feature_distance,
    plain_style_distance,
    style_distance,
)
from remend.train.loss.pixels import (  # noqa: E402
    by_difficulty,
    decibels,
    discounted,
    distillation_distance,
    edge_distance,
    grow,
    l1,
    l2,
    quarter_l1,
    total_variation,
)
from remend.train.loss.reconstruction import Criterion  # noqa: E402


def pictures(seed=0, height=16, width=20):
    """Output, target (2, 3, H, W) and an area (2, 1, H, W): a large box and a small one."""
    generator = torch.Generator().manual_seed(seed)
    output, target = torch.rand(2, 2, 3, height, width, generator=generator).unbind()
    area = torch.zeros(2, 1, height, width)
    area[0, :, 2:11, 3:15], area[1, :, 6:9, 1:3] = 1, 1
    return output, target, area


class Backbone(torch.nn.Module):
    """Two maps: the picture itself, and its halves' means doubled."""

    def forward(self, image):
        return [image, 2 * torch.nn.functional.avg_pool2d(image, 2)]


def test_l1_counts_each_picture_the_same_however_small_its_hole():
    output, target = torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    area = torch.zeros(2, 1, 8, 8)
    area[0, :, :1, :1], area[1] = 1, 1
    target[0, :, 0, 0] = 0.5
    assert float(l1(output, target, area)) == pytest.approx(0.25)
    assert float(l1(output, target, torch.zeros_like(area))) == 0


def test_hole_ring_and_valid_share_the_frame():
    hole = torch.zeros(1, 1, 64, 64)
    hole[:, :, 30:34, 30:34] = 1
    ring = grow(hole, 16) - hole
    assert int((hole + ring).sum()) == 36 * 36
    raw, target = torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 64, 64)
    target[:, :, 0, 0] = 1  # far away: only "valid" may see it
    parts = Criterion(Loss(perceptual=0, valid=0.2))(raw, raw, target, hole)
    assert parts["hole"] == parts["ring"] == 0
    assert float(parts["total"]) == pytest.approx(0.2 * float(parts["valid"]))


def test_features_are_compared_as_directions_and_gradients_stay_finite():
    a = torch.rand(1, 4, 5, 5)
    a[..., 0, 0] = 0
    a.requires_grad_()
    area = torch.ones(1, 1, 40, 40)
    assert float(feature_distance([a.detach()], [3 * a.detach()], area)) < 1e-4
    opposite = float(
        feature_distance([torch.eye(2)[None, :, :1, None]], [torch.eye(2)[None, :, 1:, None]], area)
    )
    assert opposite == pytest.approx(2, rel=1e-3)
    feature_distance([a], [torch.rand(1, 4, 5, 5)], area).backward()
    assert torch.isfinite(a.grad).all()


def test_a_perceptual_loss_without_backbone_says_what_to_do():
    with pytest.raises(UsageError, match=r"give --set loss\.backbone=FILE\.h5"):
        Criterion.of(Loss(perceptual=0.7))


def test_l2_by_a_loop():
    output, target, area = pictures()
    each = [
        np.mean((output[n] - target[n]).numpy()[:, area[n, 0].numpy() > 0] ** 2, dtype=np.float64)
        for n in (0, 1)
    ]
    assert float(l2(output, target, area)) == pytest.approx(np.mean(each), rel=1e-5)


def test_decibels_count_alike_in_easy_and_hard_pictures():
    _, target, hole = pictures()
    off = 0.1 * hole
    assert float(decibels(target + off, target, hole)) == pytest.approx(-20, abs=0.01)
    halved = float(decibels(target + off, target, hole)) - float(decibels(target + off / 2, target, hole))
    easy = float(decibels(target + off / 5, target, hole)) - float(decibels(target + off / 10, target, hole))
    assert halved == pytest.approx(20 * np.log10(2), abs=0.05)
    assert easy == pytest.approx(halved, abs=0.4)  # the floor at 50 dB begins to be felt
    assert float(decibels(target, target, hole)) == pytest.approx(-50)


def test_a_quarter_scale_sees_colour_but_no_texture():
    _, target, hole = pictures()
    texture = torch.ones(1, 1, 16, 20)
    texture[..., ::2, :] *= -1
    filled = target + 0.3 * texture
    assert float(quarter_l1(filled, target, torch.ones_like(hole))) < 1e-6
    # A constant error costs what it costs in L1, though the holes' edges do not fall on cells.
    shifted = target + 0.25 * hole
    assert float(quarter_l1(shifted, target, hole)) == pytest.approx(
        float(l1(shifted, target, hole)), rel=1e-4
    )
    assert float(quarter_l1(target, target, torch.zeros_like(hole))) == 0


def test_discounted_weights_by_brute_force():
    hole = torch.zeros(1, 1, 13, 17)
    hole[..., 2:11, 0:9] = 1  # it touches the left edge, beyond which nothing is known
    hole[..., 4:6, 12:14] = 1
    known = np.argwhere(hole[0, 0].numpy() == 0)
    wanted = np.zeros((13, 17))
    for y, x in np.argwhere(hole[0, 0].numpy() > 0):
        wanted[y, x] = 0.9 ** (np.abs(known - [y, x]).sum(axis=1).min() - 1)
    assert np.allclose(discounted(hole, 0.9)[0, 0].numpy(), wanted, atol=1e-6)
    whole = torch.ones(1, 1, 8, 8)
    assert torch.equal(discounted(whole, 0.9), whole)


def test_total_variation_by_a_loop():
    output, _, area = pictures()
    each = []
    for n in (0, 1):
        inside, values = area[n, 0].numpy() > 0, output[n].numpy().astype(np.float64)
        total = 0.0
        for down, right in ((1, 0), (0, 1)):
            pairs = [
                np.abs(values[:, y + down, x + right] - values[:, y, x]).mean()
                for y, x in np.argwhere(inside)
                if y + down < 16 and x + right < 20 and inside[y + down, x + right]
            ]
            total += np.mean(pairs)
        each.append(total)
    assert float(total_variation(output, area)) == pytest.approx(np.mean(each), rel=1e-5)
    assert float(total_variation(torch.full_like(output, 0.4), area)) == 0


def test_edges_are_opencvs_sobel():
    cv2 = pytest.importorskip("cv2")
    output, target, area = pictures()
    each = []
    for n in (0, 1):
        difference = (output[n] - target[n]).permute(1, 2, 0).numpy()
        inside = area[n, 0].numpy() > 0
        sides = [
            cv2.Sobel(difference, cv2.CV_32F, *axes, scale=1 / 8, borderType=cv2.BORDER_REPLICATE)[inside]
            for axes in ((1, 0), (0, 1))
        ]
        each.append(np.mean(np.abs(sides)))
    assert float(edge_distance(output, target, area)) == pytest.approx(float(np.mean(each)), rel=1e-4)
    ramp = torch.arange(20.0).expand(2, 3, 16, 20) / 20
    flat = torch.zeros_like(ramp)
    inner = area.clone()
    inner[..., 0], inner[..., -1] = 0, 0
    assert float(edge_distance(ramp, flat, inner)) == pytest.approx(0.05 / 2)


def test_gram_matrices_by_a_loop_and_their_distance_is_of_texture_not_of_place():
    features = torch.rand(2, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    weight = torch.rand(2, 1, 6, 7, generator=torch.Generator().manual_seed(1))
    got = gram(features, weight).numpy()
    for n in (0, 1):
        wanted = sum(
            float(weight[n, 0, y, x]) * np.outer(features[n, :, y, x], features[n, :, y, x])
            for y in range(6)
            for x in range(7)
        ) / float(weight[n].sum())
        assert np.allclose(got[n], wanted, atol=1e-5)
    area = torch.ones(2, 1, 24, 28)
    rolled = features.roll((2, 3), dims=(2, 3))
    assert float(style_distance([rolled], [features], area)) < 1e-5
    assert float(style_distance([torch.zeros_like(features)], [features], area)) == pytest.approx(1)
    # Neither the backbone's range nor the size of the hole changes it.
    other = features.flip(1)
    small = torch.zeros_like(area)
    small[..., :8, :8] = 1
    plain = float(style_distance([other], [features], area))
    assert float(style_distance([300 * other], [300 * features], area)) == pytest.approx(plain, rel=1e-4)
    cut = [x[..., :2, :2] for x in (other, features)]
    wanted = float(style_distance([cut[0]], [cut[1]], torch.ones(2, 1, 8, 8)))
    assert float(style_distance([other], [features], small)) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    "loss", [l1, l2, quarter_l1, edge_distance, lambda output, _, area: total_variation(output, area)]
)
def test_a_step_down_the_gradient_lowers_a_loss_and_stays_in_its_area(loss):
    output, target, area = pictures()
    output = torch.where(area > 0, output, target).requires_grad_()
    before = loss(output, target, area)
    before.backward()
    assert torch.isfinite(output.grad).all()
    far = 1 - grow(area, 4)
    assert float((output.grad * far).abs().max()) == 0
    after = loss((output - 1e-2 * output.grad / output.grad.abs().max()).detach(), target, area)
    assert float(after) < float(before.detach())


def test_what_weighs_nothing_is_not_computed_and_what_weighs_is_summed():
    output, target, hole = pictures(height=48, width=48)
    filled = torch.where(hole > 0, output, target)
    plain = Criterion(Loss(perceptual=0))(filled, output, target, hole)
    assert set(plain) == {"hole", "ring", "valid", "total"}
    weights = Loss(
        **dict.fromkeys(("hole", "ring", "valid", "hole_l2", "ring_l2", "valid_l2"), 0.5),
        **dict.fromkeys(("perceptual", "style", "hole_quarter", "tv", "edge"), 0.5),
        discount=0.9,
    )
    parts = Criterion(weights, Backbone())(filled, output, target, hole, (3, 5))
    assert len(parts) == 12
    assert all(float(part) > 0 for part in parts.values())
    total = float(parts.pop("total"))
    assert total == pytest.approx(0.5 * sum(float(part) for part in parts.values()), rel=1e-5)
    # A wrong pixel near the known ones weighs more than one deep inside.
    deep, shallow = target.clone(), target.clone()
    deep[0, :, 6, 9] += 0.5
    shallow[0, :, 2, 3] += 0.5
    assert l1(shallow, target, discounted(hole, 0.9)) > l1(deep, target, discounted(hole, 0.9))


def test_each_part_is_a_mean_over_pictures_so_that_devices_need_no_exchange():
    output, target, hole = pictures(height=48, width=48)
    filled = torch.where(hole > 0, output, target)
    criterion = Criterion(
        Loss(style=0.1, hole_quarter=1, tv=0.1, edge=1, hole_l2=1, discount=0.9), Backbone()
    )
    whole = criterion(filled, output, target, hole)
    halves = [
        criterion(filled[n : n + 1], output[n : n + 1], target[n : n + 1], hole[n : n + 1]) for n in (0, 1)
    ]
    for name, value in whole.items():
        assert float(value) == pytest.approx(np.mean([float(half[name]) for half in halves]), rel=1e-5), name


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_loss_runs_under_bf16_autocast_in_any_layout(layout):
    output, target, hole = (x.contiguous(memory_format=layout) for x in pictures(height=48, width=48))
    conv = torch.nn.Conv2d(3, 3, 3, padding=1).to(memory_format=layout)
    weights = Loss(style=0.1, hole_quarter=1, tv=0.1, edge=1, hole_l2=1, discount=0.9)
    criterion = Criterion(weights, Backbone())
    plain = criterion(conv(output), conv(output), target, hole)
    with torch.autocast("cpu", torch.bfloat16):
        raw = conv(output)
        parts = criterion(raw, raw, target, hole)
    for name, value in parts.items():
        assert float(value.detach()) == pytest.approx(float(plain[name].detach()), rel=0.05), name
    parts["total"].backward()
    assert torch.isfinite(conv.weight.grad).all()


def test_a_style_without_backbone_names_what_is_needed():
    with pytest.raises(UsageError, match=r"\(loss.style=0.1\) needs vgg16's weights.*FILE.safetensors"):
        Criterion.of(Loss(perceptual=0, style=0.1, backbone_name="vgg16"))


def test_a_scratch_weighs_more_than_a_wide_hole_and_by_what_the_base_fill_leaves():
    torch.manual_seed(0)
    target = torch.nn.functional.interpolate(torch.rand(2, 3, 8, 8), size=(64, 64), mode="bicubic").clamp(
        0, 1
    )
    target[1] = target[0]
    hole = torch.zeros(2, 1, 64, 64)
    hole[0, :, 30:32] = 1
    hole[1, :, 12:52, 12:52] = 1
    each = by_difficulty(target, hole, 0.01)
    base = push_pull(target * (1 - hole), hole)
    for i in range(2):
        inside = hole[i].expand(3, -1, -1) > 0
        off = (base[i] - target[i])[inside].abs().mean()
        assert each[i] == pytest.approx(0.08 / (float(off) + 0.01), rel=1e-4)
    assert each[0] > 2 * each[1]


def test_relative_losses_weigh_the_hole_and_the_features_alone():
    torch.manual_seed(0)
    target = torch.rand(2, 3, 64, 64)
    hole = torch.zeros(2, 1, 64, 64)
    hole[0, :, 30:32] = 1
    hole[1, :, 12:52, 12:52] = 1
    raw = target + 0.1
    plain = Criterion(Loss(perceptual=0))(raw, raw, target, hole)
    weighed = Criterion(Loss(perceptual=0, relative=0.01))(raw, raw, target, hole)
    each = by_difficulty(target, hole, 0.01)
    assert float(weighed["hole"]) == pytest.approx(0.1 * float(each.mean()), rel=1e-4)
    assert torch.equal(weighed["ring"], plain["ring"])
    assert torch.equal(weighed["valid"], plain["valid"])


def test_earlier_stages_count_as_the_answer_does():
    raw, target, hole = pictures()
    stage = pictures(seed=4)[0]
    weights = {"hole": 6.0, "ring": 0.5, "valid": 1.0, "perceptual": 0.0, "ring_px": 2}
    alone = Criterion(Loss(**weights))
    both = Criterion(Loss(**weights, stages=0.5))(raw, raw, target, hole, earlier=(stage, raw))
    of_stage, of_raw = alone(stage, stage, target, hole)["total"], alone(raw, raw, target, hole)["total"]
    assert float(both["stages"]) == pytest.approx(float(of_stage + of_raw), rel=1e-5)
    assert float(both["total"]) == pytest.approx(float(0.5 * (of_stage + of_raw) + of_raw), rel=1e-5)
    assert "stages" not in alone(raw, raw, target, hole, earlier=(stage,))


def test_over_the_frame_pixel_losses_are_the_papers_sums_by_all_pixels():
    output, target, hole = pictures()
    weights = Loss(hole=6.0, valid=1.0, ring=1.0, perceptual=0.0, tv=0.1, over="frame", ring_px=2)
    filled = torch.where(hole > 0.5, output, target)
    parts = Criterion(weights)(filled, output, target, hole)
    count = output[0].numel()
    off = (output - target).abs()
    wanted = 6 * (off * hole).sum() / count + (off * (1 - hole)).sum() / count
    near = torch.nn.functional.max_pool2d(hole, 3, 1, 1)
    right = (filled[..., 1:] - filled[..., :-1]).abs() * near[..., 1:] * near[..., :-1]
    below = (filled[..., 1:, :] - filled[..., :-1, :]).abs() * near[..., 1:, :] * near[..., :-1, :]
    # Here a mean over neighbours, of which there are a row or a column fewer than pixels.
    wanted = wanted + 0.1 * (right.sum() / (3 * 16 * 19) + below.sum() / (3 * 15 * 20))
    assert float(parts["total"]) == pytest.approx(float(wanted) / 2, rel=1e-4)


@pytest.mark.parametrize("features", ["absolute", "squared"])
def test_plain_features_and_gram_matrices_by_hand(features):
    output, target, hole = pictures()
    got, wanted = Backbone()(output), Backbone()(target)
    everywhere = torch.ones_like(hole)
    power = 1 if features == "absolute" else 2
    by_hand = sum((a - b).abs().pow(power).mean() for a, b in zip(got, wanted, strict=True))
    assert float(plain_feature_distance(got, wanted, everywhere, power=power)) == pytest.approx(
        float(by_hand), rel=1e-5
    )
    style = 0.0
    for a, b in zip(got, wanted, strict=True):
        channels, height, width = a.shape[1:]
        grams = [torch.einsum("nchw,ndhw->ncd", f, f) / (channels * height * width) for f in (a, b)]
        style += float((grams[0] - grams[1]).abs().sum(dim=(1, 2)).mean()) / channels**2
    assert float(plain_style_distance(got, wanted, everywhere)) == pytest.approx(style, rel=1e-5)


def test_the_backbone_is_shown_what_the_recipe_says_and_as_many_maps():
    output, target, hole = pictures(height=48, width=48)
    hole = torch.nn.functional.pad(torch.ones(2, 1, 16, 16), (16, 16, 16, 16))
    filled = torch.where(hole > 0.5, output, target)
    weights = {"perceptual": 1.0, "style": 1.0, "hole": 0.0, "ring": 0.0, "over": "frame"}

    def judged(**more):
        return Criterion(Loss(**weights, **more), Backbone())(filled, output, target, hole)

    for name in ("perceptual", "style"):
        each = [
            float(judged(perceptual_input=shown, features="absolute")[name])
            for shown in ("filled", "raw", "both")
        ]
        assert each[2] == pytest.approx(each[0] + each[1], rel=1e-5)
        assert each[1] > each[0] > 0
    assert float(judged(backbone_maps=1)["perceptual"]) != float(judged()["perceptual"])


def test_a_lesson_is_the_sum_of_pooled_differences_in_the_hole():
    lesson, target, _ = pictures(height=16, width=16)
    hole = torch.zeros(2, 1, 16, 16)
    hole[:, :, :8, 8:] = 1
    filled = torch.where(hole > 0.5, lesson + 0.25, target)
    lesson = torch.where(hole > 0.5, lesson, target)
    assert float(distillation_distance(filled, lesson, hole)) == pytest.approx(4 * 0.25, rel=1e-4)
    assert float(distillation_distance(filled, lesson, hole, whole=True)) == pytest.approx(0.25, rel=1e-4)
    assert float(distillation_distance(lesson, lesson, hole)) == 0
    weights = Loss(hole=0.0, ring=0.0, perceptual=0.0, distill=2.0, teacher="x")
    parts = Criterion(weights)(filled, filled, target, hole, teacher_fill=lesson)
    assert float(parts["total"]) == pytest.approx(2.0, rel=1e-4)


def test_words_that_a_loss_does_not_know_are_one_clear_line():
    for key, known in (
        ("over", "area, frame"),
        ("features", "unit, "),
        ("perceptual_input", "filled, raw, both"),
    ):
        with pytest.raises(UsageError, match=f"loss.{key} is one of {known}.*got 'none'"):
            Criterion(Loss(perceptual=0.0, **{key: "none"}))
