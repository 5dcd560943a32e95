"""POST /v1/repair: the command's bytes, the command's options, and errors that say what to do."""

import io
import json
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import PIL.Image
import pytest

from remend.errors import DecodeError, FormatError, LimitError, MaskError, ModelError, UsageError, WriteError
from remend.serve.problems import KINDS, problem_of


def command_bytes(tmp_path, image: bytes, mask: bytes | None, name: str, *flags: str) -> bytes:
    """What `remend repair` writes for these files."""
    (tmp_path / name).write_bytes(image)
    arguments = ["repair", name, "-o", f"out-{name}", *flags]
    if mask is not None:
        (tmp_path / "mask.png").write_bytes(mask)
        arguments += ["-m", "mask.png"]
    subprocess.run(
        [sys.executable, "-m", "remend", *arguments], cwd=tmp_path, check=True, capture_output=True
    )
    return (tmp_path / f"out-{name}").read_bytes()


def textured(size=(120, 160)) -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (*size, 3), np.uint8), (0, 0), 1.5)


def jpeg_with_exif() -> bytes:
    image = PIL.Image.fromarray(textured())
    exif = PIL.Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "grandmother"  # lies on its side
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, exif=exif)
    return buffer.getvalue()


def sixteen_bit() -> bytes:
    return cv2.imencode(".png", textured().astype(np.uint16) * 257)[1].tobytes()


def box_mask(size) -> bytes:
    mask = np.zeros(size, np.uint8)
    mask[30:70, 40:80] = 255
    return cv2.imencode(".png", mask)[1].tobytes()


@pytest.mark.parametrize(
    ("name", "image", "size"),
    [
        ("a.png", cv2.imencode(".png", textured())[1].tobytes(), (120, 160)),
        ("b.jpg", jpeg_with_exif(), (160, 120)),
        ("c.png", sixteen_bit(), (120, 160)),
    ],
    ids=["png", "jpeg with exif, on its side", "16-bit"],
)
def test_the_bytes_are_the_commands(home, tmp_path, name, image, size):
    fields = {"method": "exemplar", "seed": "7"}
    mask = box_mask(size)
    answer = home.post("/v1/repair", files={"image": (name, image), "mask": mask}, data=fields)
    assert answer.status_code == 200, answer.text
    expected = command_bytes(tmp_path, image, mask, name, "--method", "exemplar", "--seed", "7")
    assert answer.content == expected
    assert answer.content != image
    stem, _, suffix = name.rpartition(".")
    assert f'filename="{stem}.repaired.{suffix}"' in answer.headers["content-disposition"]


def test_found_damage_is_the_commands_too(home, tmp_path, worn):
    answer = home.post("/v1/repair", files={"image": ("a.png", worn)})
    assert answer.content == command_bytes(tmp_path, worn, None, "a.png")
    assert json.loads(answer.headers["remend-found"])


def test_headers_say_what_was_done(home, picture, mask):
    answer = home.post("/v1/repair", files={"image": ("a.png", picture), "mask": mask})
    assert answer.headers["content-type"] == "image/png"
    assert json.loads(answer.headers["remend-plan"]) == [{"filler": "neural-thin", "windows": 1}]
    assert answer.headers["remend-size"] == "80x60"
    assert float(answer.headers["remend-hole-ratio"]) == pytest.approx(180 / 4800, abs=1e-6)
    assert json.loads(answer.headers["remend-notes"]) == []
    stages = [part.split(";")[0] for part in answer.headers["server-timing"].split(", ")]
    assert stages == ["queue", "read", "find", "fill", "write"]


@pytest.mark.parametrize("format", ["jpeg", "jpg", "webp", "tiff", "bmp"])
def test_another_format_on_request(home, picture, mask, format):
    answer = home.post(
        "/v1/repair", files={"image": ("a.png", picture), "mask": mask}, data={"format": format}
    )
    named = "jpeg" if format == "jpg" else format
    assert answer.headers["content-type"] == f"image/{named}"
    assert PIL.Image.open(io.BytesIO(answer.content)).format.lower() == named


