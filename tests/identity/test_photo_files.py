from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from identity import photo_files
from identity.photo_rules import Limits, PhotoRefused

LIMITS = Limits(mib=10, megapixels=40)
ORIENTATION = 0x0112


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def half_red(mode: str = "RGB") -> Image.Image:
    """Draw a picture whose left half is red and right half blue."""
    image = Image.new("RGB", (64, 32), "blue")
    image.paste("red", (0, 0, 32, 32))
    return image.convert(mode)


def png_header(width_px: int, height_px: int) -> bytes:
    """Write a PNG that claims a size and has no pixels: some 60 bytes."""
    size = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", size), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data))
        + name
        + data
        + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def refusal(photo: bytes) -> tuple[str, str]:
    with pytest.raises(PhotoRefused) as refused:
        photo_files.upright(photo, limits=LIMITS)
    return refused.value.code, str(refused.value)


class TestUpright:
    @pytest.mark.parametrize(
        ("kind", "mode"),
        [
            ("JPEG", "RGB"),
            ("JPEG", "L"),
            ("JPEG", "CMYK"),
            ("PNG", "RGB"),
            ("PNG", "RGBA"),
            ("PNG", "P"),
            ("PNG", "I;16"),
            ("WEBP", "RGB"),
        ],
    )
    def test_reads(self, kind: str, mode: str) -> None:
        source = half_red("L").convert("I;16") if mode == "I;16" else half_red(mode)

        image = photo_files.upright(written(source, kind), limits=LIMITS)

        assert (image.mode, image.size) == ("RGB", (64, 32))
        if mode in {"RGB", "CMYK", "RGBA", "P"}:
            red, _, blue = image.getpixel((8, 16))  # type: ignore[misc]
            assert red > 200 > 60 > blue

    def test_turns_it_as_the_camera_was_held(self) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6  # To be turned by 90 degrees, clockwise.

        image = photo_files.upright(
            written(half_red(), "JPEG", exif=exif), limits=LIMITS
        )

        assert image.size == (32, 64)
        red, _, blue = image.getpixel((16, 8))  # type: ignore[misc]
        assert red > 200 > 60 > blue

    def test_takes_a_photo_of_two_layers_as_phones_write_it(self) -> None:
        photo = written(
            half_red(), "MPO", save_all=True, append_images=[half_red("RGB")]
        )

        assert photo_files.upright(photo, limits=LIMITS).size == (64, 32)

    @pytest.mark.parametrize(
        "photo",
        [
            b"Dear HR, here is my photo.",
            b"\xff\xd8\xff\xe0" + b"\0" * 200,
            b"%PDF-1.7\n",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            written(half_red(), "GIF"),
            written(half_red(), "TIFF"),
        ],
        ids=["text", "no-jpeg", "pdf", "svg", "gif", "tiff"],
    )
    def test_refuses_what_is_no_photo(self, photo: bytes) -> None:
        assert refusal(photo) == (
            "no_photo",
            "This file is no photo that can be read. Send a JPEG, PNG or WebP file.",
        )

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_refuses_a_photo_that_ends_early(self, kind: str) -> None:
        noise = Image.effect_noise((200, 200), 90).convert("RGB")
        photo = written(noise, kind)

        assert refusal(photo[: len(photo) // 2])[0] in {"damaged", "no_photo"}

    def test_refuses_50_megapixels_before_it_decodes_any(self) -> None:
        photo = written(Image.new("1", (10_000, 5_000)), "PNG")
        assert len(photo) < 100_000

        assert refusal(photo) == (
            "too_many_pixels",
            "The photo has 50 megapixels (10000 x 5000); at most 40 megapixels are "
            "taken. Save it smaller and try again.",
        )

    @pytest.mark.parametrize("side_px", [12_000, 60_000])
    def test_refuses_a_bomb(self, side_px: int) -> None:
        code, sentence = refusal(png_header(side_px, side_px))

        assert code == "too_many_pixels"
        assert "at most 40 megapixels are taken" in sentence