def test_no_damage_gives_the_very_file_back(home):
    flat = io.BytesIO()
    PIL.Image.new("RGB", (64, 64), (128, 128, 128)).save(flat, "PNG")
    answer = home.post("/v1/repair", files={"image": flat.getvalue()})
    assert answer.content == flat.getvalue()
    assert json.loads(answer.headers["remend-notes"]) == ["no damage found"]


def test_an_empty_field_counts_as_not_given(home, picture, mask):
    files = {"image": picture, "mask": mask}
    empty = dict.fromkeys(["method", "seed", "dilate_px", "format", "grain", "repair_alpha"], "")
    assert (
        home.post("/v1/repair", files=files, data=empty).content
        == home.post("/v1/repair", files=files).content
    )


def bomb(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    rows = zlib.compress(bytes(side * (side // 8 + 1)), 9)
    for kind, content in ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")):
        out += (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )
    return out


@pytest.mark.parametrize(
    ("files", "fields", "status", "kind", "field"),
    [
        ({"image": b"dear diary"}, {}, 415, "not-a-picture", "image"),
        ({"image": b""}, {}, 415, "not-a-picture", "image"),
        ({"image": "P", "mask": b"dear diary"}, {}, 415, "not-a-picture", "mask"),
        ({"image": "cut"}, {}, 422, "undecodable", "image"),
        ({"image": "P", "mask": "cut"}, {}, 422, "undecodable", "mask"),
        ({"image": "bomb"}, {}, 413, "too-many-pixels", "image"),
        ({"image": "P", "mask": "bomb"}, {}, 413, "too-many-pixels", "mask"),
        ({"image": bytes(5 << 20)}, {}, 413, "too-many-bytes", "image"),
        ({"image": "P", "mask": "small"}, {}, 422, "mask-mismatch", "mask"),
        ({"image": "P", "mask": "M"}, {"mask_polarity": "alpha"}, 422, "mask-mismatch", "mask"),
        ({"mask": "M"}, {}, 422, "missing-field", "image"),
        ({"image": "P"}, {"quality": "lovely"}, 422, "invalid-option", "quality"),
        ({"image": "P"}, {"method": "/etc/passwd"}, 422, "invalid-option", "method"),
        ({"image": "P"}, {"method": "net.onnx"}, 422, "invalid-option", "method"),
        ({"image": "P"}, {"seed": "-1"}, 422, "invalid-option", "seed"),
        ({"image": "P"}, {"seed": "1.5"}, 422, "invalid-option", "seed"),
        ({"image": "P"}, {"grain": "nan"}, 422, "invalid-option", "grain"),
        ({"image": "P"}, {"denoise": "inf"}, 422, "invalid-option", "denoise"),
        ({"image": "P"}, {"resize_mask": "perhaps"}, 422, "invalid-option", "resize_mask"),
        ({"image": "P"}, {"format": "exe"}, 422, "invalid-option", "format"),
        ({"image": "P"}, {"url": "http://example.com/a.png"}, 422, "invalid-option", "url"),
        ({"image": "P"}, {"image_path": "/etc/passwd"}, 422, "invalid-option", "image_path"),
        ({"image": "P"}, {"seed": "9" * 5000}, 422, "invalid-option", "seed"),
    ],
)
def test_what_is_refused(home, picture, mask, files, fields, status, kind, field):
    meant = {
        "P": picture,
        "M": mask,
        "cut": picture[: len(picture) // 2],
        "bomb": bomb(20_000),
        "small": box_mask((20, 20)),
    }
    sent = {
        name: meant.get(content, content) if isinstance(content, str) else content
        for name, content in files.items()
    }
    answer = home.post("/v1/repair", files=sent, data=fields)
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, said["kind"], said["field"]) == (status, kind, field), said
    assert said["status"] == status
    assert said["title"] and said["detail"] and said["remedy"]
    assert "\n" not in said["detail"]
    assert "--" not in said["detail"], "advice for the command line"
    assert "remend-serve" not in answer.text, "a path of the server"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded", b"image=http://example.com", 415),
        ("image/png", b"\x89PNG", 415),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc',
            400,
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nabc\r\n--x--", 400),
        ("multipart/form-data; boundary=" + "x" * 71, b"", 400),
        (None, b"abc", 415),
    ],
)
def test_bodies_that_are_no_form(home, content_type, body, status):
    headers = {} if content_type is None else {"content-type": content_type}
    answer = home.post("/v1/repair", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert home.app.desk.depth == 0
    assert home.app.desk.ledger.held == 0


def test_a_field_twice_and_too_many_parts(home, picture):
    twice = home.post("/v1/repair", files=[("image", picture), ("image", picture)])
    assert (twice.status_code, twice.json()["field"]) == (422, "image")
    many = home.post("/v1/repair", files=[("image", picture)], data={f"x{k}": "1" for k in range(50)})
    assert many.status_code == 400


def test_nothing_is_left_behind(home, picture):
    home.post("/v1/repair", files={"image": picture})
    home.post("/v1/repair", files={"image": b"dear diary"})
    assert home.app.desk.ledger.held == 0
    assert not [job for job in home.app.desk.records.jobs.values() if not job.kept]
    kept = {str(job.result) for job in home.app.desk.records.jobs.values()}
    assert not [
        path for path in home.app.desk.folder.iterdir() if not str(path).startswith(tuple(kept) or "-")
    ]


@pytest.mark.parametrize(
    ("error", "stage", "kind"),
    [
        (
            MaskError("the mask is 3×3 and the picture 4×4: give another, or --resize-mask"),
            "find",
            "mask-mismatch",
        ),
        (LimitError("image: 9×9 is more: raise --max-pixels"), "read", "too-many-pixels"),
        (DecodeError("image: truncated"), "read", "undecodable"),
        (FormatError("image: text"), "read", "not-a-picture"),
        (FormatError("JPEG holds no float"), "write", "cannot-write"),
        (UsageError("quality must be one of"), "plan", "invalid-option"),
        (ModelError("no model: give one with --method FILE.onnx"), "plan", "model-missing"),
        (WriteError("no room"), "write", "out-of-memory"),
    ],
)
def test_every_error_of_the_library_has_its_problem(error, stage, kind):
    problem = problem_of(error, stage=stage)
    assert problem.kind == kind
    assert "--" not in problem.detail
    assert problem.status == KINDS[kind].status


def test_pages_are_the_commands(home, tmp_path):
    held = io.BytesIO()
    frames = [PIL.Image.fromarray(np.roll(textured(), 9 * number, axis=1)) for number in range(3)]
    frames[0].save(held, "WEBP", save_all=True, append_images=frames[1:], duration=70, lossless=True)
    image, mask = held.getvalue(), box_mask((120, 160))
    reply = home.post(
        "/v1/repair",
        files={"image": ("a.webp", image), "mask": ("m.png", mask)},
        data={"pages": "2-3", "seed": "4"},
    )
    assert reply.status_code == 200
    assert reply.content == command_bytes(tmp_path, image, mask, "a.webp", "--pages", "2-3", "--seed", "4")
    with PIL.Image.open(io.BytesIO(reply.content)) as made:
        assert made.n_frames == 3
    for pages in ("0", "first"):
        reply = home.post("/v1/repair", files={"image": ("a.webp", image)}, data={"pages": pages})
        assert (reply.status_code, reply.json()["field"]) == (422, "pages")


def test_who_looks_at_a_page_is_not_told_to_install_anything():
    told = 'HEIF needs an extra that is not installed: pip install "remend[heif]"'  # as the codec says it
    problem = problem_of(FormatError(told), stage="read")
    assert (problem.kind, problem.field) == ("not-a-picture", "image")
    assert problem.detail == "image: HEIF needs an extra that is not installed"
    assert problem.remedy.startswith("save it as JPEG or PNG first, or have remend[heif] installed")
